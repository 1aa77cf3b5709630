// SPDX-License-Identifier: GPL-2.0
/* A guest's requests, and its part in the recovery from errors. */
#include <linux/delay.h>
#include <linux/kthread.h>

#include "bed.h"
#include "fake_frontend.h"

static struct pci_dev *one_device(struct kunit *test)
{
	return bed_one_device(test, BED_NIC)->pdev;
}

/* ---- requests ---- */

static int conf_read(struct fake_guest *guest, int offset, int size, u32 *val)
{
	struct xen_pci_op op = {
		.cmd = XEN_PCI_OP_conf_read, .offset = offset, .size = size,
	};
	int err = fake_guest_op(guest, &op);

	*val = op.value;
	return err ?: op.err;
}

static void config_is_read_and_written(struct kunit *test)
{
	struct fake_guest *guest = bed_guest(test, one_device(test));
	struct xen_pci_op op = {
		.cmd = XEN_PCI_OP_conf_write, .offset = PCI_CACHE_LINE_SIZE,
		.size = 1, .value = 0x10,
	};
	u32 val;

	KUNIT_EXPECT_EQ(test, conf_read(guest, PCI_VENDOR_ID, 4, &val), 0);
	KUNIT_EXPECT_EQ(test, val, 0xfa4e1b36);
	KUNIT_EXPECT_EQ(test, fake_guest_op(guest, &op), 0);
	KUNIT_EXPECT_EQ(test, op.err, XEN_PCI_ERR_success);
	KUNIT_EXPECT_EQ(test, bed_host(test)->dev[0]->cfg[PCI_CACHE_LINE_SIZE],
			0x10);
	KUNIT_EXPECT_EQ(test, conf_read(guest, 4096, 4, &val),
			XEN_PCI_ERR_invalid_offset);
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

/* ---- errors ---- */

/* The host goes on in any case, for what others have below the same port. */
static void expect_detected(struct kunit *test, struct pci_dev *pdev)
{
	pci_ers_result_t verdict;

	KUNIT_EXPECT_EQ(test, bed_error(pdev, &verdict), 1);
	KUNIT_EXPECT_EQ(test, (__force u32)verdict,
			(__force u32)PCI_ERS_RESULT_NEED_RESET);
}

static void expect_recovery(struct kunit *test, struct pci_dev *pdev)
{
	pci_ers_result_t verdict;

	KUNIT_EXPECT_EQ(test, bed_recover(pdev, &verdict), 1);
	KUNIT_EXPECT_EQ(test, (__force u32)verdict,
			(__force u32)PCI_ERS_RESULT_RECOVERED);
}

static void recovers(struct kunit *test, bool mute)
{
	struct pci_dev *pdev = one_device(test);
	struct fake_frontend frontend = {
		.guest = bed_guest(test, pdev), .mute = mute,
		.verdict = (__force u32)PCI_ERS_RESULT_NEED_RESET,
	};

	KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
	expect_detected(test, pdev);
	frontend.verdict = (__force u32)PCI_ERS_RESULT_RECOVERED;
	expect_recovery(test, pdev);
	fake_frontend_stop(&frontend);
	KUNIT_EXPECT_EQ(test, frontend.seen, 3);
	KUNIT_EXPECT_EQ(test, frontend.cmds[0], XEN_PCI_OP_aer_detected);
	KUNIT_EXPECT_EQ(test, frontend.cmds[1], XEN_PCI_OP_aer_slotreset);
	KUNIT_EXPECT_EQ(test, frontend.cmds[2], XEN_PCI_OP_aer_resume);
	KUNIT_EXPECT_EQ(test, pcistub_of(pdev)->state, PCISTUB_ASSIGNED);
}

static void guest_recovers_from_an_error(struct kunit *test)
{
	recovers(test, false);
}

/* As while a request of it waits for what the host has locked. */
static void answers_are_seen_without_events(struct kunit *test)
{
	unsigned long start = jiffies;

	recovers(test, true);
	KUNIT_EXPECT_LT(test, jiffies - start, 5 * HZ);
}

/* No verdict, one that is none, and one that says no: the device is taken. */
static void guest_that_cannot_recover(struct kunit *test)
{
	static const u32 verdicts[] = {
		0, ~0U, 77, (__force u32)PCI_ERS_RESULT_DISCONNECT,
	};
	struct pci_dev *pdev = one_device(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(verdicts); i++) {
		struct fake_frontend frontend = {
			.guest = bed_guest(test, pdev), .verdict = verdicts[i],
		};

		KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
		expect_detected(test, pdev);
		bed_settle();
		KUNIT_EXPECT_NE(test, pcistub_of(pdev)->state,
				PCISTUB_ASSIGNED);
		KUNIT_EXPECT_EQ(test, pcistub_of(pdev)->evict, PCIBACK_EVICT_FOR_GOOD);
		expect_recovery(test, pdev);
		fake_frontend_stop(&frontend);
		KUNIT_EXPECT_EQ(test, frontend.seen, 1);
		bed_end_guest(test);
	}
}

static void guest_that_never_answers(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);
	unsigned long start = jiffies;

	bed_guest(test, pdev);
	expect_detected(test, pdev);
	/* aer_timeout_ms, and not much more. */
	KUNIT_EXPECT_LT(test, jiffies - start, 15 * HZ);
	bed_settle();
	KUNIT_EXPECT_NE(test, pcistub_of(pdev)->state, PCISTUB_ASSIGNED);
}

static struct kunit_case guest_cases[] = {
	KUNIT_CASE(config_is_read_and_written),
	KUNIT_CASE(msix_by_request),
	KUNIT_CASE(page_that_cannot_be_mapped),
	KUNIT_CASE(device_unbound_before_its_turn),
	KUNIT_CASE(device_of_another_before_its_turn),
	KUNIT_CASE(waking_a_device_excludes_who_ends_its_msi),
	KUNIT_CASE(guest_recovers_from_an_error),
	KUNIT_CASE(answers_are_seen_without_events),
	KUNIT_CASE(guest_that_cannot_recover),
	KUNIT_CASE(guest_that_never_answers),
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
