// SPDX-License-Identifier: GPL-2.0
/*
 * Power of claimed devices. One that no guest has is left to the kernel's
 * runtime power management, which puts it into D3hot and lets the ports above
 * it follow; one that a guest has is the guest's to put to sleep, by its PM
 * capability. While the host sleeps, requests of guests wait.
 */
#include <linux/moduleparam.h>
#include <linux/pm.h>
#include <linux/pm_runtime.h>
#include <linux/time64.h>
#include <linux/vgaarb.h>

#include "pciback.h"

/*
 * A toolstack resets a device before it gives it away, and for an HVM guest
 * tells us only when the guest has it already: so long a device stays awake, by
 * its own autosuspend_delay_ms.
 */
#define IDLE_MS (10 * MSEC_PER_SEC)

static bool disable_idle_d3;
module_param(disable_idle_d3, bool, 0444);
MODULE_PARM_DESC(disable_idle_d3, "Leave devices that no guest has in D0");

/* Without sessions, nothing here says which devices guests have. */
static bool never_sleeps(void)
{
	return disable_idle_d3 || !PCIBACK_SERVES_PV;
}

/**
 * pciback_power_init - a device that was claimed may be suspended
 * @stub: device; awake, as the core hands it to a driver
 */
void pciback_power_init(struct pcistub *stub)
{
	struct device *dev = &stub->pdev->dev;

	if (never_sleeps())
		return;
	pm_runtime_set_autosuspend_delay(dev, IDLE_MS);
	pm_runtime_use_autosuspend(dev);
	pm_runtime_allow(dev);
}

/**
 * pciback_power_exit - end what pciback_power_init() began
 * @stub: device on its way back to the host; the caller holds its lock. The core
 *	has woken it, and expects the reference that it once gave.
 */
void pciback_power_exit(struct pcistub *stub)
{
	struct device *dev = &stub->pdev->dev;

	lockdep_assert_held(&stub->lock);
	pcistub_cancel(stub, &stub->idle_work);
	if (stub->pm_idle)
		pm_runtime_get_noresume(dev);
	stub->pm_idle = false;
	if (never_sleeps())
		return;
	pm_runtime_forbid(dev);
	pm_runtime_dont_use_autosuspend(dev);
}

/**
 * pciback_pm_busy - have a device in D0, with its config
 * @stub: device; the caller holds its lock
 *
 * It stays awake until pciback_pm_idle().
 *
 * Return: 0 or -errno.
 */
int pciback_pm_busy(struct pcistub *stub)
{
	int err;

	lockdep_assert_held(&stub->lock);
	if (!stub->pm_idle)
		return 0;
	err = pm_runtime_resume_and_get(&stub->pdev->dev);
	if (!err)
		stub->pm_idle = false;
	return err;
}

/*
 * One that a guest lost to an error stays awake: the guest lives, and an access to
 * a device that sleeps could end in an error of the host's. So does one whose VFs
 * may be in use, and the one that may be the host's console.
 */
static bool may_sleep(const struct pcistub *stub)
{
	enum pcistub_state state = READ_ONCE(stub->state);

	lockdep_assert_held(&stub->lock);
	return !never_sleeps() && !stub->pm_idle && state != PCISTUB_ASSIGNED &&
	       state != PCISTUB_GONE &&
	       READ_ONCE(stub->evict) == PCIBACK_EVICT_NONE &&
	       !pci_num_vf(stub->pdev) && stub->pdev != vga_default_device();
}

/**
 * pciback_pm_idle - let a device sleep after a while, unless a guest has it
 * @stub: device; the caller holds its lock
 */
void pciback_pm_idle(struct pcistub *stub)
{
	struct device *dev = &stub->pdev->dev;
	int delay = READ_ONCE(dev->power.autosuspend_delay);

	if (!may_sleep(stub) || delay < 0)
		return;
	pcistub_queue(stub, &stub->idle_work, msecs_to_jiffies(delay));
}

/**
 * pciback_idle_work - a device was idle for a while
 * @work: &pcistub.idle_work; owns a reference to the device
 *
 * One whose guest is none of ours is free to us, but is not idle: it stays awake
 * until the toolstack resets it the next time. Looking for that may take long,
 * and nobody who needs the device waits for it.
 */
void pciback_idle_work(struct work_struct *work)
{
	struct pcistub *stub = container_of(work, struct pcistub,
					    idle_work.work);
	bool foreign = pciback_foreign(stub);

	mutex_lock(&stub->lock);
	if (READ_ONCE(stub->state) == PCISTUB_CLEANING) {
		/* It is awake for its reset. */
		pcistub_queue(stub, &stub->idle_work,
			      msecs_to_jiffies(IDLE_MS));
	} else if (!foreign && !delayed_work_pending(&stub->idle_work) &&
		   may_sleep(stub)) {
		/* Not if it was reset while we looked, maybe for somebody. */
		stub->pm_idle = true;
		/* At once: in 7.3 pm_runtime_put_autosuspend() starts anew. */
		pm_runtime_put(&stub->pdev->dev);
	}
	mutex_unlock(&stub->lock);
	pcistub_put(stub);
}

/* Work items are frozen by now: only the event handler has to be kept off. */
static int pcistub_suspend(struct device *dev)
{
	struct pcistub *stub = pcistub_of(to_pci_dev(dev));

	mutex_lock(&stub->lock);
	pcistub_conf_begin(stub);
	mutex_unlock(&stub->lock);
	return 0;
}

static int pcistub_resume(struct device *dev)
{
	struct pcistub *stub = pcistub_of(to_pci_dev(dev));

	mutex_lock(&stub->lock);
	pcistub_conf_end(stub);
	mutex_unlock(&stub->lock);
	return 0;
}

/* Config is saved and restored, and the device put to sleep, by the core. */
DEFINE_SIMPLE_DEV_PM_OPS(pciback_pm_ops, pcistub_suspend, pcistub_resume);
