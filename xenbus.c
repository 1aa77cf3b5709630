// SPDX-License-Identifier: GPL-2.0
/*
 * The state machine of a session, from the birth of a guest's backend directory
 * to the end of it.
 *
 * xenwatch is one thread for all backends of dom0, so its callbacks only queue
 * the session's work item. That reads what both ends and the toolstack say in
 * xenstore, looks its next action up in one table, takes it, and looks again
 * until there is nothing to do.
 */
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "pciback.h"
#include "store.h"

/* Steps of a session before it goes to the back of the queue. */
#define MAX_STEPS 16

/* How long a closed frontend has to see that we are closed too. */
#define REOPEN_DELAY (1 * HZ)

/*
 * How long a frontend has to let go of a device. A guest that hangs must not keep
 * the toolstack, which waits ten seconds for us to be Connected, from taking its
 * devices away or destroying it.
 */
#define DETACH_PATIENCE (5 * HZ)

/* How often a frontend's state is tried to be set while the guest writes too. */
#define RESET_TRIES 8

/* How often we look if a frontend that published is still there. */
#define FRONTEND_CHECK (1 * HZ)

static DEFINE_MUTEX(sessions_lock);
static LIST_HEAD(sessions);

/**
 * pciback_sessions_kick - a device became free: who waits for one may look again
 */
void pciback_sessions_kick(void)
{
	struct pciback_session *sess;

	mutex_lock(&sessions_lock);
	list_for_each_entry(sess, &sessions, item)
		pciback_session_kick(sess);
	mutex_unlock(&sessions_lock);
}

static void set_state(struct pciback_session *sess, enum xenbus_state state)
{
	xenbus_switch_state(sess->xdev, state);
}

/* ---- the frontend ---- */

/* A guest's mistakes are told, but not without end. */
static void fail(struct pciback_session *sess, int err, const char *what)
{
	if (__ratelimit(&sess->errors))
		xenbus_dev_error(sess->xdev, err, "%s", what);
	set_state(sess, XenbusStateClosing);
}

static int read_publication(struct pciback_session *sess,
			    struct xenbus_transaction xbt, grant_ref_t *gref,
			    evtchn_port_t *port)
{
	char *magic;
	int err;

	err = xenbus_gather(xbt, sess->otherend, "pci-op-ref", "%u", gref,
			    "event-channel", "%u", port, "magic", NULL, &magic,
			    NULL);
	if (err)
		return err;
	err = strcmp(magic, XEN_PCI_MAGIC) ? -EPROTO : 0;
	kfree(magic);
	return err;
}

/* Is there another page or event channel than we know? */
static bool published_anew(struct pciback_session *sess,
			   struct xenbus_transaction xbt)
{
	evtchn_port_t port;
	grant_ref_t gref;

	return !read_publication(sess, xbt, &gref, &port) &&
	       (gref != sess->chan.gref || port != sess->chan.port);
}

static void forget_frontend(struct pciback_session *sess)
{
	if (sess->chan.life == PCIBACK_CHAN_NONE)
		return;
	pciback_channel_close(sess);
	pciback_session_silence(sess);
}

/*
 * A frontend that published and went away, as Linux 7.3 does when it takes its
 * own publication for a reset, is not looked for again by its kernel until its
 * state is Initialising: what toolstacks write when they make the device.
 */
static void reset_frontend(struct pciback_session *sess)
{
	const char *dir = sess->otherend;
	struct xenbus_transaction xbt;
	unsigned int tries = 0;
	int end;

	do {
		if (xenbus_transaction_start(&xbt))
			break;
		/* Not if it has just come back by itself. */
		if (xenbus_exists(xbt, dir, "state") &&
		    !published_anew(sess, xbt))
			xenbus_printf(xbt, dir, "state", "%d",
				      XenbusStateInitialising);
		end = xenbus_transaction_end(xbt, false);
		/* The guest can write there without end. */
	} while (end == -EAGAIN && ++tries < RESET_TRIES);
	forget_frontend(sess);
	set_state(sess, XenbusStateInitialised);
}

