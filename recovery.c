// SPDX-License-Identifier: GPL-2.0
/*
 * Recovery from PCI errors: the host's AER core takes one step after the other
 * for all devices below a port, and we have each step be taken by the guest too,
 * whose driver is asked by aer.c. A guest that does not take part loses the
 * device, which is reset, and gets it anew where that is possible.
 */
#include "pciback.h"

/* From one step of the host's recovery to the next, if nobody is being asked. */
#define RECOVERY_STEP (5 * HZ)

/*
 * After so long in a recovery, others' do not keep a device from its end. The core
 * alone may wait a minute for a device.
 */
#define RECOVERY_MAX (120 * HZ)

/* Who had to wait so long for a device may have waited for the host's reset. */
#define LONG_WAIT (HZ / 10)

/* How soon we look again if the host is done. */
#define HOST_CHECK (1 * HZ)

/*
 * The host takes each step for all devices below a port, one after the other: how
 * many of ours are in one now, and when the last was through, in jiffies.
 */
static atomic_t in_step = ATOMIC_INIT(0);
static unsigned long last_step;

/* What a guest may answer; anything else is as good as no answer. */
static bool is_verdict(u32 verdict)
{
	return verdict >= (__force u32)PCI_ERS_RESULT_NONE &&
	       verdict <= (__force u32)PCI_ERS_RESULT_NO_AER_DRIVER;
}

static void set_recovery(struct pcistub *stub, enum pciback_recovery recovery)
{
	device_lock_assert(&stub->pdev->dev);
	WRITE_ONCE(stub->recovery, recovery);
}

/*
 * The guest lives, without this device: its requests are answered no more, and the
 * device reaches nothing by DMA or MSI. It is taken back and reset as soon as
 * nothing waits. The core may have its list of devices locked, which is
 * inside of stub->lock.
 */
static void isolate(struct pciback_session *sess, struct pcistub *stub,
		    enum pciback_evict how)
{
	/* It cannot be told that the device is to come again. */
	if (pciback_channel_deaf(sess))
		how = PCIBACK_EVICT_FOR_GOOD;
	/* The host may reset it after its session has, and say nothing of that. */
	if (stub->recovery != PCIBACK_RECOVERY_NONE)
		set_recovery(stub, PCIBACK_RECOVERY_UNCLEAN);
	spin_lock_irq(&stub->conf_lock);
	WRITE_ONCE(stub->evict, how);
	pci_clear_master(stub->pdev);
	spin_unlock_irq(&stub->conf_lock);
	/* Xen cannot mask vectors any more while the host resets the device. */
	pciback_irq_end_msi(stub);
	pciback_session_evict(sess);
}

/* Asks the guest; what is no verdict, or none in time, is DISCONNECT. */
static pci_ers_result_t ask_guest(struct pciback_session *sess,
				  struct pcistub *stub, u32 cmd)
{
	struct pciback_vdev dev;
	u32 answer = 0;
	pci_ers_result_t verdict = PCI_ERS_RESULT_DISCONNECT;
	int err = -ENODEV;

	if (pciback_map_look(sess, stub->sbdf, &dev))
		err = pciback_aer_ask(&sess->chan, cmd, dev.vaddr, &answer);
	if (!err && !is_verdict(answer))
		err = -ERANGE;
	if (!err)
		verdict = (__force pci_ers_result_t)answer;
	/* Nobody there had anything to say, where something had to be done. */
	if (verdict == PCI_ERS_RESULT_NONE && cmd != XEN_PCI_OP_aer_resume)
		verdict = PCI_ERS_RESULT_DISCONNECT;
	if (verdict == PCI_ERS_RESULT_DISCONNECT) {
		dev_warn(&stub->pdev->dev,
			 "taken from domain %d, which cannot recover from an error: %s (%d)\n",
			 pciback_session_domid(sess),
			 err ? "no verdict" : "it says so", err);
		isolate(sess, stub, PCIBACK_EVICT_FOR_GOOD);
	}
	return verdict;
}

