// SPDX-License-Identifier: GPL-2.0
/* Vital product data: a guest writes an address, and reads a flag and a word. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>

#include "bed.h"

#define ADDR		(FAKE_VPD_POS + PCI_VPD_ADDR)
#define DATA		(FAKE_VPD_POS + PCI_VPD_DATA)

/* Each takes a tenth of a second, and there is as much between two. */
#define RESETS		5

static struct fake_guest *guest_with(struct kunit *test, unsigned long has)
{
	return bed_guest(test, bed_one_device(test, has | FAKE_VPD)->pdev);
}

/* False if there was no word; what there is has to be right. */
static bool read_word(struct kunit *test, struct fake_guest *guest, u16 addr)
{
	u32 flag = 0, word = 0;

	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, ADDR, 2, addr), 0);
	KUNIT_EXPECT_EQ(test, fake_guest_read(guest, ADDR, 2, &flag), 0);
	KUNIT_EXPECT_EQ(test, flag & PCI_VPD_ADDR_MASK, addr);
	if (!(flag & PCI_VPD_ADDR_F))
		return false;
	KUNIT_EXPECT_EQ(test, fake_guest_read(guest, DATA, 4, &word), 0);
	KUNIT_EXPECT_EQ(test, word, fake_vpd_word(addr));
	return true;
}

static void guest_reads_all(struct kunit *test)
{
	struct fake_guest *guest = guest_with(test, BED_NIC);
	u16 addr;

	for (addr = 0; addr < FAKE_VPD_SIZE; addr += 4)
		KUNIT_EXPECT_TRUE(test, read_word(test, guest, addr));
	/* It is not looked for the data's end, which can take without end. */
	KUNIT_EXPECT_EQ(test, bed_host(test)->dev[0]->vpds, FAKE_VPD_SIZE / 4);
}

static void guest_does_not_write(struct kunit *test)
{
	struct fake_guest *guest = guest_with(test, BED_NIC);
	const struct fake_dev *dev = bed_host(test)->dev[0];
	u32 word;

	KUNIT_EXPECT_TRUE(test, read_word(test, guest, 8));
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, DATA, 4, 0x12345678), 0);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, ADDR, 2,
					       12 | PCI_VPD_ADDR_F),
			XEN_PCI_ERR_access_denied);
	KUNIT_EXPECT_EQ(test, fake_guest_read(guest, DATA, 4, &word), 0);
	KUNIT_EXPECT_EQ(test, word, fake_vpd_word(8));
	KUNIT_EXPECT_EQ(test, dev->cfg[ADDR], 8);
	KUNIT_EXPECT_EQ(test, dev->cfg[DATA], word & 0xff);
}

/* ---- while somebody resets the device ---- */

/**
 * struct resets - who resets a device, a thread
 * @pdev: device
 * @nr: how often
 * @done: all of them
 */
struct resets {
	struct pci_dev *pdev;
	unsigned int nr;
	struct completion done;
};

static int reset_often(void *data)
{
	struct resets *resets = data;

	for (; resets->nr; resets->nr--) {
		pci_reset_function(resets->pdev);
		msleep(100);
	}
	complete(&resets->done);
	bed_wait_for_stop();
	return 0;
}

static struct task_struct *begin_resets(struct kunit *test,
					struct resets *resets)
{
	struct task_struct *task;

	resets->pdev = bed_pdev(test, 0);
	init_completion(&resets->done);
	task = kthread_run(reset_often, resets, "xpb-resets");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	return task;
}

/* Who is stuck cannot be stopped: then the run ends here. */
static void end_resets(struct kunit *test, struct resets *resets,
		       struct task_struct *task)
{
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&resets->done,
							  FAKE_PATIENCE), 0);
	kthread_stop(task);
}

/* The reset blocks the config accesses that a read of VPD goes on with. */
static void reset_and_a_read_that_waits(struct kunit *test)
{
	const struct xen_pci_op ask = {
		.cmd = XEN_PCI_OP_conf_write, .offset = ADDR, .size = 2,
	};
	struct fake_guest *guest = guest_with(test, FAKE_FLR);
	struct fake_dev *dev = bed_host(test)->dev[0];
	struct resets resets = { .nr = 1 };
	unsigned long end = jiffies + FAKE_PATIENCE;
	struct task_struct *task;
	struct xen_pci_op op;

	dev->vpd_reads = FAKE_VPD_NEVER;
	fake_guest_post(guest, &ask);
	while (!READ_ONCE(dev->vpds) && time_before(jiffies, end))
		usleep_range(1000, 2000);
	KUNIT_EXPECT_EQ(test, dev->vpds, 1);
	task = begin_resets(test, &resets);
	KUNIT_EXPECT_EQ(test, fake_guest_collect(guest, &op, FAKE_PATIENCE), 0);
	end_resets(test, &resets, task);
	KUNIT_EXPECT_EQ(test, op.err, XEN_PCI_ERR_success);
}

static void resets_and_reads(struct kunit *test)
{
	struct fake_guest *guest = guest_with(test, FAKE_FLR);
	struct resets resets = { .nr = RESETS };
	unsigned long end = jiffies + FAKE_PATIENCE;
	unsigned int reads = 0, turns = 0;
	struct task_struct *task;

	bed_host(test)->dev[0]->vpd_reads = 4;
	task = begin_resets(test, &resets);
	while (!completion_done(&resets.done) && time_before(jiffies, end))
		reads += read_word(test, guest, turns++ % 8 * 4);
	end_resets(test, &resets, task);
	kunit_info(test, "%u of %u reads\n", reads, turns);
	KUNIT_EXPECT_GT(test, turns, 0);
	KUNIT_EXPECT_TRUE(test, read_word(test, guest, 0));
	KUNIT_EXPECT_EQ(test, bed_host(test)->dev[0]->flrs, 1 + RESETS);
}

static struct kunit_case vpd_cases[] = {
	KUNIT_CASE(guest_reads_all),
	KUNIT_CASE(guest_does_not_write),
	KUNIT_CASE(reset_and_a_read_that_waits),
	KUNIT_CASE(resets_and_reads),
	{}
};

struct kunit_suite vpd_suite = {
	.name = "vpd",
	.suite_init = bed_load,
	.suite_exit = bed_unload,
	.init = bed_init,
	.exit = bed_exit,
	.test_cases = vpd_cases,
};
