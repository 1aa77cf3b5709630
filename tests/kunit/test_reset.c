// SPDX-License-Identifier: GPL-2.0
/*
 * The reset ladder. What a device has decides which rung is taken; what is
 * around it on its bus decides if the last one may be.
 *
 *	00:01.0 bridge --- 01:00.0 device under test
 *	                   01:00.1 its neighbour
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>

#include "bed.h"

enum { BRIDGE, DEVICE, NEIGHBOUR };

static void topology(struct kunit *test, unsigned long has, bool neighbour)
{
	struct fake_host *host = bed_host(test);
	struct fake_dev *dev;

	fake_host_add(host, 0, PCI_DEVFN(1, 0), FAKE_BRIDGE);
	dev = fake_host_add(host, 1, PCI_DEVFN(0, 0), has);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	if (neighbour) {
		dev->boot[PCI_HEADER_TYPE] = 0x80;
		fake_host_add(host, 1, PCI_DEVFN(0, 1), has);
	}
	KUNIT_ASSERT_EQ(test, host->nr, neighbour ? 3 : 2);
	bed_start(test);
}

static struct fake_dev *fake(struct kunit *test, unsigned int i)
{
	return bed_host(test)->dev[i];
}

/* What was done to the device and its bus since the start. */
static void expect(struct kunit *test, struct pcistub *stub, int err,
		   unsigned int flrs, unsigned int d3s, unsigned int buses)
{
	KUNIT_EXPECT_EQ(test, stub->reset_err, err);
	KUNIT_EXPECT_EQ(test, stub->state, err ? PCISTUB_DIRTY : PCISTUB_FREE);
	KUNIT_EXPECT_EQ(test, fake(test, DEVICE)->flrs, flrs);
	KUNIT_EXPECT_EQ(test, fake(test, DEVICE)->d3s, d3s);
	KUNIT_EXPECT_EQ(test, fake(test, BRIDGE)->bus_resets, buses);
	/* Decode is on, and what the reset forgot is back. */
	KUNIT_EXPECT_EQ(test, fake(test, DEVICE)->cfg[PCI_COMMAND] & 7,
			PCI_COMMAND_MEMORY);
	KUNIT_EXPECT_NE(test, fake(test, DEVICE)->cfg[PCI_BASE_ADDRESS_1], 0);
}

static void flr_is_first(struct kunit *test)
{
	topology(test, FAKE_FLR | FAKE_AF | FAKE_PM, false);
	expect(test, bed_claim(test, DEVICE), 0, 1, 0, 0);
}

static void then_af(struct kunit *test)
{
	topology(test, FAKE_PCIE | FAKE_AF | FAKE_PM, false);
	expect(test, bed_claim(test, DEVICE), 0, 1, 0, 0);
}

static void then_power_management(struct kunit *test)
{
	topology(test, FAKE_PCIE | FAKE_PM, false);
	expect(test, bed_claim(test, DEVICE), 0, 0, 1, 0);
}

static void then_the_bus_of_a_device_alone(struct kunit *test)
{
	topology(test, FAKE_PCIE, false);
	expect(test, bed_claim(test, DEVICE), 0, 0, 0, 1);
}

static void no_bus_reset_with_a_neighbour_of_the_host(struct kunit *test)
{
	topology(test, 0, true);
	expect(test, bed_claim(test, DEVICE), -ENOTTY, 0, 0, 0);
}

static void bus_reset_with_a_neighbour_of_ours(struct kunit *test)
{
	struct pcistub *other, *stub;

	topology(test, 0, true);
	other = bed_claim(test, NEIGHBOUR);
	KUNIT_EXPECT_EQ(test, other->state, PCISTUB_DIRTY);
	stub = bed_claim(test, DEVICE);
	expect(test, stub, 0, 0, 0, 1);
	KUNIT_EXPECT_TRUE(test, stub->reset_bus);
	/* The neighbour was held, let go, and is as clean. */
	KUNIT_EXPECT_PTR_EQ(test, other->held_by, NULL);
	KUNIT_EXPECT_EQ(test, other->state, PCISTUB_FREE);
	KUNIT_EXPECT_TRUE(test, other->reset_bus);
	KUNIT_EXPECT_EQ(test, pciback_reset_by_admin(other, false), 0);
	KUNIT_EXPECT_EQ(test, fake(test, BRIDGE)->bus_resets, 2);
	KUNIT_EXPECT_EQ(test, other->state, PCISTUB_FREE);
	KUNIT_EXPECT_EQ(test, stub->state, PCISTUB_FREE);
}

