// SPDX-License-Identifier: GPL-2.0
/* A guest's requests and errors, and all that may happen at the same time. */
#include <linux/delay.h>
#include <linux/kthread.h>

#include "bed.h"

/* How long the races of a case last. */
#define RACE		(3 * HZ)

static struct pci_dev *one_device(struct kunit *test)
{
	KUNIT_ASSERT_NOT_NULL(test, fake_host_add(bed_host(test), 0,
						  PCI_DEVFN(3, 0),
						  FAKE_MSI | FAKE_MSIX |
						  FAKE_PCIE));
	bed_start(test);
	return bed_claim(test, 0)->pdev;
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

/* ---- errors ---- */

/* The frontend's driver: what it answers to each error request. */
struct script {
	struct fake_guest *guest;
	u32 verdict;
	unsigned int seen;
	u32 cmds[8];
};

static bool asked(const struct fake_guest *guest)
{
	return READ_ONCE(guest->page->flags) & XEN_PCIB_active;
}

static int frontend(void *data)
{
	struct script *script = data;
	struct fake_guest *guest = script->guest;

	while (!kthread_should_stop()) {
		wait_event_timeout(guest->wait, asked(guest), HZ / 20);
		if (!asked(guest))
			continue;
		if (script->seen < ARRAY_SIZE(script->cmds))
			script->cmds[script->seen] = guest->page->aer_op.cmd;
		script->seen++;
		guest->page->aer_op.err = script->verdict;
		/* The answer is there when the flag is gone. */
		virt_wmb();
		clear_bit(_XEN_PCIB_active,
			  (unsigned long *)&guest->page->flags);
		fake_guest_event(guest);
	}
	return 0;
}

static struct task_struct *play(struct kunit *test, struct script *script)
{
	struct task_struct *task = kthread_run(frontend, script, "xpb-frontend");

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	return task;
}

static pci_ers_result_t detected(struct pci_dev *pdev)
{
	pci_ers_result_t verdict;

	device_lock(&pdev->dev);
	verdict = pciback_err_handler.error_detected(pdev,
						     pci_channel_io_frozen);
	device_unlock(&pdev->dev);
	return verdict;
}

static void guest_recovers_from_an_error(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);
	struct script script = {
		.guest = bed_guest(test, pdev),
		.verdict = (__force u32)PCI_ERS_RESULT_NEED_RESET,
	};
	struct task_struct *task = play(test, &script);

	KUNIT_EXPECT_EQ(test, (__force u32)detected(pdev),
			(__force u32)PCI_ERS_RESULT_NEED_RESET);
	script.verdict = (__force u32)PCI_ERS_RESULT_RECOVERED;
	device_lock(&pdev->dev);
	KUNIT_EXPECT_EQ(test, (__force u32)pciback_err_handler.slot_reset(pdev),
			(__force u32)PCI_ERS_RESULT_RECOVERED);
	pciback_err_handler.resume(pdev);
	device_unlock(&pdev->dev);
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, script.seen, 3);
	KUNIT_EXPECT_EQ(test, script.cmds[0], XEN_PCI_OP_aer_detected);
	KUNIT_EXPECT_EQ(test, script.cmds[1], XEN_PCI_OP_aer_slotreset);
	KUNIT_EXPECT_EQ(test, script.cmds[2], XEN_PCI_OP_aer_resume);
	KUNIT_EXPECT_EQ(test, pcistub_of(pdev)->state, PCISTUB_ASSIGNED);
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
		struct script script = {
			.guest = bed_guest(test, pdev), .verdict = verdicts[i],
		};
		struct task_struct *task = play(test, &script);

		KUNIT_EXPECT_EQ(test, (__force u32)detected(pdev),
				(__force u32)PCI_ERS_RESULT_DISCONNECT);
		bed_settle();
		kthread_stop(task);
		KUNIT_EXPECT_NE(test, pcistub_of(pdev)->state,
				PCISTUB_ASSIGNED);
		bed_end_guest(test);
	}
}

static void guest_that_never_answers(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);
	unsigned long start = jiffies;

	bed_guest(test, pdev);
	KUNIT_EXPECT_EQ(test, (__force u32)detected(pdev),
			(__force u32)PCI_ERS_RESULT_DISCONNECT);
	/* aer_timeout_ms, and not much more. */
	KUNIT_EXPECT_LT(test, jiffies - start, 15 * HZ);
	bed_settle();
	KUNIT_EXPECT_NE(test, pcistub_of(pdev)->state, PCISTUB_ASSIGNED);
}

/* ---- all at once ---- */

/**
 * struct race - what a thread does to the device and its guest
 * @pdev: the device
 * @guest: the guest
 * @end: in jiffies
 * @turns: how often it did
 * @served: requests that were answered without an error
 */
struct race {
	struct pci_dev *pdev;
	struct fake_guest *guest;
	unsigned long end;
	unsigned int turns;
	unsigned int served;
};

static bool goes_on(const struct race *race)
{
	return time_before(jiffies, race->end) && !kthread_should_stop();
}

static void wait_for_stop(void)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 50);
}

