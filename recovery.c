// SPDX-License-Identifier: GPL-2.0
/*
 * Recovery of claimed devices from PCI errors.
 *
 * The host's AER core leads. It takes each step - error_detected, slot_reset,
 * resume - for all devices below the port that reported the error. We pass the
 * step on to the guest's driver, see aer.c, and answer for it. A guest whose
 * driver takes no part loses the device, which is then reset and, if the
 * frontend can be told so, plugged in again.
 */
#include "pciback.h"

/* How long we wait for the host's next step: it may give up without a word. */
#define RECOVERY_STEP (5 * HZ)

/*
 * How long we do so in all. The host may be at work for a device of others,
 * which cannot be told from work for this one; and it may wait a minute for
 * one device.
 */
#define RECOVERY_MAX (120 * HZ)

/*
 * A device that was locked for so long may have been locked by the host's
 * reset.
 */
#define LONG_WAIT (HZ / 10)

/* How often we look if the host is done. */
#define HOST_CHECK (1 * HZ)

/*
 * The host takes a step for one device after the other, and may be kept long
 * by one: how many of our callbacks run now, and when the last one returned,
 * in jiffies.
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
 * Cuts a device off from its guest, which lives on: the guest's requests are
 * refused, and the device reaches nothing by DMA or MSI. The session's work
 * item takes it back and resets it. We cannot do that here: the core may hold
 * pci_bus_sem, and stub->lock is outside of it.
 */
static void isolate(struct pciback_session *sess, struct pcistub *stub,
		    enum pciback_evict how)
{
	/* This frontend cannot be told to let go and take the device again. */
	if (pciback_channel_deaf(sess))
		how = PCIBACK_EVICT_FOR_GOOD;
	/* The host may reset the bus after the session's reset, and not say so. */
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

/*
 * Asks the guest. No answer in time, or one that is no verdict, is DISCONNECT.
 */
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
	/* The guest's driver has no handler, or none for a step that needs one. */
	if (verdict == PCI_ERS_RESULT_NO_AER_DRIVER ||
	    (verdict == PCI_ERS_RESULT_NONE && cmd != XEN_PCI_OP_aer_resume))
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

/*
 * The host's next step is due in @delay; if none comes, recover_work goes on.
 */
static void expect_more(struct pcistub *stub, unsigned long delay)
{
	if (stub->recovery == PCIBACK_RECOVERY_NONE) {
		stub->recovery_end = jiffies + RECOVERY_MAX;
		set_recovery(stub, PCIBACK_RECOVERY_HOST);
	}
	pcistub_queue(stub, &stub->recover_work, delay);
}

/* Is the host still at work? We wait for the device's lock since @start. */
static bool host_is_busy(const struct pcistub *stub, unsigned long start)
{
	return time_before(jiffies, stub->recovery_end) &&
	       (atomic_read(&in_step) ||
		time_before(jiffies, READ_ONCE(last_step) + RECOVERY_STEP) ||
		time_after(jiffies, start + LONG_WAIT));
}

/*
 * The core does this itself only where all drivers recovered. Drivers of dom0 take
 * a device that stays frozen for one that is offline.
 */
static void thaw(struct pcistub *stub)
{
	if (stub->pdev->error_state == pci_channel_io_frozen)
		stub->pdev->error_state = pci_channel_io_normal;
}

/**
 * pciback_recovery_over - the host does nothing more to a device
 * @stub: device; device_lock() is held
 */
void pciback_recovery_over(struct pcistub *stub)
{
	thaw(stub);
	pcistub_cancel(stub, &stub->recover_work);
	set_recovery(stub, PCIBACK_RECOVERY_NONE);
	/* Sessions that were refused the device meanwhile look again. */
	pciback_sessions_kick();
}

/*
 * Has a device that the host may have reset be reset by us, before a guest can
 * have it. Sessions that wait for it are kicked when that is done.
 */
static void clean_if_reset(struct pcistub *stub)
{
	if (stub->recovery != PCIBACK_RECOVERY_HOST)
		pcistub_clean_again(stub);
}

/*
 * Was a device not reset since its config was saved? A reset clears decode and
 * the BARs, which no guest changes. A VF has neither of its own; what tells
 * there is that it is a bus master as before.
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

/*
 * Had only a neighbour of the device the error, and was it not reset for that?
 */
static bool is_untouched(const struct pcistub *stub)
{
	return stub->recovery == PCIBACK_RECOVERY_HOST &&
	       READ_ONCE(stub->evict) == PCIBACK_EVICT_NONE &&
	       has_its_config(stub);
}

/*
 * The host does nothing more to a device. A guest that has it may have had it
 * reset without being told, and gets it anew.
 */
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
 * The host has given up while the guest's driver waits for a reset: makes that
 * reset; true if the guest can go on with the device.
 */
static bool take_over(struct pcistub *stub)
{
	struct pciback_session *sess = pcistub_owner(stub);
	int err = -ENODEV;

	thaw(stub);
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
 * Tells the guest's driver of an error, in a way that a stock guest survives:
 *
 * - A recovery without reset is not offered: pcifront calls its driver's
 *   mmio_enabled() without looking if there is one.
 * - All errors are told as fatal, see aer.c: a driver that hears of a
 *   non-fatal one does not quiesce the device, which it is then to set up
 *   anew.
 * - While MSI-X is on the driver is not told at all. It would restore config,
 *   its kernel would write the vector table, which Xen keeps from guests, and
 *   die of that. The guest gets the device unplugged, reset and plugged in
 *   again.
 */
static void tell(struct pciback_session *sess, struct pcistub *stub)
{
	/* A driver that is told again while it recovers waits for itself. */
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
 * Was a non-fatal error one of this device, or of what is above it? The host
 * asks the drivers of all devices below the port. Assumes so where nobody can
 * say: where firmware looks at errors first, or a device has no AER
 * capability.
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
 * May the host do without a reset of the bus, which hits others? For a device
 * that had no error, and for one that is reset by itself since no guest
 * recovers it.
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
 * Never DISCONNECT because a guest lost its device: that would end the
 * recovery of what others have below the port, too.
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
	if (state != pci_channel_io_normal &&
	    stub->recovery == PCIBACK_RECOVERY_HOST)
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

/* The core does not notice that its reset has woken a device. */
static void note_awake(struct pci_dev *pdev)
{
	u16 ctrl;

	if (pdev->current_state != PCI_D0 && pdev->pm_cap &&
	    !pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &ctrl) &&
	    !(ctrl & PCI_PM_CTRL_STATE_MASK))
		pdev->current_state = PCI_D0;
}

/*
 * A device was reset, by the host or by us: brings its config back. A driver
 * that waits for that expects config as it left it; and a guest that has lost
 * the device may still reach for its memory, so it has to decode. A guest
 * whose driver was not told of the error, or may not be asked any more, gets
 * the device anew.
 */
static void go_on_after_reset(struct pciback_session *sess, struct pcistub *stub)
{
	struct pci_dev *pdev = stub->pdev;
	bool msix;

	note_awake(pdev);
	if (!sess)
		pci_load_saved_state(pdev, stub->fresh);
	msix = pciback_irq_restore(stub);
	if (sess && stub->recovery == PCIBACK_RECOVERY_GUEST && !msix)
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

/*
 * What follows our reset, unless there was another error or the device is
 * gone.
 */
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