static void no_bus_reset_with_a_neighbour_of_a_guest(struct kunit *test)
{
	struct pcistub *stub, *other;

	topology(test, 0, true);
	other = bed_claim(test, NEIGHBOUR);
	stub = bed_claim(test, DEVICE);
	bed_guest(test, other->pdev);
	KUNIT_EXPECT_EQ(test, pciback_reset_by_admin(stub, false), -ENOTTY);
	expect(test, stub, -ENOTTY, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, other->state, PCISTUB_ASSIGNED);
}

/* A toolstack gave it to Xen and QEMU, and makes no xenbus device. */
static void no_bus_reset_with_a_neighbour_of_no_session(struct kunit *test)
{
	struct pcistub *stub, *other;

	topology(test, 0, true);
	other = bed_claim(test, NEIGHBOUR);
	stub = bed_claim(test, DEVICE);
	fake_store_write("backend/pci/7/0", "dev-0", "%s", pci_name(stub->pdev));
	fake_store_write("backend/pci/7/0", "state", "4");
	fake_store_write("backend/pci/9/0", "num_devs", "2");
	fake_store_write("backend/pci/9/0", "dev-1", "%s", pci_name(other->pdev));
	KUNIT_EXPECT_EQ(test, pciback_reset_by_admin(stub, false), -ENOTTY);
	expect(test, stub, -ENOTTY, 0, 0, 1);
	KUNIT_EXPECT_TRUE(test, pciback_foreign(other));
	KUNIT_EXPECT_FALSE(test, pciback_foreign(stub));
	/* With a state it is a session's, which says itself what it has. */
	fake_store_write("backend/pci/9/0", "state", "4");
	KUNIT_EXPECT_EQ(test, pciback_reset_by_admin(stub, false), 0);
	KUNIT_EXPECT_EQ(test, fake(test, BRIDGE)->bus_resets, 2);
	fake_store_clear();
}

/* Longer than the wait from one try to the next. */
#define HELD_MS		350

/**
 * struct holder - who has a device locked for a while, a thread
 * @pdev: device
 * @begun: it has
 * @start: since when, in jiffies
 */
struct holder {
	struct pci_dev *pdev;
	struct completion begun;
	unsigned long start;
};

static int hold(void *data)
{
	struct holder *holder = data;

	device_lock(&holder->pdev->dev);
	holder->start = jiffies;
	complete(&holder->begun);
	msleep(HELD_MS);
	device_unlock(&holder->pdev->dev);
	bed_wait_for_stop();
	return 0;
}

static void bus_reset_waits_for_a_busy_neighbour(struct kunit *test)
{
	struct holder holder = {};
	struct task_struct *task;
	struct pcistub *stub;

	topology(test, 0, true);
	bed_claim(test, NEIGHBOUR);
	stub = bed_claim(test, DEVICE);
	holder.pdev = bed_pdev(test, NEIGHBOUR);
	init_completion(&holder.begun);
	task = kthread_run(hold, &holder, "xpb-hold");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&holder.begun);
	KUNIT_EXPECT_EQ(test, pciback_reset_by_admin(stub, false), 0);
	KUNIT_EXPECT_GE(test, jiffies - holder.start,
			msecs_to_jiffies(HELD_MS));
	kthread_stop(task);
	expect(test, stub, 0, 0, 0, 2);
}

/**
 * struct pair - two devices of one guest
 * @stub: device under test
 * @other: its neighbour
 * @clean: when their bus was reset, neither had been called dirty
 */
struct pair {
	struct pcistub *stub, *other;
	bool clean;
};

static void look_at_pair(struct fake_dev *dev)
{
	struct pair *pair = dev->data;

	pair->clean = !pair->stub->reset_err && !pair->other->reset_err;
}

/*
 * Given back at once, they are clean by one reset, before which none looks as if it
 * had none.
 */
