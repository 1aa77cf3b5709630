// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest can ask for: one table of ops. What cannot sleep, which is nearly
 * all of config space, is served where the request arrives, in interrupt context;
 * the rest in the channel's work item.
 */
#include <linux/ktime.h>
#include <linux/nospec.h>
#include <linux/time64.h>

#include "conf_space_tables.h"
#include "pciback.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* What an access in interrupt context may take, in ns, without being counted. */
#define MAX_ACCESS_NS (5 * NSEC_PER_MSEC)

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

/**
 * pciback_guest_flr - a guest asked for a function level reset
 * @conf: policy of the device; its lock is held
 *
 * The write is answered when it is done.
 */
void pciback_guest_flr(struct pciback_conf *conf)
{
	pcistub_of(conf->pdev)->chore = PCIBACK_CHORE_FLR;
}

/**
 * pciback_guest_vpd - a guest asked for vital product data
 * @conf: policy of the device; its lock is held
 * @pos: offset of the address register in config space
 * @addr: what it wants to read
 *
 * The write is answered when it is done.
 */
void pciback_guest_vpd(struct pciback_conf *conf, u16 pos, u16 addr)
{
	struct pcistub *stub = pcistub_of(conf->pdev);

	stub->vpd_pos = pos;
	stub->vpd_addr = addr;
	stub->chore = PCIBACK_CHORE_VPD;
}

/**
 * pciback_guest_may_sleep - may a guest have its device put to sleep?
 * @conf: policy of the device; its lock is held, in process context
 *
 * Return: false while its driver takes part in a recovery, since a device that the
 * host resets has no config to keep; and after some tries that failed or took
 * long, of which the core has logged each.
 */
bool pciback_guest_may_sleep(struct pciback_conf *conf)
{
	struct pcistub *stub = pcistub_of(conf->pdev);

	return READ_ONCE(stub->recovery) != PCIBACK_RECOVERY_GUEST &&
	       pciback_limit_allows(&stub->limit[PCIBACK_MAY_SLEEP]);
}

/**
 * pciback_guest_set_power - change a device's power state for a guest
 * @conf: policy of the device; its lock is held, in process context
 * @state: the new one
 *
 * Return: 0 or -errno.
 */
int pciback_guest_set_power(struct pciback_conf *conf, pci_power_t state)
{
	struct pcistub *stub = pcistub_of(conf->pdev);
	unsigned long begun = jiffies;
	int err = pci_set_power_state(stub->pdev, state);

	if (err || pciback_limit_is_long(begun))
		pciback_limit_count(&stub->limit[PCIBACK_MAY_SLEEP]);
	return err;
}

static bool denied_before(const struct pcistub *stub, u16 offset)
{
	unsigned int i;

	for (i = 0; i < stub->nr_denied; i++) {
		if (stub->denied[i].offset == offset)
			return true;
	}
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
	int err;

	stub->count.writes++;
	err = pciback_conf_write(stub->conf, req->op.offset, req->op.size,
				 req->op.value, pcistub_permissive(stub),
				 &req->denied);
	if (err)
		req->denied.mask = 0;
	return err;
}

static int serve_enable_msi(struct pcistub *stub, struct pciback_request *req)
{
	int err = pciback_irq_set_mode(stub, PCIBACK_IRQ_MSI, NULL, 1);

	req->op.value = err ? 0 : stub->irq.pirq;
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
	req->op.value = err ? 0 : stub->irq.pirq;
	return err ? -EIO : 0;
}

/* Either op ends either mode: frontends mix them up, see irq.c. */
static int serve_disable(struct pcistub *stub, struct pciback_request *req)
{
	enum pciback_irq_mode mode = READ_ONCE(stub->irq.mode);

	if (mode == PCIBACK_IRQ_MSI || mode == PCIBACK_IRQ_MSIX)
		pciback_irq_end_msi(stub);
	req->op.value = pciback_gsi(stub);
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
	/* A frontend looks at it if there was no error. */
	req->op.value = 0;
	if (err)
		return -EIO;
	for (i = 0; i < nr; i++)
		wire[i].vector = entries[i].vector;
	req->vectors = nr;
	return 0;
}

