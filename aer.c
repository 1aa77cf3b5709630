// SPDX-License-Identifier: GPL-2.0
/*
 * Error requests: what a guest's driver is asked about an error of its device.
 *
 * A request goes through the shared page (aer_op) and the same event channel
 * as the guest's own requests. The wait is bounded (aer_timeout_ms), is the
 * session's own, and ends at once when the channel does.
 */
#include <linux/module.h>
#include <xen/events.h>
#include <asm/sync_bitops.h>

#include "pciback.h"

/* How long after the last request of one error the next is another error's. */
#define SAME_ERROR (5 * HZ)

/* How often the page is looked at for an answer without its event. */
#define LOOK_AGAIN (HZ / 10)

static unsigned int aer_timeout_ms = 10000;
module_param(aer_timeout_ms, uint, 0644);
MODULE_PARM_DESC(aer_timeout_ms, "How long a guest may take to answer an error");

/**
 * pciback_aer_event - did the guest answer an error request?
 * @chan: channel on which there was an event, or on which one is waited for
 *
 * The answer is read here, once. Most events find no error request posted and
 * need no lock to see that.
 *
 * Context: any, also interrupts.
 *
 * Return: true if this was what the event was for.
 */
bool pciback_aer_event(struct pciback_channel *chan)
{
	unsigned long flags;
	bool done;

	if (READ_ONCE(chan->aer) != PCIBACK_AER_POSTED)
		return false;
	spin_lock_irqsave(&chan->lock, flags);
	done = chan->aer == PCIBACK_AER_POSTED &&
	       !(READ_ONCE(chan->page->flags) & XEN_PCIB_active);
	if (done) {
		/* The answer is there if the flag is gone. */
		virt_rmb();
		chan->verdict = READ_ONCE(chan->page->aer_op.err);
		WRITE_ONCE(chan->aer, PCIBACK_AER_ANSWERED);
	}
	spin_unlock_irqrestore(&chan->lock, flags);
	if (done)
		wake_up(&chan->aer_wait);
	return done;
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
		/* Before an answer's event can look for it without the lock. */
		WRITE_ONCE(chan->aer, PCIBACK_AER_POSTED);
		/* The request is there when the flag is. */
		virt_wmb();
		sync_set_bit(_XEN_PCIB_active,
			     (unsigned long *)&chan->page->flags);
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
	WRITE_ONCE(chan->aer, PCIBACK_AER_IDLE);
	spin_unlock_irq(&chan->lock);
	wake_up(&chan->aer_wait);
	return err;
}

/*
 * How long the guest may take still: for all devices and all steps that come of an
 * error there is one time, since others wait meanwhile.
 */
static long patience(struct pciback_channel *chan, u32 cmd)
{
	bool new_error = cmd == XEN_PCI_OP_aer_detected &&
			 time_after(jiffies, READ_ONCE(chan->aer_last) +
					     SAME_ERROR);
	long all = msecs_to_jiffies(READ_ONCE(aer_timeout_ms));

	return new_error ? all : min(all, READ_ONCE(chan->aer_left));
}

/*
 * An answer's event does not come while a request of the guest is being served,
 * which may wait for what the host has locked: so the page is looked at too.
 */
static bool answered(struct pciback_channel *chan)
{
	return pciback_aer_event(chan) ||
	       READ_ONCE(chan->aer) != PCIBACK_AER_POSTED;
}

/**
 * pciback_aer_ask - ask a guest's driver
 * @chan: channel of the guest
 * @cmd: XEN_PCI_OP_aer_*
 * @vaddr: address of the device there
 * @verdict: the answer, which may be anything
 *
 * Sleeps, for aer_timeout_ms at most.
 *
 * Return: 0; -ENOTCONN: nobody is there who takes error requests; -ETIMEDOUT: no
 * answer came in time; -EBUSY: nor did that of another device.
 */
int pciback_aer_ask(struct pciback_channel *chan, u32 cmd, u32 vaddr,
		    u32 *verdict)
{
	long left = patience(chan, cmd);
	unsigned long start;
	int err = -ETIMEDOUT;

	while (left && (err = post(chan, cmd, vaddr)) == -EBUSY)
		left = wait_event_timeout(chan->aer_wait, READ_ONCE(chan->aer) ==
					  PCIBACK_AER_IDLE, left);
	if (err)
		return err;
	/* Others may have been asked meanwhile. */
	left = min(left, patience(chan, cmd));
	start = jiffies;
	while (time_before(jiffies, start + left) &&
	       !wait_event_timeout(chan->aer_wait, answered(chan), LOOK_AGAIN))
		;
	WRITE_ONCE(chan->aer_left, max(left - (long)(jiffies - start), 0L));
	WRITE_ONCE(chan->aer_last, jiffies);
	return collect(chan, verdict);
}