static void connect_frontend(struct pciback_session *sess)
{
	evtchn_port_t port;
	grant_ref_t gref;
	int err;

	err = read_publication(sess, XBT_NIL, &gref, &port);
	if (err) {
		fail(sess, err, err == -EPROTO ?
		     "frontend speaks another protocol (magic)" :
		     "frontend published no page");
		return;
	}
	forget_frontend(sess);
	/* Of a page that cannot be mapped the core logs a line. */
	if (!pciback_limit_allows(&sess->failures)) {
		pciback_session_kick_in(sess,
					pciback_limit_left(&sess->failures));
		return;
	}
	err = pciback_channel_open(sess, gref, port);
	if (err)
		pciback_limit_count(&sess->failures);
	if (!err)
		set_state(sess, XenbusStateConnected);
	else if (pciback_channel_abandoned(sess))
		reset_frontend(sess);
	else
		fail(sess, err, "frontend's page or event channel is of no use");
}

/* The frontend has not come to be Connected yet: is it still the same? */
static void reconnect(struct pciback_session *sess)
{
	if (published_anew(sess, XBT_NIL))
		connect_frontend(sess);
	else if (pciback_channel_abandoned(sess))
		reset_frontend(sess);
	else
		pciback_session_kick_in(sess, FRONTEND_CHECK);
}

/* Tells the frontend to let go of what it lost, which is taken back already. */
static void detach(struct pciback_session *sess)
{
	bool deaf = pciback_channel_deaf(sess);

	if (pciback_session_shed(sess, !deaf) && !deaf)
		set_state(sess, XenbusStateReconfiguring);
}

/* For new devices the toolstack itself has to know how long to wait. */
static void await_frontend(struct pciback_session *sess)
{
	unsigned long when = sess->since + DETACH_PATIENCE;
	int err;

	if (time_before(jiffies, when)) {
		pciback_session_kick_in(sess, when - jiffies);
		return;
	}
	err = pciback_session_cut(sess);
	if (!err)
		set_state(sess, XenbusStateConnected);
	else if (err != -EBUSY)
		pciback_session_kick_in(sess, FRONTEND_CHECK);
}

/*
 * The frontend's driver is gone, the guest is not. The next driver must not find
 * us Closed, or it closes too; a frontend that waits for Closed must see it. So
 * we stay Closed for a while.
 */
static void reopen(struct pciback_session *sess)
{
	unsigned long when = sess->since + REOPEN_DELAY;

	if (time_before(jiffies, when))
		pciback_session_kick_in(sess, when - jiffies);
	else
		set_state(sess, XenbusStateInitWait);
}

/* ---- the state machine ---- */

/* xenbus_read_driver_state() takes another argument in 7.3. */
static unsigned int read_state(const char *dir)
{
	return xenbus_read_unsigned(dir, "state", XenbusStateUnknown);
}

/*
 * Gives the guest what the toolstack names; true if it has that now. What waits for
 * a device is kicked, what is missing or wrong is seen when it is written.
 */
static bool bring_up_to_date(struct pciback_session *sess, bool setup)
{
	int err = pciback_session_update(sess, setup);

	if (err && err != -EAGAIN && err != -ENOENT && err != -ERANGE)
		pciback_session_kick_in(sess, PCIBACK_STORE_RETRY);
	return !err;
}

static void begin(struct pciback_session *sess)
{
	set_state(sess, XenbusStateInitWait);
}

static void setup(struct pciback_session *sess)
{
	if (bring_up_to_date(sess, true))
		set_state(sess, XenbusStateInitialised);
}

static void update(struct pciback_session *sess)
{
	bring_up_to_date(sess, false);
}

static void update_and_connect(struct pciback_session *sess)
{
	if (bring_up_to_date(sess, false))
		connect_frontend(sess);
}

