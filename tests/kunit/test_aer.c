// SPDX-License-Identifier: GPL-2.0
/* A guest's part in the recovery from errors, and the end of one without it. */
#include <linux/delay.h>
#include <linux/kthread.h>

#include "bed.h"
#include "fake_frontend.h"

#define NEED_RESET	((__force u32)PCI_ERS_RESULT_NEED_RESET)
#define CAN_RECOVER	((__force u32)PCI_ERS_RESULT_CAN_RECOVER)
#define RECOVERED	((__force u32)PCI_ERS_RESULT_RECOVERED)
#define DISCONNECT	((__force u32)PCI_ERS_RESULT_DISCONNECT)
#define NO_DRIVER	((__force u32)PCI_ERS_RESULT_NO_AER_DRIVER)

/* aer_timeout_ms, and what a slow machine adds to it. */
#define TIMEOUT		(10 * HZ)
#define SLACK		(5 * HZ)

static struct pci_dev *one_device(struct kunit *test)
{
	return bed_one_device(test, BED_NIC)->pdev;
}

/* The host goes on in any case, for what others have below the same port. */
static void expect_detected(struct kunit *test, struct pci_dev *pdev)
{
	pci_ers_result_t verdict;

	KUNIT_EXPECT_EQ(test, bed_error(pdev, &verdict), 1);
	KUNIT_EXPECT_EQ(test, (__force u32)verdict, NEED_RESET);
}

static void expect_recovery(struct kunit *test, struct pci_dev *pdev)
{
	pci_ers_result_t verdict;

	KUNIT_EXPECT_EQ(test, bed_recover(pdev, &verdict), 1);
	KUNIT_EXPECT_EQ(test, (__force u32)verdict, RECOVERED);
}

/* ... where its memory is: above 512 GiB, see fake_host.c. */
static void expect_decode(struct kunit *test)
{
	const u8 *cfg = bed_host(test)->dev[0]->cfg;

	KUNIT_EXPECT_TRUE(test, cfg[PCI_COMMAND] & PCI_COMMAND_MEMORY);
	KUNIT_EXPECT_EQ(test, cfg[PCI_BASE_ADDRESS_1], 0x80);
}

/* ---- guests that answer ---- */

static void recovers(struct kunit *test, bool mute)
{
	struct pci_dev *pdev = one_device(test);
	struct fake_frontend frontend = {
		.guest = bed_guest(test, pdev), .mute = mute,
		.verdict = NEED_RESET,
	};

	KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
	expect_detected(test, pdev);
	frontend.verdict = RECOVERED;
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
	KUNIT_EXPECT_LT(test, jiffies - start, SLACK);
}

/**
 * struct witness - a frontend that looks at its device's config when it is told
 *	of the reset
 * @frontend: the frontend
 * @cfg: config space
 * @header: what was there
 */
struct witness {
	struct fake_frontend frontend;
	const u8 *cfg;
	u8 header[PCI_STD_HEADER_SIZEOF];
};

static void look_at_header(struct fake_frontend *frontend, u32 cmd)
{
	struct witness *witness = container_of(frontend, struct witness,
					       frontend);

	if (cmd == XEN_PCI_OP_aer_slotreset)
		memcpy(witness->header, witness->cfg, sizeof(witness->header));
}

/* The reset of a link takes all, and the guest's driver is to find it there. */
static void config_is_back_before_the_guest_looks(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);
	struct fake_dev *dev = bed_host(test)->dev[0];
	u8 before[PCI_STD_HEADER_SIZEOF];
	struct witness witness = {
		.frontend = {
			.guest = bed_guest(test, pdev), .verdict = RECOVERED,
			.told = look_at_header,
		},
		.cfg = dev->cfg,
	};

	bed_master(test, witness.frontend.guest);
	memcpy(before, dev->cfg, sizeof(before));
	KUNIT_ASSERT_EQ(test, fake_frontend_start(&witness.frontend), 0);
	expect_detected(test, pdev);
	memcpy(dev->cfg, dev->boot, sizeof(dev->cfg));
	KUNIT_EXPECT_NE(test, memcmp(before, dev->cfg, sizeof(before)), 0);
	expect_recovery(test, pdev);
	fake_frontend_stop(&witness.frontend);
	KUNIT_EXPECT_EQ(test, memcmp(before, witness.header, sizeof(before)), 0);
	KUNIT_EXPECT_TRUE(test, witness.header[PCI_COMMAND] &
			  PCI_COMMAND_MASTER);
}

