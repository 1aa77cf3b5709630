// SPDX-License-Identifier: GPL-2.0
/* The registry: which devices are claimed, and whose they are. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/hash.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <linux/xarray.h>
#include <xen/pci.h>

#include "pciback.h"

static bool strict_reset;
module_param(strict_reset, bool, 0644);
MODULE_PARM_DESC(strict_reset, "Refuse a device to a guest if its reset failed");

static bool permissive;
module_param(permissive, bool, 0644);
MODULE_PARM_DESC(permissive, "Open all guests' unknown config registers");

/* Claimed devices by address, their ->state and ->sess. */
static DEFINE_MUTEX(registry_lock);
static DEFINE_XARRAY(stubs);

/* From pcistub_hold_bus() to pcistub_unhold_bus(), a bit for some buses. */
static unsigned long bus_locks;

/**
 * pcistub_sbdf - the address of a device as one number
 * @pdev: device
 *
 * Return: domain, bus, device and function, from the top.
 */
u32 pcistub_sbdf(const struct pci_dev *pdev)
{
	return pciback_sbdf(pci_domain_nr(pdev->bus), pdev->bus->number,
			    pdev->devfn);
}

static void pcistub_free(struct kref *ref)
{
	struct pcistub *stub = container_of(ref, struct pcistub, ref);

	pciback_conf_free(stub->conf);
	pciback_quirks_free(stub);
	kfree(stub->boot);
	kfree(stub->fresh);
	pci_dev_put(stub->pdev);
	kfree(stub);
}

/**
 * pcistub_get - take a reference
 * @stub: device, found under a lock or RCU, or by another reference
 */
void pcistub_get(struct pcistub *stub)
{
	kref_get(&stub->ref);
}

/**
 * pcistub_put - drop a reference; may sleep
 * @stub: device
 */
void pcistub_put(struct pcistub *stub)
{
	kref_put(&stub->ref, pcistub_free);
}

/**
 * pcistub_queue - have a work item of a device run after a while
 * @stub: device
 * @work: one of its own, which drops the reference that it gets here
 * @delay: in jiffies, from now on also if it was queued already
 *
 * Context: any.
 */
void pcistub_queue(struct pcistub *stub, struct delayed_work *work,
		   unsigned long delay)
{
	pcistub_get(stub);
	/* What was queued has a reference. */
	if (mod_delayed_work(pciback_wq, work, delay))
		pcistub_put(stub);
}

/**
 * pcistub_cancel - have a work item of a device not run, unless it does already
 * @stub: device; the caller has a reference
 * @work: one of its own
 */
void pcistub_cancel(struct pcistub *stub, struct delayed_work *work)
{
	if (cancel_delayed_work(work))
		pcistub_put(stub);
}

/**
 * pcistub_of - the claimed device behind a PCI device
 * @pdev: device that is bound to this driver
 *
 * Return: the device, valid as long as it stays bound.
 */
struct pcistub *pcistub_of(struct pci_dev *pdev)
{
	return pci_get_drvdata(pdev);
}

/**
 * pcistub_find - a claimed device by its address
 * @sbdf: address
 *
 * Return: the device with a reference, or NULL.
 */
struct pcistub *pcistub_find(u32 sbdf)
{
	struct pcistub *stub;

	mutex_lock(&registry_lock);
	stub = xa_load(&stubs, sbdf);
	if (stub)
		pcistub_get(stub);
	mutex_unlock(&registry_lock);
	return stub;
}

/**
 * pcistub_gsi - a claimed device's interrupt line
 * @sbdf: address
 *
 * Called with a lock held, so not by pcistub_find(). Entries are erased before
 * the registry's reference is dropped.
 *
 * Return: its GSI; -ENOENT: it has none, which a toolstack takes for an answer;
 * -ENODEV: not claimed; or what Xen said when the line was to be set up.
 */
int pcistub_gsi(u32 sbdf)
{
	struct pcistub *stub;
	int gsi = -ENODEV;

	xa_lock(&stubs);
	stub = xa_load(&stubs, sbdf);
	if (stub)
		gsi = READ_ONCE(stub->irq.gsi);
	xa_unlock(&stubs);
	return gsi;
}

