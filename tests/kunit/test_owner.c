// SPDX-License-Identifier: GPL-2.0
/* Who gets a device, and who does not. */
#include "bed.h"

#include <xen/pci.h>

/* One that has no reset. */
static struct pcistub *unclean(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);

	KUNIT_EXPECT_EQ(test, stub->state, PCISTUB_DIRTY);
	KUNIT_EXPECT_EQ(test, stub->reset_err, -ENOTTY);
	return stub;
}

static void expect_refused(struct kunit *test, struct pcistub *stub)
{
	bed_new_guest(test, stub->pdev);
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state-0"),
			XenbusStateClosed);
	KUNIT_EXPECT_LT(test, xen_find_device_domain_owner(stub->pdev), 0);
	KUNIT_EXPECT_EQ(test, stub->state, PCISTUB_DIRTY);
	bed_end_guest(test);
}

static void expect_given(struct kunit *test, struct pcistub *stub)
{
	bed_new_guest(test, stub->pdev);
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state-0"),
			XenbusStateInitialised);
	KUNIT_EXPECT_EQ(test, xen_find_device_domain_owner(stub->pdev),
			FAKE_DOMID);
	KUNIT_EXPECT_EQ(test, stub->state, PCISTUB_ASSIGNED);
	bed_end_guest(test);
	bed_settle();
}

/* It failed in a guest's hands, and then its reset did. */
static void broken_device_is_refused(struct kunit *test)
{
	struct pcistub *stub = unclean(test);

	WRITE_ONCE(stub->evict, PCIBACK_EVICT_FOR_GOOD);
	WRITE_ONCE(stub->reset_err, -EIO);
	expect_refused(test, stub);
	/* That it has no reset at all says nothing of that. */
	WRITE_ONCE(stub->reset_err, -ENOTTY);
	expect_given(test, stub);
	/* Nor does a reset that failed after a guest that was content. */
	WRITE_ONCE(stub->reset_err, -EIO);
	expect_given(test, stub);
}

static void strict_reset_refuses_what_is_unclean(struct kunit *test)
{
	struct pcistub *stub = unclean(test);

	WRITE_ONCE(stub->strict_reset, true);
	expect_refused(test, stub);
	WRITE_ONCE(stub->strict_reset, false);
	expect_given(test, stub);
}

/* Such as one that a toolstack left behind. */
static void owner_of_before_is_replaced(struct kunit *test)
{
	struct pcistub *stub = unclean(test);

	KUNIT_EXPECT_EQ(test, xen_register_device_domain_owner(stub->pdev,
							       FAKE_DOMID + 1),
			0);
	expect_given(test, stub);
	KUNIT_EXPECT_LT(test, xen_find_device_domain_owner(stub->pdev), 0);
}

static void gsi_for_a_toolstack(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);

	KUNIT_EXPECT_EQ(test, pcistub_gsi(stub->sbdf + 1), -ENODEV);
	KUNIT_EXPECT_EQ(test, pcistub_gsi(stub->sbdf), -ENOENT);
	bed_give_line(test, stub);
	KUNIT_EXPECT_EQ(test, pcistub_gsi(stub->sbdf), stub->irq.line + 1000);
	bed_take_line(stub);
}

static struct kunit_case owner_cases[] = {
	KUNIT_CASE(broken_device_is_refused),
	KUNIT_CASE(strict_reset_refuses_what_is_unclean),
	KUNIT_CASE(owner_of_before_is_replaced),
	KUNIT_CASE(gsi_for_a_toolstack),
	{}
};

struct kunit_suite owner_suite = {
	.name = "owner",
	.suite_init = bed_load,
	.suite_exit = bed_unload,
	.init = bed_init,
	.exit = bed_exit,
	.test_cases = owner_cases,
};