/* ---- guests that cannot recover lose the device ---- */

static void expect_lost(struct kunit *test, struct pci_dev *pdev)
{
	bed_settle();
	KUNIT_EXPECT_NE(test, pcistub_of(pdev)->state, PCISTUB_ASSIGNED);
	KUNIT_EXPECT_EQ(test, pcistub_of(pdev)->evict, PCIBACK_EVICT_FOR_GOOD);
	KUNIT_EXPECT_TRUE(test, fake_store_has(FAKE_BACKEND, "aerState"));
}

/* No verdict, one that is none, and one that says no. */
static void guest_that_cannot_recover(struct kunit *test)
{
	static const u32 verdicts[] = { 0, ~0U, 77, DISCONNECT, NO_DRIVER };
	struct pci_dev *pdev = one_device(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(verdicts); i++) {
		struct fake_frontend frontend = {
			.guest = bed_guest(test, pdev), .verdict = verdicts[i],
		};

		KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
		expect_detected(test, pdev);
		expect_lost(test, pdev);
		expect_recovery(test, pdev);
		fake_frontend_stop(&frontend);
		KUNIT_EXPECT_EQ(test, frontend.seen, 1);
		bed_end_guest(test);
	}
}

/* By the host's own hand, before any work of the session can do it. */
static void lost_device_is_isolated_at_once(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);
	const u8 *cfg = bed_host(test)->dev[0]->cfg;
	struct fake_frontend frontend = {
		.guest = bed_guest(test, pdev), .verdict = DISCONNECT,
	};
	struct pciback_session *sess = pcistub_of(pdev)->sess;
	struct xen_pci_op op = {};
	u32 val;

	bed_master(test, frontend.guest);
	KUNIT_EXPECT_EQ(test, fake_guest_cmd(frontend.guest, &op,
					     XEN_PCI_OP_enable_msi), 0);
	KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
	mutex_lock(&sess->lock);
	expect_detected(test, pdev);
	KUNIT_EXPECT_EQ(test, pcistub_of(pdev)->state, PCISTUB_ASSIGNED);
	KUNIT_EXPECT_EQ(test, cfg[PCI_COMMAND] & PCI_COMMAND_MASTER, 0);
	KUNIT_EXPECT_FALSE(test, pdev->msi_enabled);
	KUNIT_EXPECT_EQ(test, cfg[FAKE_MSI_POS + PCI_MSI_FLAGS] &
			PCI_MSI_FLAGS_ENABLE, 0);
	/* Nor can the guest undo it. */
	KUNIT_EXPECT_EQ(test, fake_guest_read(frontend.guest, PCI_VENDOR_ID, 4,
					      &val), XEN_PCI_ERR_dev_not_found);
	KUNIT_EXPECT_EQ(test, fake_guest_write(frontend.guest, PCI_COMMAND, 2,
					       PCI_COMMAND_MASTER),
			XEN_PCI_ERR_dev_not_found);
	KUNIT_EXPECT_EQ(test, fake_guest_cmd(frontend.guest, &op,
					     XEN_PCI_OP_enable_msi),
			XEN_PCI_ERR_dev_not_found);
	KUNIT_EXPECT_EQ(test, cfg[PCI_COMMAND] & PCI_COMMAND_MASTER, 0);
	KUNIT_EXPECT_FALSE(test, pdev->msi_enabled);
	mutex_unlock(&sess->lock);
	expect_lost(test, pdev);
	fake_frontend_stop(&frontend);
}

