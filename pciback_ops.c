// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's requests: event -> one private copy of the op -> op table -> answer.
 *
 * What cannot sleep, which is nearly all of config space, is answered in the
 * event's interrupt handler; the rest goes to a work item. Each event is answered
 * by one EOI: at once, or by the work item that took the request over. Until then
 * there is no other event, so a channel has one request at a time and a guest
 * that posts another early waits for it.
 */
#include <linux/nospec.h>
#include <xen/events.h>
#include <asm/sync_bitops.h>
#include <asm/xen/hypercall.h>

#include "pciback.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Xen's io/pciif.h has it, Linux's copy does not. */
#define XEN_PCI_OP_ENABLE_MULTI_MSI 10

/* Inside, errors are errnos; the ring knows only these. */
static s32 wire_error(int err)
{
	switch (err) {
	case 0:
		return XEN_PCI_ERR_success;
	case -ENODEV:
		return XEN_PCI_ERR_dev_not_found;
	case -EINVAL:
		return XEN_PCI_ERR_invalid_offset;
	case -EACCES:
		return XEN_PCI_ERR_access_denied;
	case -EOPNOTSUPP:
		return XEN_PCI_ERR_not_implemented;
	default:
		return XEN_PCI_ERR_op_failed;
	}
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

static bool denied_before(const struct pcistub *stub, u16 offset)
{
	unsigned int i;

	for (i = 0; i < stub->nr_denied; i++)
		if (stub->denied[i].offset == offset)
			return true;
	return stub->nr_denied == PCIBACK_MAX_DENIED;
}

/* A driver that needs a register opened is found by its denied writes. */
static void report_denied(struct pcistub *stub,
			  const struct pciback_denied *denied)
{
	if (!denied->mask)
		return;
	stub->count.denied++;
	trace_pciback_denied(stub->sbdf, denied);
	if (denied_before(stub, denied->offset))
		return;
	stub->denied[stub->nr_denied++] = *denied;
	dev_info(&stub->pdev->dev,
		 "denied: write of %#x to %#x, %d bytes: bits %#x%s\n",
		 denied->value, denied->offset, denied->size, denied->mask,
		 stub->nr_denied == PCIBACK_MAX_DENIED ? " (last report)" : "");
}

static int serve_conf_read(struct pcistub *stub, struct pciback_request *req)
{
	stub->count.reads++;
	return pciback_conf_read(stub->conf, req->op.offset, req->op.size,
				 &req->op.value);
}

static int serve_conf_write(struct pcistub *stub, struct pciback_request *req)
{
	struct pciback_denied denied;
	int err;

	stub->count.writes++;
	err = pciback_conf_write(stub->conf, req->op.offset, req->op.size,
				 req->op.value, pcistub_permissive(stub),
				 &denied);
	if (!err)
		report_denied(stub, &denied);
	return err;
}

static int serve_enable_msi(struct pcistub *stub, struct pciback_request *req)
{
	int err = pciback_irq_set_mode(stub, PCIBACK_IRQ_MSI, NULL, 1);

	req->op.value = err ? 0 : xen_pirq_from_irq(stub->pdev->irq);
	return err ? -EIO : 0;
}

/*
 * ->info vectors, whose PIRQs follow each other from ->value on. If there are
 * not so many, ->info says how many the frontend may ask for.
 */
static int serve_enable_multi_msi(struct pcistub *stub,
				  struct pciback_request *req)
{
	int nr = min_t(u32, req->op.info, PCIBACK_MAX_MSI + 1);
	int err = pciback_irq_set_mode(stub, PCIBACK_IRQ_MSI, NULL, nr);

	if (err)
		req->op.info = max(pci_msi_vec_count(stub->pdev), 0);
	req->op.value = err ? 0 : xen_pirq_from_irq(stub->pdev->irq);
	return err ? -EIO : 0;
}

/* Either op ends either mode: frontends mix them up, see irq.c. */
static int serve_disable_msi(struct pcistub *stub, struct pciback_request *req)
{
	if (stub->irq.mode == PCIBACK_IRQ_MSI ||
	    stub->irq.mode == PCIBACK_IRQ_MSIX)
		pciback_irq_set_mode(stub, PCIBACK_IRQ_NONE, NULL, 0);
	req->op.value = pciback_irq_line_pirq(stub);
	return 0;
}

static int serve_enable_msix(struct pcistub *stub, struct pciback_request *req)
{
	struct msix_entry entries[SH_INFO_MAX_VEC];
	struct xen_msix_entry *wire = req->op.msix_entries;
	unsigned int i, nr = req->op.value;
	int err = -EINVAL;

	if (nr <= SH_INFO_MAX_VEC) {
		for (i = 0; i < nr; i++)
			entries[i].entry = wire[i].entry;
		err = pciback_irq_set_mode(stub, PCIBACK_IRQ_MSIX, entries, nr);
	}
	req->op.value = err;
	if (err)
		return -EIO;
	for (i = 0; i < nr; i++)
		wire[i].vector = xen_pirq_from_irq(entries[i].vector);
	req->vectors = nr;
	return 0;
}

/**
 * struct op_policy - how a request is served
 * @serve: fills in the answer; an errno becomes the answer's error
 * @conf: @serve works on the policy; else on the interrupts
 */
struct op_policy {
	int (*serve)(struct pcistub *stub, struct pciback_request *req);
	bool conf;
};

static const struct op_policy op_policy[] = {
	[XEN_PCI_OP_conf_read] = { serve_conf_read, .conf = true },
	[XEN_PCI_OP_conf_write] = { serve_conf_write, .conf = true },
	[XEN_PCI_OP_enable_msi] = { serve_enable_msi },
	[XEN_PCI_OP_disable_msi] = { serve_disable_msi },
	[XEN_PCI_OP_enable_msix] = { serve_enable_msix },
	[XEN_PCI_OP_disable_msix] = { serve_disable_msi },
	[XEN_PCI_OP_ENABLE_MULTI_MSI] = { serve_enable_multi_msi },
};

static const struct op_policy *find_policy(u32 cmd)
{
	if (cmd >= ARRAY_SIZE(op_policy))
		return NULL;
	cmd = array_index_nospec(cmd, ARRAY_SIZE(op_policy));
	return op_policy[cmd].serve ? &op_policy[cmd] : NULL;
}

/* The device that a request is for; under RCU, and only as long. */
static struct pcistub *find_device(struct pciback_session *sess,
				   const struct xen_pci_op *op)
{
	const struct pciback_vdev *dev;

	if (op->domain > 0xffff || op->bus > 0xff || op->devfn > 0xff)
		return NULL;
	dev = pciback_vmap_find(rcu_dereference(sess->map),
				pciback_sbdf(op->domain, op->bus, op->devfn));
	return dev ? dev->stub : NULL;
}

/* Serves what needs no sleep, in the event; false if the work item has to. */
static bool serve_now(struct pcistub *stub, struct pciback_request *req,
		      const struct op_policy *policy)
{
	struct xen_pci_op *op = &req->op;
	bool now;

	if (!policy->conf)
		return false;
	spin_lock(&stub->conf_lock);
	now = !stub->conf_busy && !stub->flr &&
	      (op->cmd == XEN_PCI_OP_conf_read ||
	       !pciback_conf_sleeps(stub->conf, op->offset, op->size));
	if (now)
		op->err = wire_error(policy->serve(stub, req));
	spin_unlock(&stub->conf_lock);
	return now;
}

static bool try_serve(struct pciback_session *sess,
		      struct pciback_request *req)
{
	const struct op_policy *policy = find_policy(req->op.cmd);
	struct pcistub *stub;
	bool done = true;

	rcu_read_lock();
	stub = find_device(sess, &req->op);
	if (!stub)
		req->op.err = XEN_PCI_ERR_dev_not_found;
	else if (!policy)
		req->op.err = XEN_PCI_ERR_not_implemented;
	else
		done = serve_now(stub, req, policy);
	rcu_read_unlock();
	return done;
}

static int serve_slowly(struct pciback_session *sess, struct pcistub *stub,
			struct pciback_request *req)
{
	const struct op_policy *policy = find_policy(req->op.cmd);
	int err = -ENODEV;
	bool flr = false;

	mutex_lock(&stub->lock);
	/* Since we looked for it, it may have become another guest's. */
	if (READ_ONCE(stub->state) == PCISTUB_ASSIGNED &&
	    READ_ONCE(stub->sess) == sess) {
		if (policy->conf)
			pcistub_conf_begin(stub);
		else
			stub->count.others++;
		err = policy->serve(stub, req);
		if (policy->conf)
			pcistub_conf_end(stub);
		flr = stub->flr;
	}
	mutex_unlock(&stub->lock);
	if (flr)
		pciback_reset_for_guest(stub);
	return err;
}

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
	struct pcistub *stub;
	int err = -ENODEV;

	rcu_read_lock();
	stub = find_device(sess, &chan->req.op);
	if (stub)
		pcistub_get(stub);
	rcu_read_unlock();

	if (stub) {
		err = serve_slowly(sess, stub, &chan->req);
		pcistub_put(stub);
	}
	chan->req.op.err = wire_error(err);
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
		if (try_serve(sess, &chan->req))
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
	chan->irq = irq;
	return 0;
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
	chan->gref = 0;
	chan->port = 0;
}