/**
 * pcistub_for_each - call a function for all claimed devices, by address
 * @fn: function; called without the registry lock, may find a device gone, and
 *	ends the walk unless it returns 0
 * @data: for @fn
 *
 * Return: what @fn returned last.
 */
int pcistub_for_each(int (*fn)(struct pcistub *stub, void *data), void *data)
{
	struct pcistub *stub;
	unsigned long sbdf;
	int err = 0;

	for (sbdf = 0; !err; sbdf++) {
		mutex_lock(&registry_lock);
		stub = xa_find(&stubs, &sbdf, U32_MAX, XA_PRESENT);
		if (stub)
			pcistub_get(stub);
		mutex_unlock(&registry_lock);
		if (!stub)
			break;
		err = fn(stub, data);
		pcistub_put(stub);
	}
	return err;
}

/**
 * pcistub_any_assigned - does a guest have one of them?
 * @pattern: addresses
 *
 * Return: true if one does.
 */
bool pcistub_any_assigned(const struct pciback_pattern *pattern)
{
	u32 last = pattern->sbdf | ~pattern->mask;
	struct pcistub *stub;
	unsigned long sbdf;
	bool any = false;

	mutex_lock(&registry_lock);
	xa_for_each_range(&stubs, sbdf, stub, pattern->sbdf, last)
		any |= stub->state == PCISTUB_ASSIGNED;
	mutex_unlock(&registry_lock);
	return any;
}

/* The only place where it changes; others look at it without the lock. */
static void set_state(struct pcistub *stub, enum pcistub_state state)
{
	lockdep_assert_held(&registry_lock);
	WRITE_ONCE(stub->state, state);
}

static void set_cleaned(struct pcistub *stub, int err, bool bus)
{
	WRITE_ONCE(stub->reset_err, err);
	WRITE_ONCE(stub->reset_bus, bus);
	set_state(stub, err ? PCISTUB_DIRTY : PCISTUB_FREE);
}

/**
 * pcistub_cleaned - say how a reset ended
 * @stub: device; one that is gone stays so
 * @err: what the reset came to, 0 or -errno
 */
void pcistub_cleaned(struct pcistub *stub, int err)
{
	mutex_lock(&registry_lock);
	if (stub->state == PCISTUB_CLEANING)
		set_cleaned(stub, err, false);
	mutex_unlock(&registry_lock);
}

/* Resets a device that nobody has; the registry lock is held. */
static void queue_clean(struct pcistub *stub)
{
	set_state(stub, PCISTUB_CLEANING);
	pcistub_queue(stub, &stub->clean_work, 0);
}

/**
 * pcistub_clean_again - reset a device that nobody has
 * @stub: device; flush_delayed_work() on its clean_work waits for the result
 *
 * Return: 0, -EBUSY if a guest has it, -EAGAIN during a bus reset for a neighbour,
 * at whose end it is cleaned or queued, or -ENODEV if it is gone.
 */
int pcistub_clean_again(struct pcistub *stub)
{
	int err = 0;

	mutex_lock(&registry_lock);
	if (stub->state == PCISTUB_ASSIGNED)
		err = -EBUSY;
	else if (stub->state == PCISTUB_GONE)
		err = -ENODEV;
	else if (stub->held_by)
		err = stub->reset_err = -EAGAIN;
	else if (stub->state != PCISTUB_CLEANING)
		queue_clean(stub);
	mutex_unlock(&registry_lock);
	return err;
}

/* All that a bus reset may hit is below one port of the root, and has its bit. */
static unsigned int bus_bit(const struct pcistub *stub)
{
	const struct pci_bus *bus = stub->pdev->bus;

	while (bus->parent && bus->parent->parent)
		bus = bus->parent;
	return hash_ptr(bus, ilog2(BITS_PER_LONG));
}

static void lock_bus(const struct pcistub *stub)
{
	wait_on_bit_lock(&bus_locks, bus_bit(stub), TASK_UNINTERRUPTIBLE);
}

static void unlock_bus(const struct pcistub *stub)
{
	clear_and_wake_up_bit(bus_bit(stub), &bus_locks);
}

/**
 * pcistub_wait_bus - wait for the end of a bus reset
 * @stub: device on that bus
 */
