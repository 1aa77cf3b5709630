// SPDX-License-Identifier: GPL-2.0
/*
 * The driver is loaded for each suite by its own module_init(), and each case
 * gets a host of its own. What is left at the end of a case fails it.
 */
#include <linux/irq.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include "bed.h"

#include <xen/pci.h>

/**
 * struct bed - what a case has
 * @host: the fake host
 * @pdev: its devices, once they were asked for
 * @refs: references to each before it was claimed
 * @guest: or NULL
 */
struct bed {
	struct fake_host *host;
	struct pci_dev *pdev[FAKE_MAX_DEVS];
	unsigned int refs[FAKE_MAX_DEVS];
	struct fake_guest *guest;
};

/**
 * bed_load - load the driver for a suite
 * @suite: the suite
 *
 * Return: what the driver's module_init() says.
 */
int __ref bed_load(struct kunit_suite *suite)
{
	return pciback_init_module();
}

/**
 * bed_unload - unload the driver
 * @suite: the suite
 */
void __ref bed_unload(struct kunit_suite *suite)
{
	pciback_cleanup_module();
}

/**
 * bed_init - begin a case
 * @test: the case
 *
 * Return: 0 or -ENOMEM.
 */
int bed_init(struct kunit *test)
{
	struct bed *bed = kunit_kzalloc(test, sizeof(*bed), GFP_KERNEL);

	if (!bed)
		return -ENOMEM;
	test->priv = bed;
	bed->host = fake_host_alloc();
	return bed->host ? 0 : -ENOMEM;
}

/**
 * bed_settle - wait until nothing is queued any more; work may queue more work
 */
void bed_settle(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		flush_workqueue(pciback_wq);
}

static void forget_pdev(struct kunit *test, unsigned int i)
{
	struct bed *bed = test->priv;
	struct pci_dev *pdev = bed->pdev[i];

	bed_release(pdev);
	bed_settle();
	KUNIT_EXPECT_PTR_EQ(test, pci_get_drvdata(pdev), NULL);
	KUNIT_EXPECT_LT(test, xen_find_device_domain_owner(pdev), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&pdev->dev.kobj.kref), bed->refs[i]);
	pci_dev_put(pdev);
	bed->pdev[i] = NULL;
}

static void end_host(struct kunit *test)
{
	struct bed *bed = test->priv;
	unsigned int i;

	for (i = 0; i < FAKE_MAX_DEVS; i++)
		if (bed->pdev[i])
			forget_pdev(test, i);
	pciback_slots_clear();
	KUNIT_EXPECT_EQ(test, fake_guarded, 0);
	fake_guarded = 0;
	fake_host_free(bed->host);
}

/**
 * bed_exit - end a case, and see if all is as before
 * @test: the case
 */
void bed_exit(struct kunit *test)
{
	struct bed *bed = test->priv;

	if (!bed || !bed->host)
		return;
	fake_host_watch(bed->host, 0, 0);
	fake_map_err = 0;
	fake_bind_err = 0;
	fake_port_status = -1;
	bed_end_guest(test);
	end_host(test);
}

/**
 * bed_host - the case's host
 * @test: the case
 */
struct fake_host *bed_host(struct kunit *test)
{
	struct bed *bed = test->priv;

	return bed->host;
}

/**
 * bed_new_host - unplug the host, and begin with another
 * @test: the case
 */
void bed_new_host(struct kunit *test)
{
	struct bed *bed = test->priv;

	end_host(test);
	bed->host = fake_host_alloc();
	KUNIT_ASSERT_NOT_NULL(test, bed->host);
}

/**
 * bed_start - have the PCI core find the devices that the host was given
 * @test: the case
 */
void bed_start(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, fake_host_start(bed_host(test)), 0);
}

/**
 * bed_pdev - a device
 * @test: the case
 * @i: its number
 */
struct pci_dev *bed_pdev(struct kunit *test, unsigned int i)
{
	struct bed *bed = test->priv;

	if (!bed->pdev[i]) {
		bed->pdev[i] = fake_host_pdev(bed->host, i);
		KUNIT_ASSERT_NOT_NULL(test, bed->pdev[i]);
		bed->refs[i] = kref_read(&bed->pdev[i]->dev.kobj.kref);
	}
	return bed->pdev[i];
}

/**
 * bed_want - announce a device, as new_slot does
 * @test: the case
 * @pdev: the device
 */
void bed_want(struct kunit *test, struct pci_dev *pdev)
{
	struct pciback_pattern self = {
		.sbdf = pcistub_sbdf(pdev), .mask = ~0U,
	};

	KUNIT_ASSERT_EQ(test, pciback_slots_add(&self), 0);
}