/* The host's AER core gives up in silence: then nobody goes on after us. */
static void expect_more(struct pcistub *stub, unsigned long delay)
{
	if (stub->recovery == PCIBACK_RECOVERY_NONE) {
		stub->recovery_end = jiffies + RECOVERY_MAX;
		set_recovery(stub, PCIBACK_RECOVERY_HOST);
	}
	pcistub_queue(stub, &stub->recover_work, delay);
}

/* Who had the device locked since @start may have been the host, resetting it. */
static bool host_is_busy(const struct pcistub *stub, unsigned long start)
{
	return time_before(jiffies, stub->recovery_end) &&
	       (atomic_read(&in_step) ||
		time_before(jiffies, READ_ONCE(last_step) + RECOVERY_STEP) ||
		time_after(jiffies, start + LONG_WAIT));
}

/**
 * pciback_recovery_over - the host does nothing more to a device
 * @stub: device; device_lock() is held
 */
void pciback_recovery_over(struct pcistub *stub)
{
	pcistub_cancel(stub, &stub->recover_work);
	set_recovery(stub, PCIBACK_RECOVERY_NONE);
	/* Who asked for it meanwhile looks again. */
	pciback_sessions_kick();
}

/* Before anybody can have it. Who waits for it is kicked when it is clean. */
static void clean_if_reset(struct pcistub *stub)
{
	if (stub->recovery != PCIBACK_RECOVERY_HOST)
		pcistub_clean_again(stub);
}

/*
 * A reset clears what no guest changes: decode, and where the memory is. A VF has
 * neither, and is in use if it is a bus master.
 */
static bool has_its_config(const struct pcistub *stub)
{
	struct pci_dev *pdev = stub->pdev;
	u32 now, saved;
	int i;

	if (pci_read_config_dword(pdev, PCI_COMMAND, &now))
		return false;
	saved = pdev->saved_config_space[PCI_COMMAND / 4];
	if (!stub->decode)
		return (u16)now && (u16)now == (u16)saved;
	if (stub->decode & ~now)
		return false;
	for (i = PCI_BASE_ADDRESS_0; i <= PCI_BASE_ADDRESS_5; i += 4) {
		if (pci_read_config_dword(pdev, i, &now) ||
		    now != pdev->saved_config_space[i / 4])
			return false;
	}
	return true;
}

/* Is a device as it was when a neighbour's error was none of its business? */
static bool is_untouched(const struct pcistub *stub)
{
	return stub->recovery == PCIBACK_RECOVERY_HOST &&
	       READ_ONCE(stub->evict) == PCIBACK_EVICT_NONE &&
	       stub->pdev->error_state == pci_channel_io_normal &&
	       has_its_config(stub);
}

/* The host will do nothing more to the device; the rest is ours. */
static void give_up(struct pciback_session *sess, struct pcistub *stub)
{
	if (!sess)
		clean_if_reset(stub);
	else if (READ_ONCE(stub->evict) == PCIBACK_EVICT_NONE &&
		 !is_untouched(stub))
		isolate(sess, stub, PCIBACK_EVICT_REPLUG);
	pciback_recovery_over(stub);
}

/*
 * A guest's driver that waits for the host gets the reset from us; true if it can
 * go on with the device.
 */
static bool take_over(struct pcistub *stub)
{
	struct pciback_session *sess = pcistub_owner(stub);
	int err = -ENODEV;

	/* The core does this itself only where all drivers recovered. */
	if (stub->pdev->error_state == pci_channel_io_frozen)
		stub->pdev->error_state = pci_channel_io_normal;
	if (sess && stub->recovery == PCIBACK_RECOVERY_GUEST) {
		err = pciback_reset_in_recovery(stub);
		/* Nobody waits for what else the guest has to say. */
		WRITE_ONCE(sess->chan.aer_left, LONG_MAX);
		dev_warn(&stub->pdev->dev,
			 "the host did not recover from the error: reset (%d)\n",
			 err);
	}
	if (err)
		give_up(sess, stub);
	if (sess)
		pciback_session_put(sess);
	return !err;
}

