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

/*
 * A guest can have us look at xenstore as often as it likes, where all others need
 * the same daemon and the same CPUs. So steps are due so far apart; and a session
 * may be ahead of that by 100 of them, where the attach of a device takes ten.
 */
#define STEP_TIME (HZ / 10)
#define MAX_AHEAD (100 * STEP_TIME)

/*
 * How long a frontend that waits for it has to see that we are closed too; and a
 * toolstack that takes the devices of a guest that was shut down: Qubes' does not
 * wait for a backend that is Closed.
 */
#define REOPEN_DELAY (5 * HZ)

/*
 * How long a frontend has to let go of a device. A guest that hangs must not keep
 * the toolstack, which waits ten seconds for us to be Connected, from taking its
 * devices away or destroying it.
 */
#define DETACH_PATIENCE (5 * HZ)

/* How long one that did not is not waited for again: xl destroys one by one. */
#define HUNG_TIME (10 * HZ)

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

/*
 * Tells the frontend to let go of what it lost, which is taken back already; one that
 * was too late for it to look for what it got; and of what the toolstack asked for
 * while we changed our state.
 */
static void detach(struct pciback_session *sess)
{
	bool behind = sess->late || (sess->moved && pciback_session_is_behind(sess));
	bool deaf = pciback_channel_deaf(sess);

	if (sess->late)
		sess->hung = jiffies;
	sess->late = false;
	sess->moved = false;
	if ((pciback_session_shed(sess, !deaf) || behind) && !deaf)
		set_state(sess, XenbusStateReconfiguring);
}

/* How long a frontend may still take, in jiffies; 0: we go on without it. */
static unsigned long patience(const struct pciback_session *sess)
{
	long left = sess->since + DETACH_PATIENCE - jiffies;

	return left > 0 && time_after_eq(jiffies, sess->hung) ? left : 0;
}

/* For new devices the toolstack itself has to know how long to wait. */
static void await_frontend(struct pciback_session *sess)
{
	unsigned long left = patience(sess);
	int err;

	if (left) {
		pciback_session_kick_in(sess, left);
		return;
	}
	err = pciback_session_cut(sess);
	if (!err) {
		sess->hung = jiffies + HUNG_TIME;
		set_state(sess, XenbusStateConnected);
	} else if (err != -EBUSY) {
		pciback_session_kick_in(sess, PCIBACK_STORE_RETRY);
	}
}

/*
 * The frontend's driver is gone, the guest is not. The next driver must not find
 * us Closed, or it closes too.
 */
static void reopen(struct pciback_session *sess)
{
	pciback_frontend_forget(sess);
	set_state(sess, XenbusStateInitWait);
}

/* A frontend that waits for Closed must see it. */
static void linger(struct pciback_session *sess)
{
	long left = sess->since + REOPEN_DELAY - jiffies;

	if (left > 0)
		pciback_session_kick_in(sess, left);
	else
		reopen(sess);
}

/* ---- the state machine ---- */

/**
 * struct view - what there is in xenstore to act on
 * @be: state of the backend
 * @fe: state of the frontend
 * @online: the toolstack wants the session to go on
 */
struct view {
	unsigned int be, fe, online;
};

static int read_view(struct pciback_session *sess, struct view *view)
{
	const char *dir = sess->xdev->nodename;

	return pciback_store_number(XBT_NIL, dir, "state", &view->be) ?:
	       pciback_store_number(XBT_NIL, sess->otherend, "state",
				    &view->fe) ?:
	       pciback_store_number(XBT_NIL, dir, "online", &view->online);
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
	/* The directory may be another one in the same place. */
	pciback_frontend_forget(sess);
	pciback_session_release(sess);
	sess->nr_roots = 0;
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
		pciback_frontend_connect(sess);
}

/* The toolstack takes Connected for an answer to what it asked for last. */
static void go_on(struct pciback_session *sess)
{
	set_state(sess, pciback_session_is_behind(sess) ?
			XenbusStateReconfiguring : XenbusStateConnected);
}

