// SPDX-License-Identifier: GPL-2.0
/*
 * What failed ten times for a guest is not tried again, until it was quiet; and
 * a device that is slow is not waited for in an interrupt.
 */
#include <linux/irq.h>

#include "bed.h"

#define MAX_FAILURES	10

static void be_quiet(struct pcistub *stub, enum pciback_may may)
{
	stub->limit[may].last -= 61 * HZ;
}

static void vpd_that_never_comes(struct kunit *test)
{
	const int addr = FAKE_VPD_POS + PCI_VPD_ADDR;
	struct pcistub *stub = bed_one_device(test, BED_NIC | FAKE_VPD);
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	struct fake_dev *dev = bed_host(test)->dev[0];
	unsigned int i;

	dev->vpd_reads = FAKE_VPD_NEVER;
	for (i = 0; i < MAX_FAILURES + 2; i++) {
		u32 flag = ~0U;

		KUNIT_EXPECT_EQ(test, fake_guest_write(guest, addr, 2, 8), 0);
		KUNIT_EXPECT_EQ(test, fake_guest_read(guest, addr, 2, &flag), 0);
		KUNIT_EXPECT_EQ(test, flag, 8);
	}
	KUNIT_EXPECT_EQ(test, dev->vpds, MAX_FAILURES);
	be_quiet(stub, PCIBACK_MAY_VPD);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, addr, 2, 8), 0);
	KUNIT_EXPECT_EQ(test, dev->vpds, MAX_FAILURES + 1);
}

static int ask_for_reset(struct fake_guest *guest)
{
	return fake_guest_write(guest, FAKE_PCIE_POS + PCI_EXP_DEVCTL, 2,
				PCI_EXP_DEVCTL_BCR_FLR);
}

static void reset_of_a_silent_device(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, FAKE_FLR);
	const struct fake_dev *dev = bed_host(test)->dev[0];
	struct fake_host *host = bed_host(test);
	unsigned int i;

	bed_guest(test, stub->pdev);
	for (i = 0; i < MAX_FAILURES; i++) {
		fake_host_watch(host, 0, 1);
		pciback_reset_for_guest(stub, stub->sess);
		KUNIT_EXPECT_GT(test, host->accesses, 0);
	}
	fake_host_watch(host, 0, 1);
	pciback_reset_for_guest(stub, stub->sess);
	KUNIT_EXPECT_EQ(test, host->accesses, 0);
	fake_host_watch(host, 0, 0);
	pciback_reset_for_guest(stub, stub->sess);
	KUNIT_EXPECT_EQ(test, dev->flrs, 1);
	be_quiet(stub, PCIBACK_MAY_FLR);
	pciback_reset_for_guest(stub, stub->sess);
	KUNIT_EXPECT_EQ(test, dev->flrs, 2);
}

/* What succeeds is not counted. */
static void resets_that_succeed(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, FAKE_FLR);
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	unsigned int i;

	for (i = 0; i < MAX_FAILURES + 2; i++)
		KUNIT_EXPECT_EQ(test, ask_for_reset(guest), 0);
	KUNIT_EXPECT_EQ(test, bed_host(test)->dev[0]->flrs,
			1 + MAX_FAILURES + 2);
}

/* What the device draws out is: the core logs it, and others wait. */
static void reset_that_takes_long(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, FAKE_FLR | FAKE_PM);
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	const int pmcsr = FAKE_PM_POS + PCI_PM_CTRL;

	bed_host(test)->read_ms = 20;
	KUNIT_EXPECT_EQ(test, ask_for_reset(guest), 0);
	KUNIT_EXPECT_EQ(test, stub->limit[PCIBACK_MAY_FLR].nr, 1);
	bed_host(test)->read_ms = 300;
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, pmcsr, 2, 3), 0);
	bed_host(test)->read_ms = 0;
	KUNIT_EXPECT_EQ(test, stub->limit[PCIBACK_MAY_SLEEP].nr, 1);
}

static void line_that_is_not_shared(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	const struct pciback_limit *limit = &stub->limit[PCIBACK_MAY_LINE];
	unsigned int i;

	bed_give_line(test, stub);
	irq_set_status_flags(stub->irq.line, IRQ_NOREQUEST);
	for (i = 1; i <= MAX_FAILURES + 2; i++) {
		bed_decode(test, guest);
		KUNIT_EXPECT_EQ(test, limit->nr, min(i, MAX_FAILURES + 0U));
	}
	irq_clear_status_flags(stub->irq.line, IRQ_NOREQUEST);
	bed_decode(test, guest);
	KUNIT_EXPECT_FALSE(test, stub->irq.standin);
	be_quiet(stub, PCIBACK_MAY_LINE);
	bed_decode(test, guest);
	KUNIT_EXPECT_TRUE(test, stub->irq.standin);
	bed_end_guest(test);
	bed_settle();
	KUNIT_EXPECT_FALSE(test, stub->irq.standin);
	bed_take_line(stub);
}

/* Of a register that only the device knows; may it be answered by now? */
static bool reads_in_the_event(struct kunit *test, struct fake_guest *guest,
			       struct pcistub *stub)
{
	struct xen_pci_op op = {
		.cmd = XEN_PCI_OP_conf_read, .offset = PCI_CACHE_LINE_SIZE,
		.size = 1,
	};
	bool now;

	/* Who reads in process waits for this. */
	mutex_lock(&stub->lock);
	fake_guest_post(guest, &op);
	now = wait_event_timeout(guest->wait, !(READ_ONCE(guest->page->flags) &
						XEN_PCIF_active), HZ / 2);
	mutex_unlock(&stub->lock);
	KUNIT_EXPECT_EQ(test, fake_guest_collect(guest, &op, FAKE_PATIENCE), 0);
	KUNIT_EXPECT_EQ(test, op.err, XEN_PCI_ERR_success);
	return now;
}

static void device_that_is_slow(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	unsigned int i;

	bed_host(test)->read_ms = 10;
	for (i = 0; i < MAX_FAILURES; i++)
		KUNIT_EXPECT_TRUE(test, reads_in_the_event(test, guest, stub));
	KUNIT_EXPECT_FALSE(test, reads_in_the_event(test, guest, stub));
	bed_host(test)->read_ms = 0;
	KUNIT_EXPECT_FALSE(test, reads_in_the_event(test, guest, stub));
	stub->slow.last -= 61 * HZ;
	KUNIT_EXPECT_TRUE(test, reads_in_the_event(test, guest, stub));
}

static struct kunit_case limit_cases[] = {
	KUNIT_CASE(vpd_that_never_comes),
	KUNIT_CASE(reset_of_a_silent_device),
	KUNIT_CASE(resets_that_succeed),
	KUNIT_CASE(reset_that_takes_long),
	KUNIT_CASE(line_that_is_not_shared),
	KUNIT_CASE(device_that_is_slow),
	{}
};

struct kunit_suite limit_suite = {
	.name = "limits",
	.suite_init = bed_load,
	.suite_exit = bed_unload,
	.init = bed_init,
	.exit = bed_exit,
	.test_cases = limit_cases,
};
