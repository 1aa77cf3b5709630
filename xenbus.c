// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: one for each guest, from the birth of its backend directory to the
 * end of it.
 *
 * xenwatch is one thread for all backends of dom0, so its callbacks only queue
 * the session's work item. That takes a snapshot of what both ends and the
 * toolstack say in xenstore, looks its next action up in one table, takes it,
 * and looks again until there is nothing to do.
 */
#include <linux/list.h>
#include <linux/slab.h>
#include <xen/events.h>

#include "pciback.h"
#include "plan.h"

/* More in one guest is no request but a mistake. */
#define MAX_DEVICES 4096

/* Steps of a session before it goes to the back of the queue. */
#define MAX_STEPS 16

static DEFINE_MUTEX(sessions_lock);
static LIST_HEAD(sessions);

/**
 * enum action - what a session does next
 * @NOTHING: waits for somebody else
 * @SETUP: exports the devices and becomes Initialised
 * @UPDATE: exports devices that came, takes those back that are to go
 * @CONNECT: UPDATE, then maps the frontend's page and becomes Connected
 * @RESUME: becomes Connected again after a reconfiguration
 * @RECONFIGURE: UPDATE, for a frontend that waits for Reconfigured
 * @REPLUG: UPDATE that nobody waits for, and becomes Initialised
 * @RECONNECT: follows a frontend that published another page
 * @RESTART: forgets the frontend and becomes Initialised
 * @DISCONNECT: forgets the frontend and becomes Closing
 * @CLOSE: forgets the frontend and becomes Closed
 */
enum action {
	NOTHING,
	SETUP,
	UPDATE,
	CONNECT,
	RESUME,
	RECONFIGURE,
	REPLUG,
	RECONNECT,
	RESTART,
	DISCONNECT,
	CLOSE,
};

#define NR_STATES (XenbusStateReconfigured + 1)

/* By the state of the backend and of the frontend, as they are in xenstore. */
static const u8 session_table[NR_STATES][NR_STATES] = {
	[XenbusStateInitWait] = {
		[0 ... NR_STATES - 1] = SETUP,
	},
	[XenbusStateInitialised] = {
		[XenbusStateUnknown] = UPDATE,
		[XenbusStateInitialising] = UPDATE,
		[XenbusStateInitWait] = UPDATE,
		[XenbusStateInitialised] = CONNECT,
		[XenbusStateConnected] = CONNECT,
		[XenbusStateClosing] = DISCONNECT,
		[XenbusStateClosed] = CLOSE,
	},
	[XenbusStateConnected] = {
		[XenbusStateInitialising] = RESTART,
		[XenbusStateInitialised] = RECONNECT,
		[XenbusStateClosing] = DISCONNECT,
		[XenbusStateClosed] = CLOSE,
	},
	[XenbusStateClosing] = {
		[XenbusStateUnknown] = CLOSE,
		[XenbusStateInitialising] = CLOSE,
		[XenbusStateInitWait] = CLOSE,
		[XenbusStateClosed] = CLOSE,
	},
	[XenbusStateClosed] = {
		[XenbusStateInitialising] = RESTART,
		[XenbusStateInitialised] = RESTART,
	},
	[XenbusStateReconfiguring] = {
		[XenbusStateUnknown] = REPLUG,
		[XenbusStateInitialising] = REPLUG,
		[XenbusStateInitWait] = REPLUG,
		[XenbusStateReconfiguring] = RECONFIGURE,
		[XenbusStateClosing] = DISCONNECT,
		[XenbusStateClosed] = CLOSE,
	},
	[XenbusStateReconfigured] = {
		[XenbusStateInitialising] = RESTART,
		[XenbusStateConnected] = RESUME,
		[XenbusStateClosing] = DISCONNECT,
		[XenbusStateClosed] = CLOSE,
	},
};

/**
 * pciback_session_domid - whose session it is
 * @sess: session
 */
domid_t pciback_session_domid(const struct pciback_session *sess)
{
	return sess->xdev->otherend_id;
}

