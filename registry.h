/* SPDX-License-Identifier: GPL-2.0 */
/* What the files that keep the claimed devices share. */
#ifndef XEN_PCIBACK_REGISTRY_H
#define XEN_PCIBACK_REGISTRY_H

#include <linux/mutex.h>
#include <linux/xarray.h>

#include "pciback.h"

/* The registry lock, and under it the devices by address: see the lock order. */
extern struct mutex pcistub_registry_lock;
extern struct xarray pcistub_registry;

/* owner.c */
void pcistub_set_state(struct pcistub *stub, enum pcistub_state state);
void pcistub_set_cleaned(struct pcistub *stub, int err, bool bus);
void pcistub_queue_clean(struct pcistub *stub);

#endif /* XEN_PCIBACK_REGISTRY_H */
