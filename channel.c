// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's channel: its page and its event channel.
 *
 * Event -> one private copy of the op -> served -> answer. Each event is answered
 * by one EOI: at once, or by the work item that took the request over. Until then
 * there is no other event, so a channel has one request at a time and a guest
 * that posts another early waits for it.
 */
#include <xen/events.h>
#include <asm/sync_bitops.h>
#include <asm/xen/hypercall.h>

#include "pciback.h"
#include "trace.h"

static bool request_pending(const struct pciback_channel *chan)
{
	return READ_ONCE(chan->page->flags) & XEN_PCIF_active;
}

/* The one time that a request is read. */
static void take_request(struct pciback_channel *chan)
{
	const struct xen_pci_op *from = &chan->page->op;
	struct xen_pci_op *op = &chan->req.op;

	/* The request is there if the flag is. */
	virt_rmb();
	memcpy(op, from, offsetof(struct xen_pci_op, msix_entries));
	/* Nothing may be read again from what the guest can still change. */
	barrier();
	if (op->cmd == XEN_PCI_OP_enable_msix)
		memcpy(op->msix_entries, from->msix_entries,
		       sizeof(op->msix_entries));
	barrier();
	chan->req.vectors = 0;
	chan->req.chore = PCIBACK_CHORE_NONE;
}

/*
 * A frontend that lost patience takes its request back and may post another,
 * which is not to get this answer: its own event is still to come.
 */
static bool still_asked(const struct pciback_channel *chan)
{
	const struct xen_pci_op *now = &chan->page->op, *op = &chan->req.op;

	return request_pending(chan) && READ_ONCE(now->cmd) == op->cmd &&
	       READ_ONCE(now->domain) == op->domain &&
	       READ_ONCE(now->bus) == op->bus &&
	       READ_ONCE(now->devfn) == op->devfn &&
	       READ_ONCE(now->offset) == op->offset &&
	       READ_ONCE(now->size) == op->size &&
	       (op->cmd != XEN_PCI_OP_conf_write ||
		READ_ONCE(now->value) == op->value);
}

static void answer(struct pciback_session *sess)
{
	struct pciback_channel *chan = &sess->chan;
	struct xen_pci_op *to = &chan->page->op;
	const struct xen_pci_op *op = &chan->req.op;
	unsigned int i;

	if (trace_pciback_op_enabled())
		trace_pciback_op(pciback_session_domid(sess), op);
	if (!still_asked(chan))
		return;
	WRITE_ONCE(to->err, op->err);
	WRITE_ONCE(to->value, op->value);
	WRITE_ONCE(to->info, op->info);
	for (i = 0; i < chan->req.vectors; i++)
		WRITE_ONCE(to->msix_entries[i].vector,
			   op->msix_entries[i].vector);
	/* The answer is there when the flag is gone. */
	virt_wmb();
	sync_clear_bit(_XEN_PCIF_active, (unsigned long *)&chan->page->flags);
	notify_remote_via_irq(chan->irq);
}

static void channel_work(struct work_struct *work)
{
	struct pciback_channel *chan =
		container_of(work, struct pciback_channel, work);
	struct pciback_session *sess =
		container_of(chan, struct pciback_session, chan);

	pciback_request_serve(sess, &chan->req);
	answer(sess);
	xen_irq_lateeoi(chan->irq, 0);
}

/* Hands the request, and the duty to end its event, to the work item. */
static bool defer(struct pciback_channel *chan)
{
	bool live;

	spin_lock(&chan->lock);
	live = chan->life == PCIBACK_CHAN_LIVE;
	if (live)
		queue_work(pciback_wq, &chan->work);
	spin_unlock(&chan->lock);
	return live;
}

/* The page is there until pciback_channel_close() has waited for this. */
static irqreturn_t channel_event(int irq, void *data)
{
	struct pciback_session *sess = data;
	struct pciback_channel *chan = &sess->chan;
	unsigned int eoi = XEN_EOI_FLAG_SPURIOUS;

	/* Comes before who bound the event channel has stored it. */
	chan->irq = irq;
	if (pciback_aer_event(chan))
		eoi = 0;
	if (READ_ONCE(chan->life) == PCIBACK_CHAN_LIVE &&
	    request_pending(chan)) {
		eoi = 0;
		take_request(chan);
		if (pciback_request_try(sess, &chan->req))
			answer(sess);
		else if (defer(chan))
			return IRQ_HANDLED;
	}
	xen_irq_lateeoi(irq, eoi);
	return IRQ_HANDLED;
}

/**
 * pciback_channel_init - a channel that leads nowhere
 * @chan: channel of a new session
 */