static void session_free(struct kref *ref)
{
	struct pciback_session *sess =
		container_of(ref, struct pciback_session, ref);

	kfree(rcu_dereference_protected(sess->map, true));
	kfree(sess->otherend);
	put_device(&sess->xdev->dev);
	kfree(sess);
}

/**
 * pciback_session_put - drop a reference
 * @sess: session
 */
void pciback_session_put(struct pciback_session *sess)
{
	kref_put(&sess->ref, session_free);
}

static void session_kick(struct pciback_session *sess)
{
	kref_get(&sess->ref);
	if (!queue_work(pciback_wq, &sess->work))
		pciback_session_put(sess);
}

/**
 * pciback_sessions_kick - a device became free: who waits for one may look again
 */
void pciback_sessions_kick(void)
{
	struct pciback_session *sess;

	mutex_lock(&sessions_lock);
	list_for_each_entry(sess, &sessions, item)
		session_kick(sess);
	mutex_unlock(&sessions_lock);
}

static void set_state(struct pciback_session *sess, enum xenbus_state state)
{
	xenbus_switch_state(sess->xdev, state);
}

/* ---- devices of a session ---- */

static struct pciback_vmap *map_of(struct pciback_session *sess)
{
	return rcu_dereference_protected(sess->map,
					 lockdep_is_held(&sess->map_lock));
}

static int map_add(struct pciback_session *sess, struct pciback_vdev *dev)
{
	struct pciback_vmap *old, *new;
	int err;

	mutex_lock(&sess->map_lock);
	old = map_of(sess);
	/* Unbind looks for the device in the map after it marked it. */
	err = READ_ONCE(dev->stub->state) == PCISTUB_ASSIGNED ? 0 : -ENODEV;
	if (!err)
		err = pciback_topology->place(old, dev);
	if (!err) {
		new = pciback_vmap_with(old, dev);
		err = new ? 0 : -ENOMEM;
	}
	if (!err) {
		rcu_assign_pointer(sess->map, new);
		kfree_rcu(old, rcu);
	}
	mutex_unlock(&sess->map_lock);
	return err;
}

/* Never fails; the device may be in use until an RCU grace period is over. */
static struct pcistub *map_remove(struct pciback_session *sess, u32 sbdf)
{
	const struct pciback_vdev *dev;
	struct pcistub *stub = NULL;
	struct pciback_vmap *old, *new;

	mutex_lock(&sess->map_lock);
	old = map_of(sess);
	dev = pciback_vmap_find_host(old, sbdf);
	if (dev) {
		stub = dev->stub;
		new = pciback_vmap_without(old, dev->vaddr);
		if (new) {
			rcu_assign_pointer(sess->map, new);
			kfree_rcu(old, rcu);
		} else {
			WRITE_ONCE(old->dev[dev - old->dev].stub, NULL);
		}
	}
	mutex_unlock(&sess->map_lock);
	return stub;
}

static bool map_has(struct pciback_session *sess, u32 sbdf)
{
	bool has;

	mutex_lock(&sess->map_lock);
	has = pciback_vmap_find_host(map_of(sess), sbdf);
	mutex_unlock(&sess->map_lock);
	return has;
}

/* Any device that is not among the wishes; all of them if there are none. */
static bool map_unwanted(struct pciback_session *sess,
			 const struct pciback_wish *wish, unsigned int nr,
			 u32 *sbdf)
{
	struct pciback_vmap *map;
	bool found = false;
	unsigned int i;

	mutex_lock(&sess->map_lock);
	map = map_of(sess);
	for (i = 0; map && !found && i < map->nr; i++) {
		*sbdf = map->dev[i].sbdf;
		found = map->dev[i].stub && !pciback_plan_wants(wish, nr, *sbdf);
	}
	mutex_unlock(&sess->map_lock);
	return found;
}

