// SPDX-License-Identifier: GPL-2.0
/* The shared page, the event channel, and one request over them. */
#include <linux/gfp.h>
#include <linux/sched.h>
#include <xen/events.h>
#include <asm/sync_bitops.h>
#include <asm/xen/hypercall.h>
#include <xen/page.h>

#include "badfront.h"

/* How often it looks for an answer before it sleeps: pcifront only looks. */
#define LOOKS 100000

/* What stands in the page where nobody writes; see judge.c. */
#define FILLER 0xa5

static irqreturn_t event(int irq, void *data)
{
	struct xen_pci_sharedinfo *page = READ_ONCE(bf.page);

	wake_up(&bf.wait);
	if (page && READ_ONCE(page->flags) & XEN_PCIB_active)
		aer_asked();
	return IRQ_HANDLED;
}

static int open_page(domid_t domid, bool readonly, bool deaf)
{
	struct xen_pci_sharedinfo *page = (void *)get_zeroed_page(GFP_KERNEL);
	int gref;

	if (!page)
		return -ENOMEM;
	memset(page + 1, FILLER, PAGE_SIZE - sizeof(*page));
	page->flags = deaf ? 0 : XEN_PCIB_AERHANDLER;
	gref = gnttab_grant_foreign_access(domid, virt_to_gfn(page), readonly);
	if (gref < 0) {
		free_page((unsigned long)page);
		return gref;
	}
	bf.gref = gref;
	bf.granted = true;
	WRITE_ONCE(bf.page, page);
	return 0;
}

static int open_port(domid_t domid)
{
	struct evtchn_alloc_unbound alloc = {
		.dom = DOMID_SELF, .remote_dom = domid,
	};
	int irq, err;

	err = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc);
	if (err)
		return err;
	irq = bind_evtchn_to_irqhandler(alloc.port, event, 0, "badfront", NULL);
	if (irq < 0)
		return irq;
	bf.port = alloc.port;
	bf.irq = irq;
	return 0;
}

/**
 * do_open - a new page and a new event channel
 * @args: page, port: domains that may use them, instead of the backend's;
 *	readonly: the page may not be written; deaf: no error requests, please
 */
int do_open(const char *args)
{
	int err = do_close(args);

	if (!err)
		err = open_page(arg(args, "page", bf.backend),
				arg(args, "readonly", 0), arg(args, "deaf", 0));
	if (!err)
		err = open_port(arg(args, "port", bf.backend));
	return err;
}

/**
 * do_close_port - close the event channel
 * @args: none
 */
int do_close_port(const char *args)
{
	if (bf.irq)
		unbind_from_irqhandler(bf.irq, NULL);
	bf.irq = 0;
	return 0;
}

static bool end_grant(void)
{
	/* Its number may be another's once it has ended. */
	if (bf.granted)
		bf.granted = !gnttab_try_end_foreign_access(bf.gref);
	return !bf.granted;
}

/**
 * do_revoke - end the grant; fails while the backend has the page
 * @args: none
 */
int do_revoke(const char *args)
{
	return end_grant() ? 0 : -EBUSY;
}

/**
 * do_close - end page and event channel
 * @args: none
 *
 * Says "held" if the backend still has the page; it is leaked then.
 */
int do_close(const char *args)
{
	struct xen_pci_sharedinfo *page = bf.page;

	do_close_port(args);
	if (!page)
		return 0;
	WRITE_ONCE(bf.page, NULL);
	if (!end_grant()) {
		say("held\n");
		return 0;
	}
	free_page((unsigned long)page);
	return 0;
}

/**
 * channel_post - write a request and send the event
 * @op: request
 */
void channel_post(const struct xen_pci_op *op)
{
	memcpy(&bf.page->op, op, sizeof(*op));
	/* The request is there when the flag is. */
	virt_wmb();
	sync_set_bit(_XEN_PCIF_active, (unsigned long *)&bf.page->flags);
	notify_remote_via_irq(bf.irq);
}

/**
 * channel_answered - wait for the flag to be clear
 * @ms: how long
 */
bool channel_answered(unsigned int ms)
{
	return wait_event_timeout(bf.wait, !(READ_ONCE(bf.page->flags) &
					     XEN_PCIF_active),
				  msecs_to_jiffies(ms));
}

/**
 * channel_ask - one request as it should be
 * @op: request, and then the answer
 */
int channel_ask(struct xen_pci_op *op)
{
	unsigned int looks;

	if (!bf.page || !bf.irq)
		return -ENOTCONN;
	channel_post(op);
	for (looks = 0; looks < LOOKS; looks++) {
		if (!(READ_ONCE(bf.page->flags) & XEN_PCIF_active))
			break;
		cpu_relax();
	}
	if (!channel_answered(10000))
		return -ETIMEDOUT;
	/* The answer is there if the flag is gone. */
	virt_rmb();
	memcpy(op, &bf.page->op, sizeof(*op));
	return 0;
}

/**
 * do_op - one request, or the same again and again
 * @args: count; cmd, domain, bus, devfn, offset, size, value, info; for MSI-X the
 *	entries are those from 0 on
 */
int do_op(const char *args)
{
	static struct xen_pci_op op, got;
	u32 i, count = arg(args, "count", 1);
	int err = 0;

	op = (struct xen_pci_op){
		.cmd = arg(args, "cmd", XEN_PCI_OP_conf_read),
		.domain = arg(args, "domain", 0), .bus = arg(args, "bus", 0),
		.devfn = arg(args, "devfn", 0),
		.offset = arg(args, "offset", 0), .size = arg(args, "size", 4),
		.value = arg(args, "value", 0), .info = arg(args, "info", 0),
	};
	for (i = 0; i < SH_INFO_MAX_VEC; i++)
		op.msix_entries[i].entry = i;
	for (i = 0; !err && i < count && go_on(); i++) {
		got = op;
		err = channel_ask(&got);
	}
	if (!err)
		say("err %d value %#x\n", got.err, got.value);
	return err;
}

/**
 * do_notify - events without a request
 * @args: count
 */
int do_notify(const char *args)
{
	u32 i, count = arg(args, "count", 1);

	for (i = 0; bf.irq && i < count && go_on(); i++)
		notify_remote_via_irq(bf.irq);
	return bf.irq ? 0 : -ENOTCONN;
}
