// SPDX-License-Identifier: GPL-2.0
/*
 * The registry of devices claimed from the host, and the PCI driver that claims
 * them: those of hide=, those that were announced by new_slot, and those whose
 * driver_override names us.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <xen/pci.h>
#include <xen/xen.h>
#include <asm/xen/hypercall.h>

#include "pciback.h"

#undef pr_fmt
#define pr_fmt(fmt) DRV_NAME ": " fmt

static char *hide;
module_param(hide, charp, 0444);
MODULE_PARM_DESC(hide, "Devices to claim: ([dddd:]bb:ss.f)..., * for all");

static bool permissive;
module_param(permissive, bool, 0644);
MODULE_PARM_DESC(permissive, "Open all guests' unknown config registers");

static bool passthrough;
module_param(passthrough, bool, 0444);
MODULE_PARM_DESC(passthrough, "Show guests the host's PCI addresses");

static bool strict_reset;
module_param(strict_reset, bool, 0644);
MODULE_PARM_DESC(strict_reset, "Refuse a device to a guest if its reset failed");

/* Claimed devices by address, their ->state and ->sess. */
static DEFINE_MUTEX(registry_lock);
static DEFINE_XARRAY(stubs);

/* Addresses that we want, whether or not there is a device. */
static DEFINE_XARRAY(wanted);

/* Built in, devices are seized before the bus is ready to enable them. */
static bool pci_ready = __is_defined(MODULE);

struct workqueue_struct *pciback_wq;
const struct pciback_topology *pciback_topology = &pciback_vpci;

static void pcistub_free(struct kref *ref)
{
	struct pcistub *stub = container_of(ref, struct pcistub, ref);

	pciback_conf_free(stub->conf);
	pciback_quirks_free(stub);
	kfree(stub->boot);
	kfree(stub->fresh);
	pci_dev_put(stub->pdev);
	kfree(stub);
}

/**
 * pcistub_get - take a reference
 * @stub: device to which the caller has one already, or which it found in a
 *	map or the registry under their lock or RCU
 */
void pcistub_get(struct pcistub *stub)
{
	kref_get(&stub->ref);
}

/**
 * pcistub_put - drop a reference; may sleep
 * @stub: device
 */
void pcistub_put(struct pcistub *stub)
{
	kref_put(&stub->ref, pcistub_free);
}

/**
 * pcistub_of - the claimed device behind a PCI device
 * @pdev: device that is bound to this driver
 *
 * Return: the device, valid as long as it stays bound.
 */
struct pcistub *pcistub_of(struct pci_dev *pdev)
{
	return pci_get_drvdata(pdev);
}

/**
 * pcistub_find - a claimed device by its address
 * @sbdf: address
 *
 * Return: the device with a reference, or NULL.
 */
struct pcistub *pcistub_find(u32 sbdf)
{
	struct pcistub *stub;

	mutex_lock(&registry_lock);
	stub = xa_load(&stubs, sbdf);
	if (stub)
		pcistub_get(stub);
	mutex_unlock(&registry_lock);
	return stub;
}

/**
 * pcistub_for_each - call a function for all claimed devices, by address
 * @fn: function; called under the registry lock, ends the walk unless it is 0
 * @data: for @fn
 *
 * Return: what @fn returned last.
 */
int pcistub_for_each(int (*fn)(struct pcistub *stub, void *data), void *data)
{
	struct pcistub *stub;
	unsigned long sbdf;
	int err = 0;

	mutex_lock(&registry_lock);
	xa_for_each(&stubs, sbdf, stub) {
		err = fn(stub, data);
		if (err)
			break;
	}
	mutex_unlock(&registry_lock);
	return err;
}

/**
 * pcistub_permissive - are unknown registers open?
 * @stub: device
 */
bool pcistub_permissive(const struct pcistub *stub)
{
	return READ_ONCE(permissive) || READ_ONCE(stub->permissive);
}