/**
 * bed_try_claim - have the driver core offer a device
 * @pdev: device that was announced
 *
 * Return: 0 or -ENODEV.
 */
int bed_try_claim(struct pci_dev *pdev)
{
	int err = device_attach(&pdev->dev);

	return err == 1 && pci_get_drvdata(pdev) ? 0 : -ENODEV;
}

/**
 * bed_claim - claim a device and wait until it is clean
 * @test: the case
 * @i: its number
 *
 * Return: the device.
 */
struct pcistub *bed_claim(struct kunit *test, unsigned int i)
{
	struct pci_dev *pdev = bed_pdev(test, i);

	bed_want(test, pdev);
	KUNIT_ASSERT_EQ(test, bed_try_claim(pdev), 0);
	bed_settle();
	return pcistub_of(pdev);
}

/**
 * bed_one_device - start a host with one device, and claim that
 * @test: the case
 * @has: FAKE_*
 *
 * Return: the device.
 */
struct pcistub *bed_one_device(struct kunit *test, unsigned long has)
{
	KUNIT_ASSERT_NOT_NULL(test, fake_host_add(bed_host(test), 0,
						  PCI_DEVFN(3, 0), has));
	bed_start(test);
	return bed_claim(test, 0);
}

/**
 * bed_release - unbind a device, if it is bound
 * @pdev: device
 */
void bed_release(struct pci_dev *pdev)
{
	device_release_driver(&pdev->dev);
}

/**
 * bed_new_guest - a guest that is to have a device, before its kernel runs
 * @test: the case
 * @pdev: claimed device
 *
 * Return: the guest.
 */
struct fake_guest *bed_new_guest(struct kunit *test, struct pci_dev *pdev)
{
	struct bed *bed = test->priv;

	bed->guest = fake_guest_create(pdev);
	KUNIT_ASSERT_NOT_NULL(test, bed->guest);
	KUNIT_ASSERT_EQ(test, fake_guest_probe(bed->guest), 0);
	fake_guest_changed();
	KUNIT_ASSERT_EQ(test, fake_guest_await(bed->guest,
					       XenbusStateInitialised), 0);
	return bed->guest;
}

/**
 * bed_guest - a guest with a device, connected
 * @test: the case
 * @pdev: claimed device
 *
 * Return: the guest.
 */
struct fake_guest *bed_guest(struct kunit *test, struct pci_dev *pdev)
{
	struct fake_guest *guest = bed_new_guest(test, pdev);

	KUNIT_ASSERT_EQ(test, fake_guest_connect(guest), 0);
	return guest;
}

/**
 * bed_master - have a guest's driver do DMA
 * @test: the case
 * @guest: connected guest of the first device
 */
void bed_master(struct kunit *test, struct fake_guest *guest)
{
	const u8 *cfg = bed_host(test)->dev[0]->cfg;

	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, PCI_COMMAND, 2,
					       PCI_COMMAND_MEMORY |
					       PCI_COMMAND_MASTER), 0);
	KUNIT_EXPECT_TRUE(test, cfg[PCI_COMMAND] & PCI_COMMAND_MASTER);
	/* Decode has the driver let the device onto its line. */
	bed_settle();
	KUNIT_EXPECT_FALSE(test, cfg[PCI_COMMAND + 1] &
			   PCI_COMMAND_INTX_DISABLE >> 8);
}

/**
 * bed_decode - have a guest's driver turn its device on, be it on or off
 * @test: the case
 * @guest: connected guest
 */
void bed_decode(struct kunit *test, struct fake_guest *guest)
{
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, PCI_COMMAND, 2, 0), 0);
	KUNIT_EXPECT_EQ(test, fake_guest_write(guest, PCI_COMMAND, 2,
					       PCI_COMMAND_MEMORY), 0);
	bed_settle();
}

/**
 * bed_begin_msix - have a guest's driver begin MSI-X with one vector
 * @test: the case
 * @guest: connected guest, whose first device is on
 */
void bed_begin_msix(struct kunit *test, struct fake_guest *guest)
{
	struct xen_pci_op op = { .value = 1 };

	KUNIT_ASSERT_EQ(test, fake_guest_cmd(guest, &op,
					     XEN_PCI_OP_enable_msix), 0);
	KUNIT_EXPECT_TRUE(test, bed_pdev(test, 0)->msix_enabled);
}

/**
 * bed_give_line - a device has an interrupt line
 * @test: the case
 * @stub: device
 */
void bed_give_line(struct kunit *test, struct pcistub *stub)
{
	int irq = irq_alloc_desc(NUMA_NO_NODE);

	KUNIT_ASSERT_GT(test, irq, 0);
	irq_set_chip_and_handler(irq, &dummy_irq_chip, handle_simple_irq);
	stub->irq.line = irq;
	stub->irq.gsi = irq + 1000;
}