void pcistub_wait_bus(struct pcistub *stub)
{
	lock_bus(stub);
	unlock_bus(stub);
}

static bool is_below(const struct pcistub *stub, const struct pci_bus *bus)
{
	const struct pci_bus *at;

	/* A bus of virtual functions alone has no bridge. */
	for (at = stub->pdev->bus; at != bus; at = at->parent)
		if (!at->self)
			return false;
	return true;
}

/* Devices of ours on a bus and below it; INT_MAX if a guest has one. */
static int count_free(const struct pci_bus *bus)
{
	struct pcistub *stub;
	unsigned long sbdf;
	int nr = 0;

	lockdep_assert_held(&registry_lock);

	xa_for_each(&stubs, sbdf, stub) {
		if (!is_below(stub, bus))
			continue;
		if (stub->state == PCISTUB_ASSIGNED)
			return INT_MAX;
		nr++;
	}
	return nr;
}

/* A guest has a device there that we do not know of as its. */
static int is_foreign(struct pcistub *stub, void *bus)
{
	return is_below(stub, bus) && pciback_foreign(stub);
}

static int count_device(struct pci_dev *pdev, void *nr)
{
	++*(int *)nr;
	return 0;
}

/**
 * pcistub_hold_bus - keep guests from all that a bus reset would hit
 * @stub: device that is to be reset
 *
 * The bus is walked without the registry lock: the core reports errors, for
 * which we need that lock, with the list of the bus's devices locked. One such
 * reset at a time: it is waited for by those that come to the same bus.
 *
 * Return: 0, to be followed by pcistub_unhold_bus(); -ENOTTY: the bus has no
 * reset; -EBUSY: a device on it is a guest's, or not ours.
 */
int pcistub_hold_bus(struct pcistub *stub)
{
	struct pci_bus *bus = stub->pdev->bus;
	struct pcistub *other;
	unsigned long sbdf;
	int nr = 0;

	if (pci_is_root_bus(bus))
		return -ENOTTY;
	if (pcistub_for_each(is_foreign, bus))
		return -EBUSY;
	lock_bus(stub);
	pci_walk_bus(bus, count_device, &nr);
	mutex_lock(&registry_lock);
	if (stub->state != PCISTUB_CLEANING || count_free(bus) != nr) {
		mutex_unlock(&registry_lock);
		unlock_bus(stub);
		return -EBUSY;
	}
	xa_for_each(&stubs, sbdf, other) {
		if (!is_below(other, bus) || other->state == PCISTUB_CLEANING)
			continue;
		other->held_by = stub;
		set_state(other, PCISTUB_CLEANING);
	}
	mutex_unlock(&registry_lock);
	return 0;
}

/**
 * pcistub_unhold_bus - let guests have the neighbours again
 * @stub: device on which pcistub_hold_bus() was called
 * @err: what the reset came to; 0 has cleaned the neighbours too
 */
void pcistub_unhold_bus(struct pcistub *stub, int err)
{
	struct pcistub *other;
	unsigned long sbdf;

	mutex_lock(&registry_lock);
	xa_for_each(&stubs, sbdf, other) {
		if (other->held_by != stub)
			continue;
		other->held_by = NULL;
		if (!err)
			set_cleaned(other, 0, true);
		else if (other->reset_err == -EAGAIN)
			queue_clean(other);
		else
			set_cleaned(other, other->reset_err, other->reset_bus);
	}
	if (!err && stub->state == PCISTUB_CLEANING)
		set_cleaned(stub, 0, true);
	mutex_unlock(&registry_lock);
	unlock_bus(stub);
}

/**
 * pcistub_permissive - are unknown registers open?
 * @stub: device
 *
 * Return: true if they are.
 */
bool pcistub_permissive(const struct pcistub *stub)
{
	return READ_ONCE(permissive) || READ_ONCE(stub->permissive);
}

/* After an error, a device whose reset fails is broken. */
static bool is_broken(const struct pcistub *stub)
{
	return stub->evict != PCIBACK_EVICT_NONE && stub->reset_err != -ENOTTY;
}

static bool is_strict(const struct pcistub *stub)
{
	return READ_ONCE(strict_reset) || READ_ONCE(stub->strict_reset);
}