/*
 * What a stock frontend may die of is not asked of it. It calls its driver's
 * mmio_enabled() without looking if there is one, so a recovery without reset is
 * not offered; a driver that is told of no more than a non-fatal error does not
 * quiesce the device that it is then to set up anew, so all errors are told as
 * fatal; and a driver that restores config while MSI-X is on makes its kernel
 * write the vector table, which Xen keeps from guests: its kernel dies of that.
 * Such a guest gets its device unplugged and, reset, plugged in again.
 */
static void tell(struct pciback_session *sess, struct pcistub *stub)
{
	/* A driver that is told a second time waits for itself. */
	if (stub->recovery == PCIBACK_RECOVERY_GUEST ||
	    READ_ONCE(stub->irq.mode) == PCIBACK_IRQ_MSIX) {
		dev_warn(&stub->pdev->dev,
			 "taken from domain %d for a reset after an error\n",
			 pciback_session_domid(sess));
		isolate(sess, stub, PCIBACK_EVICT_REPLUG);
	} else if (ask_guest(sess, stub, XEN_PCI_OP_aer_detected) !=
		   PCI_ERS_RESULT_DISCONNECT) {
		set_recovery(stub, PCIBACK_RECOVERY_GUEST);
	}
}

/*
 * Was the error that is not fatal this device's, or one of what is above it? The
 * host asks all that are below the same port. Where firmware handles errors first,
 * or a device does not report them, that cannot be told.
 */
static bool is_struck(struct pci_dev *pdev)
{
	u32 status, mask;

	if (!pci_find_host_bridge(pdev->bus)->native_aer)
		return true;
	for (; pdev; pdev = pdev->is_virtfn ? pci_physfn(pdev) :
					      pci_upstream_bridge(pdev)) {
		int pos = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_ERR);

		if (!pos ||
		    pci_read_config_dword(pdev, pos + PCI_ERR_UNCOR_STATUS,
					  &status) ||
		    pci_read_config_dword(pdev, pos + PCI_ERR_UNCOR_MASK, &mask) ||
		    status & ~mask)
			return true;
	}
	return false;
}

/*
 * A device that had no error, or has a reset of its own and nobody who recovers it,
 * is no reason to reset others.
 */
static bool needs_no_bus_reset(const struct pcistub *stub)
{
	return stub->recovery == PCIBACK_RECOVERY_HOST ||
	       (stub->recovery == PCIBACK_RECOVERY_UNCLEAN &&
		!READ_ONCE(stub->reset_err) && !READ_ONCE(stub->reset_bus));
}

static void end_step(struct pciback_session *sess)
{
	WRITE_ONCE(last_step, jiffies);
	atomic_dec(&in_step);
	if (sess)
		pciback_session_put(sess);
}

/*
 * A guest that loses its device does not end the recovery of what others have
 * below the same port: its device is isolated, and the host may go on.
 */
static pci_ers_result_t error_detected(struct pci_dev *pdev,
				       pci_channel_state_t state)
{
	struct pcistub *stub = pcistub_of(pdev);
	pci_ers_result_t verdict = PCI_ERS_RESULT_NEED_RESET;
	struct pciback_session *sess;

	atomic_inc(&in_step);
	/* No guest gets it from here on. */
	expect_more(stub, RECOVERY_STEP);
	sess = pcistub_owner(stub);
	if (!sess && state != pci_channel_io_normal)
		set_recovery(stub, PCIBACK_RECOVERY_UNCLEAN);
	if (state == pci_channel_io_perm_failure) {
		/* A driver that waits already has the rest from us. */
		if (stub->recovery != PCIBACK_RECOVERY_GUEST)
			give_up(sess, stub);
		verdict = PCI_ERS_RESULT_DISCONNECT;
	} else {
		pciback_irq_save(stub);
		if (sess && READ_ONCE(stub->evict) == PCIBACK_EVICT_NONE &&
		    (state != pci_channel_io_normal || is_struck(pdev)))
			tell(sess, stub);
		if (state == pci_channel_io_normal && needs_no_bus_reset(stub))
			verdict = PCI_ERS_RESULT_CAN_RECOVER;
	}
	end_step(sess);
	return verdict;
}

