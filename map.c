// SPDX-License-Identifier: GPL-2.0
/*
 * The map of a session: which devices its guest has, and where. It is changed by
 * the session's work item and by whoever takes a device from under the guest, and
 * read by the guest's requests under RCU.
 */
#include <linux/mutex.h>
#include <linux/rcupdate.h>

#include "pciback.h"
#include "plan.h"

static struct pciback_vmap *map_of(struct pciback_session *sess)
{
	return rcu_dereference_protected(sess->map,
					 lockdep_is_held(&sess->map_lock));
}

/**
 * pciback_map_add - put a device into a guest's map
 * @sess: session
 * @dev: device that was assigned to it; gets its virtual address here, which is
 *	the one that it had if it was lost
 *
 * Return: 0; -ENODEV if it was unbound meanwhile; -ENOSPC; -ENOMEM.
 */
int pciback_map_add(struct pciback_session *sess, struct pciback_vdev *dev)
{
	struct pciback_vmap *old, *new;
	struct pciback_vdev *before;
	int err;

	mutex_lock(&sess->map_lock);
	old = map_of(sess);
	before = pciback_vmap_entry(old, dev->sbdf);
	/* Unbind looks for the device in the map after it marked it. */
	err = READ_ONCE(dev->stub->state) == PCISTUB_ASSIGNED ? 0 : -ENODEV;
	if (!err && before)
		dev->vaddr = before->vaddr;
	else if (!err)
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

/**
 * pciback_map_remove - take a device out of a guest's map
 * @sess: session
 * @sbdf: address of the device on the host
 * @how: unless PCIBACK_EVICT_NONE, the guest knows its address still, which no
 *	other device gets meanwhile
 *
 * Never fails. The guest's requests may use the device until an RCU grace period
 * is over.
 *
 * Return: the device, with the reference that the map had, or NULL.
 */
struct pcistub *pciback_map_remove(struct pciback_session *sess, u32 sbdf,
				   enum pciback_evict how)
{
	struct pcistub *stub = NULL;
	struct pciback_vdev *dev;

	mutex_lock(&sess->map_lock);
	dev = pciback_vmap_entry(map_of(sess), sbdf);
	if (dev) {
		stub = dev->stub;
		dev->lost = how;
		WRITE_ONCE(dev->stub, NULL);
	}
	mutex_unlock(&sess->map_lock);
	return stub;
}

/**
 * pciback_map_lost - how did a guest lose a device?
 * @sess: session
 * @sbdf: address of the device on the host
 *
 * Return: PCIBACK_EVICT_NONE if it did not.
 */
enum pciback_evict pciback_map_lost(struct pciback_session *sess, u32 sbdf)
{
	enum pciback_evict how = PCIBACK_EVICT_NONE;
	struct pciback_vdev *dev;

	mutex_lock(&sess->map_lock);
	dev = pciback_vmap_entry(map_of(sess), sbdf);
	if (dev && !dev->stub)
		how = dev->lost;
	mutex_unlock(&sess->map_lock);
	return how;
}

/**
 * pciback_map_has - is a device in a guest's map?
 * @sess: session
 * @sbdf: address of the device on the host
 *
 * Return: true if it is.
 */
bool pciback_map_has(struct pciback_session *sess, u32 sbdf)
{
	u32 vaddr;

	return pciback_map_vaddr(sess, sbdf, &vaddr);
}

/**
 * pciback_map_get - walk a guest's map
 * @sess: session
 * @i: index
 * @stub: the @i-th device, with a reference; NULL in its place if it was taken out
 *
 * Return: false behind the last device.
 */
bool pciback_map_get(struct pciback_session *sess, unsigned int i,
		     struct pcistub **stub)
{
	struct pciback_vmap *map;
	bool there;

	mutex_lock(&sess->map_lock);
	map = map_of(sess);
	there = map && i < map->nr;
	*stub = there ? map->dev[i].stub : NULL;
	if (*stub)
		pcistub_get(*stub);
	mutex_unlock(&sess->map_lock);
	return there;
}

/**
 * pciback_map_unwanted - find a device, or a lost one, that is not among the wishes
 * @sess: session
 * @wish: wishes
 * @nr: number of @wish; if it is 0, all devices are unwanted
 * @sbdf: address of the device on the host
 *
 * Return: false if there is none.
 */
bool pciback_map_unwanted(struct pciback_session *sess,
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
		found = pciback_vdev_taken(&map->dev[i]) &&
			!pciback_plan_wants(wish, nr, *sbdf);
	}
	mutex_unlock(&sess->map_lock);
	return found;
}

/**
 * pciback_map_vaddr - where a guest sees a device
 * @sess: session
 * @sbdf: address of the device on the host
 * @vaddr: its address in the guest
 *
 * Return: false if the guest does not have it.
 */
bool pciback_map_vaddr(struct pciback_session *sess, u32 sbdf, u32 *vaddr)
{
	const struct pciback_vdev *dev;
	bool found;

	mutex_lock(&sess->map_lock);
	dev = pciback_vmap_entry(map_of(sess), sbdf);
	found = dev && dev->stub;
	if (found)
		*vaddr = dev->vaddr;
	mutex_unlock(&sess->map_lock);
	return found;
}
