// SPDX-License-Identifier: GPL-2.0
/* A frontend that goes away, and the one that comes after it. */
#include "bed.h"

#include <linux/delay.h>
#include <xen/interface/event_channel.h>

/* Its driver uses it: DMA, and interrupts. */
static void go_live(struct kunit *test, struct fake_guest *guest)
{
	struct xen_pci_op op = {};

	bed_master(test, guest);
	KUNIT_EXPECT_EQ(test, fake_guest_cmd(guest, &op, XEN_PCI_OP_enable_msi),
			0);
	KUNIT_EXPECT_TRUE(test, bed_pdev(test, 0)->msi_enabled);
}

static void frontend_says(enum xenbus_state state)
{
	fake_store_write(FAKE_FRONTEND, "state", "%d", state);
	fake_guest_changed();
}

static void toolstack_says(enum xenbus_state state)
{
	fake_store_write(FAKE_BACKEND, "state", "%d", state);
	fake_guest_changed();
}

/* What pcifront does when it sees the toolstack's Reconfiguring. */
static void frontend_reconfigures(struct kunit *test, struct fake_guest *guest)
{
	frontend_says(XenbusStateReconfiguring);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateReconfigured),
			0);
	frontend_says(XenbusStateConnected);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateConnected), 0);
}

/* The guest keeps it, but what it would reach is nobody's any more. */
static void expect_silence(struct kunit *test, struct pcistub *stub)
{
	const u8 *cfg = bed_host(test)->dev[0]->cfg;

	KUNIT_EXPECT_EQ(test, stub->state, PCISTUB_ASSIGNED);
	KUNIT_EXPECT_EQ(test, cfg[PCI_COMMAND] & PCI_COMMAND_MASTER, 0);
	KUNIT_EXPECT_FALSE(test, stub->pdev->msi_enabled);
	KUNIT_EXPECT_EQ(test, cfg[FAKE_MSI_POS + PCI_MSI_FLAGS] &
			PCI_MSI_FLAGS_ENABLE, 0);
}

static void device_of_a_driver_that_left_is_silenced(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_guest(test, stub->pdev);

	go_live(test, guest);
	fake_guest_leave(guest);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateInitialised),
			0);
	expect_silence(test, stub);
	/* Another does without a reset. */
	KUNIT_ASSERT_EQ(test, fake_guest_connect(guest), 0);
	go_live(test, guest);
}

static void device_of_a_driver_that_closed_is_silenced(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_guest(test, stub->pdev);

	go_live(test, guest);
	frontend_says(XenbusStateClosed);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateInitWait), 0);
	expect_silence(test, stub);
	frontend_says(XenbusStateInitialising);
	KUNIT_ASSERT_EQ(test, fake_guest_connect(guest), 0);
	go_live(test, guest);
}

/* Its kernel goes down, or Mini-OS: it waits for Closed, and has time to see it. */
static void frontend_that_waits_for_closed(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	unsigned long then;

	go_live(test, guest);
	frontend_says(XenbusStateClosing);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateClosing), 0);
	expect_silence(test, stub);
	then = jiffies;
	frontend_says(XenbusStateClosed);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateClosed), 0);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateInitWait), 0);
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, then + 4 * HZ));
}

/* Somebody unbound the session's driver in dom0; the guest did not look. */
static void session_begins_in_any_state(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	enum xenbus_state state;

	for (state = XenbusStateUnknown; state <= XenbusStateReconfigured + 1;
	     state++) {
		struct fake_guest *guest = fake_guest_create(stub->pdev);

		KUNIT_ASSERT_NOT_NULL(test, guest);
		fake_store_write(FAKE_BACKEND, "state", "%d", state);
		fake_store_write(FAKE_BACKEND, "state-0", "%d",
				 XenbusStateInitialised);
		KUNIT_ASSERT_EQ(test, fake_guest_probe(guest), 0);
		fake_guest_changed();
		KUNIT_EXPECT_EQ(test, fake_guest_await(guest,
						       XenbusStateInitialised),
				0);
		bed_settle();
		KUNIT_EXPECT_EQ(test, stub->state, PCISTUB_ASSIGNED);
		fake_guest_destroy(guest);
		bed_settle();
		put_device(&guest->xdev.dev);
		fake_guest_forget();
	}
}

/* xl takes its devices one after the other, and waits for each. */
static void guest_that_hangs_is_waited_for_once(struct kunit *test)
{
	struct fake_guest *guest;
	unsigned long then;
	unsigned int i;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_NOT_NULL(test, fake_host_add(bed_host(test), 0,
							  PCI_DEVFN(3 + i, 0),
							  BED_NIC));
	bed_start(test);
	for (i = 0; i < 3; i++)
		bed_claim(test, i);
	guest = bed_new_guest(test, bed_pdev(test, 0));
	for (i = 1; i < 3; i++)
		fake_guest_add(bed_pdev(test, i));
	KUNIT_ASSERT_EQ(test, fake_guest_connect(guest), 0);
	then = jiffies;
	KUNIT_EXPECT_EQ(test, fake_guest_detach(guest, 0), 0);
	KUNIT_EXPECT_TRUE(test, time_after(jiffies, then + 4 * HZ));
	then = jiffies;
	KUNIT_EXPECT_EQ(test, fake_guest_detach(guest, 1), 0);
	KUNIT_EXPECT_EQ(test, fake_guest_detach(guest, 2), 0);
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, then + 4 * HZ));
	bed_settle();
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_NE(test, pcistub_of(bed_pdev(test, i))->state,
				PCISTUB_ASSIGNED);
}

