/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included before the driver's sources that ask the hypervisor itself: what is
 * a function of the kernel is replaced by the linker, see Kbuild.
 */
#ifndef XPB_WRAP_H
#define XPB_WRAP_H

/* The module's own beginning and end are the tests', see module.c. */
#define init_module	pciback_init_module
#define cleanup_module	pciback_cleanup_module

#include <linux/types.h>
#include <xen/xen.h>
#include <asm/xen/hypercall.h>

int fake_physdev_op(int cmd, void *arg);
int fake_evtchn_op(int cmd, void *arg);

#undef xen_initial_domain
#define xen_initial_domain()			true
#undef xen_pv_domain
#define xen_pv_domain()				true
#define HYPERVISOR_physdev_op(cmd, arg)		fake_physdev_op(cmd, arg)
#define HYPERVISOR_event_channel_op(cmd, arg)	fake_evtchn_op(cmd, arg)

#endif /* XPB_WRAP_H */