static void guest_that_never_answers(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);
	struct fake_guest *guest = bed_guest(test, pdev);
	unsigned long start = jiffies;

	expect_detected(test, pdev);
	KUNIT_EXPECT_GE(test, jiffies - start, TIMEOUT / 10 * 9);
	KUNIT_EXPECT_LT(test, jiffies - start, TIMEOUT + SLACK);
	/* It is not asked any more. */
	KUNIT_EXPECT_FALSE(test, guest->page->flags & XEN_PCIB_active);
	expect_lost(test, pdev);
}

static int leave_when_asked(void *data)
{
	struct fake_guest *guest = data;

	wait_event_timeout(guest->wait, READ_ONCE(guest->page->flags) &
			   XEN_PCIB_active, FAKE_PATIENCE);
	fake_guest_leave(guest);
	bed_wait_for_stop();
	return 0;
}

static void frontend_that_leaves_when_it_is_asked(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);
	struct fake_guest *guest = bed_guest(test, pdev);
	struct task_struct *task = kthread_run(leave_when_asked, guest,
					       "xpb-leave");
	unsigned long start = jiffies;

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	expect_detected(test, pdev);
	KUNIT_EXPECT_LT(test, jiffies - start, SLACK);
	kthread_stop(task);
	expect_lost(test, pdev);
}

/* A guest that cannot be asked, and that cannot be told to let go first. */
static void expect_lost_unasked(struct kunit *test, struct pci_dev *pdev)
{
	unsigned long start = jiffies;

	expect_detected(test, pdev);
	KUNIT_EXPECT_LT(test, jiffies - start, SLACK);
	KUNIT_EXPECT_EQ(test, fake_store_await(FAKE_BACKEND, "state-0",
					       XenbusStateClosed), 0);
	expect_lost(test, pdev);
	expect_recovery(test, pdev);
}

static void guest_without_a_page(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);

	bed_new_guest(test, pdev);
	expect_lost_unasked(test, pdev);
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state"),
			XenbusStateInitialised);
}

static void frontend_without_a_handler(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);
	struct fake_guest *guest = bed_guest(test, pdev);

	/* The session may be looking at it still. */
	bed_settle();
	clear_bit(_XEN_PCIB_AERHANDLER, (unsigned long *)&guest->page->flags);
	expect_lost_unasked(test, pdev);
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state"),
			XenbusStateConnected);
}

/* ---- recoveries that come to nothing: a guest's device, and a free one ---- */

enum { GUESTS, FREE, NR_DEVICES };

static struct fake_guest *two_devices(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < NR_DEVICES; i++)
		KUNIT_ASSERT_NOT_NULL(test, fake_host_add(bed_host(test), 0,
							  PCI_DEVFN(3 + i, 0),
							  FAKE_FLR | FAKE_PM));
	bed_start(test);
	bed_claim(test, FREE);
	return bed_guest(test, bed_claim(test, GUESTS)->pdev);
}

static bool was_reset(struct kunit *test, unsigned int i, unsigned int times,
		      enum pcistub_state end)
{
	const struct pcistub *stub = pcistub_of(bed_pdev(test, i));

	return READ_ONCE(bed_host(test)->dev[i]->flrs) == times &&
	       READ_ONCE(stub->state) == end;
}