void pciback_channel_init(struct pciback_channel *chan)
{
	spin_lock_init(&chan->lock);
	INIT_WORK(&chan->work, channel_work);
	init_waitqueue_head(&chan->aer_wait);
	chan->aer_left = MAX_SCHEDULE_TIMEOUT;
}

/* Requests are answered, or no more looked at, from here on. */
static void set_life(struct pciback_channel *chan, enum pciback_life life)
{
	spin_lock_irq(&chan->lock);
	WRITE_ONCE(chan->life, life);
	if (life != PCIBACK_CHAN_LIVE && chan->aer == PCIBACK_AER_POSTED)
		WRITE_ONCE(chan->aer, PCIBACK_AER_CANCELLED);
	spin_unlock_irq(&chan->lock);
	wake_up(&chan->aer_wait);
}

/**
 * pciback_channel_open - map a guest's page and bind its event channel
 * @sess: session without a channel; the caller holds its lock
 * @gref: grant of the page
 * @port: guest's end of the event channel
 *
 * Return: 0 or -errno.
 */
int pciback_channel_open(struct pciback_session *sess, grant_ref_t gref,
			 evtchn_port_t port)
{
	struct pciback_channel *chan = &sess->chan;
	void *page;
	int irq;

	lockdep_assert_held(&sess->lock);

	chan->gref = gref;
	chan->port = port;
	irq = xenbus_map_ring_valloc(sess->xdev, &gref, 1, &page);
	if (irq < 0)
		return irq;
	chan->page = page;
	set_life(chan, PCIBACK_CHAN_LIVE);

	irq = bind_interdomain_evtchn_to_irqhandler_lateeoi(sess->xdev, port,
							    channel_event, 0,
							    DRV_NAME, sess);
	if (irq < 0) {
		set_life(chan, PCIBACK_CHAN_NONE);
		chan->page = NULL;
		xenbus_unmap_ring_vfree(sess->xdev, page);
		return irq;
	}
	spin_lock_irq(&chan->lock);
	chan->irq = irq;
	/* That was posted before there was anything to notify the guest by. */
	if (chan->aer == PCIBACK_AER_POSTED)
		notify_remote_via_irq(irq);
	spin_unlock_irq(&chan->lock);
	return 0;
}

/**
 * pciback_channel_deaf - is there a frontend that takes no error requests?
 * @sess: session
 *
 * Such a one may take no state either that a backend never had of itself:
 * NetBSD's panics of those beyond Closed.
 *
 * Return: true if there is; false also without a frontend.
 */
bool pciback_channel_deaf(struct pciback_session *sess)
{
	struct pciback_channel *chan = &sess->chan;
	bool deaf;

	spin_lock_irq(&chan->lock);
	deaf = chan->life == PCIBACK_CHAN_LIVE &&
	       !(READ_ONCE(chan->page->flags) & XEN_PCIB_AERHANDLER);
	spin_unlock_irq(&chan->lock);
	return deaf;
}

/**
 * pciback_channel_abandoned - did the frontend close its event channel?
 * @sess: session; the caller holds its lock. Its channel, or the one that could
 *	not be opened last, is meant.
 *
 * Return: true if it did.
 */
bool pciback_channel_abandoned(struct pciback_session *sess)
{
	struct evtchn_status status = {
		.dom = pciback_session_domid(sess),
		.port = sess->chan.port,
	};

	lockdep_assert_held(&sess->lock);
	if (HYPERVISOR_event_channel_op(EVTCHNOP_status, &status))
		return false;
	if (sess->chan.life == PCIBACK_CHAN_NONE)
		return status.status != EVTCHNSTAT_unbound;
	return status.status != EVTCHNSTAT_interdomain;
}

/**
 * pciback_channel_close - end what pciback_channel_open() began
 * @sess: session; the caller holds its lock. Nothing happens without a channel.
 *
 * Waits for a request that is being served: at most as long as a reset takes.
 */
void pciback_channel_close(struct pciback_session *sess)
{
	struct pciback_channel *chan = &sess->chan;

	lockdep_assert_held(&sess->lock);

	if (chan->life == PCIBACK_CHAN_NONE)
		return;
	set_life(chan, PCIBACK_CHAN_DYING);
	cancel_work_sync(&chan->work);
	unbind_from_irqhandler(chan->irq, sess);
	set_life(chan, PCIBACK_CHAN_NONE);
	xenbus_unmap_ring_vfree(sess->xdev, chan->page);
	chan->page = NULL;
	chan->irq = 0;
	chan->gref = 0;
	chan->port = 0;
}
