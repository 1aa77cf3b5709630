// SPDX-License-Identifier: GPL-2.0
/*
 * The map of a guest's devices: an array sorted by virtual address, so that a
 * lookup in interrupt context is a bisection under RCU. A new device makes a new
 * map; one that goes is marked in its place, which needs no memory. Pure.
 */
#include <linux/bsearch.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "vmap.h"

static int compare_vaddr(const void *key, const void *entry)
{
	const u32 *vaddr = key;
	const struct pciback_vdev *dev = entry;

	return *vaddr < dev->vaddr ? -1 : *vaddr > dev->vaddr;
}

static const struct pciback_vdev *entry_at(const struct pciback_vmap *map,
					   u32 vaddr)
{
	return map ? __inline_bsearch(&vaddr, map->dev, map->nr,
				      sizeof(map->dev[0]), compare_vaddr) : NULL;
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
	const struct pciback_vdev *dev = entry_at(map, vaddr);

	return dev ? READ_ONCE(dev->stub) : NULL;
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
	const struct pciback_vdev *dev = entry_at(map, vaddr);

	return dev && pciback_vdev_taken(dev);
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

	for (i = 0; map && i < map->nr; i++) {
		if (map->dev[i].sbdf == sbdf && pciback_vdev_taken(&map->dev[i]))
			return &map->dev[i];
	}
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
	for (i = 0; i < old && map->dev[i].vaddr < dev->vaddr; i++) {
		if (pciback_vdev_taken(&map->dev[i]))
			new->dev[new->nr++] = map->dev[i];
	}
	new->dev[new->nr++] = *dev;
	for (; i < old; i++) {
		if (map->dev[i].vaddr != dev->vaddr && pciback_vdev_taken(&map->dev[i]))
			new->dev[new->nr++] = map->dev[i];
	}
	return new;
}