/* The guest has let go of its device, and has it again; the other is clean. */
static void expect_resets(struct kunit *test, unsigned int times)
{
	unsigned long end = jiffies + FAKE_PATIENCE;
	unsigned int i;

	while (!(was_reset(test, GUESTS, times, PCISTUB_ASSIGNED) &&
		 was_reset(test, FREE, times, PCISTUB_FREE)) &&
	       time_before(jiffies, end))
		msleep(20);
	KUNIT_EXPECT_TRUE(test, was_reset(test, GUESTS, times, PCISTUB_ASSIGNED));
	KUNIT_EXPECT_TRUE(test, was_reset(test, FREE, times, PCISTUB_FREE));
	KUNIT_EXPECT_EQ(test, fake_store_await(FAKE_BACKEND, "state",
					       XenbusStateConnected), 0);
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state-0"),
			XenbusStateInitialised);
	for (i = 0; i < NR_DEVICES; i++) {
		const struct pcistub *stub = pcistub_of(bed_pdev(test, i));

		KUNIT_EXPECT_EQ(test, stub->recovery, PCIBACK_RECOVERY_NONE);
		KUNIT_EXPECT_EQ(test, bed_host(test)->dev[i]->cfg[PCI_COMMAND] &
				PCI_COMMAND_MASTER, 0);
	}
	/* That was no fault of the guest's. */
	KUNIT_EXPECT_FALSE(test, fake_store_has(FAKE_BACKEND, "aerState"));
}

/* A driver that waits has the rest from us, and the config that it had. */
static void expect_takeover(struct kunit *test, struct fake_frontend *frontend)
{
	unsigned long start = jiffies, end = start + FAKE_PATIENCE;
	const u8 *cfg = bed_host(test)->dev[GUESTS]->cfg;
	pci_ers_result_t verdict;

	bed_master(test, frontend->guest);
	KUNIT_ASSERT_EQ(test, fake_frontend_start(frontend), 0);
	KUNIT_EXPECT_EQ(test, bed_error(bed_pdev(test, 0), &verdict),
			NR_DEVICES);
	while (READ_ONCE(frontend->seen) < 3 && time_before(jiffies, end))
		msleep(20);
	/* The host had its time. */
	KUNIT_EXPECT_GE(test, jiffies - start, 9 * HZ / 2);
	bed_settle();
	KUNIT_EXPECT_EQ(test, frontend->seen, 3);
	KUNIT_EXPECT_EQ(test, frontend->cmds[1], XEN_PCI_OP_aer_slotreset);
	KUNIT_EXPECT_EQ(test, frontend->cmds[2], XEN_PCI_OP_aer_resume);
	KUNIT_EXPECT_TRUE(test, was_reset(test, GUESTS, 2, PCISTUB_ASSIGNED));
	KUNIT_EXPECT_EQ(test, pcistub_of(bed_pdev(test, GUESTS))->recovery,
			PCIBACK_RECOVERY_NONE);
	KUNIT_EXPECT_TRUE(test, cfg[PCI_COMMAND] & PCI_COMMAND_MASTER);
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state-0"),
			XenbusStateInitialised);
	KUNIT_EXPECT_TRUE(test, was_reset(test, FREE, 2, PCISTUB_FREE));
}

static void recovery_that_nobody_goes_on_with(struct kunit *test)
{
	struct fake_frontend frontend = {
		.guest = two_devices(test), .verdict = RECOVERED,
	};

	expect_takeover(test, &frontend);
	fake_frontend_stop(&frontend);
}

/* It resets what the guest uses again: the guest gets that anew. */
static void host_that_goes_on_after_all(struct kunit *test)
{
	struct fake_frontend frontend = {
		.guest = two_devices(test), .verdict = RECOVERED,
	};
	pci_ers_result_t verdict;

	expect_takeover(test, &frontend);
	KUNIT_EXPECT_EQ(test, bed_recover(bed_pdev(test, 0), &verdict),
			NR_DEVICES);
	expect_resets(test, 3);
	fake_frontend_stop(&frontend);
	KUNIT_EXPECT_EQ(test, frontend.seen, 3);
}

