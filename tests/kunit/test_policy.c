// SPDX-License-Identifier: GPL-2.0
/*
 * What reaches a device when a guest writes everything everywhere, the PCI core
 * being the real one. The device takes each bit that it is sent.
 */
#include "bed.h"

/* Bits of hardware that a guest may change; by reading the policy's text. */
static const struct grant {
	u16 at;
	u16 bits;
} grants[] = {
	{ PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_INVALIDATE },
	{ PCI_STATUS, 0xf900 },
	{ PCI_CACHE_LINE_SIZE, 0x00ff },
	{ PCI_HEADER_TYPE, PCI_BIST_START << 8 },
	{ FAKE_PM_POS + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK |
				     PCI_PM_CTRL_DATA_SEL_MASK },
	{ FAKE_PCIE_POS + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_READRQ |
					  PCI_EXP_DEVCTL_NOSNOOP_EN |
					  PCI_EXP_DEVCTL_RELAX_EN },
	{ FAKE_PCIE_POS + PCI_EXP_DEVSTA, 0x000f },
};

/* What permissive opens for a device model, see irq.c. */
static const struct grant opened[] = {
	{ FAKE_MSI_POS + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE },
	{ FAKE_MSIX_POS + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE |
					  PCI_MSIX_FLAGS_MASKALL },
	/* And what nobody knows. */
	{ 0xf0, 0xffff },
};

/* What permissive must not open: decode, BARs, MSI, the chain. */
static const struct grant never[] = {
	{ PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY },
	{ PCI_BASE_ADDRESS_0, 0xffff }, { PCI_BASE_ADDRESS_0 + 2, 0xffff },
	{ PCI_BASE_ADDRESS_1, 0xffff }, { PCI_BASE_ADDRESS_1 + 2, 0xffff },
	{ PCI_CAPABILITY_LIST, 0x00ff },
	{ FAKE_MSI_POS, 0xffff },
	{ FAKE_MSI_POS + PCI_MSI_FLAGS, (u16)~PCI_MSI_FLAGS_ENABLE },
	{ FAKE_MSI_POS + PCI_MSI_ADDRESS_LO, 0xffff },
	{ FAKE_MSI_POS + PCI_MSI_ADDRESS_LO + 2, 0xffff },
	{ FAKE_MSI_POS + PCI_MSI_DATA_64, 0xffff },
	{ FAKE_MSIX_POS, 0xffff },
	{ FAKE_MSIX_POS + PCI_MSIX_FLAGS, (u16)~(PCI_MSIX_FLAGS_ENABLE |
						 PCI_MSIX_FLAGS_MASKALL) },
	{ FAKE_MSIX_POS + PCI_MSIX_TABLE, 0xffff },
	{ FAKE_AF_POS + PCI_AF_CTRL, 0x00ff },
	{ FAKE_PCIE_POS + PCI_EXP_LNKCTL, 0xffff },
};

static struct pcistub *sponge(struct kunit *test)
{
	struct fake_dev *dev = fake_host_add(bed_host(test), 0, PCI_DEVFN(3, 0),
					     FAKE_PM | FAKE_MSI | FAKE_MSIX |
					     FAKE_PCIE | FAKE_AF);
	struct pcistub *stub;

	KUNIT_ASSERT_NOT_NULL(test, dev);
	bed_start(test);
	stub = bed_claim(test, 0);
	memset(dev->rw, 0xff, sizeof(dev->rw));
	/* But for its resets, which the core would find failing. */
	dev->rw[FAKE_AF_POS + PCI_AF_CTRL] = 0;
	return stub;
}

