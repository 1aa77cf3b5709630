// SPDX-License-Identifier: GPL-2.0
/*
 * Each access to a device and each allocation fails once. What is asked is an
 * errno or a success, no splat, no leak, and a state as before.
 */
#include <linux/sched.h>

#include "bed.h"

#include <xen/pci.h>

/* Its device has no reset: the core waits a minute for one that is gone. */
static void one_device(struct kunit *test)
{
	KUNIT_ASSERT_NOT_NULL(test, fake_host_add(bed_host(test), 0,
						  PCI_DEVFN(3, 0), BED_NIC));
	bed_start(test);
	bed_want(test, bed_pdev(test, 0));
}

/* ---- the device ---- */

/* What we believe and what the core does. */
static void set_mode(struct kunit *test, struct pcistub *stub,
		     enum pciback_irq_mode mode, struct msix_entry *entries,
		     int nr)
{
	pciback_irq_set_mode(stub, mode, entries, nr);
	KUNIT_EXPECT_EQ(test, !!stub->pdev->msi_enabled,
			stub->irq.mode == PCIBACK_IRQ_MSI);
	KUNIT_EXPECT_EQ(test, !!stub->pdev->msix_enabled,
			stub->irq.mode == PCIBACK_IRQ_MSIX);
}

/* All that a device goes through, with interrupts; false if nothing failed. */
static bool live(struct kunit *test, unsigned int fail_at, unsigned int gone_at)
{
	struct pci_dev *pdev = bed_pdev(test, 0);
	struct msix_entry entry[2] = { { .entry = 0 }, { .entry = 3 } };
	struct pcistub *stub;

	fake_host_watch(bed_host(test), fail_at, gone_at);
	if (!bed_try_claim(pdev)) {
		stub = pcistub_of(pdev);
		bed_settle();
		mutex_lock(&stub->lock);
		set_mode(test, stub, PCIBACK_IRQ_MSIX, entry, 2);
		set_mode(test, stub, PCIBACK_IRQ_MSI, NULL, 1);
		mutex_unlock(&stub->lock);
		pcistub_clean_again(stub);
		bed_settle();
		bed_release(pdev);
	}
	bed_settle();
	return bed_host(test)->accesses >= max(fail_at, gone_at);
}

/*
 * What failed may have been the read by which the core saved it, of which it does
 * not say so, or the write that was to bring it back.
 */
static void expect_same(struct kunit *test, const u8 *before, unsigned int at)
{
	const struct fake_host *host = bed_host(test);
	const u8 *cfg = host->dev[0]->cfg;
	int i;

	for (i = 0; i < PCI_CFG_SPACE_EXP_SIZE; i++) {
		if (cfg[i] == before[i] ||
		    (i >= host->lost_at && i < host->lost_at + host->lost_size))
			continue;
		KUNIT_FAIL(test, "access %u: %#x is %#x, was %#x", at, i,
			   cfg[i], before[i]);
	}
}

/* After each turn the device is well again, as it was, and the driver gone. */
static void sweep(struct kunit *test, unsigned int step, bool gone)
{
	u8 *before = kunit_kmalloc(test, PCI_CFG_SPACE_EXP_SIZE, GFP_KERNEL);
	struct fake_dev *dev;
	unsigned int at, refs;

	KUNIT_ASSERT_NOT_NULL(test, before);
	one_device(test);
	dev = bed_host(test)->dev[0];
	refs = kref_read(&bed_pdev(test, 0)->dev.kobj.kref);
	memcpy(before, dev->cfg, sizeof(dev->cfg));
	for (at = 1; live(test, gone ? 0 : at, gone ? at : 0) && at < BED_SWEEP;
	     at += step) {
		struct pci_dev *pdev = bed_pdev(test, 0);

		KUNIT_EXPECT_PTR_EQ(test, pdev->dev.driver, NULL);
		KUNIT_EXPECT_PTR_EQ(test, pci_get_drvdata(pdev), NULL);
		KUNIT_EXPECT_EQ(test, kref_read(&pdev->dev.kobj.kref), refs);
		KUNIT_EXPECT_EQ(test, fake_guarded, 0);
		/* One that is gone is as it was when it went. */
		if (!gone)
			expect_same(test, before, at);
		memcpy(dev->cfg, before, sizeof(dev->cfg));
	}
	kunit_info(test, "%u accesses\n", at - 1);
	KUNIT_EXPECT_GT(test, at, 50);
	KUNIT_EXPECT_LT(test, at, BED_SWEEP);
}

static void access_fails(struct kunit *test)
{
	sweep(test, 1, false);
}

/* The core takes long to see it: each third access, be it a read or a write. */
static void device_is_gone(struct kunit *test)
{
	sweep(test, 3, true);
}

/* ---- memory ---- */

