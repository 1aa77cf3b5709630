// SPDX-License-Identifier: GPL-2.0
/* Claiming devices and giving them back. */
#include "bed.h"

#define ALL_BUT_RESETS	(FAKE_MSI | FAKE_MSIX)
#define ALL		(ALL_BUT_RESETS | FAKE_FLR | FAKE_PM | FAKE_AF)

static void one_device(struct kunit *test, unsigned long has)
{
	KUNIT_ASSERT_NOT_NULL(test, fake_host_add(bed_host(test), 0,
						  PCI_DEVFN(3, 0), has));
	bed_start(test);
}

static void claimed_device_decodes_and_does_no_dma(struct kunit *test)
{
	struct fake_dev *dev;

	one_device(test, ALL);
	dev = bed_host(test)->dev[0];
	pci_set_master(bed_pdev(test, 0));
	KUNIT_EXPECT_EQ(test, bed_claim(test, 0)->state, PCISTUB_FREE);
	KUNIT_EXPECT_EQ(test, dev->cfg[PCI_COMMAND] & PCI_COMMAND_MEMORY,
			PCI_COMMAND_MEMORY);
	KUNIT_EXPECT_EQ(test, dev->cfg[PCI_COMMAND] & PCI_COMMAND_MASTER, 0);
	KUNIT_EXPECT_EQ(test, fake_guarded, 1);
}

static void claim_and_release(struct kunit *test, unsigned long has,
			      unsigned int times)
{
	u8 *before = kunit_kmalloc(test, PCI_CFG_SPACE_EXP_SIZE, GFP_KERNEL);
	struct fake_dev *dev;
	unsigned int refs;

	KUNIT_ASSERT_NOT_NULL(test, before);
	one_device(test, has);
	dev = bed_host(test)->dev[0];
	memcpy(before, dev->cfg, sizeof(dev->cfg));
	bed_want(test, bed_pdev(test, 0));
	refs = kref_read(&bed_pdev(test, 0)->dev.kobj.kref);
	while (times--) {
		KUNIT_ASSERT_EQ(test, bed_try_claim(bed_pdev(test, 0)), 0);
		/* Now and then while it is still being reset. */
		if (times % 3)
			bed_settle();
		bed_release(bed_pdev(test, 0));
		bed_settle();
		KUNIT_ASSERT_EQ(test, kref_read(&bed_pdev(test, 0)->dev.kobj.kref),
				refs);
		KUNIT_ASSERT_EQ(test, memcmp(before, dev->cfg,
					     sizeof(dev->cfg)), 0);
	}
}

static void claim_100_times(struct kunit *test)
{
	claim_and_release(test, ALL_BUT_RESETS, 100);
}

static void claim_with_resets(struct kunit *test)
{
	claim_and_release(test, ALL, 5);
}

static void bridge_is_not_claimed(struct kunit *test)
{
	KUNIT_ASSERT_NOT_NULL(test, fake_host_add(bed_host(test), 0,
						  PCI_DEVFN(1, 0), FAKE_BRIDGE));
	bed_start(test);
	bed_want(test, bed_pdev(test, 0));
	KUNIT_EXPECT_EQ(test, bed_try_claim(bed_pdev(test, 0)), -ENODEV);
}

static void two_at_once(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_NOT_NULL(test, fake_host_add(bed_host(test), 0,
							  PCI_DEVFN(3, i),
							  ALL_BUT_RESETS));
	bed_host(test)->dev[0]->boot[PCI_HEADER_TYPE] = 0x80;
	bed_start(test);
	bed_claim(test, 0);
	bed_claim(test, 1);
}

/* ---- capability lists that no device should have ---- */

/* Writes a few bytes into the config space that a device has after a reset. */
struct poke {
	u16 at;
	u8 val;
};

