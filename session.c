// SPDX-License-Identifier: GPL-2.0
/*
 * A session's devices: what the toolstack names in the backend's directory is
 * what the guest has in its map.
 */
#include <linux/slab.h>
#include <xen/xenbus.h>

#include "pciback.h"
#include "plan.h"
#include "store.h"

/**
 * pciback_session_domid - whose session it is
 * @sess: session
 *
 * Return: number of the guest's domain.
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
 * pciback_session_get - take a reference
 * @sess: session
 */
void pciback_session_get(struct pciback_session *sess)
{
	kref_get(&sess->ref);
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
 * pciback_session_kick_in - have a session look at xenstore again after a while
 * @sess: session
 * @delay: in jiffies; an earlier look stays
 */
void pciback_session_kick_in(struct pciback_session *sess, unsigned long delay)
{
	pciback_session_get(sess);
	if (!queue_delayed_work(pciback_wq, &sess->work, delay))
		pciback_session_put(sess);
}

/**
 * pciback_session_kick - have a session look at xenstore again
 * @sess: session; may be called with any lock held
 */
void pciback_session_kick(struct pciback_session *sess)
{
	pciback_session_get(sess);
	/* A look that was due later had a reference of its own. */
	if (mod_delayed_work(pciback_wq, &sess->work, 0))
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
	INIT_DELAYED_WORK(&sess->work, work);
	sess->hung = jiffies;
	sess->due = jiffies;
	ratelimit_state_init(&sess->errors, 60 * HZ, 5);
	pciback_channel_init(&sess->chan);
	return sess;
}

static void take_out(struct pciback_session *sess, u32 sbdf,
		     enum pciback_evict how, struct list_head *out)
{
	struct pcistub *stub = pciback_map_remove(sess, sbdf, how);

	if (stub)
		list_add_tail(&stub->out, out);
}

static void give_back(struct list_head *out)
{
	if (list_empty(out))
		return;
	synchronize_rcu();
	pcistub_return(out);
}

static void take_back(struct pciback_session *sess, u32 sbdf,
		      enum pciback_evict how)
{
	LIST_HEAD(out);

	take_out(sess, sbdf, how, &out);
	give_back(&out);
}

/*
 * Those that are named no more, and those that the toolstack takes: together, so
 * that the reset of a bus that they share does not find one still in use.
 */
static void take_unwanted_back(struct pciback_session *sess,
			       const struct pciback_wish *wish, unsigned int nr,
			       enum pciback_evict how)
{
	LIST_HEAD(out);
	unsigned int i;
	u32 sbdf;

	while (pciback_map_unwanted(sess, wish, nr, &sbdf))
		take_out(sess, sbdf, PCIBACK_EVICT_NONE, &out);
	for (i = 0; i < nr; i++) {
		if (wish[i].step == PCIBACK_STEP_REMOVE)
			take_out(sess, wish[i].sbdf, how, &out);
	}
	give_back(&out);
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
	if (pciback_map_remove(sess, stub->sbdf, PCIBACK_EVICT_FOR_GOOD)) {
		dev_warn(&stub->pdev->dev, "taken from domain %d while in use\n",
			 pciback_session_domid(sess));
		pcistub_put(stub);
		pciback_session_evict(sess);
	}
}

/*
 * Says that a device cannot be had, and goes on with the others. pcifront reads
 * its address when the toolstack detaches it, and gives up all devices if there
 * is none, so it gets one where there is nothing.
 */
static void refuse(struct pciback_session *sess, const struct pciback_wish *wish,
		   int err)
{
	static const struct pciback_vdev nowhere = { .vaddr = ~0U };
	struct pciback_keys keys = {
		.wish = wish, .state = XenbusStateClosed, .vdev = &nowhere,
		.root = -1,
	};
	bool told = __ratelimit(&sess->errors);

	/* Limited: a guest has us try again by connecting again. */
	if (told && wish->named)
		xenbus_dev_error(sess->xdev, err,
				 "device %s cannot be given to domain %d",
				 pciback_name(wish->sbdf).s,
				 pciback_session_domid(sess));
	else if (told)
		xenbus_dev_error(sess->xdev, err, "dev-%u names no device",
				 wish->index);
	pciback_store_write(sess, &keys);
}

static int publish(struct pciback_session *sess, const struct pciback_wish *wish,
		   struct pciback_vdev *dev)
{
	struct pciback_keys keys = {
		.wish = wish, .state = XenbusStateInitialised, .vdev = dev,
	};
	struct pcistub *stub = dev->stub;
	LIST_HEAD(out);
	int err;

	mutex_lock(&stub->lock);
	err = pciback_pm_busy(stub);
	mutex_unlock(&stub->lock);
	if (!err)
		err = pciback_map_add(sess, dev);
	if (err) {
		list_add(&stub->out, &out);
		pcistub_return(&out);
		return err;
	}
	if (wish->permissive)
		WRITE_ONCE(stub->permissive, true);
	keys.root = dev->vaddr >> 8;
	err = pciback_store_write(sess, &keys);
	if (err)
		take_back(sess, wish->sbdf, PCIBACK_EVICT_NONE);
	else
		dev_info(&stub->pdev->dev, "given to domain %d as %s\n",
			 pciback_session_domid(sess),
			 pciback_name(dev->vaddr).s);
	return err;
}

static int export(struct pciback_session *sess, const struct pciback_wish *wish)
{
	struct pciback_vdev dev = {
		.sbdf = wish->sbdf, .vdevfn = wish->vdevfn,
	};
	int err;

	err = pcistub_assign(wish->sbdf, sess, &dev.stub);
	if (err)
		return err;
	/* An unbind takes the map's reference. */
	pcistub_get(dev.stub);
	dev.virtfn = dev.stub->pdev->is_virtfn;
	err = publish(sess, wish, &dev);
	pcistub_put(dev.stub);
	return err;
}

static int look_at_wishes(struct pciback_session *sess,
			  struct pciback_wish **wishes, unsigned int *nr)
{
	int err = pciback_store_wishes(sess, wishes, nr);
	struct pciback_vdev dev;
	unsigned int i;

	for (i = 0; !err && i < *nr; i++)
		(*wishes)[i].exported = (*wishes)[i].named &&
					pciback_map_look(sess,
							 (*wishes)[i].sbdf,
							 &dev);
	return err;
}

static enum pciback_evict evicted(u32 sbdf)
{
	struct pcistub *stub = pcistub_find(sbdf);
	enum pciback_evict how;

	if (!stub)
		return PCIBACK_EVICT_NONE;
	how = READ_ONCE(stub->evict);
	pcistub_put(stub);
	return how;
}

/* Being reset, or no memory: that is over in a while. */
static bool is_passing(int err)
{
	return err == -EAGAIN || err == -ENOMEM;
}

/*
 * Does the guest get a lost device again? What its frontend was told in vain, state-N
 * and Reconfiguring, is what a toolstack says that detaches the device.
 */
static bool comes_again(const struct pciback_session *sess,
			const struct pciback_vdev *dev)
{
	return dev->lost == PCIBACK_EVICT_REPLUG ||
	       (dev->lost == PCIBACK_EVICT_LATE &&
		sess->xdev->state != XenbusStateReconfiguring);
}

/*
 * The guest has let go of a device that it had lost. Its address stays in
 * xenstore: frontends read it again when the toolstack, which still has the
 * device in its books, detaches it, and pcifront gives up all others if it is
 * not there.
 */
static int settle_lost(struct pciback_session *sess,
		       const struct pciback_wish *wish)
{
	struct pciback_vdev dev;
	int err = 0;

	if (!pciback_map_look(sess, wish->sbdf, &dev) &&
	    comes_again(sess, &dev))
		err = export(sess, wish);
	else
		pciback_store_state(sess, wish, XenbusStateClosed);
	/* It is not tried again. */
	if (err && !is_passing(err))
		pciback_map_remove(sess, wish->sbdf, PCIBACK_EVICT_FOR_GOOD);
	return err;
}

/* Takes one step of a plan. */
static int take_step(struct pciback_session *sess,
		     const struct pciback_wish *wish)
{
	switch (wish->step) {
	case PCIBACK_STEP_KEEP:
	case PCIBACK_STEP_REMOVE:
		/* Done. The toolstack removes the keys of what it took. */
		return 0;
	case PCIBACK_STEP_ADD:
		return export(sess, wish);
	case PCIBACK_STEP_FORGET:
		return settle_lost(sess, wish);
	case PCIBACK_STEP_REFUSE:
		return -EINVAL;
	}
	return -EINVAL;
}

static int take_steps(struct pciback_session *sess,
		      const struct pciback_wish *wish, unsigned int nr)
{
	unsigned int i;
	int err, ret = 0;

	for (i = 0; i < nr; i++) {
		err = take_step(sess, &wish[i]);
		/* Of a want of memory nobody tells when it is over. */
		if (is_passing(err))
			ret = ret == -ENOMEM ? ret : err;
		else if (err)
			refuse(sess, &wish[i], err);
	}
	return ret;
}

static int publish_first_root(struct pciback_session *sess)
{
	struct pciback_keys root = { .root = 0 };

	return pciback_topology->has_root ? pciback_store_write(sess, &root) : 0;
}

/**
 * pciback_session_update - give a guest the devices that the toolstack names
 * @sess: session; the caller holds its lock
 * @setup: for the first time
 *
 * One that cannot be had is refused, and does not keep the others back.
 *
 * Return: 0; -EAGAIN: some are being reset, the rest is done, and the session is
 * kicked when they are; -ENOENT: nothing is said yet; -ERANGE: too much is; or
 * another -errno, of xenstore or for want of memory.
 */
int pciback_session_update(struct pciback_session *sess, bool setup)
{
	struct pciback_wish *wish;
	unsigned int nr;
	int err;

	lockdep_assert_held(&sess->lock);

	err = look_at_wishes(sess, &wish, &nr);
	if (err)
		return err;
	if (setup)
		err = publish_first_root(sess);
	if (!err) {
		pciback_plan(wish, nr, setup);
		/* What goes makes room for what comes. */
		take_unwanted_back(sess, wish, nr, PCIBACK_EVICT_NONE);
		err = take_steps(sess, wish, nr);
	}
	kvfree(wish);
	return err;
}

/**
 * pciback_session_is_behind - did the toolstack ask for more than was done?
 * @sess: session; the caller holds its lock
 *
 * It asks by writing our state, which we may have overwritten since.
 *
 * Return: true if a device is to come or to go.
 */
bool pciback_session_is_behind(struct pciback_session *sess)
{
	struct pciback_wish *wish;
	unsigned int i, nr;
	bool behind;
	u32 sbdf;

	lockdep_assert_held(&sess->lock);

	if (look_at_wishes(sess, &wish, &nr))
		return false;
	pciback_plan(wish, nr, false);
	behind = pciback_map_unwanted(sess, wish, nr, &sbdf);
	for (i = 0; i < nr; i++)
		behind = behind || wish[i].step == PCIBACK_STEP_ADD ||
			 wish[i].step == PCIBACK_STEP_REMOVE;
	kvfree(wish);
	return behind;
}

/* A frontend that is not there need not let go first. */
static enum xenbus_state lost_state(enum pciback_evict how, bool connected)
{
	if (connected)
		return XenbusStateClosing;
	return how == PCIBACK_EVICT_REPLUG ? XenbusStateInitialising :
					XenbusStateClosed;
}

static void shed_later(struct pciback_session *sess)
{
	WRITE_ONCE(sess->lost, true);
	pciback_session_kick_in(sess, PCIBACK_STORE_RETRY);
}

/**
 * pciback_session_shed - take devices back that are to go, and say so
 * @sess: session; the caller holds its lock
 * @connected: there is a frontend that lets go of them when it is told
 *
 * Return: true if the frontend has to be told of a device.
 */
bool pciback_session_shed(struct pciback_session *sess, bool connected)
{
	struct pciback_wish *wish;
	unsigned int i, nr;
	bool told = false;
	int err;

	lockdep_assert_held(&sess->lock);

	/* What is lost from here on is seen by the next look. */
	if (!xchg(&sess->lost, false))
		return false;
	if (look_at_wishes(sess, &wish, &nr)) {
		shed_later(sess);
		return false;
	}
	for (i = 0; i < nr; i++) {
		enum pciback_evict how = PCIBACK_EVICT_FOR_GOOD;

		if (wish[i].exported) {
			how = evicted(wish[i].sbdf);
			if (how == PCIBACK_EVICT_NONE)
				continue;
			if (how == PCIBACK_EVICT_FOR_GOOD)
				pciback_store_aer_failed(sess);
			take_back(sess, wish[i].sbdf, how);
		}
		/* What was published as ours and is not is what was lost. */
		if (!wish[i].named || wish[i].state != XenbusStateInitialised)
			continue;
		err = pciback_store_state(sess, &wish[i],
					  lost_state(how, connected));
		if (!err)
			told = true;
		else if (err != -ENOENT)
			shed_later(sess);
	}
	kvfree(wish);
	return told;
}

/**
 * pciback_session_cut - take away what the frontend does not let go of
 * @sess: session; the caller holds its lock
 *
 * A guest that does let go later finds nothing there, as after an unbind.
 *
 * Return: 0; -EBUSY: nothing was done, since devices are to come too; or another
 * -errno, of xenstore.
 */
int pciback_session_cut(struct pciback_session *sess)
{
	struct pciback_wish *wish;
	unsigned int i, nr;
	bool adds = false;
	int err;

	lockdep_assert_held(&sess->lock);

	err = look_at_wishes(sess, &wish, &nr);
	if (err)
		return err;
	pciback_plan(wish, nr, false);
	for (i = 0; i < nr; i++)
		adds = adds || wish[i].step == PCIBACK_STEP_ADD;
	if (!adds)
		take_unwanted_back(sess, wish, nr, PCIBACK_EVICT_FOR_GOOD);
	for (i = 0; i < nr && !adds; i++) {
		if (wish[i].step == PCIBACK_STEP_FORGET)
			pciback_map_late(sess, wish[i].sbdf);
	}
	kvfree(wish);
	return adds ? -EBUSY : 0;
}

/**
 * pciback_session_silence - the frontend is gone, and with it all drivers
 * @sess: session; the caller holds its lock
 *
 * The guest keeps its devices for another frontend, but what they would reach
 * by DMA until then is nobody's any more.
 */
void pciback_session_silence(struct pciback_session *sess)
{
	struct pcistub *stub;
	unsigned int i;

	lockdep_assert_held(&sess->lock);

	for (i = 0; pciback_map_get(sess, i, &stub); i++) {
		if (!stub)
			continue;
		pciback_silence(stub);
		pcistub_put(stub);
	}
}

/**
 * pciback_session_evict - a guest is to lose the devices that are marked so
 * @sess: session
 */
void pciback_session_evict(struct pciback_session *sess)
{
	WRITE_ONCE(sess->lost, true);
	pciback_session_kick(sess);
}

/**
 * pciback_session_release - take all devices back
 * @sess: session whose guest cannot reach them any more
 */
void pciback_session_release(struct pciback_session *sess)
{
	take_unwanted_back(sess, NULL, 0, PCIBACK_EVICT_NONE);
}