static void begin_msix_in_a_recovery(struct kunit *test,
				     struct fake_frontend *frontend,
				     struct pci_dev *pdev)
{
	KUNIT_ASSERT_EQ(test, fake_frontend_start(frontend), 0);
	expect_detected(test, pdev);
	KUNIT_ASSERT_EQ(test, fake_guest_write(frontend->guest, PCI_COMMAND, 2,
					       PCI_COMMAND_MEMORY), 0);
	bed_begin_msix(test, frontend->guest);
}

/* A stock guest would die of its vectors' restore: it gets its device anew. */
static void msix_that_begins_in_a_recovery(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);
	struct fake_frontend frontend = {
		.guest = bed_guest(test, pdev), .verdict = NEED_RESET,
	};
	struct pciback_session *sess = pcistub_of(pdev)->sess;

	begin_msix_in_a_recovery(test, &frontend, pdev);
	/* Before the guest has it anew. */
	mutex_lock(&sess->lock);
	expect_recovery(test, pdev);
	KUNIT_EXPECT_EQ(test, pcistub_of(pdev)->evict, PCIBACK_EVICT_REPLUG);
	KUNIT_EXPECT_FALSE(test, pdev->msix_enabled);
	mutex_unlock(&sess->lock);
	fake_frontend_stop(&frontend);
	KUNIT_EXPECT_EQ(test, frontend.seen, 1);
}

/* Nor is it told of a reset if it is us who make it in the end. */
static void msix_in_a_recovery_that_the_host_gives_up(struct kunit *test)
{
	struct pci_dev *pdev = bed_one_device(test, BED_NIC | FAKE_FLR)->pdev;
	struct fake_frontend frontend = {
		.guest = bed_guest(test, pdev), .verdict = NEED_RESET,
	};
	unsigned long end = jiffies + FAKE_PATIENCE;

	begin_msix_in_a_recovery(test, &frontend, pdev);
	while (READ_ONCE(pcistub_of(pdev)->recovery) != PCIBACK_RECOVERY_NONE &&
	       time_before(jiffies, end))
		msleep(20);
	bed_settle();
	KUNIT_EXPECT_EQ(test, pcistub_of(pdev)->recovery, PCIBACK_RECOVERY_NONE);
	KUNIT_EXPECT_FALSE(test, pdev->msix_enabled);
	fake_frontend_stop(&frontend);
	KUNIT_EXPECT_EQ(test, frontend.seen, 1);
}

/* One that its guest has put to sleep is not reset under it. */
static void recovery_of_a_device_that_sleeps(struct kunit *test)
{
	struct fake_frontend frontend = {
		.guest = two_devices(test), .verdict = NEED_RESET,
	};
	pci_ers_result_t verdict;

	KUNIT_ASSERT_EQ(test, fake_guest_write(frontend.guest, FAKE_PM_POS +
					       PCI_PM_CTRL, 2, PCI_D3hot), 0);
	KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
	KUNIT_EXPECT_EQ(test, bed_error(bed_pdev(test, 0), &verdict),
			NR_DEVICES);
	expect_resets(test, 2);
	fake_frontend_stop(&frontend);
	KUNIT_EXPECT_EQ(test, frontend.seen, 1);
}

/* The host's reset wakes it: its driver has vectors, and can sleep, as before. */
static void recovery_wakes_what_sleeps(struct kunit *test)
{
	const int pmcsr = FAKE_PM_POS + PCI_PM_CTRL;
	struct pci_dev *pdev = bed_one_device(test, BED_NIC | FAKE_PM)->pdev;
	struct fake_dev *dev = bed_host(test)->dev[0];
	struct fake_frontend frontend = {
		.guest = bed_guest(test, pdev), .verdict = RECOVERED,
	};
	struct xen_pci_op op = {};

	KUNIT_ASSERT_EQ(test, fake_guest_write(frontend.guest, pmcsr, 2, 3), 0);
	KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
	expect_detected(test, pdev);
	memcpy(dev->cfg, dev->boot, sizeof(dev->cfg));
	dev->asleep = false;
	expect_recovery(test, pdev);
	fake_frontend_stop(&frontend);
	KUNIT_EXPECT_EQ(test, frontend.seen, 3);
	KUNIT_EXPECT_EQ(test, fake_guest_write(frontend.guest, pmcsr, 2, 0), 0);
	KUNIT_EXPECT_EQ(test, fake_guest_cmd(frontend.guest, &op,
					     XEN_PCI_OP_enable_msi), 0);
	KUNIT_EXPECT_EQ(test, fake_guest_cmd(frontend.guest, &op,
					     XEN_PCI_OP_disable_msi), 0);
	KUNIT_EXPECT_EQ(test, fake_guest_write(frontend.guest, pmcsr, 2, 3), 0);
	KUNIT_EXPECT_TRUE(test, dev->asleep);
}