static void take_back(struct pciback_session *sess, u32 sbdf)
{
	struct pcistub *stub = map_remove(sess, sbdf);

	if (!stub)
		return;
	synchronize_rcu();
	pcistub_return(stub);
	pciback_session_put(sess);
}

static void take_unwanted_back(struct pciback_session *sess,
			       const struct pciback_wish *wish, unsigned int nr)
{
	u32 sbdf;

	while (map_unwanted(sess, wish, nr, &sbdf))
		take_back(sess, sbdf);
}

/**
 * pciback_session_lost - a device is taken from under a guest
 * @sess: session that owns the device
 * @stub: device, on its way back to the host; the registry lock is held
 *
 * A grace period later no request of the guest uses it any more.
 */
void pciback_session_lost(struct pciback_session *sess, struct pcistub *stub)
{
	if (map_remove(sess, stub->sbdf)) {
		pcistub_put(stub);
		dev_warn(&stub->pdev->dev, "taken from domain %d while in use\n",
			 pciback_session_domid(sess));
		session_kick(sess);
		pciback_session_put(sess);
	}
}

/* ---- what is said in xenstore ---- */

/* N of a key such as vdev-N */
#define KEY_SIZE sizeof("state-4294967295")

static int write_root(struct pciback_session *sess, struct xenbus_transaction xbt,
		      u32 root)
{
	const char *dir = sess->xdev->nodename;
	char key[KEY_SIZE];
	int err;

	snprintf(key, sizeof(key), "root-%u", sess->nr_roots);
	err = xenbus_printf(xbt, dir, key, "%04x:%02x", root >> 8, root & 0xff);
	if (err)
		return err;
	return xenbus_printf(xbt, dir, "root_num", "%d", sess->nr_roots + 1);
}

static bool root_known(const struct pciback_session *sess, u32 root)
{
	unsigned int i;

	for (i = 0; i < sess->nr_roots; i++)
		if (sess->root[i] == root)
			return true;
	return false;
}

/* Keys of a device; of its bus alone if there is no @dev. */
static int write_keys(struct pciback_session *sess, struct xenbus_transaction xbt,
		      const struct pciback_vdev *dev, unsigned int index,
		      u32 root)
{
	const char *dir = sess->xdev->nodename;
	char key[KEY_SIZE];
	int err = 0;

	/* Nothing is written into a directory that the toolstack removed. */
	if (!xenbus_exists(xbt, dir, "state"))
		return -ENOENT;
	if (!root_known(sess, root))
		err = write_root(sess, xbt, root);
	if (err || !dev)
		return err;
	snprintf(key, sizeof(key), "vdev-%u", index);
	err = xenbus_printf(xbt, dir, key, "%04x:%02x:%02x.%02x",
			    SBDF_ARG(dev->vaddr));
	if (err)
		return err;
	snprintf(key, sizeof(key), "state-%u", index);
	return xenbus_printf(xbt, dir, key, "%d", XenbusStateInitialised);
}

static int publish(struct pciback_session *sess, const struct pciback_vdev *dev,
		   unsigned int index, u32 root)
{
	struct xenbus_transaction xbt;
	int err, end;

	if (!root_known(sess, root) && sess->nr_roots == PCIBACK_MAX_ROOTS)
		return -ENOSPC;
	do {
		err = xenbus_transaction_start(&xbt);
		if (err)
			return err;
		err = write_keys(sess, xbt, dev, index, root);
		end = xenbus_transaction_end(xbt, !!err);
	} while (end == -EAGAIN);
	if (err || end)
		return err ? err : end;

	if (!root_known(sess, root))
		sess->root[sess->nr_roots++] = root;
	return 0;
}

