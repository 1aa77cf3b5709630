// SPDX-License-Identifier: GPL-2.0
/*
 * PCI errors: the host's AER core asks us, we ask the guest's driver.
 *
 * The request goes through the shared page (aer_op) and the same event channel
 * as the guest's own requests. The wait is bounded (aer_timeout_ms), is the
 * session's own, and ends at once when the channel does.
 */
#include <linux/module.h>
#include <xen/events.h>
#include <asm/sync_bitops.h>

#include "pciback.h"

static unsigned int aer_timeout_ms = 10000;
module_param(aer_timeout_ms, uint, 0644);
MODULE_PARM_DESC(aer_timeout_ms, "How long a guest may take to answer an error");

/**
 * pciback_aer_event - did the guest answer an error request?
 * @chan: channel; its lock is held and it is live
 *
 * The answer is read here, once.
 *
 * Return: true if this was what the event was for.
 */
bool pciback_aer_event(struct pciback_channel *chan)
{
	lockdep_assert_held(&chan->lock);

	if (chan->aer != PCIBACK_AER_POSTED ||
	    READ_ONCE(chan->page->flags) & XEN_PCIB_active)
		return false;
	/* The answer is there if the flag is gone. */
	virt_rmb();
	chan->verdict = READ_ONCE(chan->page->aer_op.err);
	chan->aer = PCIBACK_AER_ANSWERED;
	wake_up(&chan->aer_wait);
	return true;
}

/* Posts a request; -EBUSY while there is another, -ENOTCONN if none can be. */
static int post(struct pciback_channel *chan, u32 cmd, u32 vaddr)
{
	struct xen_pcie_aer_op *op;
	int err = 0;

	spin_lock_irq(&chan->lock);
	if (chan->life != PCIBACK_CHAN_LIVE ||
	    !(READ_ONCE(chan->page->flags) & XEN_PCIB_AERHANDLER)) {
		err = -ENOTCONN;
	} else if (chan->aer != PCIBACK_AER_IDLE) {
		err = -EBUSY;
	} else {
		op = &chan->page->aer_op;
		WRITE_ONCE(op->cmd, cmd);
		WRITE_ONCE(op->err, (__force int)(cmd == XEN_PCI_OP_aer_detected ?
			   pci_channel_io_frozen : pci_channel_io_normal));
		WRITE_ONCE(op->domain, vaddr >> 16);
		WRITE_ONCE(op->bus, vaddr >> 8 & 0xff);
		WRITE_ONCE(op->devfn, vaddr & 0xff);
		/* The request is there when the flag is. */
		virt_wmb();
		sync_set_bit(_XEN_PCIB_active,
			     (unsigned long *)&chan->page->flags);
		chan->aer = PCIBACK_AER_POSTED;
		notify_remote_via_irq(chan->irq);
	}
	spin_unlock_irq(&chan->lock);
	return err;
}

/* Takes the answer, or the request back. */
static int collect(struct pciback_channel *chan, u32 *verdict)
{
	int err = -ENOTCONN;

	spin_lock_irq(&chan->lock);
	if (chan->aer == PCIBACK_AER_ANSWERED) {
		*verdict = chan->verdict;
		err = 0;
	} else if (chan->aer == PCIBACK_AER_POSTED) {
		sync_clear_bit(_XEN_PCIB_active,
			       (unsigned long *)&chan->page->flags);
		err = -ETIMEDOUT;
	}
	chan->aer = PCIBACK_AER_IDLE;
	spin_unlock_irq(&chan->lock);
	wake_up(&chan->aer_wait);
	return err;
}

static int ask(struct pciback_channel *chan, u32 cmd, u32 vaddr, u32 *verdict)
{
	long left = msecs_to_jiffies(READ_ONCE(aer_timeout_ms));
	int err;

	while ((err = post(chan, cmd, vaddr)) == -EBUSY && left)
		left = wait_event_timeout(chan->aer_wait, READ_ONCE(chan->aer) ==
					  PCIBACK_AER_IDLE, left);
	if (err)
		return err;
	wait_event_timeout(chan->aer_wait,
			   READ_ONCE(chan->aer) != PCIBACK_AER_POSTED, left);
	return collect(chan, verdict);
}

/* What a guest may answer; anything else is as good as no answer. */
static bool is_verdict(u32 verdict)
{
	return verdict >= (__force u32)PCI_ERS_RESULT_NONE &&
	       verdict <= (__force u32)PCI_ERS_RESULT_NO_AER_DRIVER;
}

