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
 * Return: 0; -ENODEV if it was unbound meanwhile; -ENOSPC; -EEXIST: with
 * passthrough=1, another is at its address; -ENOMEM.
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
 * pciback_map_late - a frontend did not let go in time of what it is to get again
 * @sess: session
 * @sbdf: address of the device on the host
 *
 * Once it may yet; if it is told again, that is by the toolstack.
 */
void pciback_map_late(struct pciback_session *sess, u32 sbdf)
{
	struct pciback_vdev *dev;

	mutex_lock(&sess->map_lock);
	dev = pciback_vmap_entry(map_of(sess), sbdf);
	if (dev && dev->lost == PCIBACK_EVICT_REPLUG)
		dev->lost = PCIBACK_EVICT_LATE;
	else if (dev && dev->lost == PCIBACK_EVICT_LATE)
		dev->lost = PCIBACK_EVICT_FOR_GOOD;
	mutex_unlock(&sess->map_lock);
}

/**
 * pciback_map_look - what a guest's map says of a device
 * @sess: session
 * @sbdf: address of the device on the host
 * @dev: copy of the entry, whose ->stub says no more than that it is not NULL; all
 *	zero if there is none
 *
 * Return: true if the guest has the device: it is in the map, and not lost.
 */
bool pciback_map_look(struct pciback_session *sess, u32 sbdf,
		      struct pciback_vdev *dev)
{
	const struct pciback_vdev *entry;

	mutex_lock(&sess->map_lock);
	entry = pciback_vmap_entry(map_of(sess), sbdf);
	*dev = entry ? *entry : (struct pciback_vdev){};
	mutex_unlock(&sess->map_lock);
	return dev->stub;
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
