// SPDX-License-Identifier: GPL-2.0
/* Slots: the addresses whose devices are to be claimed, present or not. */
#include <linux/kernel.h>
#include <linux/xarray.h>

#include "pciback.h"

static DEFINE_XARRAY(wanted);

/**
 * pciback_slots_add - announce devices
 * @pattern: which; those that are announced already stay so
 *
 * Return: 0 or -ENOMEM.
 */
int pciback_slots_add(const struct pciback_pattern *pattern)
{
	unsigned long sbdf, last = pattern->sbdf | ~pattern->mask;
	int err = 0;

	for (sbdf = pattern->sbdf; !err && sbdf <= last; sbdf++)
		err = xa_err(xa_store(&wanted, sbdf, xa_mk_value(1),
				      GFP_KERNEL));
	return err;
}

/**
 * pciback_slots_remove - revoke the announcement of devices
 * @pattern: which
 *
 * Return: 0; -ENOENT: none was announced; -EBUSY: one is a guest's, and all
 * stay.
 */
int pciback_slots_remove(const struct pciback_pattern *pattern)
{
	u32 last = pattern->sbdf | ~pattern->mask;
	unsigned long sbdf;
	void *entry;
	int err = -ENOENT;

	if (pcistub_any_assigned(pattern))
		return -EBUSY;
	xa_for_each_range(&wanted, sbdf, entry, pattern->sbdf, last) {
		xa_erase(&wanted, sbdf);
		err = 0;
	}
	return err;
}

/**
 * pciback_slots_next - walk the addresses that were announced
 * @sbdf: in: where to begin; out: the next address from there on
 *
 * Return: false if there is none.
 */
bool pciback_slots_next(unsigned long *sbdf)
{
	return xa_find(&wanted, sbdf, ULONG_MAX, XA_PRESENT);
}

/**
 * pciback_slots_cover - was a device announced, or a bridge above it?
 * @pdev: device
 *
 * Return: true if so.
 */
bool pciback_slots_cover(const struct pci_dev *pdev)
{
	const struct pci_bus *bus;

	if (xa_load(&wanted, pcistub_sbdf(pdev)))
		return true;
	for (bus = pdev->bus; bus->self; bus = bus->parent) {
		if (xa_load(&wanted, pcistub_sbdf(bus->self)))
			return true;
	}
	return false;
}

/**
 * pciback_slots_clear - revoke all announcements, at the end of the module
 */
void pciback_slots_clear(void)
{
	xa_destroy(&wanted);
}