/**
 * pcistub_set_state - say how a reset ended
 * @stub: device
 * @state: PCISTUB_FREE or PCISTUB_DIRTY; a device that is gone stays so
 */
void pcistub_set_state(struct pcistub *stub, enum pcistub_state state)
{
	mutex_lock(&registry_lock);
	if (stub->state == PCISTUB_CLEANING)
		WRITE_ONCE(stub->state, state);
	mutex_unlock(&registry_lock);
}

/**
 * pcistub_conf_begin - have the policy for oneself, to sleep while using it
 * @stub: device; the caller holds its lock
 */
void pcistub_conf_begin(struct pcistub *stub)
{
	lockdep_assert_held(&stub->lock);
	spin_lock_irq(&stub->conf_lock);
	stub->conf_busy = true;
	spin_unlock_irq(&stub->conf_lock);
}

/**
 * pcistub_conf_end - let others use the policy
 * @stub: device on which pcistub_conf_begin() was called
 */
void pcistub_conf_end(struct pcistub *stub)
{
	lockdep_assert_held(&stub->lock);
	spin_lock_irq(&stub->conf_lock);
	stub->conf_busy = false;
	spin_unlock_irq(&stub->conf_lock);
}

/* Resets a device that nobody has; the registry lock is held. */
static void queue_clean(struct pcistub *stub)
{
	lockdep_assert_held(&registry_lock);
	WRITE_ONCE(stub->state, PCISTUB_CLEANING);
	pcistub_get(stub);
	if (!queue_work(pciback_wq, &stub->clean_work))
		pcistub_put(stub);
}

static int check_free(struct pcistub *stub, domid_t domid)
{
	switch (stub->state) {
	case PCISTUB_FREE:
		return 0;
	case PCISTUB_CLEANING:
		return -EAGAIN;
	case PCISTUB_DIRTY:
		if (strict_reset) {
			dev_err(&stub->pdev->dev,
				"refused to domain %d: reset failed (%d), strict_reset is set\n",
				domid, stub->reset_err);
			return -EIO;
		}
		dev_warn(&stub->pdev->dev,
			 "given to domain %d although its reset failed (%d)\n",
			 domid, stub->reset_err);
		return 0;
	default:
		return -EBUSY;
	}
}

/* From here on Xen maps this device's vectors into the guest. */
static int register_owner(struct pci_dev *pdev, domid_t domid)
{
	int err = xen_register_device_domain_owner(pdev, domid);

	if (err != -EEXIST)
		return err;
	xen_unregister_device_domain_owner(pdev);
	return xen_register_device_domain_owner(pdev, domid);
}

/**
 * pcistub_assign - give a device to a guest
 * @sbdf: address of the device
 * @sess: the guest
 * @found: the device, with a reference that pcistub_return() drops
 *
 * Return: 0; -ENODEV: not claimed; -EBUSY: another guest's; -EAGAIN: being
 * reset, and pciback_sessions_kick() will say when it is done; -EIO: unclean and
 * refused by strict_reset; -ENOMEM.
 */
int pcistub_assign(u32 sbdf, struct pciback_session *sess,
		   struct pcistub **found)
{
	domid_t domid = pciback_session_domid(sess);
	struct pcistub *stub;
	int err = -ENODEV;

	mutex_lock(&registry_lock);
	stub = xa_load(&stubs, sbdf);
	if (stub)
		err = check_free(stub, domid);
	if (!err)
		err = register_owner(stub->pdev, domid);
	if (!err) {
		pcistub_get(stub);
		pci_set_dev_assigned(stub->pdev);
		stub->sess = sess;
		WRITE_ONCE(stub->state, PCISTUB_ASSIGNED);
		*found = stub;
	}
	mutex_unlock(&registry_lock);
	return err;
}

/**
 * pcistub_owner - the guest that has a device
 * @stub: device
 *
 * Return: its session with a reference, or NULL.
 */
