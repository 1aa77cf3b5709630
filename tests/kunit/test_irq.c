// SPDX-License-Identifier: GPL-2.0
/* The interrupt modes of a claimed device, by the PCI core's own MSI code. */
#include <linux/irq.h>

#include "bed.h"

static int set_mode(struct pcistub *stub, enum pciback_irq_mode mode,
		    struct msix_entry *entries, int nr)
{
	int err;

	mutex_lock(&stub->lock);
	err = pciback_irq_set_mode(stub, mode, entries, nr);
	mutex_unlock(&stub->lock);
	return err;
}

/* Mode, what the core believes and what the device has must agree. */
static void expect_mode(struct kunit *test, struct pcistub *stub,
			enum pciback_irq_mode mode)
{
	const u8 *cfg = bed_host(test)->dev[0]->cfg;

	KUNIT_EXPECT_EQ(test, stub->irq.mode, mode);
	KUNIT_EXPECT_EQ(test, !!stub->pdev->msi_enabled,
			mode == PCIBACK_IRQ_MSI);
	KUNIT_EXPECT_EQ(test, !!stub->pdev->msix_enabled,
			mode == PCIBACK_IRQ_MSIX);
	KUNIT_EXPECT_EQ(test, cfg[FAKE_MSI_POS + PCI_MSI_FLAGS] & 1,
			mode == PCIBACK_IRQ_MSI);
	KUNIT_EXPECT_EQ(test, cfg[FAKE_MSIX_POS + PCI_MSIX_FLAGS + 1] >> 7,
			mode == PCIBACK_IRQ_MSIX);
}

static void from_every_mode_to_every_mode(struct kunit *test)
{
	static const enum pciback_irq_mode modes[] = {
		PCIBACK_IRQ_NONE, PCIBACK_IRQ_MSI, PCIBACK_IRQ_MSIX,
	};
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		for (k = 0; k < ARRAY_SIZE(modes); k++) {
			struct msix_entry entry[2] = { {}, { .entry = 1 } };
			/* More than one MSI needs an IOMMU on x86. */
			int nr = modes[i] == PCIBACK_IRQ_MSIX ? 2 : 1;

			KUNIT_EXPECT_EQ(test, set_mode(stub, modes[i], entry,
						       nr), 0);
			expect_mode(test, stub, modes[i]);
			KUNIT_EXPECT_EQ(test, set_mode(stub, modes[k], entry,
						       1), 0);
			expect_mode(test, stub, modes[k]);
		}
	}
}

static void bad_msix_requests(struct kunit *test)
{
	struct msix_entry twice[2] = { { .entry = 1 }, { .entry = 1 } };
	struct msix_entry beyond[1] = { { .entry = FAKE_NR_MSIX } };
	struct msix_entry many[FAKE_NR_MSIX + 1] = {};
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct msix_entry good[1] = {};

	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_MSIX, good, 1), 0);
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_MSIX, twice, 2),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_MSIX, beyond, 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_MSIX, many,
				       FAKE_NR_MSIX + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_MSIX, good, 0),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_MSI, NULL, 5),
			-EINVAL);
	/* What is known to be wrong leaves the mode alone. */
	expect_mode(test, stub, PCIBACK_IRQ_MSIX);
}

static void no_msix_without_decode(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct msix_entry entry[1] = {};

	pci_write_config_word(stub->pdev, PCI_COMMAND, 0);
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_MSIX, entry, 1),
			-ENXIO);
	expect_mode(test, stub, PCIBACK_IRQ_NONE);
}

/* Firmware left an irq in its register that is nobody's: see gsi.c. */
static void pin_that_is_routed_nowhere(struct kunit *test)
{
	struct fake_host *host = bed_host(test);
	struct fake_dev *dev = fake_host_add(host, 0, PCI_DEVFN(3, 0), BED_NIC);
	struct pcistub *stub;

	KUNIT_ASSERT_NOT_NULL(test, dev);
	dev->boot[PCI_INTERRUPT_PIN] = 1;
	dev->boot[PCI_INTERRUPT_LINE] = 0xff;
	bed_start(test);
	stub = bed_claim(test, 0);
	KUNIT_EXPECT_EQ(test, stub->pdev->pin, 1);
	KUNIT_EXPECT_EQ(test, stub->irq.line, 0);
	KUNIT_EXPECT_EQ(test, pciback_gsi(stub), 0);
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_INTX, NULL, 0),
			-ENODEV);
}

/* The core refuses a device that has MSI by other means. */
static int fail_msix(struct pcistub *stub)
{
	struct msix_entry entry[1] = {};
	int err;

	stub->pdev->msi_enabled = 1;
	err = set_mode(stub, PCIBACK_IRQ_MSIX, entry, 1);
	stub->pdev->msi_enabled = 0;
	return err;
}

