// SPDX-License-Identifier: GPL-2.0
/* The registry: which devices are claimed, by their address. */
#include <linux/kernel.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "pciback.h"
#include "registry.h"

/* See registry.h. */
DEFINE_MUTEX(pcistub_registry_lock);
DEFINE_XARRAY(pcistub_registry);

/**
 * pcistub_sbdf - the address of a device as one number
 * @pdev: device
 *
 * Return: domain, bus, device and function, from the top.
 */
u32 pcistub_sbdf(const struct pci_dev *pdev)
{
	return pciback_sbdf(pci_domain_nr(pdev->bus), pdev->bus->number,
			    pdev->devfn);
}

/**
 * pcistub_register - make a device known
 * @pdev: device that is being bound to this driver; device_lock() is held
 *
 * It is in PCISTUB_CLEANING, and stays there until pcistub_ready().
 *
 * Return: the device, or ERR_PTR(): -ENOMEM; -EBUSY if its address is taken.
 */
struct pcistub *pcistub_register(struct pci_dev *pdev)
{
	struct pcistub *stub = kzalloc(sizeof(*stub), GFP_KERNEL);
	int err;

	device_lock_assert(&pdev->dev);

	if (!stub)
		return ERR_PTR(-ENOMEM);
	kref_init(&stub->ref);
	stub->pdev = pci_dev_get(pdev);
	stub->sbdf = pcistub_sbdf(pdev);
	mutex_init(&stub->lock);
	mutex_init(&stub->irq.lock);
	stub->irq.gsi = -ENOENT;
	/* There was none yet. */
	stub->reset_err = -ENOTTY;
	spin_lock_init(&stub->conf_lock);
	INIT_LIST_HEAD(&stub->quirk_list);
	INIT_DELAYED_WORK(&stub->clean_work, pciback_clean_work);
	INIT_DELAYED_WORK(&stub->line_work, pciback_line_work);
	INIT_DELAYED_WORK(&stub->idle_work, pciback_idle_work);
	INIT_DELAYED_WORK(&stub->recover_work, pciback_recover_work);
	pci_set_drvdata(pdev, stub);

	mutex_lock(&pcistub_registry_lock);
	err = xa_insert(&pcistub_registry, stub->sbdf, stub, GFP_KERNEL);
	mutex_unlock(&pcistub_registry_lock);
	if (!err)
		return stub;
	pcistub_put(stub);
	return ERR_PTR(err);
}

/**
 * pcistub_unregister - let nobody find a device any more
 * @stub: device; device_lock() is held
 *
 * It is out of its guest's map, too; after an RCU grace period no request of the
 * guest uses it.
 *
 * Return: true if a guest has it, and pcistub_disown() is to follow.
 */
bool pcistub_unregister(struct pcistub *stub)
{
	bool in_use;

	device_lock_assert(&stub->pdev->dev);

	mutex_lock(&pcistub_registry_lock);
	xa_erase(&pcistub_registry, stub->sbdf);
	pcistub_set_state(stub, PCISTUB_GONE);
	in_use = stub->sess;
	if (in_use)
		pciback_session_lost(stub->sess, stub);
	mutex_unlock(&pcistub_registry_lock);
	return in_use;
}

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
 * @stub: device, found under a lock or RCU, or by another reference
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
 * pcistub_queue - have a work item of a device run after a while
 * @stub: device
 * @work: one of its own, which drops the reference that it gets here
 * @delay: in jiffies, from now on also if it was queued already
 *
 * Context: any.
 */
void pcistub_queue(struct pcistub *stub, struct delayed_work *work,
		   unsigned long delay)
{
	pcistub_get(stub);
	/* What was queued has a reference. */
	if (mod_delayed_work(pciback_wq, work, delay))
		pcistub_put(stub);
}

/**
 * pcistub_cancel - have a work item of a device not run, unless it does already
 * @stub: device; the caller has a reference
 * @work: one of its own
 */
void pcistub_cancel(struct pcistub *stub, struct delayed_work *work)
{
	if (cancel_delayed_work(work))
		pcistub_put(stub);
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

	mutex_lock(&pcistub_registry_lock);
	stub = xa_load(&pcistub_registry, sbdf);
	if (stub)
		pcistub_get(stub);
	mutex_unlock(&pcistub_registry_lock);
	return stub;
}

/**
 * pcistub_gsi - a claimed device's interrupt line
 * @sbdf: address
 *
 * xen/acpi.c calls this with an rwlock held, so only the array's own can be taken.
 * Entries are erased before the registry's reference is dropped.
 *
 * Return: its GSI; -ENOENT: it has none, which a toolstack takes for an answer;
 * -ENODEV: not claimed; or what Xen said when the line was to be set up.
 */
int pcistub_gsi(u32 sbdf)
{
	struct pcistub *stub;
	int gsi = -ENODEV;

	xa_lock(&pcistub_registry);
	stub = xa_load(&pcistub_registry, sbdf);
	if (stub)
		gsi = READ_ONCE(stub->irq.gsi);
	xa_unlock(&pcistub_registry);
	return gsi;
}

/**
 * pcistub_for_each - call a function for all claimed devices, by address
 * @fn: function; called without the registry lock, may find a device gone, and
 *	ends the walk unless it returns 0
 * @data: for @fn
 *
 * Return: what @fn returned last.
 */
int pcistub_for_each(int (*fn)(struct pcistub *stub, void *data), void *data)
{
	struct pcistub *stub;
	unsigned long sbdf;
	int err = 0;

	for (sbdf = 0; !err; sbdf++) {
		mutex_lock(&pcistub_registry_lock);
		stub = xa_find(&pcistub_registry, &sbdf, U32_MAX, XA_PRESENT);
		if (stub)
			pcistub_get(stub);
		mutex_unlock(&pcistub_registry_lock);
		if (!stub)
			break;
		err = fn(stub, data);
		pcistub_put(stub);
	}
	return err;
}

/**
 * pcistub_any_assigned - does a guest have one of them?
 * @pattern: addresses
 *
 * Return: true if one does.
 */
bool pcistub_any_assigned(const struct pciback_pattern *pattern)
{
	u32 last = pattern->sbdf | ~pattern->mask;
	struct pcistub *stub;
	unsigned long sbdf;
	bool any = false;

	mutex_lock(&pcistub_registry_lock);
	xa_for_each_range(&pcistub_registry, sbdf, stub, pattern->sbdf, last)
		any |= stub->state == PCISTUB_ASSIGNED;
	mutex_unlock(&pcistub_registry_lock);
	return any;
}
