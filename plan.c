// SPDX-License-Identifier: GPL-2.0
/*
 * The reconfigure planner: from a snapshot of the backend's directory in
 * xenstore to a step for each device. Pure, so that tests/host can walk it.
 */
#include "plan.h"

static enum pciback_step step_for(const struct pciback_wish *wish, bool first,
				  bool setup)
{
	if (wish->exported && first)
		return wish->state == XenbusStateClosing ? PCIBACK_STEP_REMOVE :
							   PCIBACK_STEP_KEEP;
	if (wish->state == XenbusStateClosing)
		return wish->named && first && !setup ? PCIBACK_STEP_FORGET :
							PCIBACK_STEP_KEEP;
	/* At the start all devices are meant, whatever state-N says. */
	if (wish->state != XenbusStateInitialising && !setup)
		return PCIBACK_STEP_KEEP;
	return wish->named && first ? PCIBACK_STEP_ADD : PCIBACK_STEP_REFUSE;
}

/**
 * pciback_plan - decide what is to be done
 * @wish: the snapshot; ->step of each is filled in
 * @nr: number of wishes
 * @setup: the first plan of a session
 *
 * A device that is named twice counts where it is named first.
 */
void pciback_plan(struct pciback_wish *wish, unsigned int nr, bool setup)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		bool first = !wish[i].named ||
			     !pciback_plan_wants(wish, i, wish[i].sbdf);

		wish[i].step = step_for(&wish[i], first, setup);
	}
}

/**
 * pciback_plan_wants - is a device named at all?
 * @wish: the snapshot
 * @nr: number of wishes
 * @sbdf: device
 *
 * One that the guest has and that is named no more is to be taken back.
 *
 * Return: true if it is.
 */
bool pciback_plan_wants(const struct pciback_wish *wish, unsigned int nr,
			u32 sbdf)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (wish[i].named && wish[i].sbdf == sbdf)
			return true;
	}
	return false;
}
