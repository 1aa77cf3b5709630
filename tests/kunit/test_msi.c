// SPDX-License-Identifier: GPL-2.0
/* MSI by a guest's requests, and by the bits that its device model writes. */
#include "bed.h"

#define MSI_FLAGS	(FAKE_MSI_POS + PCI_MSI_FLAGS)
#define MSIX_FLAGS	(FAKE_MSIX_POS + PCI_MSIX_FLAGS)

/* Not in Linux's io/pciif.h. */
#define ENABLE_MULTI_MSI 10

/* Where nobody knows a register. */
#define GAP		0xf0

static u16 word_at(struct kunit *test, unsigned int pos)
{
	const u8 *cfg = bed_host(test)->dev[0]->cfg;

	return cfg[pos] | cfg[pos + 1] << 8;
}

/* ---- bits ---- */

static void bits_are_denied_without_leave(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	u16 msi = word_at(test, MSI_FLAGS), msix = word_at(test, MSIX_FLAGS);

	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, MSI_FLAGS, 2,
					       msi | PCI_MSI_FLAGS_ENABLE),
			XEN_PCI_ERR_access_denied);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, MSIX_FLAGS, 2,
					       msix | PCI_MSIX_FLAGS_ENABLE),
			XEN_PCI_ERR_access_denied);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, MSIX_FLAGS, 2,
					       msix | PCI_MSIX_FLAGS_MASKALL),
			XEN_PCI_ERR_access_denied);
	KUNIT_EXPECT_EQ(test, word_at(test, MSI_FLAGS), msi);
	KUNIT_EXPECT_EQ(test, word_at(test, MSIX_FLAGS), msix);
}

/* XSA-157. */
static void one_kind_at_a_time(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	u16 msi = word_at(test, MSI_FLAGS), msix = word_at(test, MSIX_FLAGS);
	u16 msi_on = msi | PCI_MSI_FLAGS_ENABLE;
	u16 msix_on = msix | PCI_MSIX_FLAGS_ENABLE;
	u16 masked = msix | PCI_MSIX_FLAGS_MASKALL;

	WRITE_ONCE(stub->intx_control, true);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, MSI_FLAGS, 2, msi_on), 0);
	KUNIT_EXPECT_EQ(test, word_at(test, MSI_FLAGS), msi_on);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, MSIX_FLAGS, 2, msix_on),
			XEN_PCI_ERR_access_denied);
	KUNIT_EXPECT_EQ(test, word_at(test, MSIX_FLAGS), msix);
	/* What enables nothing is no second kind. */
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, MSIX_FLAGS, 2, masked), 0);
	KUNIT_EXPECT_EQ(test, word_at(test, MSIX_FLAGS), masked);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, MSI_FLAGS, 2, msi), 0);
	KUNIT_EXPECT_EQ(test, word_at(test, MSI_FLAGS), msi);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, MSIX_FLAGS, 2, msix_on),
			0);
	KUNIT_EXPECT_EQ(test, word_at(test, MSIX_FLAGS), msix_on);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, MSI_FLAGS, 2, msi_on),
			XEN_PCI_ERR_access_denied);
	KUNIT_EXPECT_EQ(test, word_at(test, MSI_FLAGS), msi);
}

/* No reset does it for us, and the core knows only of half of this. */
static struct pcistub *device_that_keeps_all(struct kunit *test)
{
	struct fake_dev *dev = fake_host_add(bed_host(test), 0, PCI_DEVFN(3, 0),
					     BED_NIC | FAKE_PM);

	KUNIT_ASSERT_NOT_NULL(test, dev);
	dev->boot[FAKE_PM_POS + PCI_PM_CTRL] = PCI_PM_CTRL_NO_SOFT_RESET;
	dev->rw[FAKE_PM_POS + PCI_PM_CTRL + 1] = PCI_PM_CTRL_DATA_SEL_MASK >> 8;
	memset(&dev->rw[GAP], 0xff, 4);
	bed_start(test);
	return bed_claim(test, 0);
}

