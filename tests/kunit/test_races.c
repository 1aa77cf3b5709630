// SPDX-License-Identifier: GPL-2.0
/* All that may happen to a guest's device at the same time, while it is used. */
#include <linux/delay.h>
#include <linux/kthread.h>

#include "bed.h"
#include "fake_frontend.h"

/* How long the races of a case last. */
#define RACE		(3 * HZ)

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

		fake_guest_post(race->guest, &op);
		if (!fake_guest_collect(race->guest, &op, HZ / 10) &&
		    op.err == XEN_PCI_ERR_success)
			race->served++;
		else
			usleep_range(100, 1000);
	}
	bed_wait_for_stop();
	return 0;
}

/* What the host restores in a recovery. */
static int toggle_msi(void *data)
{
	struct race *race = data;
	struct xen_pci_op op = {};

	while (goes_on(race)) {
		op.cmd = race->turns++ % 2 ? XEN_PCI_OP_disable_msi :
					     XEN_PCI_OP_enable_msi;
		fake_guest_post(race->guest, &op);
		if (!fake_guest_collect(race->guest, &op, HZ / 10) &&
		    op.err == XEN_PCI_ERR_success)
			race->served++;
	}
	bed_wait_for_stop();
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
	bed_wait_for_stop();
	return 0;
}

static int err_out(void *data)
{
	struct race *race = data;
	pci_ers_result_t verdict;

	while (goes_on(race)) {
		bed_error(race->pdev, &verdict);
		race->turns += bed_recover(race->pdev, &verdict);
		/* Now and then there is no way but the toolstack's. */
		if (race->turns % 8 == 0)
			fake_guest_replug(race->guest);
		usleep_range(1000, 10000);
	}
	bed_wait_for_stop();
	return 0;
}

/* The frontend goes away and comes back. */
static int reconnect(void *data)
{
	struct race *race = data;
	struct pciback_session *sess = dev_get_drvdata(&race->guest->xdev.dev);

	while (goes_on(race)) {
		/* It would be slowed down. */
		WRITE_ONCE(sess->due, jiffies);
		fake_guest_leave(race->guest);
		usleep_range(100, 20000);
		fake_guest_publish_now(race->guest);
		usleep_range(100, 20000);
		race->turns++;
	}
	bed_wait_for_stop();
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
	bed_wait_for_stop();
	return 0;
}

static void run_race(struct kunit *test, int (*const *fns)(void *data),
		     unsigned int nr)
{
	struct pci_dev *pdev = bed_one_device(test, BED_NIC)->pdev;
	struct fake_frontend frontend = {
		.guest = bed_guest(test, pdev),
		.verdict = (__force u32)PCI_ERS_RESULT_RECOVERED,
	};
	struct task_struct *task[5];
	struct race race[5];
	unsigned int i;

	KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
	for (i = 0; i < nr; i++) {
		race[i] = (struct race){
			.pdev = pdev, .guest = frontend.guest,
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
	fake_frontend_stop(&frontend);
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

static void errors_and_msi(struct kunit *test)
{
	static int (*const fns[])(void *) = { toggle_msi, err_out };

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

static struct kunit_case race_cases[] = {
	KUNIT_CASE(unbind_and_requests),
	KUNIT_CASE(errors_and_requests),
	KUNIT_CASE(errors_and_msi),
	KUNIT_CASE(disconnect_and_requests),
	KUNIT_CASE(everything),
	{}
};

struct kunit_suite race_suite = {
	.name = "races",
	.suite_init = bed_load,
	.suite_exit = bed_unload,
	.init = bed_init,
	.exit = bed_exit,
	.test_cases = race_cases,
};