static void bus_reset_once_for_all_of_a_guest(struct kunit *test)
{
	struct fake_guest *guest;
	struct pair pair = {};

	topology(test, 0, true);
	pair.other = bed_claim(test, NEIGHBOUR);
	pair.stub = bed_claim(test, DEVICE);
	guest = bed_new_guest(test, pair.stub->pdev);
	fake_guest_add(pair.other->pdev);
	KUNIT_ASSERT_EQ(test, fake_guest_connect(guest), 0);
	KUNIT_EXPECT_EQ(test, pair.other->state, PCISTUB_ASSIGNED);
	fake(test, DEVICE)->data = &pair;
	fake(test, DEVICE)->at_reset = look_at_pair;
	bed_end_guest(test);
	expect(test, pair.stub, 0, 0, 0, 2);
	KUNIT_EXPECT_EQ(test, pair.other->state, PCISTUB_FREE);
	KUNIT_EXPECT_TRUE(test, pair.stub->reset_bus && pair.other->reset_bus);
	KUNIT_EXPECT_TRUE(test, pair.clean);
	fake(test, DEVICE)->at_reset = NULL;
}

static void root_bus_has_no_reset(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, 0);

	KUNIT_EXPECT_EQ(test, stub->reset_err, -ENOTTY);
	KUNIT_EXPECT_EQ(test, stub->state, PCISTUB_DIRTY);
}

/* By the device's own file in sysfs: the guest's requests wait, and go on. */
static void reset_by_others_keeps_the_guests_config(struct kunit *test)
{
	struct pcistub *stub;

	topology(test, FAKE_FLR, false);
	stub = bed_claim(test, DEVICE);
	bed_guest(test, stub->pdev);
	pci_write_config_byte(stub->pdev, PCI_CACHE_LINE_SIZE, 0x20);
	KUNIT_EXPECT_EQ(test, pci_reset_function(stub->pdev), 0);
	KUNIT_EXPECT_EQ(test, fake(test, DEVICE)->flrs, 2);
	KUNIT_EXPECT_EQ(test, fake(test, DEVICE)->cfg[PCI_CACHE_LINE_SIZE],
			0x20);
	KUNIT_EXPECT_FALSE(test, stub->conf_busy);
	KUNIT_EXPECT_EQ(test, stub->state, PCISTUB_ASSIGNED);
}

/* xenopsd's way, after a guest whose device model wrote as it liked. */
static void reset_by_others_of_what_nobody_has(struct kunit *test)
{
	struct pcistub *stub;
	const u8 *cfg;

	topology(test, FAKE_FLR | FAKE_MSI, false);
	stub = bed_claim(test, DEVICE);
	pci_set_master(stub->pdev);
	pci_write_config_byte(stub->pdev, PCI_CACHE_LINE_SIZE, 0x20);
	pci_write_config_word(stub->pdev, stub->pdev->msi_cap + PCI_MSI_FLAGS,
			      PCI_MSI_FLAGS_ENABLE);
	KUNIT_EXPECT_EQ(test, pci_reset_function(stub->pdev), 0);
	expect(test, stub, 0, 2, 0, 0);
	cfg = fake(test, DEVICE)->cfg;
	KUNIT_EXPECT_EQ(test, cfg[PCI_CACHE_LINE_SIZE], 0);
	KUNIT_EXPECT_FALSE(test, cfg[FAKE_MSI_POS + PCI_MSI_FLAGS] &
			   PCI_MSI_FLAGS_ENABLE);
}

/* libxl's way, and the device's own file in sysfs. */
static int by_admin(struct pci_dev *pdev)
{
	return pciback_reset_by_admin(pcistub_of(pdev), true);
}