/* Says that a device cannot be had, and goes on with the others. */
static void refuse(struct pciback_session *sess, const struct pciback_wish *wish,
		   int err)
{
	char key[KEY_SIZE];

	if (wish->named)
		xenbus_dev_error(sess->xdev, err,
				 "device " SBDF_FMT " cannot be given to domain %d",
				 SBDF_ARG(wish->sbdf),
				 pciback_session_domid(sess));
	else
		xenbus_dev_error(sess->xdev, err, "dev-%u names no device",
				 wish->index);
	snprintf(key, sizeof(key), "state-%u", wish->index);
	if (xenbus_exists(XBT_NIL, sess->xdev->nodename, key))
		xenbus_printf(XBT_NIL, sess->xdev->nodename, key, "%d",
			      XenbusStateClosed);
}

static int export(struct pciback_session *sess, const struct pciback_wish *wish)
{
	struct pciback_vdev dev = { .sbdf = wish->sbdf };
	int err;

	err = pcistub_assign(wish->sbdf, sess, &dev.stub);
	if (err)
		return err;
	/* A device that is assigned holds on to its session. */
	kref_get(&sess->ref);
	dev.virtfn = dev.stub->pdev->is_virtfn;
	err = map_add(sess, &dev);
	if (err) {
		pcistub_return(dev.stub);
		pciback_session_put(sess);
		return err;
	}
	err = publish(sess, &dev, wish->index, dev.vaddr >> 8);
	if (err)
		take_back(sess, wish->sbdf);
	else
		dev_info(&dev.stub->pdev->dev, "given to domain %d as " SBDF_FMT "\n",
			 pciback_session_domid(sess), SBDF_ARG(dev.vaddr));
	return err;
}

static void withdraw(struct pciback_session *sess,
		     const struct pciback_wish *wish)
{
	char key[KEY_SIZE];

	take_back(sess, wish->sbdf);
	snprintf(key, sizeof(key), "vdev-%u", wish->index);
	xenbus_rm(XBT_NIL, sess->xdev->nodename, key);
}

static void read_wish(struct pciback_session *sess, struct pciback_wish *wish,
		      unsigned int index)
{
	const char *dir = sess->xdev->nodename;
	char key[KEY_SIZE];
	char *name;

	wish->index = index;
	snprintf(key, sizeof(key), "dev-%u", index);
	name = xenbus_read(XBT_NIL, dir, key, NULL);
	if (!IS_ERR(name)) {
		wish->named = !pciback_parse_sbdf(name, &wish->sbdf);
		kfree(name);
	}
	snprintf(key, sizeof(key), "state-%u", index);
	wish->state = xenbus_read_unsigned(dir, key, XenbusStateUnknown);
	wish->exported = wish->named && map_has(sess, wish->sbdf);
}

static int read_wishes(struct pciback_session *sess, struct pciback_wish **wishes,
		       unsigned int *nr)
{
	unsigned int i;
	int got;

	got = xenbus_scanf(XBT_NIL, sess->xdev->nodename, "num_devs", "%u", nr);
	if (got != 1)
		return -ENOENT;
	if (*nr > MAX_DEVICES) {
		xenbus_dev_error(sess->xdev, -ERANGE, "num_devs is %u", *nr);
		return -ERANGE;
	}
	*wishes = kvcalloc(*nr, sizeof(**wishes), GFP_KERNEL);
	if (!*wishes)
		return -ENOMEM;
	for (i = 0; i < *nr; i++)
		read_wish(sess, &(*wishes)[i], i);
	return 0;
}

/*
 * Brings the guest's devices in line with what the toolstack says. -EAGAIN: some
 * are being reset; the rest is done, and we are kicked when they are.
 */
static int update(struct pciback_session *sess, bool setup)
{
	struct pciback_wish *wish;
	unsigned int i, nr;
	int err, ret;

	ret = read_wishes(sess, &wish, &nr);
	if (ret)
		return ret;
	pciback_plan(wish, nr, setup);
	take_unwanted_back(sess, wish, nr);
	for (i = 0; i < nr; i++)
		if (wish[i].step == PCIBACK_REMOVE)
			withdraw(sess, &wish[i]);
	for (i = 0; i < nr; i++) {
		if (wish[i].step == PCIBACK_KEEP || wish[i].step == PCIBACK_REMOVE)
			continue;
		err = wish[i].step == PCIBACK_ADD ? export(sess, &wish[i]) :
						    -EINVAL;
		if (err == -EAGAIN)
			ret = err;
		else if (err)
			refuse(sess, &wish[i], err);
	}
	kvfree(wish);
	return ret;
}

