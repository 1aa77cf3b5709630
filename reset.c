// SPDX-License-Identifier: GPL-2.0
/*
 * Clean hand-over: nothing that one guest did is there for the next.
 *
 * A device is reset at its claim and after each guest, by the PCI core's own
 * ladder (device specific, FLR, AF FLR, PM, slot, bus) and by a reset of the
 * whole bus where that hits no other's device, on a work item, so that
 * neither xenwatch nor another guest waits for hardware. After a reset the
 * device has the config of its claim: decode on (XSA-120), bus mastering off,
 * no MSI, nothing of a guest in the shadows.
 */
#include <linux/delay.h>
#include <linux/pci.h>
#include <xen/pci.h>
#include <xen/xen.h>

#include "compat.h"
#include "pciback.h"

/* How often, and how far apart, a bus reset is tried while a device is busy. */
#define BUS_TRIES	50
#define BUS_WAIT_MS	100

/*
 * The core ended its own MSI before; what is left is what a device model wrote
 * raw, and the last message. A device without a reset would keep both.
 */
static void clear_msi(struct pci_dev *pdev)
{
	int pos = pdev->msi_cap;
	u16 flags;

	if (pos && !pci_read_config_word(pdev, pos + PCI_MSI_FLAGS, &flags) &&
	    !PCI_POSSIBLE_ERROR(flags)) {
		pci_write_config_word(pdev, pos + PCI_MSI_FLAGS,
				      flags & ~PCI_MSI_FLAGS_ENABLE);
		pci_write_config_dword(pdev, pos + PCI_MSI_ADDRESS_LO, 0);
		if (flags & PCI_MSI_FLAGS_64BIT) {
			pci_write_config_dword(pdev, pos + PCI_MSI_ADDRESS_HI, 0);
			pci_write_config_word(pdev, pos + PCI_MSI_DATA_64, 0);
		} else {
			pci_write_config_word(pdev, pos + PCI_MSI_DATA_32, 0);
		}
	}
	pos = pdev->msix_cap;
	if (pos && !pci_read_config_word(pdev, pos + PCI_MSIX_FLAGS, &flags) &&
	    !PCI_POSSIBLE_ERROR(flags) &&
	    flags & (PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL))
		pci_write_config_word(pdev, pos + PCI_MSIX_FLAGS,
				      flags & ~(PCI_MSIX_FLAGS_ENABLE |
						PCI_MSIX_FLAGS_MASKALL));
}

/* Brings back the config that a guest gets, whatever the device has now. */
static void restore_fresh(struct pcistub *stub)
{
	pci_load_saved_state(stub->pdev, stub->fresh);
	pci_restore_state(stub->pdev);
	clear_msi(stub->pdev);
}

/*
 * Of a PVH dom0's devices Xen keeps what it saw written to their config. A PV
 * dom0 is refused, and needs nothing.
 */
static void tell_xen(struct pci_dev *pdev)
{
	int err = xen_pv_domain() ? 0 : xen_reset_device(pdev);

	if (err)
		dev_warn_ratelimited(&pdev->dev,
				     "Xen was not told of a reset: %d\n", err);
}

/**
 * pciback_lock_for_reset - take device_lock(), and what else a reset needs
 * @pdev: device
 *
 * The core may reset the bus of a device that is alone on it: then the bridge's
 * config is not to change meanwhile. Where there are others, who may be other
 * guests', they do not wait for this.
 *
 * Return: for pciback_unlock_after_reset().
 */
struct pci_dev *pciback_lock_for_reset(struct pci_dev *pdev)
{
	struct pci_dev *bridge = NULL;

	if (!pdev->is_virtfn && list_is_singular(&pdev->bus->devices))
		bridge = pdev->bus->self;
	if (bridge)
		pci_dev_lock(bridge);
	/* Toolstacks that look at its config wait, and do not read all ones. */
	pci_dev_lock(pdev);
	return bridge;
}

/**
 * pciback_unlock_after_reset - end what pciback_lock_for_reset() began
 * @pdev: device
 * @bridge: what that returned
 */
void pciback_unlock_after_reset(struct pci_dev *pdev, struct pci_dev *bridge)
{
	pci_dev_unlock(pdev);
	if (bridge)
		pci_dev_unlock(bridge);
}

/*
 * Resets a device under its guest: the core saves its config and brings it back.
 * MSI-X ends. The guest's shadows stay: they do not describe hardware. Its
 * requests wait, see pciback_reset_prepare().
 */
static int reset_in_place(struct pcistub *stub)
{
	struct pci_dev *pdev = stub->pdev;

	device_lock_assert(&pdev->dev);
	/* The core would wake it, which is not to be done with this lock held. */
	if (pdev->current_state != PCI_D0)
		return -EIO;
	/* The core would wait a minute for it. */
	if (pciback_conf_is_silent(stub->conf))
		return -ENODEV;
	return pci_reset_function_locked(pdev);
}