static void expect_mild(struct kunit *test, struct pci_dev *pdev, u32 answer)
{
	pci_ers_result_t verdict;

	KUNIT_EXPECT_EQ(test, bed_mild_error(pdev, &verdict), 1);
	KUNIT_EXPECT_EQ(test, (__force u32)verdict, answer);
}

/* The host asks for all devices below a port, and only one has an error. */
static void error_of_a_neighbour(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC | FAKE_AER);
	struct fake_dev *dev = bed_host(test)->dev[0];
	struct fake_frontend frontend = {
		.guest = bed_guest(test, stub->pdev), .verdict = RECOVERED,
	};

	bed_master(test, frontend.guest);
	KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
	expect_mild(test, stub->pdev, CAN_RECOVER);
	expect_recovery(test, stub->pdev);
	KUNIT_EXPECT_EQ(test, frontend.seen, 0);
	KUNIT_EXPECT_EQ(test, stub->evict, PCIBACK_EVICT_NONE);
	KUNIT_EXPECT_TRUE(test, dev->cfg[PCI_COMMAND] & PCI_COMMAND_MASTER);
	/* One that is masked is not reported, either. */
	dev->cfg[FAKE_AER_POS + PCI_ERR_UNCOR_STATUS] = PCI_ERR_UNC_DLP;
	dev->cfg[FAKE_AER_POS + PCI_ERR_UNCOR_MASK] = PCI_ERR_UNC_DLP;
	expect_mild(test, stub->pdev, CAN_RECOVER);
	expect_recovery(test, stub->pdev);
	KUNIT_EXPECT_EQ(test, frontend.seen, 0);
	/* Its own: */
	dev->cfg[FAKE_AER_POS + PCI_ERR_UNCOR_MASK] = 0;
	expect_mild(test, stub->pdev, NEED_RESET);
	KUNIT_EXPECT_EQ(test, frontend.seen, 1);
	expect_recovery(test, stub->pdev);
	/* Resume, too, is answered before the frontend ends. */
	fake_frontend_stop(&frontend);
	KUNIT_EXPECT_EQ(test, frontend.seen, 3);
}

/* The host resets the bus for it: a driver that was not told gets its device anew. */
static void reset_for_a_neighbour(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC | FAKE_AER);
	struct fake_dev *dev = bed_host(test)->dev[0];
	struct fake_frontend frontend = {
		.guest = bed_guest(test, stub->pdev), .verdict = RECOVERED,
	};
	struct pciback_session *sess = stub->sess;

	bed_master(test, frontend.guest);
	KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
	expect_mild(test, stub->pdev, CAN_RECOVER);
	memcpy(dev->cfg, dev->boot, sizeof(dev->cfg));
	/* Before the guest has it anew. */
	mutex_lock(&sess->lock);
	expect_recovery(test, stub->pdev);
	KUNIT_EXPECT_EQ(test, stub->evict, PCIBACK_EVICT_REPLUG);
	KUNIT_EXPECT_FALSE(test, dev->cfg[PCI_COMMAND] & PCI_COMMAND_MASTER);
	expect_decode(test);
	mutex_unlock(&sess->lock);
	fake_frontend_stop(&frontend);
	KUNIT_EXPECT_EQ(test, frontend.seen, 0);
}