static const struct malformed {
	const char *name;
	struct poke poke[4];
} malformed[] = {
	{ "points to itself", { { 0x34, 0x40 }, { 0x40, 0x09 }, { 0x41, 0x40 } } },
	{ "loops", { { 0x34, 0x40 }, { 0x41, 0x48 }, { 0x49, 0x40 } } },
	{ "into the header", { { 0x34, 0x04 } } },
	{ "not aligned", { { 0x34, 0x53 } } },
	{ "at the end", { { 0x34, 0xfc }, { 0xfc, PCI_CAP_ID_MSI } } },
	{ "MSI-X at the end", { { 0x34, 0xfc }, { 0xfc, PCI_CAP_ID_MSIX } } },
	{ "PCIe at the end", { { 0x34, 0xf8 }, { 0xf8, PCI_CAP_ID_EXP } } },
	{ "PM at the end", { { 0x34, 0xfc }, { 0xfc, PCI_CAP_ID_PM } } },
	{ "all ones", { { 0x34, 0xf0 }, { 0xf0, 0xff }, { 0xf1, 0xff } } },
	{ "MSI in MSI", { { 0x51, 0x54 }, { 0x54, PCI_CAP_ID_MSI } } },
	{ "MSI-X twice", { { 0x71, 0x78 }, { 0x78, PCI_CAP_ID_MSIX } } },
	{ "MSI-X table behind the BAR",
	  { { 0x72, 0xff }, { 0x73, 0x07 }, { 0x77, 0xff } } },
	{ "MSI-X table in no BAR", { { 0x74, 0x05 } } },
	{ "MSI-X table in BAR 7", { { 0x74, 0x07 } } },
	{ "a VPD", { { 0x34, 0xe0 }, { 0xe0, PCI_CAP_ID_VPD } } },
	{ "vendor specific of no length", { { 0x34, 0xe0 },
					    { 0xe0, PCI_CAP_ID_VNDR } } },
	{ "vendor specific too long", { { 0x34, 0xe0 }, { 0xe2, 0xff },
					{ 0xe0, PCI_CAP_ID_VNDR } } },
	{ "extended loops", { { 0x100, 0x03 }, { 0x102, 0x01 }, { 0x103, 0x10 } } },
	{ "extended into the header", { { 0x100, 0x03 }, { 0x103, 0x04 } } },
	{ "extended AER at the end", { { 0x100, 0x0b }, { 0x103, 0xff },
				       { 0x102, 0xc1 }, { 0xffc, 0x01 } } },
	{ "extended all ones", { { 0x100, 0xff }, { 0x101, 0xff },
				 { 0x102, 0xff }, { 0x103, 0xff } } },
};

/* A guest's reads come to an end. */
static void read_all(struct kunit *test, struct pcistub *stub)
{
	unsigned int pos;
	u32 val;

	mutex_lock(&stub->lock);
	pcistub_conf_begin(stub);
	for (pos = 0; pos < stub->conf->size; pos += 4)
		KUNIT_EXPECT_EQ(test, pciback_conf_read(stub->conf, pos, 4,
							&val), 0);
	pcistub_conf_end(stub);
	mutex_unlock(&stub->lock);
}

/* Nor does the core's MSI code fall over it. */
static void use_it(struct kunit *test, struct pcistub *stub)
{
	struct msix_entry entry = {};

	read_all(test, stub);
	mutex_lock(&stub->lock);
	pciback_irq_set_mode(stub, PCIBACK_IRQ_MSIX, &entry, 1);
	pciback_irq_set_mode(stub, PCIBACK_IRQ_MSI, NULL, 1);
	mutex_unlock(&stub->lock);
}

/* What is malformed is hidden, and the device is claimed without it. */
static void malformed_capabilities(struct kunit *test)
{
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		struct fake_dev *dev = fake_host_add(bed_host(test), 0,
						     PCI_DEVFN(3, 0),
						     ALL_BUT_RESETS | FAKE_PCIE);

		KUNIT_ASSERT_NOT_NULL(test, dev);
		for (k = 0; k < ARRAY_SIZE(malformed[i].poke); k++)
			if (malformed[i].poke[k].at)
				dev->boot[malformed[i].poke[k].at] =
					malformed[i].poke[k].val;
		kunit_info(test, "%s\n", malformed[i].name);
		bed_start(test);
		use_it(test, bed_claim(test, 0));
		bed_new_host(test);
	}
}

static struct kunit_case claim_cases[] = {
	KUNIT_CASE(claimed_device_decodes_and_does_no_dma),
	KUNIT_CASE(claim_100_times),
	KUNIT_CASE(claim_with_resets),
	KUNIT_CASE(bridge_is_not_claimed),
	KUNIT_CASE(two_at_once),
	KUNIT_CASE(malformed_capabilities),
	{}
};

struct kunit_suite claim_suite = {
	.name = "claim",
	.suite_init = bed_load,
	.suite_exit = bed_unload,
	.init = bed_init,
	.exit = bed_exit,
	.test_cases = claim_cases,
};