/**
 * struct pciback_op_policy - how a request is served
 * @serve: fills in the answer; an errno becomes the answer's error
 * @conf: @serve works on the policy; else on the interrupts
 */
struct pciback_op_policy {
	int (*serve)(struct pcistub *stub, struct pciback_request *req);
	bool conf;
};

static const struct pciback_op_policy op_policy[] = {
	[XEN_PCI_OP_conf_read] = { serve_conf_read, .conf = true },
	[XEN_PCI_OP_conf_write] = { serve_conf_write, .conf = true },
	[XEN_PCI_OP_enable_msi] = { serve_enable_msi },
	[XEN_PCI_OP_disable_msi] = { serve_disable },
	[XEN_PCI_OP_enable_msix] = { serve_enable_msix },
	[XEN_PCI_OP_disable_msix] = { serve_disable },
	[XEN_PCI_OP_ENABLE_MULTI_MSI] = { serve_enable_multi_msi },
};

static const struct pciback_op_policy *find_policy(u32 cmd)
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
	if (op->domain > 0xffff || op->bus > 0xff || op->devfn > 0xff)
		return NULL;
	return pciback_vmap_find(rcu_dereference(sess->map),
				 pciback_sbdf(op->domain, op->bus, op->devfn));
}

/* Serves an access to config space, and notes what it leaves to do and to say. */
static int serve_conf(struct pcistub *stub, struct pciback_request *req)
{
	int err;

	stub->chore = PCIBACK_CHORE_NONE;
	req->denied.mask = 0;
	err = req->policy->serve(stub, req);
	req->chore = stub->chore;
	return err;
}

/*
 * A device that hangs may cost the host a completion timeout for each access, and
 * a guest can go on asking: then the scheduler is to have a say in it. How long
 * the host's console takes says nothing of the device.
 */
static int serve_conf_in_event(struct pcistub *stub,
			       struct pciback_request *req)
{
	u64 start = ktime_get_ns();
	int err = serve_conf(stub, req);

	if (ktime_get_ns() - start > MAX_ACCESS_NS)
		pciback_limit_count(&stub->slow);
	report_denied(stub, &req->denied);
	return err;
}

/* Can it be served in the event? */
static bool needs_no_sleep(const struct pcistub *stub,
			   const struct xen_pci_op *op)
{
	return !stub->conf_busy && pciback_limit_allows(&stub->slow) &&
	       (op->cmd == XEN_PCI_OP_conf_read ||
		!pciback_conf_sleeps(stub->conf, op->offset, op->size));
}

/* Serves what needs no sleep, in the event; false if the work item has to. */
static bool serve_now(struct pciback_session *sess, struct pcistub *stub,
		      struct pciback_request *req)
{
	struct xen_pci_op *op = &req->op;
	bool now;

	if (!req->policy->conf)
		return false;
	spin_lock(&stub->conf_lock);
	now = needs_no_sleep(stub, op);
	if (now && pcistub_serves(stub, sess))
		op->err = wire_error(serve_conf_in_event(stub, req));
	else if (now)
		op->err = XEN_PCI_ERR_dev_not_found;
	spin_unlock(&stub->conf_lock);
	return now && !req->chore;
}

/**
 * pciback_request_try - serve a request if that needs no sleep
 * @sess: session of the guest
 * @req: private copy of the request; gets the answer
 *
 * Context: the event channel's interrupt.
 *
 * Return: false if pciback_request_serve() has to.
 */
bool pciback_request_try(struct pciback_session *sess,
			 struct pciback_request *req)
{
	struct pcistub *stub;
	bool done = true;

	req->policy = find_policy(req->op.cmd);
	rcu_read_lock();
	stub = find_device(sess, &req->op);
	if (!stub)
		req->op.err = XEN_PCI_ERR_dev_not_found;
	else if (!req->policy)
		req->op.err = XEN_PCI_ERR_not_implemented;
	else
		done = serve_now(sess, stub, req);
	rcu_read_unlock();
	return done;
}