/**
 * pciback_wake - have a device in D0
 * @stub: device; the caller holds its lock
 *
 * The core takes pci_bus_sem for a power state, and has it when it reports errors,
 * for which it takes device_lock() of one device after the other: so whoever is
 * to hold that lock for a reset wakes the device first. Unbind and others' resets
 * cannot: the core has taken it, and for a reset does the same next.
 *
 * Return: 0 or -errno.
 */
int pciback_wake(struct pcistub *stub)
{
	int err = pciback_pm_busy(stub);

	return err ? err : pci_set_power_state(stub->pdev, PCI_D0);
}

/*
 * Wakes a device that is to be reset, and ends MSI-X. One that its guest had put to
 * sleep may have forgotten its config, which the core is about to save: the guest
 * would be left with a device that does not decode (XSA-120).
 */
static void wake_for_reset(struct pcistub *stub)
{
	bool guest_slept = READ_ONCE(stub->state) == PCISTUB_ASSIGNED &&
			   stub->pdev->current_state != PCI_D0;

	if (pciback_wake(stub))
		return;
	pciback_irq_end_msix(stub);
	if (!guest_slept)
		return;
	pciback_irq_restore(stub);
	if (READ_ONCE(stub->evict) != PCIBACK_EVICT_NONE)
		pci_clear_master(stub->pdev);
}

/* The same, unless it is not ours to wake by now. */
static void wake_in_state(struct pcistub *stub, enum pcistub_state state)
{
	mutex_lock(&stub->lock);
	if (READ_ONCE(stub->state) == state)
		wake_for_reset(stub);
	mutex_unlock(&stub->lock);
}

/**
 * pciback_reset - make a device as it was at its claim
 * @stub: device, awake; the caller holds its lock and device_lock()
 *
 * May take as long as the core polls a device that does not come back: a
 * minute.
 *
 * Return: 0; -ENOTTY if the device has no reset, which is as unclean as any
 * other -errno.
 */
int pciback_reset(struct pcistub *stub)
{
	struct pci_dev *pdev = stub->pdev;
	int err = 0;

	lockdep_assert_held(&stub->lock);
	device_lock_assert(&pdev->dev);

	pcistub_conf_begin(stub);
	/* Before the stand-in goes; the end of MSI brings INTx back. */
	pciback_irq_end_msi(stub);
	pci_intx(pdev, false);
	pciback_irq_set_mode(stub, PCIBACK_IRQ_NONE, NULL, 0);
	pci_clear_master(pdev);
	if (pdev->current_state != PCI_D0)
		err = -EIO;
	/* The core would wait a minute for one that was pulled out. */
	else if (pciback_conf_is_silent(stub->conf))
		err = -ENODEV;
	if (!err)
		err = __pci_reset_function_locked(pdev);
	if (!err)
		tell_xen(pdev);

	restore_fresh(stub);
	/* Not reset, it may still hold its line: off until pciback_line_work(). */
	if (err)
		pci_intx(pdev, false);
	pciback_conf_restore(stub->conf);
	pciback_conf_reset(stub->conf);
	stub->vpd_pos = 0;
	pcistub_conf_end(stub);
	return err;
}

/*
 * The last rung: a reset of the whole bus, if all that it hits is claimed and
 * nobody's. The core takes device_lock() of each and brings their config back;
 * who holds one of them is on his way out and will let go.
 */
static int reset_bus(struct pcistub *stub)
{
	unsigned int tries;
	int err;

	for (tries = 0; tries < BUS_TRIES; tries++) {
		err = pcistub_hold_bus(stub);
		if (err)
			return err == -EALREADY ? 0 : err;
		err = pci_reset_bus(stub->pdev);
		pcistub_unhold_bus(stub, err);
		if (err != -EAGAIN)
			break;
		msleep(BUS_WAIT_MS);
	}
	return err;
}

static int reset_function(struct pcistub *stub)
{
	struct pci_dev *bridge;
	int err = -ENODEV;

	wake_in_state(stub, PCISTUB_CLEANING);
	bridge = pciback_lock_for_reset(stub->pdev);
	if (READ_ONCE(stub->state) == PCISTUB_CLEANING) {
		mutex_lock(&stub->lock);
		err = pciback_reset(stub);
		/* From now on a toolstack may count on it to be awake. */
		pciback_pm_idle(stub);
		mutex_unlock(&stub->lock);
	}
	pciback_unlock_after_reset(stub->pdev, bridge);
	return err;
}

/**
 * pciback_clean_work - reset a device that nobody has
 * @work: &pcistub.clean_work; owns a reference to the device
 *
 * Unbind holds device_lock() too: behind it, the device is either gone or stays
 * until the reset is done.
 */
