// SPDX-License-Identifier: GPL-2.0
/*
 * The interrupt line of a claimed device, by the name that Xen, the toolstack
 * and guests have for it: its GSI, which is the PIRQ too.
 *
 * A PV dom0's kernel has set the line up when it enabled the device. For a PVH
 * dom0 Xen emulates the interrupt controllers, and knows of a line only what it
 * is told here. The toolstack cannot take the GSI from sysfs there; it asks by
 * IOCTL_PRIVCMD_PCIDEV_GET_GSI, and gives away a device that has none as well.
 */
#include <linux/pci.h>
#include <xen/acpi.h>
#include <xen/events.h>
#include <xen/xen.h>

#include "compat.h"
#include "conf_space_tables.h"
#include "pciback.h"

/*
 * Where firmware routes the pin nowhere, the core's irq is what firmware left in
 * the interrupt line register, and Xen's functions die of an irq that is none.
 */
static int find_gsi_pv(struct pcistub *stub)
{
	if (!stub->pdev->irq_managed)
		return -ENOENT;
	stub->irq.line = stub->pdev->irq;
	return xen_pirq_from_irq(stub->irq.line);
}

static int find_gsi_pvh(struct pci_dev *pdev)
{
	int gsi, trigger, polarity, err;

	/* Older kernels have no means to look. */
	err = xen_acpi_get_gsi_info(pdev, &gsi, &trigger, &polarity);
	if (err)
		return err == -EOPNOTSUPP ? err : -ENOENT;
	err = xen_pvh_setup_gsi(gsi, trigger, polarity);
	if (err)
		dev_warn(&pdev->dev, "Xen cannot set up GSI %d: %d\n", gsi, err);
	return err ? err : gsi;
}

/**
 * pciback_gsi_find - learn the line of a device at its claim, and tell Xen
 * @stub: device that is enabled; device_lock() is held
 *
 * That there is none, as with VFs, is no error.
 */
void pciback_gsi_find(struct pcistub *stub)
{
	struct pci_dev *pdev = stub->pdev;
	int gsi;

	if (!pdev->pin)
		return;
	if (xen_pv_domain())
		gsi = find_gsi_pv(stub);
	else if (IS_ENABLED(CONFIG_XEN_PVH))
		gsi = find_gsi_pvh(pdev);
	else
		return;
	if (gsi == -ENOENT)
		dev_info(&pdev->dev, "its interrupt pin is routed nowhere\n");
	WRITE_ONCE(stub->irq.gsi, gsi);
}

/**
 * pciback_gsi - what a guest uses to bind a device's line
 * @stub: device
 *
 * Return: the GSI; 0 if the device has no line.
 */
u32 pciback_gsi(const struct pcistub *stub)
{
	return max(stub->irq.gsi, 0);
}

/**
 * pciback_guest_line - the interrupt line that config space shows
 * @pdev: a device that is being claimed, or that is claimed
 *
 * Return: the low byte of the GSI, 0 if there is none.
 */
u32 pciback_guest_line(struct pci_dev *pdev)
{
	return pciback_gsi(pcistub_of(pdev)) & 0xff;
}

/**
 * pciback_gsi_serve - answer, or cease to answer, the toolstack's ioctl
 * @serve: answer it
 */
void pciback_gsi_serve(bool serve)
{
	if (IS_ENABLED(CONFIG_XEN_ACPI))
		xen_acpi_register_get_gsi_func(serve ? pcistub_gsi : NULL);
}