/* It forgot its config in D3hot, and is not to be left without decode. */
static void reset_of_what_a_guest_put_to_sleep(struct kunit *test)
{
	int (*const ways[])(struct pci_dev *pdev) = {
		by_admin, pci_reset_function,
	};
	const int pmcsr = FAKE_PM_POS + PCI_PM_CTRL;
	struct fake_guest *guest;
	struct pcistub *stub;
	unsigned int i;
	const u8 *cfg;

	topology(test, FAKE_FLR | FAKE_PM, false);
	cfg = fake(test, DEVICE)->cfg;
	stub = bed_claim(test, DEVICE);
	guest = bed_guest(test, stub->pdev);
	bed_decode(test, guest);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		KUNIT_EXPECT_EQ(test, fake_guest_write(guest, pmcsr, 2, 3), 0);
		KUNIT_EXPECT_TRUE(test, fake(test, DEVICE)->asleep);
		KUNIT_EXPECT_EQ(test, ways[i](stub->pdev), 0);
		KUNIT_EXPECT_EQ(test, fake(test, DEVICE)->flrs, 2 + i);
		KUNIT_EXPECT_EQ(test, cfg[PCI_COMMAND] & 7, PCI_COMMAND_MEMORY);
		KUNIT_EXPECT_NE(test, cfg[PCI_BASE_ADDRESS_1], 0);
		/* The guest wakes it when it likes. */
		KUNIT_EXPECT_EQ(test, fake_guest_write(guest, pmcsr, 2, 0), 0);
		KUNIT_EXPECT_EQ(test, cfg[PCI_COMMAND] & 7, PCI_COMMAND_MEMORY);
	}
}

/**
 * struct moment - what is seen of a device in the middle of its reset
 * @stub: device
 * @guest: whose it is
 * @host: where it is
 * @busy: its config was the resetter's alone
 * @begun: it was seen
 */
struct moment {
	struct pcistub *stub;
	struct fake_guest *guest;
	struct fake_host *host;
	bool busy;
	struct completion begun;
};

/* The guest asks, and the device does not answer until it is told to. */
static void ask_in_reset(struct fake_dev *dev)
{
	const struct xen_pci_op op = {
		.cmd = XEN_PCI_OP_conf_read, .offset = PCI_VENDOR_ID, .size = 4,
	};
	struct moment *moment = dev->data;

	dev->at_reset = NULL;
	moment->busy = moment->stub->conf_busy;
	fake_host_watch(moment->host, 0, 1);
	fake_guest_post(moment->guest, &op);
	complete(&moment->begun);
}

static int reset_function(void *data)
{
	struct pci_dev *pdev = data;

	pci_reset_function(pdev);
	bed_wait_for_stop();
	return 0;
}

static void guest_waits_for_a_reset_by_others(struct kunit *test)
{
	struct moment moment = { .host = bed_host(test) };
	struct task_struct *task;
	struct xen_pci_op op;

	topology(test, FAKE_FLR, false);
	moment.stub = bed_claim(test, DEVICE);
	moment.guest = bed_guest(test, moment.stub->pdev);
	init_completion(&moment.begun);
	fake(test, DEVICE)->data = &moment;
	fake(test, DEVICE)->at_reset = ask_in_reset;
	task = kthread_run(reset_function, moment.stub->pdev, "xpb-reset");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&moment.begun,
							  FAKE_PATIENCE), 0);
	/* Time enough for an answer that is not to be. */
	msleep(200);
	KUNIT_EXPECT_TRUE(test, moment.guest->page->flags & XEN_PCIF_active);
	KUNIT_EXPECT_TRUE(test, moment.busy);
	fake_host_watch(moment.host, 0, 0);
	KUNIT_EXPECT_EQ(test, fake_guest_collect(moment.guest, &op,
						 FAKE_PATIENCE), 0);
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, op.err, XEN_PCI_ERR_success);
	KUNIT_EXPECT_EQ(test, op.value, 0xfa4e1b36);
	KUNIT_EXPECT_FALSE(test, moment.stub->conf_busy);
}

static void reset_by_the_guest(struct kunit *test)
{
	struct xen_pci_op op = {
		.cmd = XEN_PCI_OP_conf_write, .size = 2,
		.offset = FAKE_PCIE_POS + PCI_EXP_DEVCTL,
		.value = PCI_EXP_DEVCTL_BCR_FLR,
	};
	struct pcistub *stub;

	topology(test, FAKE_FLR, false);
	stub = bed_claim(test, DEVICE);
	KUNIT_EXPECT_EQ(test, fake_guest_op(bed_guest(test, stub->pdev), &op),
			0);
	KUNIT_EXPECT_EQ(test, op.err, XEN_PCI_ERR_success);
	KUNIT_EXPECT_EQ(test, fake(test, DEVICE)->flrs, 2);
}