/* Whatever a guest can change, each of it seen to change. */
static void change_all(struct kunit *test, struct fake_guest *guest)
{
	static const struct {
		u16 at, bits;
	} writes[] = {
		{ PCI_CACHE_LINE_SIZE, 0x0010 },
		{ GAP, 0x5678 }, { GAP + 2, 0x1234 },
		{ FAKE_PM_POS + PCI_PM_CTRL, 0x0400 },
		{ FAKE_PCIE_POS + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_NOSNOOP_EN },
		{ MSIX_FLAGS, PCI_MSIX_FLAGS_MASKALL },
		{ MSI_FLAGS, PCI_MSI_FLAGS_ENABLE },
	};
	u8 *cfg = bed_host(test)->dev[0]->cfg;
	unsigned int i;

	/* The last message stays: Xen writes it, behind the core's back. */
	cfg[FAKE_MSI_POS + PCI_MSI_ADDRESS_LO + 2] = 0xe0;
	cfg[FAKE_MSI_POS + PCI_MSI_ADDRESS_HI] = 0x01;
	cfg[FAKE_MSI_POS + PCI_MSI_DATA_64] = 0x41;
	bed_master(test, guest);
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		KUNIT_EXPECT_EQ(test, fake_guest_write(guest, writes[i].at, 2,
						       writes[i].bits), 0);
		KUNIT_EXPECT_EQ(test, word_at(test, writes[i].at) &
				writes[i].bits, writes[i].bits);
	}
}

static void next_guest_finds_nothing_of_the_last(struct kunit *test)
{
	u8 *before = kunit_kmalloc(test, PCI_CFG_SPACE_EXP_SIZE, GFP_KERNEL);
	struct pcistub *stub = device_that_keeps_all(test);
	const u8 *cfg = bed_host(test)->dev[0]->cfg;
	struct fake_guest *guest;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, before);
	KUNIT_EXPECT_EQ(test, stub->reset_err, -ENOTTY);
	memcpy(before, cfg, PCI_CFG_SPACE_EXP_SIZE);
	guest = bed_guest(test, stub->pdev);
	WRITE_ONCE(stub->permissive, true);
	change_all(test, guest);
	bed_end_guest(test);
	bed_settle();
	for (i = 0; i < PCI_CFG_SPACE_EXP_SIZE; i++)
		if (cfg[i] != before[i])
			KUNIT_FAIL(test, "%#x is %#x, was %#x", i, cfg[i],
				   before[i]);
	KUNIT_EXPECT_FALSE(test, stub->permissive);
}

/* ---- requests ---- */

static void one_vector_of_many(struct kunit *test)
{
	struct pci_dev *pdev = bed_one_device(test, BED_NIC)->pdev;
	struct fake_guest *guest = bed_guest(test, pdev);
	struct xen_pci_op op = { .info = 1 };

	KUNIT_EXPECT_EQ(test, fake_guest_cmd(guest, &op, ENABLE_MULTI_MSI), 0);
	KUNIT_EXPECT_EQ(test, op.value, pdev->irq + 1000);
	KUNIT_EXPECT_EQ(test, op.info, 1);
	KUNIT_EXPECT_TRUE(test, pdev->msi_enabled);
	KUNIT_EXPECT_EQ(test, fake_guest_cmd(guest, &op, XEN_PCI_OP_disable_msi),
			0);
	KUNIT_EXPECT_FALSE(test, pdev->msi_enabled);
}

/* The guest learns how many the device has. */
static void more_vectors_than_there_are(struct kunit *test)
{
	static const u32 nr[] = { 0, 5, 33, ~0U };
	struct pci_dev *pdev = bed_one_device(test, BED_NIC)->pdev;
	struct fake_guest *guest = bed_guest(test, pdev);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nr); i++) {
		struct xen_pci_op op = { .info = nr[i], .value = 77 };

		KUNIT_EXPECT_EQ(test, fake_guest_cmd(guest, &op,
						     ENABLE_MULTI_MSI),
				XEN_PCI_ERR_op_failed);
		KUNIT_EXPECT_EQ(test, op.value, 0);
		KUNIT_EXPECT_EQ(test, op.info, 4);
		KUNIT_EXPECT_FALSE(test, pdev->msi_enabled);
	}
}

