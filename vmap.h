/* SPDX-License-Identifier: GPL-2.0 */
/* Which device a guest sees at which virtual address. */
#ifndef XEN_PCIBACK_VMAP_H
#define XEN_PCIBACK_VMAP_H

#include <linux/rcupdate.h>
#include <linux/types.h>

struct pcistub;

/**
 * enum pciback_evict - how a guest loses a device without being asked first
 * @PCIBACK_EVICT_NONE: it does not
 * @PCIBACK_EVICT_FOR_GOOD: for good
 * @PCIBACK_EVICT_REPLUG: it gets it again after a reset
 * @PCIBACK_EVICT_LATE: likewise, but its frontend was told and did not let go in
 *	time; of a map's entry only
 */
enum pciback_evict {
	PCIBACK_EVICT_NONE,
	PCIBACK_EVICT_FOR_GOOD,
	PCIBACK_EVICT_REPLUG,
	PCIBACK_EVICT_LATE,
};

/**
 * struct pciback_vdev - a device that is exported to a guest
 * @vaddr: address that the guest uses for it
 * @sbdf: address that the host uses for it
 * @virtfn: it is a virtual function
 * @vdevfn: where the toolstack would have it on bus 0000:00; 0: no matter
 * @lost: if @stub is NULL, how it was lost; unless PCIBACK_EVICT_NONE the guest
 *	still knows @vaddr, which is kept for this device
 * @stub: the device, to which the map has a reference; NULL: it was taken out
 */
struct pciback_vdev {
	u32 vaddr;
	u32 sbdf;
	bool virtfn;
	u8 vdevfn;
	enum pciback_evict lost;
	struct pcistub *stub;
};

/**
 * struct pciback_vmap - all devices of one guest; once published, only ->stub
 *	and ->lost of a device that is taken out change
 * @rcu: for its release
 * @nr: number of devices
 * @dev: the devices in the order of ->vaddr
 */
struct pciback_vmap {
	struct rcu_head rcu;
	unsigned int nr;
	struct pciback_vdev dev[];
};

struct pcistub *pciback_vmap_find(const struct pciback_vmap *map, u32 vaddr);
bool pciback_vdev_taken(const struct pciback_vdev *dev);
bool pciback_vmap_taken(const struct pciback_vmap *map, u32 vaddr);
struct pciback_vdev *pciback_vmap_entry(struct pciback_vmap *map, u32 sbdf);
struct pciback_vmap *pciback_vmap_with(const struct pciback_vmap *map,
				       const struct pciback_vdev *dev);

#endif /* XEN_PCIBACK_VMAP_H */