/**
 * bed_take_line - and has none
 * @stub: device without a stand-in
 */
void bed_take_line(struct pcistub *stub)
{
	irq_free_desc(stub->irq.line);
	stub->irq.line = 0;
	stub->irq.gsi = -ENOENT;
}

/**
 * bed_end_guest - destroy the guest, and see if it let go of all
 * @test: the case
 */
void bed_end_guest(struct kunit *test)
{
	struct bed *bed = test->priv;

	if (!bed->guest)
		return;
	/* What was asked is answered, and its event has its EOI. */
	wait_event_timeout(bed->guest->wait, !READ_ONCE(bed->guest->busy),
			   FAKE_PATIENCE);
	KUNIT_EXPECT_FALSE(test, bed->guest->busy);
	fake_guest_destroy(bed->guest);
	bed_settle();
	KUNIT_EXPECT_EQ(test, bed->guest->bad_eois, 0);
	KUNIT_EXPECT_PTR_EQ(test, bed->guest->handler, NULL);
	KUNIT_EXPECT_EQ(test, kref_read(&bed->guest->xdev.dev.kobj.kref), 1);
	put_device(&bed->guest->xdev.dev);
	fake_guest_forget();
	bed->guest = NULL;
}

/**
 * bed_wait_for_stop - for a thread that is done, and still has to be stopped
 */
void bed_wait_for_stop(void)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 50);
}

/* ---- errors, as the core reports them: with its list of devices locked ---- */

/**
 * struct report - one step of a recovery
 * @step: what the driver is asked
 * @verdict: what it says, where there is a driver
 * @nr: devices that have one
 */
struct report {
	pci_ers_result_t (*step)(struct pci_dev *pdev);
	pci_ers_result_t verdict;
	unsigned int nr;
};

static pci_ers_result_t detected(struct pci_dev *pdev)
{
	return pciback_err_handler.error_detected(pdev, pci_channel_io_frozen);
}

static pci_ers_result_t told(struct pci_dev *pdev)
{
	return pciback_err_handler.error_detected(pdev, pci_channel_io_normal);
}

static pci_ers_result_t failed(struct pci_dev *pdev)
{
	return pciback_err_handler.error_detected(pdev,
						  pci_channel_io_perm_failure);
}

static pci_ers_result_t resumed(struct pci_dev *pdev)
{
	pciback_err_handler.resume(pdev);
	return PCI_ERS_RESULT_NONE;
}

static int report_to(struct pci_dev *pdev, void *data)
{
	struct report *report = data;

	device_lock(&pdev->dev);
	if (pci_get_drvdata(pdev)) {
		report->verdict = report->step(pdev);
		report->nr++;
	}
	device_unlock(&pdev->dev);
	return 0;
}

static unsigned int report_step(struct pci_dev *pdev,
				pci_ers_result_t (*step)(struct pci_dev *pdev),
				pci_ers_result_t *verdict)
{
	struct report report = { .step = step };

	pci_walk_bus(pdev->bus, report_to, &report);
	*verdict = report.verdict;
	return report.nr;
}

/**
 * bed_error - an error on a bus
 * @pdev: device on it
 * @verdict: what the driver says
 *
 * Return: number of devices that have the driver.
 */
unsigned int bed_error(struct pci_dev *pdev, pci_ers_result_t *verdict)
{
	return report_step(pdev, detected, verdict);
}

/**
 * bed_mild_error - an error on a bus that is not fatal
 * @pdev: device on it
 * @verdict: what the driver says
 *
 * Return: number of devices that have the driver.
 */
unsigned int bed_mild_error(struct pci_dev *pdev, pci_ers_result_t *verdict)
{
	return report_step(pdev, told, verdict);
}

/**
 * bed_failure - the host gives a bus up
 * @pdev: device on it
 * @verdict: what the driver says
 *
 * Return: number of devices that have the driver.
 */
unsigned int bed_failure(struct pci_dev *pdev, pci_ers_result_t *verdict)
{
	return report_step(pdev, failed, verdict);
}

/**
 * bed_resume - the end of a recovery
 * @pdev: device on the bus
 */
void bed_resume(struct pci_dev *pdev)
{
	pci_ers_result_t none;

	report_step(pdev, resumed, &none);
}

/**
 * bed_recover - the rest of what the host does
 * @pdev: device on the bus
 * @verdict: what the driver says after the reset
 *
 * Return: number of devices that have the driver.
 */
unsigned int bed_recover(struct pci_dev *pdev, pci_ers_result_t *verdict)
{
	unsigned int nr;

	nr = report_step(pdev, pciback_err_handler.slot_reset, verdict);
	bed_resume(pdev);
	return nr;
}
