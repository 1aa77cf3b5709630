// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI driver that claims devices from the host: those of hide=, those that
 * were announced by new_slot, and those whose driver_override names us. And the
 * module's beginning and end.
 */
#define pr_fmt(fmt) "xen-pciback: " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <xen/xen.h>
#include <xen/interface/physdev.h>
#include <asm/xen/hypercall.h>

#include "pciback.h"

static char *hide;
module_param(hide, charp, 0444);
MODULE_PARM_DESC(hide, "Devices to claim: ([dddd:]bb:ss.f)..., * for all");

static bool passthrough;
module_param(passthrough, bool, 0444);
MODULE_PARM_DESC(passthrough, "Show guests the host's PCI addresses");

/* Built in, devices are seized before the bus is ready to enable them. */
static bool pci_ready = __is_defined(MODULE);

struct workqueue_struct *pciback_wq;
const struct pciback_topology *pciback_topology = &pciback_vpci;

/* Xen keeps MSI-X tables out of guests' reach; for a PVH dom0 it does so anyway. */
static void tell_xen_msix(struct pci_dev *pdev, unsigned int cmd)
{
	struct physdev_pci_device arg = {
		.seg = pci_domain_nr(pdev->bus),
		.bus = pdev->bus->number,
		.devfn = pdev->devfn,
	};
	int err;

	if (!pdev->msix_cap || !xen_pv_domain())
		return;
	err = HYPERVISOR_physdev_op(cmd, &arg);
	if (err)
		dev_warn(&pdev->dev, "Xen cannot %s the MSI-X table: %d\n",
			 cmd == PHYSDEVOP_prepare_msix ? "guard" : "release",
			 err);
}

static int save_config(struct pci_dev *pdev, struct pci_saved_state **state)
{
	int err = pci_save_state(pdev);

	if (err)
		return err;
	*state = pci_store_saved_state(pdev);
	return *state ? 0 : -ENOMEM;
}

/* Makes a seized device ready to be given away; device_lock() is held. */
static int pcistub_prepare(struct pcistub *stub)
{
	struct pci_dev *pdev = stub->pdev;
	struct pciback_conf *conf;
	int err;

	device_lock_assert(&pdev->dev);

	/* Its config would be kept as all ones. */
	if (!pci_device_is_present(pdev))
		return -ENODEV;
	/* What a guest has it do is not to go on when the host has it back. */
	pci_clear_master(pdev);
	err = save_config(pdev, &stub->boot);
	if (err)
		return err;
	err = pci_enable_device(pdev);
	if (err)
		return err;
	/* What it was to wake the host for is not its guest's. */
	pci_pme_active(pdev, false);
	pciback_gsi_find(stub);
	snprintf(stub->irq.name, sizeof(stub->irq.name), DRV_NAME "[%s]",
		 pci_name(pdev));

	err = save_config(pdev, &stub->fresh);
	if (err)
		goto disable;
	stub->decode = pdev->saved_config_space[PCI_COMMAND / 4] &
		       (PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	conf = pciback_conf_build(pdev);
	if (IS_ERR(conf)) {
		err = PTR_ERR(conf);
		goto disable;
	}
	mutex_lock(&stub->lock);
	stub->conf = conf;
	mutex_unlock(&stub->lock);
	tell_xen_msix(pdev, PHYSDEVOP_prepare_msix);
	pciback_power_init(stub);

	pcistub_ready(stub);
	return 0;
disable:
	pci_disable_device(pdev);
	pci_load_saved_state(pdev, stub->boot);
	pci_restore_state(pdev);
	return err;
}

static int pcistub_seize(struct pci_dev *pdev)
{
	struct pcistub *stub = pcistub_register(pdev);
	int err;

	if (IS_ERR(stub))
		return PTR_ERR(stub);
	err = pci_ready ? pcistub_prepare(stub) : 0;
	if (err) {
		dev_err(&pdev->dev, "cannot be claimed: %d%s\n", err,
			err == -ENODEV ? ", it does not answer" : "");
		pcistub_unregister(stub);
		pcistub_put(stub);
	}
	return err;
}

/*
 * Every device matches; the first row only those with a driver_override that
 * names us. Which row it was tells a command from an offer.
 */
static const struct pci_device_id pcistub_ids[] = {
	{ PCI_DEVICE_DRIVER_OVERRIDE(PCI_ANY_ID, PCI_ANY_ID, 1) },
	{ PCI_DEVICE(PCI_ANY_ID, PCI_ANY_ID) },
	{ }
};

static int pcistub_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	bool commanded = id->override_only;
	int err;

	/* Xen's interfaces have 16 bits for a domain; VMD's are beyond. */
	if (pci_domain_nr(pdev->bus) > U16_MAX ||
	    (!commanded && !pciback_slots_cover(pdev)))
		return -ENODEV;
	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL) {
		dev_info(&pdev->dev,
			 "a bridge is not claimed, only what is behind it\n");
		return -ENODEV;
	}
	if (commanded) {
		struct pciback_pattern self = {
			.sbdf = pcistub_sbdf(pdev), .mask = ~0U,
		};

		err = pciback_slots_add(&self);
		if (err)
			return err;
	}
	return pcistub_seize(pdev);
}

/* Gives the host its device back as it was before the claim. */
static void pcistub_release(struct pcistub *stub, bool clean)
{
	struct pci_dev *pdev = stub->pdev;

	mutex_lock(&stub->lock);
	pciback_power_exit(stub);
	if (clean) {
		pciback_irq_set_mode(stub, PCIBACK_IRQ_NONE, NULL, 0);
	} else {
		pciback_wake(stub);
		pciback_reset(stub);
	}
	tell_xen_msix(pdev, PHYSDEVOP_release_msix);
	pci_disable_device(pdev);
	pci_load_saved_state(pdev, stub->boot);
	pci_restore_state(pdev);
	mutex_unlock(&stub->lock);
}