struct pciback_session *pcistub_owner(struct pcistub *stub)
{
	struct pciback_session *sess = NULL;

	mutex_lock(&registry_lock);
	if (stub->state == PCISTUB_ASSIGNED) {
		sess = stub->sess;
		kref_get(&sess->ref);
	}
	mutex_unlock(&registry_lock);
	return sess;
}

static void disown(struct pcistub *stub)
{
	lockdep_assert_held(&registry_lock);
	xen_unregister_device_domain_owner(stub->pdev);
	pci_clear_dev_assigned(stub->pdev);
	stub->sess = NULL;
}

/**
 * pcistub_return - take a device back from a guest
 * @stub: device; no request of the guest can reach it any more. The reference
 *	that pcistub_assign() gave is dropped.
 *
 * Its vectors go before the guest is forgotten, its reset is queued.
 */
void pcistub_return(struct pcistub *stub)
{
	mutex_lock(&stub->lock);
	if (READ_ONCE(stub->state) == PCISTUB_ASSIGNED)
		pciback_irq_set_mode(stub, PCIBACK_IRQ_NONE, NULL, 0);
	mutex_unlock(&stub->lock);

	mutex_lock(&registry_lock);
	if (stub->state == PCISTUB_ASSIGNED) {
		disown(stub);
		stub->permissive = false;
		stub->intx_control = false;
		bitmap_zero(stub->denied, PCI_CFG_SPACE_EXP_SIZE / 4);
		stub->nr_denied = 0;
		queue_clean(stub);
	}
	mutex_unlock(&registry_lock);
	pcistub_put(stub);
}

static u32 pdev_sbdf(const struct pci_dev *pdev)
{
	return pciback_sbdf(pci_domain_nr(pdev->bus), pdev->bus->number,
			    pdev->devfn);
}

/* Xen keeps MSI-X tables out of guests' reach; older ones do not know how. */
static void guard_msix(struct pci_dev *pdev, unsigned int cmd)
{
	struct physdev_pci_device arg = {
		.seg = pci_domain_nr(pdev->bus),
		.bus = pdev->bus->number,
		.devfn = pdev->devfn,
	};
	int err;

	if (!pdev->msix_cap)
		return;
	err = HYPERVISOR_physdev_op(cmd, &arg);
	if (err && err != -ENOSYS)
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
	int err;

	err = save_config(pdev, &stub->boot);
	if (err)
		return err;
	err = pci_enable_device(pdev);
	if (err)
		return err;
	pci_clear_master(pdev);
	/* Without a pin the core's irq is whatever firmware left. */
	stub->irq.line = pdev->pin ? pdev->irq : 0;
	snprintf(stub->irq.name, sizeof(stub->irq.name), DRV_NAME "[%s]",
		 pci_name(pdev));

	err = save_config(pdev, &stub->fresh);
	if (err)
		goto disable;
	stub->conf = pciback_conf_build(pdev);
	if (IS_ERR(stub->conf)) {
		err = PTR_ERR(stub->conf);
		stub->conf = NULL;
		goto disable;
	}
	guard_msix(pdev, PHYSDEVOP_prepare_msix);

	mutex_lock(&registry_lock);
	queue_clean(stub);
	mutex_unlock(&registry_lock);
	return 0;
disable:
	pci_disable_device(pdev);
	pci_load_saved_state(pdev, stub->boot);
	pci_restore_state(pdev);
	return err;
}

/* Nobody finds the device from here on; returns the guest that has it. */
static struct pciback_session *pcistub_unregister(struct pcistub *stub)
{
	struct pciback_session *sess;

	mutex_lock(&registry_lock);
	xa_erase(&stubs, stub->sbdf);
	WRITE_ONCE(stub->state, PCISTUB_GONE);
	sess = stub->sess;
	if (sess)
		pciback_session_lost(sess, stub);
	mutex_unlock(&registry_lock);
	return sess;
}