void pciback_clean_work(struct work_struct *work)
{
	struct pcistub *stub = container_of(work, struct pcistub,
					    clean_work.work);
	int err = reset_function(stub);

	if (err != -ENOTTY || reset_bus(stub)) {
		/* pci_dev_wait() says so too of a device that never came back. */
		if (err == -ENOTTY && pciback_conf_is_silent(stub->conf))
			err = -ETIMEDOUT;
		pcistub_cleaned(stub, err);
	}
	pciback_sessions_kick();
	pcistub_put(stub);
}

/**
 * pciback_reset_by_admin - reset a device because somebody says so
 * @stub: device
 * @in_use: also if a guest has it. Its config is kept then but for MSI-X and bus
 *	mastering, and its requests wait; libxl does this right before it takes
 *	the device from a guest, and its memory from the device.
 *
 * Return: 0; -EBUSY: a guest has it; -ENOTTY: there is no way to reset it; or
 * what the reset came to.
 */
int pciback_reset_by_admin(struct pcistub *stub, bool in_use)
{
	struct pci_dev *bridge;
	bool theirs;
	int err;

	while ((err = pcistub_clean_again(stub)) == -EAGAIN)
		pcistub_wait_bus(stub);
	if (!err) {
		flush_delayed_work(&stub->clean_work);
		return READ_ONCE(stub->reset_err);
	}
	if (err != -EBUSY || !in_use)
		return err;

	wake_in_state(stub, PCISTUB_ASSIGNED);
	bridge = pciback_lock_for_reset(stub->pdev);
	theirs = READ_ONCE(stub->state) == PCISTUB_ASSIGNED;
	if (theirs) {
		mutex_lock(&stub->lock);
		pci_clear_master(stub->pdev);
		mutex_unlock(&stub->lock);
		err = reset_in_place(stub);
	}
	pciback_unlock_after_reset(stub->pdev, bridge);
	/* Given back meanwhile, it is being reset. */
	return theirs ? err : pciback_reset_by_admin(stub, false);
}

/**
 * pciback_reset_for_guest - make the reset that a guest asked for
 * @stub: device; no lock is held
 * @sess: session of the guest, which may have lost the device meanwhile
 */
void pciback_reset_for_guest(struct pcistub *stub,
			     const struct pciback_session *sess)
{
	struct pciback_limit *limit = &stub->limit[PCIBACK_MAY_FLR];
	struct pci_dev *bridge = pciback_lock_for_reset(stub->pdev);
	unsigned long begun = jiffies;
	bool may;

	mutex_lock(&stub->lock);
	/* After an error of the device it is the host's turn. */
	may = pcistub_serves(stub, sess) &&
	      stub->recovery != PCIBACK_RECOVERY_GUEST &&
	      pciback_limit_allows(limit);
	mutex_unlock(&stub->lock);
	if (may && (reset_in_place(stub) || pciback_limit_is_long(begun))) {
		mutex_lock(&stub->lock);
		pciback_limit_count(limit);
		mutex_unlock(&stub->lock);
	}
	pciback_unlock_after_reset(stub->pdev, bridge);
}

/**
 * pciback_reset_in_recovery - make the reset that the host has not made
 * @stub: device whose guest's driver waits for it; the caller has it by
 *	pciback_lock_for_reset()
 *
 * The host may have reset it and given up after that. Its config is brought back
 * from where it was kept, and kept there.
 *
 * Return: 0 or -errno.
 */
int pciback_reset_in_recovery(struct pcistub *stub)
{
	int err;

	/* A guest that began MSI-X meanwhile would die of the next step. */
	if (pciback_irq_restore(stub))
		return -EBUSY;
	err = reset_in_place(stub);
	if (!err)
		pciback_irq_save(stub);
	return err;
}

/**
 * pciback_reset_prepare - somebody is about to reset a claimed device
 * @pdev: device; device_lock() is held
 *
 * Such as libxl by the device's own reset file, or we for a guest. A guest's
 * requests wait until pciback_reset_done() lets go of the lock.
 */
void pciback_reset_prepare(struct pci_dev *pdev)
{
	struct pcistub *stub = pcistub_of(pdev);

	/* A bus reset comes here for each device, with all of them locked. */
	mutex_lock_nest_lock(&stub->lock, &pdev->dev.mutex);
	wake_for_reset(stub);
	pcistub_conf_begin(stub);
}

/**
 * pciback_reset_done - a reset is over and the core has restored the config
 * @pdev: device; device_lock() is held
 */
void pciback_reset_done(struct pci_dev *pdev)
{
	struct pcistub *stub = pcistub_of(pdev);

	tell_xen(pdev);
	/* What the core kept may be of a guest that has no session. */
	if (READ_ONCE(stub->state) != PCISTUB_ASSIGNED && stub->fresh)
		restore_fresh(stub);
	/* The device has forgotten what it was asked for. */
	stub->vpd_pos = 0;
	pcistub_conf_end(stub);
	pciback_pm_idle(stub);
	mutex_unlock(&stub->lock);
}