static int check_dirty(struct pcistub *stub, struct pciback_session *sess)
{
	bool refused = is_strict(stub) || is_broken(stub);

	/* A guest can have us try again, by coming back once more. */
	if (__ratelimit(&sess->errors))
		dev_warn(&stub->pdev->dev,
			 "%s domain %d: its reset failed (%d)%s\n",
			 refused ? "refused to" : "given all the same to",
			 pciback_session_domid(sess), stub->reset_err,
			 is_strict(stub) ? ", strict_reset is set" : "");
	return refused ? -EIO : 0;
}

static int check_free(struct pcistub *stub, struct pciback_session *sess)
{
	lockdep_assert_held(&registry_lock);

	/* The host may still reset it. */
	if (READ_ONCE(stub->recovery) != PCIBACK_RECOVERY_NONE &&
	    stub->state != PCISTUB_ASSIGNED)
		return -EAGAIN;
	switch (stub->state) {
	case PCISTUB_FREE:
		return 0;
	case PCISTUB_CLEANING:
		return -EAGAIN;
	case PCISTUB_DIRTY:
		return check_dirty(stub, sess);
	case PCISTUB_ASSIGNED:
		/* A guest that is no more gives it back any moment. */
		return READ_ONCE(stub->sess->gone) ? -EAGAIN : -EBUSY;
	case PCISTUB_GONE:
		break;
	}
	return -ENODEV;
}

/* From here on Xen maps this device's vectors into the guest. */
static int register_owner(struct pci_dev *pdev, domid_t domid)
{
	int err = xen_register_device_domain_owner(pdev, domid);

	if (err != -EEXIST)
		return err;
	xen_unregister_device_domain_owner(pdev);
	return xen_register_device_domain_owner(pdev, domid);
}

/**
 * pcistub_assign - give a device to a guest
 * @sbdf: address of the device
 * @sess: the guest; the caller holds its lock
 * @found: the device, with a reference that pcistub_return() drops
 *
 * Return: 0; -ENODEV: not claimed; -EBUSY: another guest's; -EAGAIN: being
 * reset, and pciback_sessions_kick() will say when it is done; -EIO: unclean, and
 * strict_reset is set or it failed in a guest's hands; -ENOMEM.
 */
int pcistub_assign(u32 sbdf, struct pciback_session *sess,
		   struct pcistub **found)
{
	struct pcistub *stub;
	int err = -ENODEV;

	lockdep_assert_held(&sess->lock);

	mutex_lock(&registry_lock);
	stub = xa_load(&stubs, sbdf);
	if (stub)
		err = check_free(stub, sess);
	if (!err)
		err = register_owner(stub->pdev, pciback_session_domid(sess));
	if (!err) {
		pcistub_get(stub);
		pciback_session_get(sess);
		stub->sess = sess;
		WRITE_ONCE(stub->evict, PCIBACK_EVICT_NONE);
		set_state(stub, PCISTUB_ASSIGNED);
		*found = stub;
	}
	mutex_unlock(&registry_lock);
	return err;
}

/**
 * pcistub_owner - the guest that has a device
 * @stub: device
 *
 * Return: its session with a reference, or NULL.
 */
struct pciback_session *pcistub_owner(struct pcistub *stub)
{
	struct pciback_session *sess = NULL;

	mutex_lock(&registry_lock);
	if (stub->state == PCISTUB_ASSIGNED) {
		sess = stub->sess;
		pciback_session_get(sess);
	}
	mutex_unlock(&registry_lock);
	return sess;
}

/**
 * pcistub_serves - may a guest use a device?
 * @stub: device; the caller holds its lock or its conf_lock
 * @sess: session of the guest
 *
 * Return: false if it was taken away, or is to be.
 */
bool pcistub_serves(const struct pcistub *stub,
		    const struct pciback_session *sess)
{
	return READ_ONCE(stub->state) == PCISTUB_ASSIGNED &&
	       READ_ONCE(stub->sess) == sess &&
	       READ_ONCE(stub->evict) == PCIBACK_EVICT_NONE;
}

static void disown(struct pcistub *stub)
{
	lockdep_assert_held(&registry_lock);
	xen_unregister_device_domain_owner(stub->pdev);
	pciback_session_put(stub->sess);
	stub->sess = NULL;
}

