/* SPDX-License-Identifier: GPL-2.0 */
/* How virtual addresses are chosen. */
#ifndef XEN_PCIBACK_VPCI_H
#define XEN_PCIBACK_VPCI_H

#include "vmap.h"

/**
 * struct pciback_topology - how virtual addresses are chosen
 * @has_root: bus 0000:00 is there even without a device
 * @place: chooses an address for @dev beside those in @map (which may be NULL).
 *	Returns 0 and stores it in @dev->vaddr, or -ENOSPC, or -EEXIST.
 */
struct pciback_topology {
	bool has_root;
	int (*place)(const struct pciback_vmap *map, struct pciback_vdev *dev);
};

extern const struct pciback_topology pciback_vpci;
extern const struct pciback_topology pciback_passthrough;

#endif /* XEN_PCIBACK_VPCI_H */