/*
 * pcifront, if the toolstack's Reconfiguring is the first state that it sees after
 * it has published.
 */
static void frontend_that_missed_connected(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_new_guest(test, stub->pdev);

	fake_store_write(FAKE_FRONTEND, "pci-op-ref", "%u", FAKE_GREF);
	fake_store_write(FAKE_FRONTEND, "event-channel", "%u", FAKE_PORT);
	fake_store_write(FAKE_FRONTEND, "magic", XEN_PCI_MAGIC);
	frontend_reconfigures(test, guest);
	go_live(test, guest);
}

/* xl pci-attach twice: the first device's driver is still being probed. */
static void frontend_that_is_overtaken(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_guest(test, stub->pdev);

	frontend_says(XenbusStateInitialised);
	bed_settle();
	go_live(test, guest);
	toolstack_says(XenbusStateReconfiguring);
	msleep(1500);
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state"),
			XenbusStateReconfiguring);
	frontend_says(XenbusStateConnected);
	bed_settle();
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state"),
			XenbusStateReconfiguring);
	frontend_reconfigures(test, guest);
	KUNIT_EXPECT_TRUE(test, stub->pdev->msi_enabled);
	KUNIT_EXPECT_TRUE(test, stub->pdev->is_busmaster);
}

/* One that does not look at 7 then, or not in time, is told 4 once more. */
static void frontend_that_does_not_look(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	unsigned long then;

	frontend_says(XenbusStateInitialised);
	bed_settle();
	go_live(test, guest);
	then = jiffies;
	toolstack_says(XenbusStateReconfiguring);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateConnected), 0);
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, then + 4 * HZ));
	/* It may hang, which is waited for once. */
	then = jiffies;
	toolstack_says(XenbusStateReconfiguring);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateConnected), 0);
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, then + 4 * HZ));
	/* It was slow: it looks once more for what it got. */
	frontend_says(XenbusStateConnected);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateReconfiguring),
			0);
	frontend_reconfigures(test, guest);
	bed_settle();
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state"),
			XenbusStateConnected);
	KUNIT_EXPECT_TRUE(test, stub->pdev->msi_enabled);
	KUNIT_EXPECT_TRUE(test, stub->pdev->is_busmaster);
}

/* ---- what the toolstack says is not lost ---- */

/* It wrote Reconfiguring, and we our own state over that. */
static void detach_that_was_overwritten(struct kunit *test)
{
	static const enum xenbus_state states[] = {
		XenbusStateReconfigured, XenbusStateConnected,
	};
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		struct fake_guest *guest = bed_guest(test, stub->pdev);

		fake_store_race = states[i];
		toolstack_says(XenbusStateReconfiguring);
		frontend_says(XenbusStateReconfiguring);
		KUNIT_EXPECT_EQ(test,
				fake_guest_await(guest, XenbusStateReconfigured),
				0);
		frontend_says(XenbusStateConnected);
		KUNIT_EXPECT_EQ(test,
				fake_guest_await(guest,
						 XenbusStateReconfiguring), 0);
		frontend_reconfigures(test, guest);
		bed_settle();
		KUNIT_EXPECT_NE(test, stub->state, PCISTUB_ASSIGNED);
		/* There is no more to do than that. */
		KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state"),
				XenbusStateConnected);
		bed_end_guest(test);
	}
}

/* A key that cannot be read is there all the same. */
static void keys_that_cannot_be_read(struct kunit *test)
{
	static const char * const keys[] = { "num_devs", "dev-0", "state-0" };
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	unsigned int i;

	go_live(test, guest);
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		WRITE_ONCE(fake_store_broken, keys[i]);
		toolstack_says(XenbusStateReconfiguring);
		frontend_says(XenbusStateReconfiguring);
		bed_settle();
		KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state"),
				XenbusStateReconfiguring);
		WRITE_ONCE(fake_store_broken, NULL);
		frontend_reconfigures(test, guest);
		KUNIT_EXPECT_TRUE(test, stub->pdev->msi_enabled);
	}
}

/* The guest is told of a device that it is to get again, and hangs. */
static struct fake_guest *lose_in_vain(struct kunit *test, struct pcistub *stub)
{
	struct fake_guest *guest = bed_guest(test, stub->pdev);
	pci_ers_result_t verdict;