/* ---- the frontend ---- */

/* A guest's mistakes are told, but not without end. */
static void fail(struct pciback_session *sess, int err, const char *what)
{
	if (__ratelimit(&sess->errors))
		xenbus_dev_error(sess->xdev, err, "%s", what);
	set_state(sess, XenbusStateClosing);
}

static int read_publication(struct pciback_session *sess, grant_ref_t *gref,
			    evtchn_port_t *port)
{
	char *magic;
	int err;

	err = xenbus_gather(XBT_NIL, sess->otherend, "pci-op-ref", "%u", gref,
			    "event-channel", "%u", port, "magic", NULL, &magic,
			    NULL);
	if (err)
		return err;
	err = strcmp(magic, XEN_PCI_MAGIC) ? -EPROTO : 0;
	kfree(magic);
	return err;
}

static void connect(struct pciback_session *sess)
{
	evtchn_port_t port;
	grant_ref_t gref;
	int err;

	err = read_publication(sess, &gref, &port);
	if (err) {
		fail(sess, err, err == -EPROTO ?
		     "frontend speaks another protocol (magic)" :
		     "frontend published no page");
		return;
	}
	pciback_channel_close(sess);
	err = pciback_channel_open(sess, gref, port);
	if (err)
		fail(sess, err, "frontend's page or event channel is of no use");
	else
		set_state(sess, XenbusStateConnected);
}

static bool publication_changed(struct pciback_session *sess)
{
	evtchn_port_t port;
	grant_ref_t gref;

	return !read_publication(sess, &gref, &port) &&
	       (gref != sess->chan.gref || port != sess->chan.port);
}

static void release_all(struct pciback_session *sess)
{
	take_unwanted_back(sess, NULL, 0);
}

/* ---- the state machine ---- */

static enum xenbus_state read_state(const char *dir)
{
	unsigned int state = xenbus_read_unsigned(dir, "state",
						  XenbusStateUnknown);

	return state < NR_STATES ? state : XenbusStateUnknown;
}

/* Takes the action; the state in xenstore says if there is another. */
static void act(struct pciback_session *sess, enum action action)
{
	switch (action) {
	case NOTHING:
		break;
	case SETUP:
		if (pciback_topology->has_root && publish(sess, NULL, 0, 0))
			break;
		if (!update(sess, true))
			set_state(sess, XenbusStateInitialised);
		break;
	case UPDATE:
		update(sess, false);
		break;
	case CONNECT:
		if (!update(sess, false))
			connect(sess);
		break;
	case RESUME:
		set_state(sess, XenbusStateConnected);
		break;
	case RECONFIGURE:
		if (!update(sess, false))
			set_state(sess, XenbusStateReconfigured);
		break;
	case REPLUG:
		if (!update(sess, false))
			set_state(sess, XenbusStateInitialised);
		break;
	case RECONNECT:
		if (publication_changed(sess))
			connect(sess);
		break;
	case RESTART:
		pciback_channel_close(sess);
		set_state(sess, XenbusStateInitialised);
		break;
	case DISCONNECT:
		pciback_channel_close(sess);
		set_state(sess, XenbusStateClosing);
		break;
	case CLOSE:
		pciback_channel_close(sess);
		set_state(sess, XenbusStateClosed);
		break;
	}
}

/*
 * One look at xenstore and one action; true if it changed our state. An unknown
 * state of the frontend does not end a session that is online: the guest still
 * has the device's memory and interrupts.
 */