/* Nobody has it, as far as we know; only what was reset is to be clean again. */
static void error_of_a_device_without_a_guest(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC | FAKE_FLR);
	struct fake_dev *dev = bed_host(test)->dev[0];
	pci_ers_result_t none;

	expect_mild(test, stub->pdev, CAN_RECOVER);
	bed_resume(stub->pdev);
	bed_settle();
	KUNIT_EXPECT_EQ(test, dev->flrs, 1);
	/* 6.1 says so to all where one wants a reset, and makes none. */
	expect_mild(test, stub->pdev, CAN_RECOVER);
	KUNIT_EXPECT_EQ(test, bed_recover(stub->pdev, &none), 1);
	bed_settle();
	KUNIT_EXPECT_EQ(test, dev->flrs, 1);
	expect_mild(test, stub->pdev, CAN_RECOVER);
	memcpy(dev->cfg, dev->boot, sizeof(dev->cfg));
	KUNIT_EXPECT_EQ(test, bed_recover(stub->pdev, &none), 1);
	bed_settle();
	KUNIT_EXPECT_EQ(test, dev->flrs, 2);
}

/* The host resets the bus after that, and gives up in silence. */
static void guest_ends_in_a_recovery(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC | FAKE_FLR);
	struct fake_dev *dev = bed_host(test)->dev[0];
	struct fake_frontend frontend = {
		.guest = bed_guest(test, stub->pdev), .verdict = RECOVERED,
	};
	unsigned long end = jiffies + FAKE_PATIENCE;

	KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
	expect_detected(test, stub->pdev);
	fake_frontend_stop(&frontend);
	bed_end_guest(test);
	KUNIT_EXPECT_EQ(test, dev->flrs, 2);
	memcpy(dev->cfg, dev->boot, sizeof(dev->cfg));
	while (READ_ONCE(stub->recovery) != PCIBACK_RECOVERY_NONE &&
	       time_before(jiffies, end))
		msleep(100);
	bed_settle();
	KUNIT_EXPECT_EQ(test, dev->flrs, 3);
	KUNIT_EXPECT_EQ(test, stub->state, PCISTUB_FREE);
	expect_decode(test);
}

/* No reset came, as in 6.1 after an error that is not fatal: it forgets later. */
static void device_sleeps_on_through_a_recovery(struct kunit *test)
{
	const int pmcsr = FAKE_PM_POS + PCI_PM_CTRL;
	struct pci_dev *pdev = bed_one_device(test, BED_NIC | FAKE_PM)->pdev;
	struct fake_frontend frontend = {
		.guest = bed_guest(test, pdev), .verdict = RECOVERED,
	};

	KUNIT_ASSERT_EQ(test, fake_guest_write(frontend.guest, pmcsr, 2, 3), 0);
	KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
	expect_detected(test, pdev);
	expect_recovery(test, pdev);
	fake_frontend_stop(&frontend);
	KUNIT_EXPECT_TRUE(test, bed_host(test)->dev[0]->asleep);
	KUNIT_EXPECT_EQ(test, fake_guest_write(frontend.guest, pmcsr, 2, 0), 0);
	expect_decode(test);
}

/* A guest that would have the config of a device saved that has just lost it. */
static void guest_goes_to_sleep_in_a_recovery(struct kunit *test)
{
	const int pmcsr = FAKE_PM_POS + PCI_PM_CTRL;
	struct pci_dev *pdev = bed_one_device(test, BED_NIC | FAKE_PM)->pdev;
	struct fake_dev *dev = bed_host(test)->dev[0];
	struct fake_frontend frontend = {
		.guest = bed_guest(test, pdev), .verdict = RECOVERED,
	};

	KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
	expect_detected(test, pdev);
	fake_frontend_stop(&frontend);
	memcpy(dev->cfg, dev->boot, sizeof(dev->cfg));
	KUNIT_EXPECT_EQ(test, fake_guest_write(frontend.guest, pmcsr, 2, 3),
			XEN_PCI_ERR_access_denied);
	/* Had it come a moment before the error: */
	pci_save_state(pdev);
	KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
	expect_recovery(test, pdev);
	fake_frontend_stop(&frontend);
	expect_decode(test);
}