/* A reset ends a sleep, and the core, which makes it, does not look. */
static void note_awake(struct pci_dev *pdev)
{
	u16 ctrl;

	if (pdev->current_state != PCI_D0 && pdev->pm_cap &&
	    !pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &ctrl) &&
	    !(ctrl & PCI_PM_CTRL_STATE_MASK))
		pdev->current_state = PCI_D0;
}

/*
 * The guest's driver expects config space as it left it; and a guest that has lost
 * the device may still reach for its memory. One whose driver does not expect the
 * reset, or may not be asked any more, gets the device anew.
 */
static void go_on_after_reset(struct pciback_session *sess, struct pcistub *stub)
{
	struct pci_dev *pdev = stub->pdev;

	note_awake(pdev);
	if (!sess)
		pci_load_saved_state(pdev, stub->fresh);
	pciback_irq_restore(stub);
	if (sess && stub->recovery == PCIBACK_RECOVERY_GUEST &&
	    READ_ONCE(stub->irq.mode) != PCIBACK_IRQ_MSIX)
		ask_guest(sess, stub, XEN_PCI_OP_aer_slotreset);
	else if (sess && READ_ONCE(stub->evict) == PCIBACK_EVICT_NONE)
		isolate(sess, stub, PCIBACK_EVICT_REPLUG);
	else
		pci_clear_master(pdev);
}

static void end_recovery(struct pciback_session *sess, struct pcistub *stub)
{
	bool with_guest = stub->recovery == PCIBACK_RECOVERY_GUEST;

	if (!sess)
		clean_if_reset(stub);
	pciback_recovery_over(stub);
	if (sess && with_guest)
		ask_guest(sess, stub, XEN_PCI_OP_aer_resume);
}

static pci_ers_result_t slot_reset(struct pci_dev *pdev)
{
	struct pcistub *stub = pcistub_of(pdev);
	struct pciback_session *sess = pcistub_owner(stub);

	atomic_inc(&in_step);
	if (!is_untouched(stub)) {
		go_on_after_reset(sess, stub);
		if (!sess)
			set_recovery(stub, PCIBACK_RECOVERY_UNCLEAN);
	}
	expect_more(stub, RECOVERY_STEP);
	end_step(sess);
	return PCI_ERS_RESULT_RECOVERED;
}

static void resume(struct pci_dev *pdev)
{
	struct pcistub *stub = pcistub_of(pdev);
	struct pciback_session *sess = pcistub_owner(stub);

	atomic_inc(&in_step);
	end_recovery(sess, stub);
	end_step(sess);
}

/* What follows our reset, unless there was another error or the device is gone. */
static void finish(struct pcistub *stub)
{
	struct pciback_session *sess;

	device_lock(&stub->pdev->dev);
	sess = pcistub_owner(stub);
	if (READ_ONCE(stub->state) != PCISTUB_GONE &&
	    stub->recovery == PCIBACK_RECOVERY_GUEST) {
		go_on_after_reset(sess, stub);
		end_recovery(sess, stub);
	}
	device_unlock(&stub->pdev->dev);
	if (sess)
		pciback_session_put(sess);
}

/**
 * pciback_recover_work - go on with a recovery that the host does not go on with
 * @work: &pcistub.recover_work; owns a reference to the device
 */
void pciback_recover_work(struct work_struct *work)
{
	struct pcistub *stub = container_of(work, struct pcistub,
					    recover_work.work);
	unsigned long start = jiffies;
	struct pci_dev *bridge = pciback_lock_for_reset(stub->pdev);
	bool ready = false;

	if (READ_ONCE(stub->state) != PCISTUB_GONE &&
	    stub->recovery != PCIBACK_RECOVERY_NONE) {
		if (host_is_busy(stub, start))
			expect_more(stub, HOST_CHECK);
		else
			ready = take_over(stub);
	}
	pciback_unlock_after_reset(stub->pdev, bridge);
	/* The guest may look at config, of which a reset has all others wait. */
	if (ready)
		finish(stub);
	pcistub_put(stub);
}

const struct pci_error_handlers pciback_err_handler = {
	.error_detected = error_detected,
	.slot_reset = slot_reset,
	.resume = resume,
	.reset_prepare = pciback_reset_prepare,
	.reset_done = pciback_reset_done,
};
