// SPDX-License-Identifier: GPL-2.0
/* A guest's requests. */
#include <linux/delay.h>
#include <linux/kthread.h>

#include "bed.h"

static struct pci_dev *one_device(struct kunit *test)
{
	return bed_one_device(test, BED_NIC)->pdev;
}

/* ---- requests ---- */

static void config_is_read_and_written(struct kunit *test)
{
	struct fake_guest *guest = bed_guest(test, one_device(test));
	u32 val;

	KUNIT_EXPECT_EQ(test, fake_guest_read(guest, PCI_VENDOR_ID, 4, &val), 0);
	KUNIT_EXPECT_EQ(test, val, 0xfa4e1b36);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, PCI_CACHE_LINE_SIZE, 1,
					       0x10), 0);
	KUNIT_EXPECT_EQ(test, bed_host(test)->dev[0]->cfg[PCI_CACHE_LINE_SIZE],
			0x10);
	KUNIT_EXPECT_EQ(test, fake_guest_read(guest, 4096, 4, &val),
			XEN_PCI_ERR_invalid_offset);
}

/* Some devices lose it in a reset that their driver makes. */
static void decode_comes_back_when_it_is_turned_on(struct kunit *test)
{
	struct fake_guest *guest = bed_guest(test, one_device(test));
	u8 *cmd = &bed_host(test)->dev[0]->cfg[PCI_COMMAND];

	bed_decode(test, guest);
	KUNIT_ASSERT_TRUE(test, *cmd & PCI_COMMAND_MEMORY);
	*cmd = 0;
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, PCI_COMMAND, 2, 0), 0);
	bed_decode(test, guest);
	KUNIT_EXPECT_TRUE(test, *cmd & PCI_COMMAND_MEMORY);
	/* Or its driver writes what it wrote before. */
	*cmd = 0;
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, PCI_COMMAND, 2,
					       PCI_COMMAND_MEMORY), 0);
	KUNIT_EXPECT_TRUE(test, *cmd & PCI_COMMAND_MEMORY);
}

/* EOIs are on their way when the answer is there. */
static unsigned int spurious_events(struct fake_guest *guest)
{
	wait_event_timeout(guest->wait, !READ_ONCE(guest->busy) &&
			   !READ_ONCE(guest->pending), FAKE_PATIENCE);
	return guest->spurious;
}

/* A guest that sends events for nothing is slowed down by Xen's rules. */
static void event_for_nothing_is_spurious(struct kunit *test)
{
	struct fake_guest *guest = bed_guest(test, one_device(test));
	unsigned int nr = spurious_events(guest);
	struct xen_pci_op op = {};
	u32 val;

	KUNIT_EXPECT_EQ(test, fake_guest_read(guest, PCI_VENDOR_ID, 4, &val), 0);
	KUNIT_EXPECT_EQ(test, spurious_events(guest), nr);
	KUNIT_EXPECT_EQ(test, fake_guest_cmd(guest, &op, XEN_PCI_OP_enable_msi),
			0);
	KUNIT_EXPECT_EQ(test, spurious_events(guest), nr);
	fake_guest_event(guest);
	KUNIT_EXPECT_EQ(test, spurious_events(guest), nr + 1);
}

static void msix_by_request(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);
	struct fake_guest *guest = bed_guest(test, pdev);
	struct xen_pci_op op = {
		.cmd = XEN_PCI_OP_enable_msix, .value = 2,
		.msix_entries = { {}, { .entry = 5 } },
	};

	KUNIT_EXPECT_EQ(test, fake_guest_op(guest, &op), 0);
	KUNIT_EXPECT_EQ(test, op.err, XEN_PCI_ERR_success);
	KUNIT_EXPECT_EQ(test, op.value, 0);
	KUNIT_EXPECT_NE(test, op.msix_entries[1].vector, 0);
	KUNIT_EXPECT_TRUE(test, pdev->msix_enabled);
	op.cmd = XEN_PCI_OP_disable_msix;
	KUNIT_EXPECT_EQ(test, fake_guest_op(guest, &op), 0);
	KUNIT_EXPECT_FALSE(test, pdev->msix_enabled);
	/* The next guest finds nothing of it. */
	op.cmd = XEN_PCI_OP_enable_msix;
	op.value = 1;
	KUNIT_EXPECT_EQ(test, fake_guest_op(guest, &op), 0);
	bed_end_guest(test);
	KUNIT_EXPECT_FALSE(test, pdev->msix_enabled);
}