/* Reads, slow writes and interrupts, in turn. */
static int ask(void *data)
{
	static const struct {
		u32 cmd, offset, size, value;
	} asks[] = {
		{ XEN_PCI_OP_conf_read, PCI_VENDOR_ID, 4 },
		{ XEN_PCI_OP_enable_msix, .value = 2 },
		{ XEN_PCI_OP_conf_write, PCI_COMMAND, 2, PCI_COMMAND_MEMORY |
							 PCI_COMMAND_MASTER },
		{ XEN_PCI_OP_disable_msix },
		{ XEN_PCI_OP_enable_msi },
	};
	struct race *race = data;

	while (goes_on(race)) {
		unsigned int i = race->turns++ % ARRAY_SIZE(asks);
		struct xen_pci_op op = {
			.cmd = asks[i].cmd, .offset = asks[i].offset,
			.size = asks[i].size, .value = asks[i].value,
			.msix_entries = { {}, { .entry = 1 } },
		};

		if (!fake_guest_op_within(race->guest, &op, HZ / 10) &&
		    op.err == XEN_PCI_ERR_success)
			race->served++;
	}
	wait_for_stop();
	return 0;
}

static int rebind(void *data)
{
	struct race *race = data;

	while (goes_on(race)) {
		device_release_driver(&race->pdev->dev);
		usleep_range(100, 3000);
		if (device_attach(&race->pdev->dev) == 1)
			race->turns++;
		fake_guest_replug(race->guest);
		usleep_range(1000, 30000);
	}
	wait_for_stop();
	return 0;
}

/* As the AER core does: only of a device with a driver, under its lock. */
static int err_out(void *data)
{
	struct race *race = data;

	while (goes_on(race)) {
		device_lock(&race->pdev->dev);
		if (pci_get_drvdata(race->pdev)) {
			pciback_err_handler.error_detected(race->pdev,
							   pci_channel_io_frozen);
			pciback_err_handler.slot_reset(race->pdev);
			pciback_err_handler.resume(race->pdev);
			race->turns++;
		}
		device_unlock(&race->pdev->dev);
		usleep_range(1000, 20000);
	}
	wait_for_stop();
	return 0;
}

/* The frontend goes away and comes back. */
static int reconnect(void *data)
{
	struct race *race = data;

	while (goes_on(race)) {
		fake_guest_leave(race->guest);
		usleep_range(100, 20000);
		fake_guest_publish_now(race->guest);
		usleep_range(100, 20000);
		race->turns++;
	}
	wait_for_stop();
	return 0;
}

/* The administrator: resets, and reads of what is there. */
static int meddle(void *data)
{
	struct race *race = data;
	u32 sbdf = pcistub_sbdf(race->pdev);

	while (goes_on(race)) {
		struct pcistub *stub = pcistub_find(sbdf);

		if (stub) {
			pciback_reset_by_admin(stub, race->turns++ % 2);
			pciback_irq_toggle_standin(stub);
			pcistub_put(stub);
		}
		usleep_range(1000, 20000);
	}
	wait_for_stop();
	return 0;
}

static void run_race(struct kunit *test, int (*const *fns)(void *data),
		     unsigned int nr)
{
	struct pci_dev *pdev = one_device(test);
	struct script script = {
		.guest = bed_guest(test, pdev),
		.verdict = (__force u32)PCI_ERS_RESULT_RECOVERED,
	};
	struct task_struct *answers = play(test, &script);
	struct task_struct *task[5];
	struct race race[5];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		race[i] = (struct race){
			.pdev = pdev, .guest = script.guest,
			.end = jiffies + RACE,
		};
		task[i] = kthread_run(fns[i], &race[i], "xpb-race%u", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(task[i]));
	}
	for (i = 0; i < nr; i++) {
		while (time_before(jiffies, race[i].end))
			schedule_timeout_interruptible(HZ / 10);
		kthread_stop(task[i]);
		KUNIT_EXPECT_GT(test, race[i].turns, 2);
	}
	/* The first thread's requests: it was not all in vain. */
	kunit_info(test, "%u of %u requests served\n", race[0].served,
		   race[0].turns);
	KUNIT_EXPECT_GT(test, race[0].served, 5);
	kthread_stop(answers);
	bed_settle();
}

static void unbind_and_requests(struct kunit *test)
{
	static int (*const fns[])(void *) = { ask, rebind };

	run_race(test, fns, ARRAY_SIZE(fns));
}

static void errors_and_requests(struct kunit *test)
{
	static int (*const fns[])(void *) = { ask, err_out, meddle };

	run_race(test, fns, ARRAY_SIZE(fns));
}

static void disconnect_and_requests(struct kunit *test)
{
	static int (*const fns[])(void *) = { ask, reconnect, meddle };

	run_race(test, fns, ARRAY_SIZE(fns));
}

static void everything(struct kunit *test)
{
	static int (*const fns[])(void *) = {
		ask, rebind, err_out, reconnect, meddle,
	};

	run_race(test, fns, ARRAY_SIZE(fns));
}

static struct kunit_case guest_cases[] = {
	KUNIT_CASE(config_is_read_and_written),
	KUNIT_CASE(msix_by_request),
	KUNIT_CASE(page_that_cannot_be_mapped),
	KUNIT_CASE(guest_recovers_from_an_error),
	KUNIT_CASE(guest_that_cannot_recover),
	KUNIT_CASE(guest_that_never_answers),
	KUNIT_CASE(unbind_and_requests),
	KUNIT_CASE(errors_and_requests),
	KUNIT_CASE(disconnect_and_requests),
	KUNIT_CASE(everything),
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