/* Nothing that was granted to a guest, or counted for it, is the next one's. */
static void forget_guest(struct pcistub *stub)
{
	lockdep_assert_held(&registry_lock);

	/* What limits a guest is asked by the guest's requests alone. */
	memset(stub->limit, 0, sizeof(stub->limit));
	spin_lock_irq(&stub->conf_lock);
	stub->slow.nr = 0;
	WRITE_ONCE(stub->permissive, false);
	WRITE_ONCE(stub->intx_control, false);
	stub->nr_denied = 0;
	stub->count = (struct pciback_count){};
	spin_unlock_irq(&stub->conf_lock);
}

/**
 * pcistub_return - take a device back from a guest
 * @stub: device; no request of the guest can reach it any more. The reference
 *	that pcistub_assign() gave is dropped.
 *
 * Its vectors go before the guest is forgotten, its reset is queued.
 */
void pcistub_return(struct pcistub *stub)
{
	pciback_silence(stub);
	mutex_lock(&registry_lock);
	if (stub->state == PCISTUB_ASSIGNED) {
		disown(stub);
		forget_guest(stub);
		queue_clean(stub);
	}
	mutex_unlock(&registry_lock);
	pcistub_put(stub);
}

/**
 * pcistub_disown - end what pcistub_assign() began, for a device that is gone
 * @stub: device without vectors
 */
void pcistub_disown(struct pcistub *stub)
{
	mutex_lock(&registry_lock);
	disown(stub);
	mutex_unlock(&registry_lock);
}

/**
 * pcistub_register - make a device known
 * @pdev: device that is being bound to this driver; device_lock() is held
 *
 * It is in PCISTUB_CLEANING, and stays there until pcistub_ready().
 *
 * Return: the device, or ERR_PTR(-ENOMEM).
 */
struct pcistub *pcistub_register(struct pci_dev *pdev)
{
	struct pcistub *stub = kzalloc(sizeof(*stub), GFP_KERNEL);
	int err;

	device_lock_assert(&pdev->dev);

	if (!stub)
		return ERR_PTR(-ENOMEM);
	kref_init(&stub->ref);
	stub->pdev = pci_dev_get(pdev);
	stub->sbdf = pcistub_sbdf(pdev);
	mutex_init(&stub->lock);
	mutex_init(&stub->irq.lock);
	stub->irq.gsi = -ENOENT;
	spin_lock_init(&stub->conf_lock);
	INIT_LIST_HEAD(&stub->quirk_list);
	INIT_DELAYED_WORK(&stub->clean_work, pciback_clean_work);
	INIT_DELAYED_WORK(&stub->line_work, pciback_line_work);
	INIT_DELAYED_WORK(&stub->idle_work, pciback_idle_work);
	INIT_DELAYED_WORK(&stub->recover_work, pciback_recover_work);
	pci_set_drvdata(pdev, stub);

	mutex_lock(&registry_lock);
	err = xa_insert(&stubs, stub->sbdf, stub, GFP_KERNEL);
	mutex_unlock(&registry_lock);
	if (!err)
		return stub;
	pcistub_put(stub);
	return ERR_PTR(err);
}

/**
 * pcistub_ready - a device can be reset, and then given away
 * @stub: device
 */
void pcistub_ready(struct pcistub *stub)
{
	mutex_lock(&registry_lock);
	queue_clean(stub);
	mutex_unlock(&registry_lock);
}

/**
 * pcistub_unregister - let nobody find a device any more
 * @stub: device; device_lock() is held
 *
 * It is out of its guest's map, too; after an RCU grace period no request of the
 * guest uses it.
 *
 * Return: true if a guest has it, and pcistub_disown() is to follow.
 */
bool pcistub_unregister(struct pcistub *stub)
{
	bool in_use;

	device_lock_assert(&stub->pdev->dev);

	mutex_lock(&registry_lock);
	xa_erase(&stubs, stub->sbdf);
	set_state(stub, PCISTUB_GONE);
	in_use = stub->sess;
	if (in_use)
		pciback_session_lost(stub->sess, stub);
	mutex_unlock(&registry_lock);
	return in_use;
}