static void fail_allocation(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

/* Did it come to the allocation that was to fail? */
static bool has_failed(void)
{
	bool failed = !READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return failed;
}

static void claim_without_memory(struct kunit *test)
{
	u8 *before = kunit_kmalloc(test, PCI_CFG_SPACE_EXP_SIZE, GFP_KERNEL);
	struct fake_dev *dev;
	unsigned int nth, refs;
	bool failed = true;

	KUNIT_ASSERT_NOT_NULL(test, before);
	one_device(test);
	dev = bed_host(test)->dev[0];
	memcpy(before, dev->cfg, sizeof(dev->cfg));
	refs = kref_read(&bed_pdev(test, 0)->dev.kobj.kref);
	for (nth = 1; failed && nth < BED_SWEEP; nth++) {
		struct pci_dev *pdev = bed_pdev(test, 0);
		int err;

		fail_allocation(nth);
		err = bed_try_claim(pdev);
		failed = has_failed();
		if (!failed)
			KUNIT_EXPECT_EQ(test, err, 0);
		bed_settle();
		if (err) {
			KUNIT_EXPECT_PTR_EQ(test, pci_get_drvdata(pdev), NULL);
			KUNIT_EXPECT_PTR_EQ(test,
					    pcistub_find(pcistub_sbdf(pdev)),
					    NULL);
		}
		bed_release(pdev);
		bed_settle();
		KUNIT_EXPECT_EQ(test, kref_read(&pdev->dev.kobj.kref), refs);
		KUNIT_EXPECT_EQ(test, memcmp(before, dev->cfg,
					     sizeof(dev->cfg)), 0);
		KUNIT_EXPECT_EQ(test, fake_guarded, 0);
	}
	kunit_info(test, "%u allocations\n", nth - 2);
	KUNIT_EXPECT_GT(test, nth, 10);
	KUNIT_EXPECT_LT(test, nth, BED_SWEEP);
}

static void msix_without_memory(struct kunit *test)
{
	struct pcistub *stub;
	struct fake_dev *dev;
	unsigned int nth;
	bool failed = true;

	one_device(test);
	stub = bed_claim(test, 0);
	dev = bed_host(test)->dev[0];
	for (nth = 1; failed && nth < BED_SWEEP; nth++) {
		struct msix_entry entry[3] = { {}, { .entry = 2 }, { .entry = 7 } };
		int err;

		mutex_lock(&stub->lock);
		/* The limit on failures has a case of its own. */
		stub->limit[PCIBACK_MAY_MSI].nr = 0;
		fail_allocation(nth);
		err = pciback_irq_set_mode(stub, PCIBACK_IRQ_MSIX, entry, 3);
		failed = has_failed();
		/* The core does without some of them. */
		if (err)
			KUNIT_EXPECT_TRUE(test, failed);
		if (err)
			KUNIT_EXPECT_TRUE(test, err == -ENOMEM || err == -ENOSPC);
		KUNIT_EXPECT_EQ(test, stub->irq.mode, err ? PCIBACK_IRQ_NONE :
							    PCIBACK_IRQ_MSIX);
		KUNIT_EXPECT_EQ(test, !!stub->pdev->msix_enabled, !err);
		KUNIT_EXPECT_EQ(test, dev->cfg[FAKE_MSIX_POS + 3] & 0x80,
				err ? 0 : 0x80);
		pciback_irq_set_mode(stub, PCIBACK_IRQ_NONE, NULL, 0);
		mutex_unlock(&stub->lock);
	}
	kunit_info(test, "%u allocations\n", nth - 2);
	KUNIT_EXPECT_GT(test, nth, 5);
	KUNIT_EXPECT_LT(test, nth, BED_SWEEP);
}

static void quirk_without_memory(struct kunit *test)
{
	struct pciback_quirk quirk = { .reg = 0x200, .size = 4, .mask = ~0U };
	struct pcistub *stub;
	unsigned int nth;
	bool failed = true;

	one_device(test);
	stub = bed_claim(test, 0);
	quirk.sbdf = stub->sbdf;
	for (nth = 1; failed && nth < BED_SWEEP; nth++) {
		unsigned int nr = stub->conf->nr;
		int err;

		fail_allocation(nth);
		err = pciback_quirk_add(stub, &quirk);
		failed = has_failed();
		/* Not if it was one of the checkers that had to do without. */
		KUNIT_EXPECT_EQ(test, err, failed && err ? -ENOMEM : 0);
		KUNIT_EXPECT_EQ(test, stub->conf->nr, nr + !err);
		quirk.reg += quirk.size;
	}
	KUNIT_EXPECT_GT(test, nth, 3);
}

/* The session's work, here and now: only this task's allocations fail. */
static void look(struct fake_guest *guest)
{
	struct pciback_session *sess = dev_get_drvdata(&guest->xdev.dev);

	kref_get(&sess->ref);
	sess->work.work.func(&sess->work.work);
}

static void attach_without_memory(struct kunit *test)
{
	struct pci_dev *pdev;
	unsigned int nth;
	bool failed = true;

	one_device(test);
	pdev = bed_claim(test, 0)->pdev;
	for (nth = 1; failed && nth < BED_SWEEP; nth++) {
		struct fake_guest *guest = fake_guest_create(pdev);
		int err;

		KUNIT_ASSERT_NOT_NULL(test, guest);
		fail_allocation(nth);
		err = fake_guest_probe(guest);
		if (!err)
			look(guest);
		failed = has_failed();
		/* What could not be done for want of memory is tried again. */
		if (!err) {
			KUNIT_EXPECT_EQ(test,
					fake_guest_await(guest,
							 XenbusStateInitialised),
					0);
			fake_guest_destroy(guest);
		}
		bed_settle();
		put_device(&guest->xdev.dev);
		fake_guest_forget();
		KUNIT_EXPECT_NE(test, pcistub_of(pdev)->state, PCISTUB_ASSIGNED);
		KUNIT_EXPECT_LT(test, xen_find_device_domain_owner(pdev), 0);
	}
	kunit_info(test, "%u allocations\n", nth - 2);
	KUNIT_EXPECT_GT(test, nth, 10);
	KUNIT_EXPECT_LT(test, nth, BED_SWEEP);
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(access_fails),
	KUNIT_CASE(device_is_gone),
	KUNIT_CASE(claim_without_memory),
	KUNIT_CASE(msix_without_memory),
	KUNIT_CASE(quirk_without_memory),
	KUNIT_CASE(attach_without_memory),
	{}
};

struct kunit_suite fault_suite = {
	.name = "faults",
	.suite_init = bed_load,
	.suite_exit = bed_unload,
	.init = bed_init,
	.exit = bed_exit,
	.test_cases = fault_cases,
};