static void reconfigure(struct pciback_session *sess)
{
	sess->hung = jiffies;
	if (bring_up_to_date(sess, false))
		set_state(sess, XenbusStateReconfigured);
}

static void replug(struct pciback_session *sess)
{
	if (bring_up_to_date(sess, false))
		set_state(sess, XenbusStateInitialised);
}

/*
 * The toolstack does not wait for a frontend, only for us: it may ask for the next
 * device while the last one's driver is being probed.
 */
static void attend(struct pciback_session *sess)
{
	bool served = pciback_frontend_is_served(sess);

	if (served && patience(sess)) {
		pciback_session_kick_in(sess, PCIBACK_CHECK_INTERVAL);
		return;
	}
	if (served) {
		sess->hung = jiffies + HUNG_TIME;
		sess->late = true;
	}
	replug(sess);
}

static void retry(struct pciback_session *sess)
{
	if (pciback_frontend_is_new(sess))
		set_state(sess, XenbusStateInitialised);
}

static void restart(struct pciback_session *sess)
{
	pciback_frontend_forget(sess);
	set_state(sess, XenbusStateInitialised);
}

static void disconnect(struct pciback_session *sess)
{
	pciback_frontend_forget(sess);
	set_state(sess, XenbusStateClosing);
}

static void close_session(struct pciback_session *sess)
{
	pciback_frontend_forget(sess);
	set_state(sess, XenbusStateClosed);
}

static void release(struct pciback_session *sess)
{
	pciback_frontend_forget(sess);
	pciback_session_release(sess);
	set_state(sess, XenbusStateClosed);
}

/* An action that is to be followed by another has changed our state. */
static void (*const actions[])(struct pciback_session *sess) = {
	[PCIBACK_BEGIN] = begin,
	[PCIBACK_SETUP] = setup,
	[PCIBACK_UPDATE] = update,
	[PCIBACK_CONNECT] = update_and_connect,
	[PCIBACK_RESUME] = go_on,
	[PCIBACK_RECONFIGURE] = reconfigure,
	[PCIBACK_REPLUG] = replug,
	[PCIBACK_RECONNECT] = pciback_frontend_check,
	[PCIBACK_RETRY] = retry,
	[PCIBACK_DETACH] = detach,
	[PCIBACK_AWAIT] = await_frontend,
	[PCIBACK_ATTEND] = attend,
	[PCIBACK_REOPEN] = reopen,
	[PCIBACK_LINGER] = linger,
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
	enum pciback_action action;
	struct view view;

	if (read_view(sess, &view)) {
		pciback_session_kick_in(sess, PCIBACK_STORE_RETRY);
		return false;
	}
	/* What is there when a session begins may be another's state. */
	if (view.online && sess->action == PCIBACK_NOTHING)
		view.be = XenbusStateInitialising;
	action = pciback_next(view.be, view.fe, view.online);
	if (action != PCIBACK_NOTHING && action != sess->action) {
		sess->since = jiffies;
		sess->action = action;
	}
	shed(sess, view.be, action);
	if (action == PCIBACK_NOTHING)
		return false;
	/* The toolstack writes our state too, behind the core's back. */
	sess->xdev->state = view.be;
	actions[action](sess);
	if (sess->xdev->state == view.be)
		return false;
	sess->moved = true;
	return true;
}

static bool may_step(struct pciback_session *sess)
{
	if (time_before(sess->due, jiffies))
		sess->due = jiffies;
	if (time_after(sess->due, jiffies + MAX_AHEAD)) {
		pciback_session_kick_in(sess, STEP_TIME);
		return false;
	}
	sess->due += STEP_TIME;
	return true;
}

static void session_work(struct work_struct *work)
{
	struct pciback_session *sess =
		container_of(work, struct pciback_session, work.work);

	mutex_lock(&sess->lock);
	while (!READ_ONCE(sess->gone) && may_step(sess) && take_action(sess))
		;
	if (READ_ONCE(sess->gone)) {
		pciback_frontend_forget(sess);
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

	/* A new watch fires at once, which has the work item begin. */
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