static void go_on(struct pciback_session *sess)
{
	set_state(sess, XenbusStateConnected);
}

static void reconfigure(struct pciback_session *sess)
{
	if (bring_up_to_date(sess, false))
		set_state(sess, XenbusStateReconfigured);
}

static void replug(struct pciback_session *sess)
{
	if (bring_up_to_date(sess, false))
		set_state(sess, XenbusStateInitialised);
}

static void retry(struct pciback_session *sess)
{
	if (published_anew(sess, XBT_NIL))
		set_state(sess, XenbusStateInitialised);
}

static void restart(struct pciback_session *sess)
{
	forget_frontend(sess);
	set_state(sess, XenbusStateInitialised);
}

static void disconnect(struct pciback_session *sess)
{
	forget_frontend(sess);
	set_state(sess, XenbusStateClosing);
}

static void close_session(struct pciback_session *sess)
{
	forget_frontend(sess);
	set_state(sess, XenbusStateClosed);
}

static void release(struct pciback_session *sess)
{
	forget_frontend(sess);
	pciback_session_release(sess);
	close_session(sess);
}

/* The state in xenstore says if there is another. */
static void (*const actions[])(struct pciback_session *sess) = {
	[PCIBACK_BEGIN] = begin,
	[PCIBACK_SETUP] = setup,
	[PCIBACK_UPDATE] = update,
	[PCIBACK_CONNECT] = update_and_connect,
	[PCIBACK_RESUME] = go_on,
	[PCIBACK_RECONFIGURE] = reconfigure,
	[PCIBACK_REPLUG] = replug,
	[PCIBACK_RECONNECT] = reconnect,
	[PCIBACK_RETRY] = retry,
	[PCIBACK_DETACH] = detach,
	[PCIBACK_AWAIT] = await_frontend,
	[PCIBACK_REOPEN] = reopen,
	[PCIBACK_RESTART] = restart,
	[PCIBACK_DISCONNECT] = disconnect,
	[PCIBACK_CLOSE] = close_session,
	[PCIBACK_RELEASE] = release,
};

/*
 * Is a frontend at work that is told of lost devices, now or when it is done? One
 * that does not come to be Connected is not waited for.
 */
static bool will_tell(struct pciback_session *sess, enum pciback_action action)
{
	switch (action) {
	case PCIBACK_DETACH:
	case PCIBACK_RECONFIGURE:
		return true;
	case PCIBACK_RECONNECT:
		return time_before(jiffies, sess->since + DETACH_PATIENCE);
	default:
		return false;
	}
}

/* Devices that the guest has lost are taken back, whatever its frontend does. */
static void shed(struct pciback_session *sess, unsigned int be,
		 enum pciback_action action)
{
	if (be >= XenbusStateInitialised && be <= XenbusStateClosed &&
	    !will_tell(sess, action))
		pciback_session_shed(sess, false);
}

/* One look at xenstore and one action; true if it changed our state. */
static bool take_action(struct pciback_session *sess)
{
	const char *dir = sess->xdev->nodename;
	unsigned int be = read_state(dir);
	enum pciback_action action =
		pciback_next(be, read_state(sess->otherend),
			     xenbus_dev_is_online(sess->xdev));

	if (action != PCIBACK_NOTHING && action != sess->action) {
		sess->since = jiffies;
		sess->action = action;
	}
	shed(sess, be, action);
	if (action == PCIBACK_NOTHING)
		return false;
	/* The toolstack writes our state too, behind the core's back. */
	sess->xdev->state = be;
	actions[action](sess);
	return sess->xdev->state != be;
}

