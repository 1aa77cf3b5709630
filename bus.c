// SPDX-License-Identifier: GPL-2.0
/*
 * Who is hit by the reset of a whole bus: that of a device on it may take place if
 * all others there are claimed and nobody's, and stay so meanwhile.
 */
#include <linux/hash.h>
#include <linux/pci.h>
#include <linux/wait_bit.h>
#include <linux/xarray.h>

#include "pciback.h"
#include "registry.h"

/* From pcistub_hold_bus() to pcistub_unhold_bus(), a bit for some buses. */
static unsigned long bus_locks;

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
	for (at = stub->pdev->bus; at != bus; at = at->parent) {
		if (!at->self)
			return false;
	}
	return true;
}

/* Devices of ours on a bus and below it; INT_MAX if a guest has one. */
static int count_free(const struct pci_bus *bus)
{
	struct pcistub *stub;
	unsigned long sbdf;
	int nr = 0;

	lockdep_assert_held(&pcistub_registry_lock);

	xa_for_each(&pcistub_registry, sbdf, stub) {
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

static void hold_neighbours(struct pcistub *stub)
{
	struct pcistub *other;
	unsigned long sbdf;

	lockdep_assert_held(&pcistub_registry_lock);

	xa_for_each(&pcistub_registry, sbdf, other) {
		if (!is_below(other, stub->pdev->bus) ||
		    other->state == PCISTUB_CLEANING)
			continue;
		other->held_by = stub;
		other->clean_later = false;
		pcistub_set_state(other, PCISTUB_CLEANING);
	}
}

/**
 * pcistub_hold_bus - keep guests from all that a bus reset would hit
 * @stub: device that is to be reset
 *
 * The bus is walked without the registry lock: the core reports errors, for
 * which we need that lock, with the list of the bus's devices locked. One such
 * reset at a time: it is waited for by those that come to the same bus.
 *
 * Return: 0, to be followed by pcistub_unhold_bus(); -EALREADY: @stub is clean, by
 * a reset that was waited for; -ENOTTY: the bus has no reset; -EBUSY: a device on
 * it is a guest's, or not ours.
 */
int pcistub_hold_bus(struct pcistub *stub)
{
	struct pci_bus *bus = stub->pdev->bus;
	bool foreign;
	int err = 0;
	int nr = 0;

	if (pci_is_root_bus(bus))
		return -ENOTTY;
	lock_bus(stub);
	foreign = pcistub_for_each(is_foreign, bus);
	pci_walk_bus(bus, count_device, &nr);
	mutex_lock(&pcistub_registry_lock);
	if (stub->state == PCISTUB_CLEANING && stub->bus_cleaned) {
		pcistub_set_cleaned(stub, 0, true);
		err = -EALREADY;
	} else if (stub->state != PCISTUB_CLEANING || foreign ||
		   count_free(bus) != nr) {
		err = -EBUSY;
	} else {
		hold_neighbours(stub);
	}
	mutex_unlock(&pcistub_registry_lock);
	if (err)
		unlock_bus(stub);
	return err;
}

static void let_go(struct pcistub *stub, int err)
{
	stub->held_by = NULL;
	if (!err)
		pcistub_set_cleaned(stub, 0, true);
	else if (stub->clean_later)
		pcistub_queue_clean(stub);
	else
		pcistub_set_cleaned(stub, stub->reset_err, stub->reset_bus);
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

	mutex_lock(&pcistub_registry_lock);
	xa_for_each(&pcistub_registry, sbdf, other) {
		if (other->held_by == stub)
			let_go(other, err);
		/* One whose own reset is to come may have none but this. */
		else if (!err && is_below(other, stub->pdev->bus))
			other->bus_cleaned = true;
	}
	if (!err && stub->state == PCISTUB_CLEANING)
		pcistub_set_cleaned(stub, 0, true);
	mutex_unlock(&pcistub_registry_lock);
	unlock_bus(stub);
}
