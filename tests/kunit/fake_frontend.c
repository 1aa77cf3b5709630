// SPDX-License-Identifier: GPL-2.0
/* The driver in a guest that is connected. */
#include <linux/kthread.h>

#include "fake_frontend.h"

/* ---- errors ---- */

static bool asked(const struct fake_guest *guest)
{
	return READ_ONCE(guest->page->flags) & XEN_PCIB_active;
}

static void answer(struct fake_frontend *frontend)
{
	struct fake_guest *guest = frontend->guest;
	u32 cmd = guest->page->aer_op.cmd;

	if (frontend->told)
		frontend->told(frontend, cmd);
	if (frontend->seen < ARRAY_SIZE(frontend->cmds))
		frontend->cmds[frontend->seen] = cmd;
	frontend->seen++;
	guest->page->aer_op.err = frontend->verdict;
	/* The answer is there when the flag is gone. */
	virt_wmb();
	clear_bit(_XEN_PCIB_active, (unsigned long *)&guest->page->flags);
	if (!frontend->mute)
		fake_guest_event(guest);
}

/* ---- states ---- */

static enum xenbus_state next_state(enum xenbus_state frontend)
{
	switch (fake_store_number(FAKE_BACKEND, "state")) {
	case XenbusStateConnected:
		return frontend == XenbusStateInitialised ?
		       XenbusStateConnected : frontend;
	case XenbusStateReconfiguring:
		return frontend == XenbusStateConnected ?
		       XenbusStateReconfiguring : frontend;
	case XenbusStateReconfigured:
		return frontend == XenbusStateReconfiguring ?
		       XenbusStateConnected : frontend;
	default:
		return frontend;
	}
}

/* Lets go of a device that it is to lose, and takes one that it gets. */
static void follow(void)
{
	enum xenbus_state old = fake_store_number(FAKE_FRONTEND, "state");
	enum xenbus_state new = next_state(old);

	if (new == old)
		return;
	fake_store_write(FAKE_FRONTEND, "state", "%d", new);
	fake_guest_changed();
}

static int run(void *data)
{
	struct fake_frontend *frontend = data;

	while (!kthread_should_stop()) {
		wait_event_timeout(frontend->guest->wait,
				   asked(frontend->guest), HZ / 50);
		if (asked(frontend->guest))
			answer(frontend);
		follow();
	}
	return 0;
}

/**
 * fake_frontend_start - the driver is loaded
 * @frontend: the driver; its guest and verdict are set
 *
 * Return: 0 or -errno.
 */
int fake_frontend_start(struct fake_frontend *frontend)
{
	frontend->task = kthread_run(run, frontend, "xpb-frontend");
	return PTR_ERR_OR_ZERO(frontend->task);
}

/**
 * fake_frontend_stop - the driver is gone, without a word
 * @frontend: the driver
 */
void fake_frontend_stop(struct fake_frontend *frontend)
{
	kthread_stop(frontend->task);
}
