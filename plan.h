/* SPDX-License-Identifier: GPL-2.0 */
/* What a toolstack asks for, and what is to be done about it. */
#ifndef XEN_PCIBACK_PLAN_H
#define XEN_PCIBACK_PLAN_H

#include <linux/types.h>
#include <xen/interface/io/xenbus.h>

/**
 * enum pciback_step - what becomes of one device of a request
 * @PCIBACK_STEP_KEEP: nothing
 * @PCIBACK_STEP_ADD: export it
 * @PCIBACK_STEP_REMOVE: take it back
 * @PCIBACK_STEP_FORGET: it was lost before, and the guest has let go of it
 * @PCIBACK_STEP_REFUSE: answer that it cannot be had
 */
enum pciback_step {
	PCIBACK_STEP_KEEP,
	PCIBACK_STEP_ADD,
	PCIBACK_STEP_REMOVE,
	PCIBACK_STEP_FORGET,
	PCIBACK_STEP_REFUSE,
};

/**
 * struct pciback_wish - the keys dev-N and state-N of a backend's directory
 * @index: N
 * @named: dev-N is there and well formed
 * @sbdf: what dev-N says
 * @state: what state-N says; XenbusStateUnknown if it is missing
 * @vdevfn: what vdevfn-N asks for, or 0
 * @permissive: what opts-N asks for
 * @exported: the guest has this device
 * @step: the plan
 */
struct pciback_wish {
	unsigned int index;
	bool named;
	u32 sbdf;
	enum xenbus_state state;
	u8 vdevfn;
	bool permissive;
	bool exported;
	enum pciback_step step;
};

void pciback_plan(struct pciback_wish *wish, unsigned int nr, bool setup);
bool pciback_plan_wants(const struct pciback_wish *wish, unsigned int nr,
			u32 sbdf);

#endif /* XEN_PCIBACK_PLAN_H */