static int pcistub_seize(struct pci_dev *pdev)
{
	struct pcistub *stub = kzalloc(sizeof(*stub), GFP_KERNEL);
	int err;

	if (!stub)
		return -ENOMEM;
	kref_init(&stub->ref);
	stub->pdev = pci_dev_get(pdev);
	stub->sbdf = pdev_sbdf(pdev);
	mutex_init(&stub->lock);
	spin_lock_init(&stub->conf_lock);
	INIT_LIST_HEAD(&stub->quirk_list);
	INIT_WORK(&stub->clean_work, pciback_clean_work);
	INIT_WORK(&stub->line_work, pciback_line_work);
	pci_set_drvdata(pdev, stub);

	mutex_lock(&registry_lock);
	err = xa_err(xa_store(&stubs, stub->sbdf, stub, GFP_KERNEL));
	mutex_unlock(&registry_lock);
	if (!err && pci_ready)
		err = pcistub_prepare(stub);
	if (err) {
		dev_err(&pdev->dev, "cannot be claimed: %d\n", err);
		pcistub_unregister(stub);
		pci_set_drvdata(pdev, NULL);
		pcistub_put(stub);
	}
	return err;
}

static bool is_wanted(const struct pci_dev *pdev)
{
	const struct pci_bus *bus;

	if (xa_load(&wanted, pdev_sbdf(pdev)))
		return true;
	for (bus = pdev->bus; bus->self; bus = bus->parent)
		if (xa_load(&wanted, pdev_sbdf(bus->self)))
			return true;
	return false;
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

	if (!commanded && !is_wanted(pdev))
		return -ENODEV;
	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL) {
		dev_info(&pdev->dev,
			 "a bridge is not claimed, only what is behind it\n");
		return -ENODEV;
	}
	if (commanded) {
		struct pciback_pattern self = {
			.sbdf = pdev_sbdf(pdev), .mask = ~0U,
		};

		err = pcistub_want(&self);
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
	if (clean)
		pciback_irq_set_mode(stub, PCIBACK_IRQ_NONE, NULL, 0);
	else
		pciback_reset(stub);
	guard_msix(pdev, PHYSDEVOP_release_msix);
	pci_disable_device(pdev);
	pci_load_saved_state(pdev, stub->boot);
	pci_restore_state(pdev);
	mutex_unlock(&stub->lock);
}

static void pcistub_remove(struct pci_dev *pdev)
{
	struct pcistub *stub = pcistub_of(pdev);
	bool clean = READ_ONCE(stub->state) == PCISTUB_FREE;
	struct pciback_session *sess = pcistub_unregister(stub);

	/* Whoever found the device in the guest's map is done with it. */
	if (sess)
		synchronize_rcu();
	if (stub->conf)
		pcistub_release(stub, clean && !sess);
	if (sess) {
		mutex_lock(&registry_lock);
		disown(stub);
		mutex_unlock(&registry_lock);
	}
	pci_set_drvdata(pdev, NULL);
	pcistub_put(stub);
}

static struct pci_driver pcistub_driver = {
	/* Not the module's name: tools have this one in paths. */
	.name = "pciback",
	.id_table = pcistub_ids,
	.probe = pcistub_probe,
	.remove = pcistub_remove,
	.err_handler = &pciback_err_handler,
	.groups = pciback_driver_groups,
};

/**
 * pcistub_want - announce devices
 * @pattern: which; those that are announced already stay so
 *
 * Return: 0 or -ENOMEM.
 */
int pcistub_want(const struct pciback_pattern *pattern)
{
	unsigned long sbdf, last = pattern->sbdf | ~pattern->mask;
	int err = 0;

	for (sbdf = pattern->sbdf; !err && sbdf <= last; sbdf++)
		err = xa_err(xa_store(&wanted, sbdf, xa_mk_value(1),
				      GFP_KERNEL));
	return err;
}