static void host_gives_up(struct kunit *test)
{
	struct fake_frontend frontend = {
		.guest = two_devices(test), .verdict = NEED_RESET,
	};
	pci_ers_result_t verdict;

	bed_master(test, frontend.guest);
	KUNIT_ASSERT_EQ(test, fake_frontend_start(&frontend), 0);
	KUNIT_EXPECT_EQ(test, bed_failure(bed_pdev(test, 0), &verdict),
			NR_DEVICES);
	KUNIT_EXPECT_EQ(test, (__force u32)verdict, DISCONNECT);
	expect_resets(test, 2);
	fake_frontend_stop(&frontend);
	/* The guest is not asked what it thinks of that. */
	KUNIT_EXPECT_EQ(test, frontend.seen, 0);
}

/* Frozen, a device is offline to the drivers of dom0. */
static void device_is_not_left_frozen(struct kunit *test)
{
	struct pci_dev *pdev = one_device(test);
	pci_ers_result_t verdict;

	pdev->error_state = pci_channel_io_frozen;
	KUNIT_EXPECT_EQ(test, bed_error(pdev, &verdict), 1);
	KUNIT_EXPECT_EQ(test, bed_failure(pdev, &verdict), 1);
	KUNIT_EXPECT_EQ(test, pdev->error_state, pci_channel_io_normal);
	bed_settle();
	pdev->error_state = pci_channel_io_frozen;
	KUNIT_EXPECT_EQ(test, bed_error(pdev, &verdict), 1);
	bed_release(pdev);
	KUNIT_EXPECT_EQ(test, pdev->error_state, pci_channel_io_normal);
}

static struct kunit_case aer_cases[] = {
	KUNIT_CASE(guest_recovers_from_an_error),
	KUNIT_CASE(answers_are_seen_without_events),
	KUNIT_CASE(config_is_back_before_the_guest_looks),
	KUNIT_CASE(guest_that_cannot_recover),
	KUNIT_CASE(lost_device_is_isolated_at_once),
	KUNIT_CASE(guest_that_never_answers),
	KUNIT_CASE(frontend_that_leaves_when_it_is_asked),
	KUNIT_CASE(guest_without_a_page),
	KUNIT_CASE(frontend_without_a_handler),
	KUNIT_CASE(recovery_that_nobody_goes_on_with),
	KUNIT_CASE(host_that_goes_on_after_all),
	KUNIT_CASE(msix_that_begins_in_a_recovery),
	KUNIT_CASE(msix_in_a_recovery_that_the_host_gives_up),
	KUNIT_CASE(recovery_of_a_device_that_sleeps),
	KUNIT_CASE(recovery_wakes_what_sleeps),
	KUNIT_CASE(device_sleeps_on_through_a_recovery),
	KUNIT_CASE(guest_goes_to_sleep_in_a_recovery),
	KUNIT_CASE(error_of_a_neighbour),
	KUNIT_CASE(reset_for_a_neighbour),
	KUNIT_CASE(error_of_a_device_without_a_guest),
	KUNIT_CASE(guest_ends_in_a_recovery),
	KUNIT_CASE(host_gives_up),
	KUNIT_CASE(device_is_not_left_frozen),
	{}
};

struct kunit_suite aer_suite = {
	.name = "aer",
	.suite_init = bed_load,
	.suite_exit = bed_unload,
	.init = bed_init,
	.exit = bed_exit,
	.test_cases = aer_cases,
};