/* Of which another has the device before it is its turn. */
static void reset_by_the_last_guest(struct kunit *test)
{
	struct pciback_session *last = kunit_kzalloc(test, sizeof(*last),
						     GFP_KERNEL);
	struct pcistub *stub;

	KUNIT_ASSERT_NOT_NULL(test, last);
	topology(test, FAKE_FLR, false);
	stub = bed_claim(test, DEVICE);
	bed_guest(test, stub->pdev);
	pciback_reset_for_guest(stub, last);
	KUNIT_EXPECT_EQ(test, fake(test, DEVICE)->flrs, 1);
	pciback_reset_for_guest(stub, stub->sess);
	KUNIT_EXPECT_EQ(test, fake(test, DEVICE)->flrs, 2);
}

/* The core would wait for it, a minute long, with the device locked. */
static void guest_cannot_have_a_silent_device_reset(struct kunit *test)
{
	unsigned long start = jiffies;
	struct pcistub *stub;

	topology(test, FAKE_FLR, false);
	stub = bed_claim(test, DEVICE);
	bed_guest(test, stub->pdev);
	fake_host_watch(bed_host(test), 0, 1);
	pciback_reset_for_guest(stub, stub->sess);
	KUNIT_EXPECT_LT(test, jiffies - start, 10 * HZ);
	fake_host_watch(bed_host(test), 0, 0);
	KUNIT_EXPECT_EQ(test, fake(test, DEVICE)->flrs, 1);
	KUNIT_EXPECT_EQ(test, stub->state, PCISTUB_ASSIGNED);
	pciback_reset_for_guest(stub, stub->sess);
	KUNIT_EXPECT_EQ(test, fake(test, DEVICE)->flrs, 2);
}

/* Whenever it falls silent, that it has no reset is not what is said of it. */
static void device_that_does_not_come_back(struct kunit *test)
{
	struct fake_host *host = bed_host(test);
	unsigned int at, timeouts = 0;
	struct pcistub *stub;
	int err = 0;

	stub = bed_one_device(test, 0);
	for (at = 1; at < BED_SWEEP && err != -ENOTTY; at++) {
		fake_host_watch(host, 0, at);
		err = pciback_reset_by_admin(stub, false);
		KUNIT_EXPECT_LT(test, err, 0);
		KUNIT_EXPECT_EQ(test, err == -ENOTTY, host->accesses < at);
		KUNIT_EXPECT_EQ(test, stub->state, PCISTUB_DIRTY);
		timeouts += err == -ETIMEDOUT;
	}
	KUNIT_EXPECT_LT(test, at, BED_SWEEP);
	KUNIT_EXPECT_GT(test, timeouts, 0);
}

static struct kunit_case reset_cases[] = {
	KUNIT_CASE(flr_is_first),
	KUNIT_CASE(then_af),
	KUNIT_CASE(then_power_management),
	KUNIT_CASE(then_the_bus_of_a_device_alone),
	KUNIT_CASE(no_bus_reset_with_a_neighbour_of_the_host),
	KUNIT_CASE(bus_reset_with_a_neighbour_of_ours),
	KUNIT_CASE(no_bus_reset_with_a_neighbour_of_a_guest),
	KUNIT_CASE(no_bus_reset_with_a_neighbour_of_no_session),
	KUNIT_CASE(bus_reset_waits_for_a_busy_neighbour),
	KUNIT_CASE(bus_reset_once_for_all_of_a_guest),
	KUNIT_CASE(root_bus_has_no_reset),
	KUNIT_CASE(reset_by_others_keeps_the_guests_config),
	KUNIT_CASE(reset_by_others_of_what_nobody_has),
	KUNIT_CASE(reset_of_what_a_guest_put_to_sleep),
	KUNIT_CASE(guest_waits_for_a_reset_by_others),
	KUNIT_CASE(reset_by_the_guest),
	KUNIT_CASE(reset_by_the_last_guest),
	KUNIT_CASE(guest_cannot_have_a_silent_device_reset),
	KUNIT_CASE(device_that_does_not_come_back),
	{}
};

struct kunit_suite reset_suite = {
	.name = "reset",
	.suite_init = bed_load,
	.suite_exit = bed_unload,
	.init = bed_init,
	.exit = bed_exit,
	.test_cases = reset_cases,
};