static void session_work(struct work_struct *work)
{
	struct pciback_session *sess =
		container_of(work, struct pciback_session, work.work);
	unsigned int steps = 0;

	mutex_lock(&sess->lock);
	while (!READ_ONCE(sess->gone) && take_action(sess)) {
		if (++steps == MAX_STEPS) {
			pciback_session_kick(sess);
			break;
		}
	}
	if (READ_ONCE(sess->gone)) {
		forget_frontend(sess);
		pciback_session_release(sess);
	}
	mutex_unlock(&sess->lock);
	pciback_session_put(sess);
}

/* ---- what xenwatch calls: nothing here waits for hardware or a guest ---- */

/* Keys that are ours alone tell us nothing. */
static bool toolstack_will_handle(struct xenbus_watch *watch, const char *path,
				  const char *token)
{
	const char *key = kbasename(path);

	return !str_has_prefix(key, "vdev-") && !str_has_prefix(key, "root");
}

static void toolstack_changed(struct xenbus_watch *watch, const char *path,
			      const char *token)
{
	pciback_session_kick(container_of(watch, struct pciback_session, watch));
}

/*
 * A guest can remove its frontend's directory and go on using the device; only
 * the toolstack removes the guest's own, when the guest is no more.
 */
static bool guest_is_gone(const struct xenbus_device *xdev)
{
	char path[sizeof("/local/domain/65535")];
	unsigned int nr;
	char **keys;

	snprintf(path, sizeof(path), "/local/domain/%u", xdev->otherend_id);
	keys = xenbus_directory(XBT_NIL, path, "", &nr);
	if (IS_ERR(keys))
		return PTR_ERR(keys) == -ENOENT;
	kfree(keys);
	return false;
}

/*
 * The end of a session is seen here, not in its work item: only xenwatch itself
 * may unregister a xenbus device. It still reads xenstore alone.
 */
static void frontend_changed(struct xenbus_device *xdev, enum xenbus_state state)
{
	struct pciback_session *sess = dev_get_drvdata(&xdev->dev);

	pciback_session_kick(sess);
	if ((state == XenbusStateClosed && !xenbus_dev_is_online(xdev)) ||
	    (state == XenbusStateUnknown && guest_is_gone(xdev)))
		device_unregister(&xdev->dev);
}

static void session_remove(struct xenbus_device *xdev)
{
	struct pciback_session *sess = dev_get_drvdata(&xdev->dev);

	if (sess->watch.node)
		unregister_xenbus_watch(&sess->watch);
	mutex_lock(&sessions_lock);
	list_del(&sess->item);
	mutex_unlock(&sessions_lock);
	WRITE_ONCE(sess->gone, true);
	pciback_session_kick(sess);
	pciback_session_put(sess);
}

static int session_probe(struct xenbus_device *xdev,
			 const struct xenbus_device_id *id)
{
	struct pciback_session *sess = pciback_session_alloc(xdev, session_work);
	int err;

	if (!sess)
		return -ENOMEM;
	dev_set_drvdata(&xdev->dev, sess);
	mutex_lock(&sessions_lock);
	list_add_tail(&sess->item, &sessions);
	mutex_unlock(&sessions_lock);

	/* Which comes at once, and has the work item begin. */
	err = xenbus_watch_path(xdev, xdev->nodename, &sess->watch,
				toolstack_will_handle, toolstack_changed);
	if (err)
		session_remove(xdev);
	return err;
}

static const struct xenbus_device_id session_ids[] = {
	{ "pci" },
	{ "" },
};

static struct xenbus_driver session_driver = {
	.name = DRV_NAME,
	.ids = session_ids,
	.probe = session_probe,
	.remove = session_remove,
	.otherend_changed = frontend_changed,
};

/**
 * pciback_xenbus_init - serve guests from now on
 *
 * Return: 0 or -errno.
 */
int __init pciback_xenbus_init(void)
{
	return xenbus_register_backend(&session_driver);
}

/**
 * pciback_xenbus_exit - serve guests no more; their sessions end on pciback_wq
 */
void pciback_xenbus_exit(void)
{
	xenbus_unregister_driver(&session_driver);
}