static void failed_request_has_no_value(struct kunit *test)
{
	static const u32 cmds[] = {
		XEN_PCI_OP_enable_msi, XEN_PCI_OP_enable_msix, ENABLE_MULTI_MSI,
	};
	struct pci_dev *pdev = bed_one_device(test, BED_NIC)->pdev;
	struct fake_guest *guest = bed_guest(test, pdev);
	unsigned int i;

	pdev->no_msi = 1;
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		struct xen_pci_op op = { .info = 1, .value = 1 };

		KUNIT_EXPECT_EQ(test, fake_guest_cmd(guest, &op, cmds[i]),
				XEN_PCI_ERR_op_failed);
		KUNIT_EXPECT_EQ(test, op.value, 0);
	}
	pdev->no_msi = 0;
}

static void bad_vectors_have_no_value(struct kunit *test)
{
	static const u32 nr[] = { 0, 2, SH_INFO_MAX_VEC + 1, ~0U };
	struct pci_dev *pdev = bed_one_device(test, BED_NIC)->pdev;
	struct fake_guest *guest = bed_guest(test, pdev);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nr); i++) {
		/* Twice the same. */
		struct xen_pci_op op = {
			.value = nr[i],
			.msix_entries = { { .entry = 1 }, { .entry = 1 } },
		};

		KUNIT_EXPECT_EQ(test, fake_guest_cmd(guest, &op,
						     XEN_PCI_OP_enable_msix),
				XEN_PCI_ERR_op_failed);
		KUNIT_EXPECT_EQ(test, op.value, 0);
		KUNIT_EXPECT_EQ(test, op.msix_entries[0].vector, 0);
		KUNIT_EXPECT_FALSE(test, pdev->msix_enabled);
	}
}

/* A guest that ends MSI learns what to go back to. */
static void end_of_msi_names_the_line(struct kunit *test)
{
	static const u32 on[] = { XEN_PCI_OP_enable_msi, XEN_PCI_OP_enable_msix };
	static const u32 off[] = {
		XEN_PCI_OP_disable_msi, XEN_PCI_OP_disable_msix,
	};
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	struct xen_pci_op op = { .value = 1 };
	unsigned int i;

	KUNIT_EXPECT_EQ(test, fake_guest_cmd(guest, &op, off[0]), 0);
	KUNIT_EXPECT_EQ(test, op.value, 0);
	bed_give_line(test, stub);
	for (i = 0; i < ARRAY_SIZE(on); i++) {
		op.value = 1;
		KUNIT_EXPECT_EQ(test, fake_guest_cmd(guest, &op, on[i]), 0);
		KUNIT_EXPECT_EQ(test, fake_guest_cmd(guest, &op, off[i]), 0);
		KUNIT_EXPECT_EQ(test, op.value, stub->irq.gsi);
	}
	bed_take_line(stub);
}

/* What it wakes up with is from before the end. */
static void msi_that_ends_while_asleep(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC | FAKE_PM);
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	struct xen_pci_op op = { .value = 1 };
	u16 at = FAKE_PM_POS + PCI_PM_CTRL;

	KUNIT_EXPECT_EQ(test, fake_guest_cmd(guest, &op, XEN_PCI_OP_enable_msi),
			0);
	KUNIT_EXPECT_TRUE(test, word_at(test, PCI_COMMAND) &
			  PCI_COMMAND_INTX_DISABLE);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, at, 2, 3), 0);
	KUNIT_EXPECT_EQ(test, fake_guest_cmd(guest, &op,
					     XEN_PCI_OP_disable_msi), 0);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, at, 2, 0), 0);
	KUNIT_EXPECT_FALSE(test, word_at(test, PCI_COMMAND) &
			   PCI_COMMAND_INTX_DISABLE);
}

static struct kunit_case msi_cases[] = {
	KUNIT_CASE(bits_are_denied_without_leave),
	KUNIT_CASE(one_kind_at_a_time),
	KUNIT_CASE(next_guest_finds_nothing_of_the_last),
	KUNIT_CASE(one_vector_of_many),
	KUNIT_CASE(more_vectors_than_there_are),
	KUNIT_CASE(failed_request_has_no_value),
	KUNIT_CASE(bad_vectors_have_no_value),
	KUNIT_CASE(end_of_msi_names_the_line),
	KUNIT_CASE(msi_that_ends_while_asleep),
	{}
};

struct kunit_suite msi_suite = {
	.name = "msi",
	.suite_init = bed_load,
	.suite_exit = bed_unload,
	.init = bed_init,
	.exit = bed_exit,
	.test_cases = msi_cases,
};