static bool step(struct pciback_session *sess)
{
	const char *dir = sess->xdev->nodename;
	enum xenbus_state be = read_state(dir);
	enum xenbus_state fe = read_state(sess->otherend);
	bool online = xenbus_read_unsigned(dir, "online", 0);
	enum action action = session_table[be][fe];

	if (be == XenbusStateUnknown)
		return false;
	/* The toolstack writes our state too, behind the core's back. */
	sess->xdev->state = be;

	if (!online && (fe == XenbusStateUnknown || fe == XenbusStateClosed ||
			be == XenbusStateClosed)) {
		action = be == XenbusStateClosed ? NOTHING : CLOSE;
		pciback_channel_close(sess);
		release_all(sess);
	}
	act(sess, action);
	return sess->xdev->state != be;
}

static void session_work(struct work_struct *work)
{
	struct pciback_session *sess =
		container_of(work, struct pciback_session, work);
	unsigned int steps = 0;

	mutex_lock(&sess->lock);
	while (!READ_ONCE(sess->gone) && step(sess))
		if (++steps == MAX_STEPS) {
			session_kick(sess);
			break;
		}
	if (READ_ONCE(sess->gone)) {
		pciback_channel_close(sess);
		release_all(sess);
	}
	mutex_unlock(&sess->lock);
	pciback_session_put(sess);
}

/* ---- what xenwatch calls: nothing here waits for hardware or a guest ---- */

/* Keys that are ours alone tell us nothing. */
static bool toolstack_will_handle(struct xenbus_watch *watch, const char *path,
				  const char *token)
{
	const char *key = strrchr(path, '/');

	return !key || (strncmp(key, "/vdev-", 6) && strncmp(key, "/root", 5));
}

static void toolstack_changed(struct xenbus_watch *watch, const char *path,
			      const char *token)
{
	session_kick(container_of(watch, struct pciback_session, watch));
}

static void frontend_changed(struct xenbus_device *xdev, enum xenbus_state state)
{
	struct pciback_session *sess = dev_get_drvdata(&xdev->dev);

	if (sess)
		session_kick(sess);
}

static struct pciback_session *session_alloc(struct xenbus_device *xdev)
{
	struct pciback_session *sess = kzalloc(sizeof(*sess), GFP_KERNEL);

	if (!sess)
		return NULL;
	sess->otherend = kstrdup(xdev->otherend, GFP_KERNEL);
	if (!sess->otherend) {
		kfree(sess);
		return NULL;
	}
	kref_init(&sess->ref);
	sess->xdev = xdev;
	get_device(&xdev->dev);
	mutex_init(&sess->lock);
	mutex_init(&sess->map_lock);
	INIT_WORK(&sess->work, session_work);
	ratelimit_state_init(&sess->errors, 60 * HZ, 5);
	ratelimit_set_flags(&sess->errors, RATELIMIT_MSG_ON_RELEASE);
	pciback_channel_init(&sess->chan);
	return sess;
}

static void session_remove(struct xenbus_device *xdev)
{
	struct pciback_session *sess = dev_get_drvdata(&xdev->dev);

	if (!sess)
		return;
	if (sess->watch.node)
		unregister_xenbus_watch(&sess->watch);
	mutex_lock(&sessions_lock);
	list_del(&sess->item);
	mutex_unlock(&sessions_lock);
	dev_set_drvdata(&xdev->dev, NULL);
	WRITE_ONCE(sess->gone, true);
	session_kick(sess);
	pciback_session_put(sess);
}

static int session_probe(struct xenbus_device *xdev,
			 const struct xenbus_device_id *id)
{
	struct pciback_session *sess = session_alloc(xdev);
	int err;

	if (!sess)
		return -ENOMEM;
	dev_set_drvdata(&xdev->dev, sess);
	mutex_lock(&sessions_lock);
	list_add_tail(&sess->item, &sessions);
	mutex_unlock(&sessions_lock);

	err = xenbus_switch_state(xdev, XenbusStateInitWait);
	if (!err)
		err = xenbus_watch_path(xdev, xdev->nodename, &sess->watch,
					toolstack_will_handle,
					toolstack_changed);
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