	bed_decode(test, guest);
	bed_begin_msix(test, guest);
	KUNIT_EXPECT_EQ(test, bed_mild_error(stub->pdev, &verdict), 1);
	KUNIT_EXPECT_EQ(test, bed_recover(stub->pdev, &verdict), 1);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateReconfiguring),
			0);
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state-0"),
			XenbusStateClosing);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateConnected), 0);
	bed_settle();
	KUNIT_EXPECT_NE(test, stub->state, PCISTUB_ASSIGNED);
	return guest;
}

static void lost_device_comes_again_to_a_slow_guest(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC | FAKE_FLR);
	struct fake_guest *guest = lose_in_vain(test, stub);

	frontend_reconfigures(test, guest);
	KUNIT_EXPECT_EQ(test, stub->state, PCISTUB_ASSIGNED);
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state-0"),
			XenbusStateInitialised);
}

/* Xen has taken it from the guest already. */
static void toolstack_takes(struct kunit *test, bool soon)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC | FAKE_FLR);
	struct fake_guest *guest = lose_in_vain(test, stub);
	struct pciback_session *sess = dev_get_drvdata(&guest->xdev.dev);

	if (!soon) {
		mutex_lock(&sess->lock);
		sess->hung = jiffies;
		mutex_unlock(&sess->lock);
	}
	fake_store_write(FAKE_BACKEND, "state-0", "%d", XenbusStateClosing);
	toolstack_says(XenbusStateReconfiguring);
	frontend_reconfigures(test, guest);
	bed_settle();
	KUNIT_EXPECT_NE(test, stub->state, PCISTUB_ASSIGNED);
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state-0"),
			XenbusStateClosed);
}

/* Its guest is not waited for again. */
static void lost_device_that_the_toolstack_takes(struct kunit *test)
{
	toolstack_takes(test, true);
}

static void lost_device_that_the_toolstack_takes_later(struct kunit *test)
{
	toolstack_takes(test, false);
}

/* ---- a frontend that published, and whose kernel does not look again ---- */

static void expect_healed(struct kunit *test, struct fake_guest *guest)
{
	KUNIT_EXPECT_EQ(test, fake_store_await(FAKE_FRONTEND, "state",
					       XenbusStateInitialising), 0);
	bed_settle();
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_BACKEND, "state"),
			XenbusStateInitialised);
	KUNIT_EXPECT_PTR_EQ(test, guest->handler, NULL);
	fake_bind_err = 0;
	fake_port_status = -1;
	KUNIT_EXPECT_EQ(test, fake_guest_connect(guest), 0);
}

static void frontend_that_vanished_before_we_looked(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_new_guest(test, stub->pdev);

	fake_bind_err = -EINVAL;
	fake_port_status = EVTCHNSTAT_closed;
	fake_guest_publish_now(guest);
	expect_healed(test, guest);
}

/* Nobody says so: it is found by looking every now and then. */
static void frontend_that_vanished_after_we_connected(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_new_guest(test, stub->pdev);

	fake_guest_publish_now(guest);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateConnected), 0);
	bed_settle();
	fake_port_status = EVTCHNSTAT_closed;
	expect_healed(test, guest);
}

/* Its event channel is there, and is not what is wrong. */
static void frontend_with_a_bad_page_is_not_healed(struct kunit *test)
{
	struct pcistub *stub = bed_one_device(test, BED_NIC);
	struct fake_guest *guest = bed_new_guest(test, stub->pdev);

	fake_map_err = -EINVAL;
	fake_port_status = EVTCHNSTAT_unbound;
	fake_guest_publish_now(guest);
	KUNIT_EXPECT_EQ(test, fake_guest_await(guest, XenbusStateClosing), 0);
	KUNIT_EXPECT_EQ(test, fake_store_number(FAKE_FRONTEND, "state"),
			XenbusStateInitialised);
}

static struct kunit_case frontend_cases[] = {
	KUNIT_CASE(device_of_a_driver_that_left_is_silenced),
	KUNIT_CASE(device_of_a_driver_that_closed_is_silenced),
	KUNIT_CASE(frontend_that_waits_for_closed),
	KUNIT_CASE(session_begins_in_any_state),
	KUNIT_CASE(guest_that_hangs_is_waited_for_once),
	KUNIT_CASE(frontend_that_missed_connected),
	KUNIT_CASE(frontend_that_is_overtaken),
	KUNIT_CASE(frontend_that_does_not_look),
	KUNIT_CASE(detach_that_was_overwritten),
	KUNIT_CASE(keys_that_cannot_be_read),
	KUNIT_CASE(lost_device_comes_again_to_a_slow_guest),
	KUNIT_CASE(lost_device_that_the_toolstack_takes),
	KUNIT_CASE(lost_device_that_the_toolstack_takes_later),
	KUNIT_CASE(frontend_that_vanished_before_we_looked),
	KUNIT_CASE(frontend_that_vanished_after_we_connected),
	KUNIT_CASE(frontend_with_a_bad_page_is_not_healed),
	{}
};

struct kunit_suite frontend_suite = {
	.name = "frontend",
	.suite_init = bed_load,
	.suite_exit = bed_unload,
	.init = bed_init,
	.exit = bed_exit,
	.test_cases = frontend_cases,
};
