// SPDX-License-Identifier: GPL-2.0
/*
 * Whose a claimed device is: a guest's, nobody's, or on its way from the one to
 * the other, which is a reset.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/xarray.h>
#include <xen/pci.h>

#include "pciback.h"
#include "registry.h"

static bool strict_reset;
module_param(strict_reset, bool, 0644);
MODULE_PARM_DESC(strict_reset, "Refuse a device to a guest if its reset failed");

static bool permissive;
module_param(permissive, bool, 0644);
MODULE_PARM_DESC(permissive, "Open all guests' unknown config registers");

/**
 * pcistub_set_state - the only place where it changes
 * @stub: device; the registry lock is held, without which others look at it
 * @state: new state
 */
void pcistub_set_state(struct pcistub *stub, enum pcistub_state state)
{
	lockdep_assert_held(&pcistub_registry_lock);
	WRITE_ONCE(stub->state, state);
}

/**
 * pcistub_set_cleaned - a device is as clean as it gets
 * @stub: device; the registry lock is held
 * @err: what the reset came to, 0 or -errno
 * @bus: it was one of the whole bus
 */
void pcistub_set_cleaned(struct pcistub *stub, int err, bool bus)
{
	WRITE_ONCE(stub->reset_err, err);
	WRITE_ONCE(stub->reset_bus, bus);
	pcistub_set_state(stub, err ? PCISTUB_DIRTY : PCISTUB_FREE);
}

/**
 * pcistub_queue_clean - reset a device that nobody has
 * @stub: device; the registry lock is held
 */
void pcistub_queue_clean(struct pcistub *stub)
{
	stub->bus_cleaned = false;
	pcistub_set_state(stub, PCISTUB_CLEANING);
	pcistub_queue(stub, &stub->clean_work, 0);
}

/**
 * pcistub_ready - a device can be reset, and then given away
 * @stub: device
 */
void pcistub_ready(struct pcistub *stub)
{
	mutex_lock(&pcistub_registry_lock);
	pcistub_queue_clean(stub);
	mutex_unlock(&pcistub_registry_lock);
}

/**
 * pcistub_cleaned - say how a reset ended
 * @stub: device; one that is gone stays so
 * @err: what the reset came to, 0 or -errno
 */
void pcistub_cleaned(struct pcistub *stub, int err)
{
	mutex_lock(&pcistub_registry_lock);
	if (stub->state == PCISTUB_CLEANING)
		pcistub_set_cleaned(stub, err, false);
	mutex_unlock(&pcistub_registry_lock);
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

	mutex_lock(&pcistub_registry_lock);
	if (stub->state == PCISTUB_ASSIGNED) {
		err = -EBUSY;
	} else if (stub->state == PCISTUB_GONE) {
		err = -ENODEV;
	} else if (stub->held_by) {
		/* Seen at the end of the bus reset. */
		stub->clean_later = true;
		err = -EAGAIN;
	} else if (stub->state != PCISTUB_CLEANING) {
		pcistub_queue_clean(stub);
	}
	mutex_unlock(&pcistub_registry_lock);
	return err;
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

	/* Limited: a guest has us try again by connecting again. */
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
	lockdep_assert_held(&pcistub_registry_lock);

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

	mutex_lock(&pcistub_registry_lock);
	stub = xa_load(&pcistub_registry, sbdf);
	if (stub)
		err = check_free(stub, sess);
	if (!err)
		err = register_owner(stub->pdev, pciback_session_domid(sess));
	if (!err) {
		pcistub_get(stub);
		pciback_session_get(sess);
		stub->sess = sess;
		WRITE_ONCE(stub->evict, PCIBACK_EVICT_NONE);
		pcistub_set_state(stub, PCISTUB_ASSIGNED);
		*found = stub;
	}
	mutex_unlock(&pcistub_registry_lock);
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

	mutex_lock(&pcistub_registry_lock);
	if (stub->state == PCISTUB_ASSIGNED) {
		sess = stub->sess;
		pciback_session_get(sess);
	}
	mutex_unlock(&pcistub_registry_lock);
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
	lockdep_assert_held(&pcistub_registry_lock);
	xen_unregister_device_domain_owner(stub->pdev);
	pciback_session_put(stub->sess);
	stub->sess = NULL;
}

/* Nothing that was granted to a guest, or counted for it, is the next one's. */
static void forget_guest(struct pcistub *stub)
{
	lockdep_assert_held(&pcistub_registry_lock);

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
 * pcistub_return - take devices back from a guest
 * @stubs: list of them by &pcistub.out; no request of the guest can reach them any
 *	more. The references that pcistub_assign() gave are dropped.
 *
 * Their vectors go before the guest is forgotten, their resets are queued.
 */
void pcistub_return(struct list_head *stubs)
{
	struct pcistub *stub, *next;

	list_for_each_entry(stub, stubs, out)
		pciback_silence(stub);
	mutex_lock(&pcistub_registry_lock);
	list_for_each_entry_safe(stub, next, stubs, out) {
		list_del(&stub->out);
		if (stub->state == PCISTUB_ASSIGNED) {
			disown(stub);
			forget_guest(stub);
			pcistub_queue_clean(stub);
		}
		pcistub_put(stub);
	}
	mutex_unlock(&pcistub_registry_lock);
}

/**
 * pcistub_disown - end what pcistub_assign() began, for a device that is gone
 * @stub: device without vectors
 */
void pcistub_disown(struct pcistub *stub)
{
	mutex_lock(&pcistub_registry_lock);
	disown(stub);
	mutex_unlock(&pcistub_registry_lock);
}