static void write_everything(struct pcistub *stub, bool permissive,
			     u8 *changed)
{
	/* The last has MSI-X's enable bit set, and MSI's clear. */
	static const u32 values[] = {
		~0U, 0, 0xa5a5a5a5, 0x5a5a5a5a, 0x80808080,
	};
	const struct fake_dev *dev;
	struct pciback_denied denied;
	unsigned int i, pos, size, at;
	u8 before[PCI_CFG_SPACE_SIZE];

	dev = container_of((struct pci_sysdata *)stub->pdev->bus->sysdata,
			   struct fake_host, sysdata)->dev[0];
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		for (size = 1; size <= 4; size *= 2) {
			for (pos = 0; pos < PCI_CFG_SPACE_SIZE; pos += size) {
				memcpy(before, dev->cfg, sizeof(before));
				pciback_conf_write(stub->conf, pos, size,
						   values[i], permissive,
						   &denied);
				for (at = 0; at < sizeof(before); at++)
					changed[at] |= before[at] ^
						       dev->cfg[at];
			}
		}
	}
}

/* Runs all writes as the slow path does; the bits of hardware that changed. */
static void attack(struct kunit *test, struct pcistub *stub, bool permissive,
		   u8 *changed)
{
	memset(changed, 0, PCI_CFG_SPACE_SIZE);
	WRITE_ONCE(stub->permissive, permissive);
	mutex_lock(&stub->lock);
	pcistub_conf_begin(stub);
	write_everything(stub, pcistub_permissive(stub), changed);
	pci_set_power_state(stub->pdev, PCI_D0);
	pcistub_conf_end(stub);
	stub->chore = PCIBACK_CHORE_NONE;
	mutex_unlock(&stub->lock);
	bed_settle();
}

static void guest_changes_what_is_granted(struct kunit *test)
{
	u8 *changed = kunit_kmalloc(test, PCI_CFG_SPACE_SIZE, GFP_KERNEL);
	u8 granted[PCI_CFG_SPACE_SIZE] = {};
	struct pcistub *stub = sponge(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, changed);
	for (i = 0; i < ARRAY_SIZE(grants); i++) {
		granted[grants[i].at] |= grants[i].bits;
		granted[grants[i].at + 1] |= grants[i].bits >> 8;
	}
	attack(test, stub, false, changed);
	for (i = 0; i < PCI_CFG_SPACE_SIZE; i++) {
		if (changed[i] & ~granted[i])
			KUNIT_FAIL(test, "%#x: bits %#x changed, granted %#x",
				   i, changed[i], granted[i]);
	}
	/* And what is granted does work. */
	KUNIT_EXPECT_EQ(test, changed[PCI_CACHE_LINE_SIZE], 0xff);
	KUNIT_EXPECT_TRUE(test, changed[PCI_COMMAND] & PCI_COMMAND_MASTER);
	KUNIT_EXPECT_NE(test, changed[FAKE_PM_POS + PCI_PM_CTRL], 0);
	KUNIT_EXPECT_NE(test, changed[FAKE_PCIE_POS + PCI_EXP_DEVCTL], 0);
}

static u16 bits_at(const u8 *changed, const struct grant *grant)
{
	return (changed[grant->at] | changed[grant->at + 1] << 8) & grant->bits;
}

static void permissive_has_its_limits(struct kunit *test)
{
	u8 *changed = kunit_kmalloc(test, PCI_CFG_SPACE_SIZE, GFP_KERNEL);
	struct pcistub *stub = sponge(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, changed);
	attack(test, stub, true, changed);
	for (i = 0; i < ARRAY_SIZE(never); i++) {
		u16 bits = bits_at(changed, &never[i]);

		if (bits)
			KUNIT_FAIL(test, "%#x: bits %#x changed", never[i].at,
				   bits);
	}
	for (i = 0; i < ARRAY_SIZE(opened); i++)
		KUNIT_EXPECT_EQ(test, bits_at(changed, &opened[i]),
				opened[i].bits);
}

static struct kunit_case policy_cases[] = {
	KUNIT_CASE(guest_changes_what_is_granted),
	KUNIT_CASE(permissive_has_its_limits),
	{}
};

struct kunit_suite policy_suite = {
	.name = "policy",
	.suite_init = bed_load,
	.suite_exit = bed_unload,
	.init = bed_init,
	.exit = bed_exit,
	.test_cases = policy_cases,
};