static bool may_read_vpd(struct pcistub *stub,
			 const struct pciback_session *sess)
{
	bool may;

	mutex_lock(&stub->lock);
	may = pcistub_serves(stub, sess) &&
	      stub->pdev->current_state == PCI_D0 &&
	      pciback_limit_allows(&stub->limit[PCIBACK_MAY_VPD]);
	mutex_unlock(&stub->lock);
	return may;
}

static void read_vpd(struct pcistub *stub, const struct pciback_session *sess)
{
	__le32 word = 0;
	ssize_t got;

	if (!may_read_vpd(stub, sess))
		return;
	/* Not with the core's look for the data's end, which may take an hour. */
	got = pci_read_vpd_any(stub->pdev, stub->vpd_addr, sizeof(word), &word);

	mutex_lock(&stub->lock);
	/* The core has logged that. */
	if (got == -ETIMEDOUT)
		pciback_limit_count(&stub->limit[PCIBACK_MAY_VPD]);
	/* A reset may have come after the device had the data ready. */
	if (got > 0 && stub->vpd_pos && pcistub_serves(stub, sess)) {
		pcistub_conf_begin(stub);
		pciback_vpd_show(stub->conf, stub->vpd_pos, le32_to_cpu(word));
		pcistub_conf_end(stub);
	}
	mutex_unlock(&stub->lock);
}

static void do_chore(struct pcistub *stub, const struct pciback_session *sess,
		     enum pciback_chore chore)
{
	switch (chore) {
	case PCIBACK_CHORE_NONE:
		break;
	case PCIBACK_CHORE_FLR:
		pciback_reset_for_guest(stub, sess);
		break;
	case PCIBACK_CHORE_VPD:
		read_vpd(stub, sess);
		break;
	}
}

/* A write that left a chore has been served in the event. */
static int serve_slowly(struct pcistub *stub, struct pciback_request *req)
{
	int err = 0;

	if (!req->policy->conf) {
		stub->count.others++;
		return req->policy->serve(stub, req);
	}
	pcistub_conf_begin(stub);
	if (!req->chore) {
		err = serve_conf(stub, req);
		report_denied(stub, &req->denied);
	}
	pcistub_conf_end(stub);
	return err;
}

static bool is_device_of(const struct pcistub *stub,
			 struct pciback_session *sess,
			 const struct xen_pci_op *op)
{
	bool same;

	rcu_read_lock();
	same = find_device(sess, op) == stub;
	rcu_read_unlock();
	return same;
}

static int serve_in_process(struct pciback_session *sess, struct pcistub *stub,
			    struct pciback_request *req)
{
	int err = -ENODEV;

	mutex_lock(&stub->lock);
	/* Since we looked for it, it may have been taken from the guest. */
	if (pcistub_serves(stub, sess) && is_device_of(stub, sess, &req->op))
		err = serve_slowly(stub, req);
	/* It was isolated meanwhile, and this may have undone it. */
	if (READ_ONCE(stub->state) == PCISTUB_ASSIGNED &&
	    READ_ONCE(stub->evict) != PCIBACK_EVICT_NONE) {
		pciback_irq_end_msi(stub);
		pci_clear_master(stub->pdev);
	}
	mutex_unlock(&stub->lock);
	if (!err)
		do_chore(stub, sess, req->chore);
	return err;
}

/**
 * pciback_request_serve - serve what pciback_request_try() left; may sleep
 * @sess: session of the guest
 * @req: private copy of the request; gets the answer
 */
void pciback_request_serve(struct pciback_session *sess,
			   struct pciback_request *req)
{
	struct pcistub *stub;
	int err = -ENODEV;

	rcu_read_lock();
	stub = find_device(sess, &req->op);
	if (stub)
		pcistub_get(stub);
	rcu_read_unlock();

	if (stub) {
		err = serve_in_process(sess, stub, req);
		pcistub_put(stub);
	}
	req->op.err = wire_error(err);
}
