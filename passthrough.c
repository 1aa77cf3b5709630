// SPDX-License-Identifier: GPL-2.0
/* The topology in which a guest sees its devices where the host has them. */
#include <linux/errno.h>

#include "vpci.h"

static int passthrough_place(const struct pciback_vmap *map,
			     struct pciback_vdev *dev)
{
	dev->vaddr = dev->sbdf;
	return pciback_vmap_taken(map, dev->vaddr) ? -EEXIST : 0;
}

const struct pciback_topology pciback_passthrough = {
	.place = passthrough_place,
};