/**
 * pcistub_unwant - revoke the announcement of devices
 * @pattern: which
 *
 * Return: 0; -ENOENT: none was announced; -EBUSY: one is a guest's, and all
 * stay.
 */
int pcistub_unwant(const struct pciback_pattern *pattern)
{
	u32 last = pattern->sbdf | ~pattern->mask;
	unsigned long sbdf;
	struct pcistub *stub;
	void *entry;
	int err = -ENOENT;

	mutex_lock(&registry_lock);
	xa_for_each_range(&stubs, sbdf, stub, pattern->sbdf, last) {
		if (stub->state != PCISTUB_ASSIGNED)
			continue;
		err = -EBUSY;
		goto out;
	}
	xa_for_each_range(&wanted, sbdf, entry, pattern->sbdf, last) {
		xa_erase(&wanted, sbdf);
		err = 0;
	}
out:
	mutex_unlock(&registry_lock);
	return err;
}

/**
 * pcistub_wanted - walk the addresses that were announced
 * @sbdf: in: where to begin; out: the next address from there on
 *
 * Return: false if there is none.
 */
bool pcistub_wanted(unsigned long *sbdf)
{
	return xa_find(&wanted, sbdf, ULONG_MAX, XA_PRESENT);
}

static bool __init is_present(const struct pciback_pattern *pattern)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if ((pdev_sbdf(pdev) & pattern->mask) == pattern->sbdf) {
			pci_dev_put(pdev);
			return true;
		}
	}
	return false;
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
		if (!is_present(&pattern))
			pr_warn("hide=: there is no device '%.*s' yet\n", len,
				s - len);
		err = pcistub_want(&pattern);
	}
	return err;
}

static int __init pciback_seize(void)
{
	int err;

	if (!xen_initial_domain()) {
		if (__is_defined(MODULE))
			pr_err("not the initial domain of a Xen host\n");
		return -ENODEV;
	}
	if (passthrough)
		pciback_topology = &pciback_passthrough;
	pciback_wq = alloc_workqueue(DRV_NAME, WQ_UNBOUND, 0);
	if (!pciback_wq)
		return -ENOMEM;
	err = want_hidden();
	if (!err)
		err = pci_register_driver(&pcistub_driver);
	if (err) {
		destroy_workqueue(pciback_wq);
		xa_destroy(&wanted);
	}
	return err;
}

/* Devices that were seized too early; those that fail go back to the host. */
static void __init prepare_seized(void)
{
	struct pcistub *stub;
	unsigned long sbdf;
	int err = 0;

	xa_for_each(&stubs, sbdf, stub) {
		struct device *dev = &stub->pdev->dev;

		device_lock(dev);
		if (!stub->conf)
			err = pcistub_prepare(stub);
		device_unlock(dev);
		if (err) {
			dev_err(dev, "cannot be claimed: %d\n", err);
			device_release_driver(dev);
		}
	}
}

static void pciback_release_all(void)
{
	flush_workqueue(pciback_wq);
	pci_unregister_driver(&pcistub_driver);
	destroy_workqueue(pciback_wq);
	xa_destroy(&wanted);
}

static int __init pciback_serve(void)
{
	int err;

	if (!pciback_wq)
		return -ENODEV;
	pci_ready = true;
	prepare_seized();
	err = pciback_xenbus_init();
	if (err)
		pciback_release_all();
	return err;
}

#ifdef MODULE
static int __init pciback_init(void)
{
	int err = pciback_seize();

	return err ? err : pciback_serve();
}
module_init(pciback_init);
#else
/* Before all drivers of devices, and when the bus is ready. */
fs_initcall(pciback_seize);
device_initcall(pciback_serve);
#endif

static void __exit pciback_exit(void)
{
	pciback_xenbus_exit();
	pciback_release_all();
}
module_exit(pciback_exit);

MODULE_DESCRIPTION("Xen PCI passthrough backend");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen-backend:pci");
MODULE_ALIAS("pciback");
