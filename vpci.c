// SPDX-License-Identifier: GPL-2.0
/*
 * The map of a guest's devices, and the topology that most guests get: virtual
 * buses of 32 slots from 0000:00 on, filled in the order of arrival.
 *
 * A map is an immutable array sorted by virtual address, so that a lookup in
 * interrupt context is a bisection under RCU; a change makes a new one.
 */
#include <linux/errno.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "parse.h"
#include "vpci.h"

#define SLOTS_PER_BUS	32
#define VIRTUAL_BUSES	256

/* Index of the first device at @vaddr or behind it. */
static unsigned int lower_bound(const struct pciback_vmap *map, u32 vaddr)
{
	unsigned int low = 0, high = map->nr;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (map->dev[mid].vaddr < vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/**
 * pciback_vmap_find - the device at a virtual address
 * @map: devices of the guest, or NULL
 * @vaddr: address as the guest gives it
 *
 * Return: the device, or NULL.
 */
const struct pciback_vdev *pciback_vmap_find(const struct pciback_vmap *map,
					     u32 vaddr)
{
	unsigned int i;

	if (!map)
		return NULL;
	i = lower_bound(map, vaddr);
	if (i == map->nr || map->dev[i].vaddr != vaddr)
		return NULL;
	return READ_ONCE(map->dev[i].stub) ? &map->dev[i] : NULL;
}

/**
 * pciback_vmap_find_host - the device that the host has at an address
 * @map: devices of the guest, or NULL
 * @sbdf: address on the host
 *
 * Return: the device, or NULL.
 */
const struct pciback_vdev *pciback_vmap_find_host(const struct pciback_vmap *map,
						  u32 sbdf)
{
	unsigned int i;

	for (i = 0; map && i < map->nr; i++)
		if (map->dev[i].sbdf == sbdf && map->dev[i].stub)
			return &map->dev[i];
	return NULL;
}

/**
 * pciback_vmap_with - a map with one device more
 * @map: the present one, or NULL
 * @dev: the new device, at a virtual address that is free
 *
 * Return: the new map, or NULL if there is no memory.
 */
struct pciback_vmap *pciback_vmap_with(const struct pciback_vmap *map,
				       const struct pciback_vdev *dev)
{
	unsigned int nr = map ? map->nr : 0;
	unsigned int at = map ? lower_bound(map, dev->vaddr) : 0;
	struct pciback_vmap *new;

	new = kzalloc(struct_size(new, dev, nr + 1), GFP_KERNEL);
	if (!new)
		return NULL;
	new->nr = nr + 1;
	new->dev[at] = *dev;
	if (map) {
		memcpy(new->dev, map->dev, at * sizeof(*dev));
		memcpy(new->dev + at + 1, map->dev + at,
		       (nr - at) * sizeof(*dev));
	}
	return new;
}

/**
 * pciback_vmap_without - a map with one device less
 * @map: the present one
 * @vaddr: virtual address of a device in it
 *
 * Return: the new map, or NULL if there is no memory.
 */
struct pciback_vmap *pciback_vmap_without(const struct pciback_vmap *map,
					  u32 vaddr)
{
	unsigned int at = lower_bound(map, vaddr);
	struct pciback_vmap *new;

	new = kzalloc(struct_size(new, dev, map->nr - 1), GFP_KERNEL);
	if (!new)
		return NULL;
	new->nr = map->nr - 1;
	memcpy(new->dev, map->dev, at * sizeof(*map->dev));
	memcpy(new->dev + at, map->dev + at + 1,
	       (new->nr - at) * sizeof(*map->dev));
	return new;
}

/* A multi-function device stays one, if a function of it is there already. */
static bool beside_sibling(const struct pciback_vmap *map,
			   struct pciback_vdev *dev)
{
	unsigned int i;

	for (i = 0; map && !dev->virtfn && i < map->nr; i++) {
		const struct pciback_vdev *other = &map->dev[i];

		if (other->virtfn || (other->sbdf ^ dev->sbdf) & ~7U)
			continue;
		dev->vaddr = (other->vaddr & ~7U) | (dev->sbdf & 7);
		return !pciback_vmap_find(map, dev->vaddr);
	}
	return false;
}

/* The toolstack's wish, if that address is free. */
static bool as_asked(const struct pciback_vmap *map, struct pciback_vdev *dev)
{
	dev->vaddr = dev->vdevfn;
	return dev->vdevfn && !pciback_vmap_find(map, dev->vaddr);
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
		if (!map || i == map->nr || map->dev[i].vaddr >> 3 != slot) {
			dev->vaddr = slot << 3 | (dev->virtfn ? 0 : dev->sbdf & 7);
			return 0;
		}
		while (i < map->nr && map->dev[i].vaddr >> 3 == slot)
			i++;
	}
	return -ENOSPC;
}

const struct pciback_topology pciback_vpci = {
	.has_root = true,
	.place = vpci_place,
};