static void pcistub_remove(struct pci_dev *pdev)
{
	struct pcistub *stub = pcistub_of(pdev);
	bool clean = READ_ONCE(stub->state) == PCISTUB_FREE;
	bool in_use = pcistub_unregister(stub);

	pciback_recovery_over(stub);
	/* Whoever found the device in the guest's map is done with it. */
	if (in_use)
		synchronize_rcu();
	if (stub->conf)
		pcistub_release(stub, clean && !in_use);
	if (in_use)
		pcistub_disown(stub);
	/* Sessions that wait for it learn that it is gone. */
	pciback_sessions_kick();
	pcistub_put(stub);
}

static struct pci_driver pcistub_driver = {
	/* Not the module's name: tools have this one in paths. */
	.name = "pciback",
	.id_table = pcistub_ids,
	.probe = pcistub_probe,
	.remove = pcistub_remove,
	.err_handler = &pciback_err_handler,
	.driver.pm = pm_sleep_ptr(&pciback_pm_ops),
	.groups = pciback_driver_groups,
	.dev_groups = pciback_device_groups,
};

/* Tells which devices cannot be claimed now; false if none is there at all. */
static bool __init check_present(const struct pciback_pattern *pattern)
{
	struct pci_dev *pdev = NULL;
	bool found = false;

	for_each_pci_dev(pdev) {
		if ((pcistub_sbdf(pdev) & pattern->mask) != pattern->sbdf)
			continue;
		found = true;
		/* What is hidden with a bridge is what is behind it. */
		if (pdev->hdr_type == PCI_HEADER_TYPE_NORMAL && pdev->dev.driver)
			pci_warn(pdev, "hide=: not claimed, its driver is %s\n",
				 dev_driver_string(&pdev->dev));
	}
	return found;
}

/* A bad entry is named and left out, an absent one may come; the rest holds. */
static int __init want_hidden(void)
{
	struct pciback_pattern pattern;
	const char *s = hide;
	unsigned int len;
	int ret, err = 0;

	while (!err && s && (ret = pciback_parse_hide(&s, &pattern, &len))) {
		if (ret < 0) {
			pr_err("hide=: bad entry '%.*s' is skipped\n", len,
			       s - len);
			continue;
		}
		if (!check_present(&pattern))
			pr_warn("hide=: there is no device '%.*s' yet\n", len,
				s - len);
		err = pciback_slots_add(&pattern);
	}
	return err;
}

static int __init pciback_register(void)
{
	int err;

	if (!xen_initial_domain()) {
		if (__is_defined(MODULE))
			pr_err("not the initial domain of a Xen host\n");
		return -ENODEV;
	}
	if (!xen_pv_domain())
		pr_notice("dom0 is no PV domain: no interrupts for PV guests\n");
	if (passthrough)
		pciback_topology = &pciback_passthrough;
	/* Frozen for the host's sleep, which power.c relies on. */
	pciback_wq = alloc_workqueue(DRV_NAME, WQ_UNBOUND | WQ_FREEZABLE, 0);
	if (!pciback_wq)
		return -ENOMEM;
	err = want_hidden();
	if (!err)
		err = pci_register_driver(&pcistub_driver);
	if (err) {
		destroy_workqueue(pciback_wq);
		pciback_wq = NULL;
		pciback_slots_clear();
	}
	return err;
}

/* A device that was seized too early; if it fails it goes back to the host. */
static void __init prepare_seized(struct pci_dev *pdev)
{
	int err = 0;

	device_lock(&pdev->dev);
	if (pdev->dev.driver == &pcistub_driver.driver &&
	    !pcistub_of(pdev)->conf)
		err = pcistub_prepare(pcistub_of(pdev));
	device_unlock(&pdev->dev);
	if (err) {
		dev_err(&pdev->dev, "cannot be claimed: %d\n", err);
		device_release_driver(&pdev->dev);
	}
}

static void pciback_release_all(void)
{
	/* Sessions that have just ended give their devices back first. */
	flush_workqueue(pciback_wq);
	pci_unregister_driver(&pcistub_driver);
	destroy_workqueue(pciback_wq);
	pciback_slots_clear();
}

static int __init pciback_serve(void)
{
	struct pci_dev *pdev = NULL;
	int err = 0;

	if (!pciback_wq)
		return -ENODEV;
	pci_ready = true;
	/* Not a walk of the driver's own devices: none leaves during that. */
	for_each_pci_dev(pdev)
		prepare_seized(pdev);
	if (PCIBACK_SERVES_PV)
		err = pciback_xenbus_init();
	if (err) {
		pciback_release_all();
		return err;
	}
	pciback_gsi_serve(true);
	pciback_foreign_init();
	return err;
}

#ifdef MODULE
static int __init pciback_init(void)
{
	int err = pciback_register();

	return err ? err : pciback_serve();
}
module_init(pciback_init);
#else
/* Before all drivers of devices, and when the bus is ready. */
fs_initcall(pciback_register);
device_initcall(pciback_serve);
#endif

static void __exit pciback_exit(void)
{
	pciback_foreign_exit();
	pciback_gsi_serve(false);
	if (PCIBACK_SERVES_PV)
		pciback_xenbus_exit();
	pciback_release_all();
}
module_exit(pciback_exit);

MODULE_DESCRIPTION("Xen PCI passthrough backend");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen-backend:pci");
MODULE_ALIAS("pciback");