/* Xen would write vectors of a device that the guest may keep from decoding. */
static void msix_ends_before_config_is_restored(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC | FAKE_FLR |
					      FAKE_PM);
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	const int pmcsr = FAKE_PM_POS + PCI_PM_CTRL;

	bed_decode(test, guest);
	bed_begin_msix(test, guest);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, FAKE_PCIE_POS +
					       PCI_EXP_DEVCTL, 2,
					       PCI_EXP_DEVCTL_BCR_FLR), 0);
	KUNIT_EXPECT_FALSE(test, stub->pdev->msix_enabled);
	bed_begin_msix(test, guest);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, pmcsr, 2, 3), 0);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, pmcsr, 2, 0), 0);
	KUNIT_EXPECT_FALSE(test, stub->pdev->msix_enabled);
	bed_begin_msix(test, guest);
}

static void page_that_cannot_be_mapped(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);
	struct fake_guest *guest;

	fake_map_err = -ENOENT;
	guest = fake_guest_create(pdev);
	KUNIT_ASSERT_NOT_NULL(test, guest);
	KUNIT_EXPECT_EQ(test, fake_guest_probe(guest), 0);
	fake_guest_changed();
	KUNIT_EXPECT_EQ(test, fake_guest_publish(guest), 0);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateClosing), 0);
	fake_map_err = 0;
	fake_guest_destroy(guest);
	bed_settle();
	put_device(&guest->xdev.dev);
	fake_guest_forget();
}

/* ---- requests that come too late ---- */

/* Asks for an MSI while the device is locked; returns when that waits. */
static void ask_and_wait(struct kunit *test, struct fake_guest *guest,
			 struct pcistub *stub)
{
	const struct xen_pci_op op = { .cmd = XEN_PCI_OP_enable_msi };
	unsigned long end = jiffies + FAKE_PATIENCE;
	unsigned int refs;

	bed_settle();
	refs = kref_read(&stub->ref);
	mutex_lock(&stub->lock);
	fake_guest_post(guest, &op);
	/* The request has found the device, and holds on to it. */
	while (kref_read(&stub->ref) == refs && time_before(jiffies, end))
		msleep(20);
	KUNIT_EXPECT_EQ(test, kref_read(&stub->ref), refs + 1);
}

static void expect_refusal(struct kunit *test, struct fake_guest *guest,
			   struct pcistub *stub)
{
	struct xen_pci_op op;

	KUNIT_EXPECT_EQ(test, fake_guest_collect(guest, &op, FAKE_PATIENCE), 0);
	KUNIT_EXPECT_EQ(test, op.err, XEN_PCI_ERR_dev_not_found);
	KUNIT_EXPECT_EQ(test, stub->count.others, 0);
	KUNIT_EXPECT_FALSE(test, stub->pdev->msi_enabled);
}

/* A guest that lost patience asks for something else meanwhile. */
static void next_request_has_its_own_answer(struct kunit *test)
{
	const struct xen_pci_op next = {
		.cmd = XEN_PCI_OP_conf_read, .offset = PCI_VENDOR_ID, .size = 4,
	};
	struct pci_dev *pdev = one_device(test);
	struct fake_guest *guest = bed_guest(test, pdev);
	struct xen_pci_op op;

	ask_and_wait(test, guest, pcistub_of(pdev));
	fake_guest_post(guest, &next);
	mutex_unlock(&pcistub_of(pdev)->lock);
	KUNIT_EXPECT_EQ(test, fake_guest_collect(guest, &op, FAKE_PATIENCE), 0);
	KUNIT_EXPECT_EQ(test, op.err, XEN_PCI_ERR_success);
	KUNIT_EXPECT_EQ(test, op.value, 0xfa4e1b36);
	/* The first was served all the same. */
	KUNIT_EXPECT_TRUE(test, pdev->msi_enabled);
}