/* Where no vector is to be had, the stand-in is there as before. */
static void standin_comes_back(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);

	bed_give_line(test, stub);
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_INTX, NULL, 0), 0);
	KUNIT_EXPECT_TRUE(test, stub->irq.ack);
	KUNIT_EXPECT_LT(test, fail_msix(stub), 0);
	expect_mode(test, stub, PCIBACK_IRQ_INTX);
	KUNIT_EXPECT_TRUE(test, stub->irq.ack);
	/* It is silent while there is MSI: who interrupts is another. */
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_MSI, NULL, 1), 0);
	expect_mode(test, stub, PCIBACK_IRQ_MSI);
	KUNIT_EXPECT_TRUE(test, stub->irq.standin);
	KUNIT_EXPECT_FALSE(test, stub->irq.ack);
	mutex_lock(&stub->lock);
	pciback_irq_end_msi(stub);
	mutex_unlock(&stub->lock);
	expect_mode(test, stub, PCIBACK_IRQ_INTX);
	KUNIT_EXPECT_TRUE(test, stub->irq.ack);
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_NONE, NULL, 0), 0);
	KUNIT_EXPECT_FALSE(test, stub->irq.ack);
	KUNIT_EXPECT_FALSE(test, stub->irq.standin);
	bed_take_line(stub);
}

static void interrupts(struct pcistub *stub, unsigned int nr)
{
	while (nr--) {
		local_irq_disable();
		generic_handle_irq(stub->irq.line);
		local_irq_enable();
	}
}

/*
 * It acks as long as a guest has the line, finds out when none has, and acks again
 * for the guest's next driver.
 */
static void standin_sees_the_guest_go_and_come(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_guest(test, stub->pdev);

	bed_give_line(test, stub);
	bed_decode(test, guest);
	interrupts(stub, 3000);
	KUNIT_EXPECT_TRUE(test, stub->irq.ack);
	fake_line_left = true;
	interrupts(stub, 1000);
	fake_line_left = false;
	KUNIT_EXPECT_FALSE(test, stub->irq.ack);
	KUNIT_EXPECT_EQ(test, stub->irq.handled, 4000);
	bed_decode(test, guest);
	KUNIT_EXPECT_TRUE(test, stub->irq.ack);
	bed_end_guest(test);
	bed_settle();
	KUNIT_EXPECT_FALSE(test, stub->irq.standin);
	bed_take_line(stub);
}

/* There and back: of vectors that are refused, a line and no interrupts. */
static void expect_barred(struct kunit *test, struct pcistub *stub)
{
	struct msix_entry entry[1] = {};

	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_INTX, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_MSIX, entry, 1),
			-EBUSY);
	expect_mode(test, stub, PCIBACK_IRQ_INTX);
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_MSI, NULL, 1), -EBUSY);
	expect_mode(test, stub, PCIBACK_IRQ_INTX);
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_NONE, NULL, 0), 0);
	expect_mode(test, stub, PCIBACK_IRQ_NONE);
}

static void fail_ten_times(struct kunit *test, struct pcistub *stub)
{
	unsigned int i;

	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, fail_msix(stub), -EINVAL);
	expect_barred(test, stub);
}

/* Ten failures end attempts for a minute, of MSI and MSI-X alone. */
static void too_many_failures(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct msix_entry entry[1] = {};

	bed_give_line(test, stub);
	fail_ten_times(test, stub);
	stub->limit[PCIBACK_MAY_MSI].last -= 61 * HZ;
	fail_ten_times(test, stub);
	stub->limit[PCIBACK_MAY_MSI].last -= 61 * HZ;
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_MSIX, entry, 1), 0);
	expect_mode(test, stub, PCIBACK_IRQ_MSIX);
	KUNIT_EXPECT_EQ(test, set_mode(stub, PCIBACK_IRQ_NONE, NULL, 0), 0);
	bed_take_line(stub);
}

static struct kunit_case irq_cases[] = {
	KUNIT_CASE(from_every_mode_to_every_mode),
	KUNIT_CASE(bad_msix_requests),
	KUNIT_CASE(no_msix_without_decode),
	KUNIT_CASE(pin_that_is_routed_nowhere),
	KUNIT_CASE(standin_comes_back),
	KUNIT_CASE(standin_sees_the_guest_go_and_come),
	KUNIT_CASE(too_many_failures),
	{}
};

struct kunit_suite irq_suite = {
	.name = "irq",
	.suite_init = bed_load,
	.suite_exit = bed_unload,
	.init = bed_init,
	.exit = bed_exit,
	.test_cases = irq_cases,
};
