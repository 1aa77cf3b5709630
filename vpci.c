// SPDX-License-Identifier: GPL-2.0
/*
 * The topology that most guests get: virtual buses of 32 slots from 0000:00 on,
 * filled in the order of arrival. Pure.
 */
#include <linux/errno.h>
#include <linux/types.h>

#include "vpci.h"

#define SLOTS_PER_BUS	32
#define VIRTUAL_BUSES	256

/* A multi-function device stays one, if a function of it is there already. */
static bool beside_sibling(const struct pciback_vmap *map,
			   struct pciback_vdev *dev)
{
	unsigned int i;

	for (i = 0; map && !dev->virtfn && i < map->nr; i++) {
		const struct pciback_vdev *other = &map->dev[i];

		if (!pciback_vdev_taken(other) || other->virtfn ||
		    (other->sbdf ^ dev->sbdf) & ~7U)
			continue;
		dev->vaddr = (other->vaddr & ~7U) | (dev->sbdf & 7);
		return !pciback_vmap_taken(map, dev->vaddr);
	}
	return false;
}

/* The toolstack's wish, if that address is free. */
static bool as_asked(const struct pciback_vmap *map, struct pciback_vdev *dev)
{
	dev->vaddr = dev->vdevfn;
	return dev->vdevfn && !pciback_vmap_taken(map, dev->vaddr);
}

/*
 * The first empty slot. A function keeps its number, since drivers may go by
 * it; a virtual function becomes function 0, where every scan looks.
 */
static int vpci_place(const struct pciback_vmap *map, struct pciback_vdev *dev)
{
	unsigned int slot, i = 0;

	if (as_asked(map, dev) || beside_sibling(map, dev))
		return 0;
	for (slot = 0; slot < VIRTUAL_BUSES * SLOTS_PER_BUS; slot++) {
		bool empty = true;

		for (; map && i < map->nr && map->dev[i].vaddr >> 3 == slot; i++)
			empty = empty && !pciback_vdev_taken(&map->dev[i]);
		if (!empty)
			continue;
		dev->vaddr = slot << 3 | (dev->virtfn ? 0 : dev->sbdf & 7);
		return 0;
	}
	return -ENOSPC;
}

const struct pciback_topology pciback_vpci = {
	.has_root = true,
	.place = vpci_place,
};