static int unbind(void *data)
{
	struct pci_dev *pdev = data;

	bed_release(pdev);
	bed_wait_for_stop();
	return 0;
}

static void device_unbound_before_its_turn(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);
	struct fake_guest *guest = bed_guest(test, pdev);
	struct pcistub *stub = pcistub_of(pdev);
	unsigned long end = jiffies + FAKE_PATIENCE;
	struct task_struct *task;

	pcistub_get(stub);
	ask_and_wait(test, guest, stub);
	task = kthread_run(unbind, pdev, "xpb-unbind");
	while (READ_ONCE(stub->state) != PCISTUB_GONE &&
	       time_before(jiffies, end))
		msleep(20);
	mutex_unlock(&stub->lock);
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, stub->state, PCISTUB_GONE);
	expect_refusal(test, guest, stub);
	pcistub_put(stub);
}

/* As if it was taken away, reset and given to another while the lock was held. */
static void device_of_another_before_its_turn(struct kunit *test)
{
	struct pciback_session *other = kunit_kzalloc(test, sizeof(*other),
						      GFP_KERNEL);
	struct pci_dev *pdev = one_device(test);
	struct fake_guest *guest = bed_guest(test, pdev);
	struct pcistub *stub = pcistub_of(pdev);
	struct pciback_session *sess = stub->sess;

	KUNIT_ASSERT_NOT_NULL(test, other);
	ask_and_wait(test, guest, stub);
	WRITE_ONCE(stub->sess, other);
	mutex_unlock(&stub->lock);
	expect_refusal(test, guest, stub);
	WRITE_ONCE(stub->sess, sess);
}

/* An error may end MSI at that time, and has no other lock in common with it. */
static void waking_a_device_excludes_who_ends_its_msi(struct kunit *test)
{
	struct pci_dev *pdev = bed_one_device(test, BED_NIC | FAKE_PM)->pdev;
	struct fake_guest *guest = bed_guest(test, pdev);
	struct pcistub *stub = pcistub_of(pdev);
	struct xen_pci_op op = {
		.cmd = XEN_PCI_OP_conf_write, .size = 2,
		.offset = FAKE_PM_POS + PCI_PM_CTRL, .value = 3,
	};
	unsigned long end;

	KUNIT_EXPECT_EQ(test, fake_guest_op(guest, &op), 0);
	KUNIT_EXPECT_EQ(test, pdev->current_state, PCI_D3hot);
	op.value = 0;
	mutex_lock(&stub->irq.lock);
	fake_guest_post(guest, &op);
	end = jiffies + FAKE_PATIENCE;
	while (READ_ONCE(pdev->current_state) != PCI_D0 &&
	       time_before(jiffies, end))
		msleep(20);
	/* Awake it is, and without its config. */
	msleep(200);
	KUNIT_EXPECT_TRUE(test, guest->page->flags & XEN_PCIF_active);
	mutex_unlock(&stub->irq.lock);
	KUNIT_EXPECT_EQ(test, fake_guest_collect(guest, &op, FAKE_PATIENCE), 0);
	KUNIT_EXPECT_EQ(test, op.err, XEN_PCI_ERR_success);
	KUNIT_EXPECT_EQ(test, pdev->current_state, PCI_D0);
}

static struct kunit_case guest_cases[] = {
	KUNIT_CASE(decode_comes_back_when_it_is_turned_on),
	KUNIT_CASE(config_is_read_and_written),
	KUNIT_CASE(event_for_nothing_is_spurious),
	KUNIT_CASE(msix_by_request),
	KUNIT_CASE(msix_ends_before_config_is_restored),
	KUNIT_CASE(page_that_cannot_be_mapped),
	KUNIT_CASE(next_request_has_its_own_answer),
	KUNIT_CASE(device_unbound_before_its_turn),
	KUNIT_CASE(device_of_another_before_its_turn),
	KUNIT_CASE(waking_a_device_excludes_who_ends_its_msi),
	{}
};

struct kunit_suite guest_suite = {
	.name = "guest",
	.suite_init = bed_load,
	.suite_exit = bed_unload,
	.init = bed_init,
	.exit = bed_exit,
	.test_cases = guest_cases,
};
