// SPDX-License-Identifier: GPL-2.0
/*
 * The map of a guest's devices, and the topology that most guests get: virtual
 * buses of 32 slots from 0000:00 on, filled in the order of arrival.
 *
 * A map is an array sorted by virtual address, so that a lookup in interrupt
 * context is a bisection under RCU. A new device makes a new map; one that goes
 * is marked in its place, which needs no memory.
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
 * Return: the device, or NULL; may be called under RCU, and is good as long.
 */
struct pcistub *pciback_vmap_find(const struct pciback_vmap *map, u32 vaddr)
{
	unsigned int i;

	if (!map)
		return NULL;
	i = lower_bound(map, vaddr);
	if (i == map->nr || map->dev[i].vaddr != vaddr)
		return NULL;
	return READ_ONCE(map->dev[i].stub);
}

/**
 * pciback_vdev_taken - is this entry a device's, or a lost device's?
 * @dev: entry of a map that does not change meanwhile
 *
 * Return: false if the device was taken out, and the guest knows.
 */
bool pciback_vdev_taken(const struct pciback_vdev *dev)
{
	return dev->stub || dev->lost != PCIBACK_EVICT_NONE;
}

/**
 * pciback_vmap_taken - is there no room for a device at an address?
 * @map: devices of the guest, or NULL
 * @vaddr: virtual address
 *
 * Return: true if a device is there, or a lost one was.
 */
bool pciback_vmap_taken(const struct pciback_vmap *map, u32 vaddr)
{
	unsigned int i = map ? lower_bound(map, vaddr) : 0;

	return map && i < map->nr && map->dev[i].vaddr == vaddr &&
	       pciback_vdev_taken(&map->dev[i]);
}

/**
 * pciback_vmap_entry - the place of a device, which may be lost
 * @map: devices of the guest, or NULL
 * @sbdf: address on the host
 *
 * Return: the entry, or NULL.
 */
struct pciback_vdev *pciback_vmap_entry(struct pciback_vmap *map, u32 sbdf)
{
	unsigned int i;

	for (i = 0; map && i < map->nr; i++)
		if (map->dev[i].sbdf == sbdf && pciback_vdev_taken(&map->dev[i]))
			return &map->dev[i];
	return NULL;
}

/**
 * pciback_vmap_with - a map with one device more
 * @map: the present one, or NULL
 * @dev: the new device, at a virtual address that is free or that it had before
 *
 * Devices that were taken out are left out.
 *
 * Return: the new map, or NULL if there is no memory.
 */
struct pciback_vmap *pciback_vmap_with(const struct pciback_vmap *map,
				       const struct pciback_vdev *dev)
{
	unsigned int i, old = map ? map->nr : 0;
	struct pciback_vmap *new;

	new = kzalloc(struct_size(new, dev, old + 1), GFP_KERNEL);
	if (!new)
		return NULL;
	for (i = 0; i < old && map->dev[i].vaddr < dev->vaddr; i++)
		if (pciback_vdev_taken(&map->dev[i]))
			new->dev[new->nr++] = map->dev[i];
	new->dev[new->nr++] = *dev;
	for (; i < old; i++)
		if (map->dev[i].vaddr != dev->vaddr && pciback_vdev_taken(&map->dev[i]))
			new->dev[new->nr++] = map->dev[i];
	return new;
}

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