/* For toolstacks; nothing is written into a directory that was removed. */
static void tell_toolstack(struct pciback_session *sess)
{
	const char *dir = sess->xdev->nodename;

	if (xenbus_exists(XBT_NIL, dir, "state"))
		xenbus_printf(XBT_NIL, dir, "aerState", "aerfail");
}

/*
 * The guest lives, without this device: it cannot interrupt or reach memory any
 * more from here on, and is taken back and reset as soon as nothing waits.
 */
static void isolate(struct pciback_session *sess, struct pcistub *stub)
{
	pciback_silence(stub);
	tell_toolstack(sess);
	pciback_session_evict(sess, stub);
}

/*
 * Asks the guest that has the device; @owned says if there is one. DISCONNECT if
 * the guest says so, is not there to answer, or answers nonsense: then it has
 * lost the device.
 */
static pci_ers_result_t ask_guest(struct pci_dev *pdev, u32 cmd, bool *owned)
{
	struct pcistub *stub = pcistub_of(pdev);
	struct pciback_session *sess = pcistub_owner(stub);
	u32 vaddr, answer = (__force u32)PCI_ERS_RESULT_RECOVERED;
	pci_ers_result_t verdict;
	int err = 0;

	*owned = sess;
	if (!sess)
		return PCI_ERS_RESULT_RECOVERED;
	if (READ_ONCE(stub->evict) ||
	    !pciback_session_vaddr(sess, stub->sbdf, &vaddr))
		err = -ENODEV;
	else
		err = ask(&sess->chan, cmd, vaddr, &answer);
	if (!err && !is_verdict(answer))
		err = -ERANGE;
	verdict = err ? PCI_ERS_RESULT_DISCONNECT :
			(__force pci_ers_result_t)answer;
	if (verdict == PCI_ERS_RESULT_NONE && cmd != XEN_PCI_OP_aer_resume)
		verdict = PCI_ERS_RESULT_DISCONNECT;
	if (verdict == PCI_ERS_RESULT_DISCONNECT && !READ_ONCE(stub->evict)) {
		dev_warn(&pdev->dev,
			 "taken from domain %d, which cannot recover from an error (%d)\n",
			 pciback_session_domid(sess), err);
		isolate(sess, stub);
	}
	pciback_session_put(sess);
	return verdict;
}

/* Config as the guest has it, or as a guest gets it if it cannot be read. */
static void save_config(struct pci_dev *pdev)
{
	struct pcistub *stub = pcistub_of(pdev);
	u16 vendor;

	if (!pci_read_config_word(pci_physfn(pdev), PCI_VENDOR_ID, &vendor) &&
	    vendor != 0xffff)
		pci_save_state(pdev);
	else
		pci_load_saved_state(pdev, stub->fresh);
}

/*
 * A guest is always led through a reset. A stock frontend calls its driver's
 * mmio_enabled() without looking if there is one, so recovery without a reset is
 * not offered; and a driver that was told of no more than a non-fatal error does
 * not quiesce the device that it will then be asked to set up anew.
 */
static pci_ers_result_t error_detected(struct pci_dev *pdev,
				       pci_channel_state_t state)
{
	pci_ers_result_t verdict;
	bool owned;

	save_config(pdev);
	verdict = ask_guest(pdev, XEN_PCI_OP_aer_detected, &owned);
	if (state == pci_channel_io_perm_failure)
		return PCI_ERS_RESULT_DISCONNECT;
	if (!owned || verdict != PCI_ERS_RESULT_DISCONNECT)
		return PCI_ERS_RESULT_NEED_RESET;
	return verdict;
}

/* The guest's driver expects config space as it left it. */
static pci_ers_result_t slot_reset(struct pci_dev *pdev)
{
	bool owned;

	pci_restore_state(pdev);
	return ask_guest(pdev, XEN_PCI_OP_aer_slotreset, &owned);
}

static void resume(struct pci_dev *pdev)
{
	bool owned;

	ask_guest(pdev, XEN_PCI_OP_aer_resume, &owned);
	if (!owned)
		pcistub_clean_again(pcistub_of(pdev));
}

const struct pci_error_handlers pciback_err_handler = {
	.error_detected = error_detected,
	.slot_reset = slot_reset,
	.resume = resume,
	.reset_prepare = pciback_reset_prepare,
	.reset_done = pciback_reset_done,
};
