// SPDX-License-Identifier: GPL-2.0
/*
 * A session's devices: what the toolstack names in the backend's directory is
 * what the guest has in its map.
 */
#include <linux/slab.h>
#include <xen/xenbus.h>

#include "pciback.h"
#include "plan.h"

/* More in one guest is no request but a mistake. */
#define MAX_DEVICES 4096

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

/**
 * pciback_session_kick - have a session look at xenstore again
 * @sess: session; may be called with any lock held
 */
void pciback_session_kick(struct pciback_session *sess)
{
	kref_get(&sess->ref);
	if (!queue_work(pciback_wq, &sess->work))
		pciback_session_put(sess);
}

/**
 * pciback_session_alloc - a session without devices and channel
 * @xdev: the xenbus device
 * @work: what brings the session forward
 *
 * Return: the session, or NULL.
 */
struct pciback_session *pciback_session_alloc(struct xenbus_device *xdev,
					      work_func_t work)
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
	INIT_WORK(&sess->work, work);
	ratelimit_state_init(&sess->errors, 60 * HZ, 5);
	ratelimit_set_flags(&sess->errors, RATELIMIT_MSG_ON_RELEASE);
	pciback_channel_init(&sess->chan);
	return sess;
}

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

/**
 * pciback_session_vaddr - where a guest sees a device
 * @sess: session
 * @sbdf: address of the device on the host
 * @vaddr: its address in the guest
 *
 * Return: false if the guest does not have it.
 */
bool pciback_session_vaddr(struct pciback_session *sess, u32 sbdf, u32 *vaddr)
{
	const struct pciback_vdev *dev;

	rcu_read_lock();
	dev = pciback_vmap_find_host(rcu_dereference(sess->map), sbdf);
	if (dev)
		*vaddr = dev->vaddr;
	rcu_read_unlock();
	return dev;
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
		pciback_session_kick(sess);
		pciback_session_put(sess);
	}
}

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
			    dev->vaddr >> 16, dev->vaddr >> 8 & 0xff,
			    PCI_SLOT(dev->vaddr & 0xff),
			    PCI_FUNC(dev->vaddr & 0xff));
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
				 "device %s cannot be given to domain %d",
				 pciback_name(wish->sbdf).s,
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
		dev_info(&dev.stub->pdev->dev, "given to domain %d as %s\n",
			 pciback_session_domid(sess), pciback_name(dev.vaddr).s);
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

/**
 * pciback_session_update - give a guest the devices that the toolstack names
 * @sess: session; the caller holds its lock
 * @setup: for the first time
 *
 * One that cannot be had is refused, and does not keep the others back.
 *
 * Return: 0; -EAGAIN: some are being reset, the rest is done, and the session is
 * kicked when they are; -ENOENT: nothing is said yet; or another -errno.
 */
int pciback_session_update(struct pciback_session *sess, bool setup)
{
	struct pciback_wish *wish;
	unsigned int i, nr;
	int err, ret;

	lockdep_assert_held(&sess->lock);

	if (setup && pciback_topology->has_root) {
		ret = publish(sess, NULL, 0, 0);
		if (ret)
			return ret;
	}
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

/**
 * pciback_session_release - take all devices back
 * @sess: session whose guest cannot reach them any more
 */
void pciback_session_release(struct pciback_session *sess)
{
	take_unwanted_back(sess, NULL, 0);
}
