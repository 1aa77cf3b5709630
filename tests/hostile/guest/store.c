// SPDX-License-Identifier: GPL-2.0
/* What the frontend writes to xenstore, and the backend's state there. */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <xen/xenbus.h>

#include "badfront.h"

#define STATE(n) BIT(XenbusState##n)
#define ANY_STATE (~0U)
#define ANSWER_MS 30000
/* A backend may have a frontend that failed ten times wait for a minute. */
#define FORGIVEN_MS 90000

static char *backend;
static unsigned int backend_state;
static u32 backend_states;

static void backend_changed(struct xenbus_watch *watch, const char *path,
			    const char *token)
{
	unsigned int state = xenbus_read_unsigned(backend, "state", 0);

	backend_states |= BIT(state & 31);
	WRITE_ONCE(backend_state, state);
	wake_up(&bf.wait);
}

static struct xenbus_watch watch = { .callback = backend_changed };

/**
 * store_init - find the backend and follow its state
 */
int store_init(void)
{
	int err;

	backend = xenbus_read(XBT_NIL, FOLDER, "backend", NULL);
	if (IS_ERR(backend))
		return PTR_ERR(backend);
	bf.backend = xenbus_read_unsigned(FOLDER, "backend-id", 0);
	watch.node = kasprintf(GFP_KERNEL, "%s/state", backend);
	err = watch.node ? register_xenbus_watch(&watch) : -ENOMEM;
	if (err) {
		kfree(watch.node);
		kfree(backend);
	}
	return err;
}

/**
 * store_exit - what store_init() began
 */
void store_exit(void)
{
	unregister_xenbus_watch(&watch);
	kfree(watch.node);
	kfree(backend);
}

/**
 * do_write - write any key: "write KEY TEXT"
 * @args: key and text; with fill=N in its place, N letters
 */
int do_write(const char *args)
{
	u32 fill = arg(args, "fill", 0);
	char key[32], *text;
	int at = 0, err;

	if (sscanf(args, " %31s%n", key, &at) != 1)
		return -EINVAL;
	if (!fill)
		return xenbus_write(XBT_NIL, FOLDER, key,
				    skip_spaces(args + at));
	text = kzalloc(fill + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	memset(text, '9', fill);
	err = xenbus_write(XBT_NIL, FOLDER, key, text);
	kfree(text);
	return err;
}

/**
 * do_remove - remove a key: "remove KEY"
 * @args: the key
 */
int do_remove(const char *args)
{
	int err = xenbus_rm(XBT_NIL, FOLDER, skip_spaces(args));

	return err == -ENOENT ? 0 : err;
}

static int set_state(unsigned int state)
{
	return xenbus_printf(XBT_NIL, FOLDER, "state", "%u", state);
}

/**
 * do_state - write the frontend's state
 * @args: be: the state
 */
int do_state(const char *args)
{
	return set_state(arg(args, "be", 0));
}

static int publish(u32 gref, u32 port, u32 magic)
{
	int err;

	err = xenbus_printf(XBT_NIL, FOLDER, "pci-op-ref", "%u", gref);
	if (!err)
		err = xenbus_printf(XBT_NIL, FOLDER, "event-channel", "%u",
				    port);
	if (!err)
		err = xenbus_printf(XBT_NIL, FOLDER, "magic", "%u", magic);
	return err ? err : set_state(XenbusStateInitialised);
}

/**
 * do_publish - tell the backend of page and event channel
 * @args: gref, port, magic: other numbers than the right ones
 */
int do_publish(const char *args)
{
	return publish(arg(args, "gref", bf.gref), arg(args, "port", bf.port),
		       arg(args, "magic", 7));
}

static bool backend_is(u32 states)
{
	return states >> READ_ONCE(backend_state) & 1;
}

static int await(u32 states, u32 ms)
{
	if (wait_event_timeout(bf.wait, backend_is(states),
			       msecs_to_jiffies(ms)))
		return 0;
	return -ETIMEDOUT;
}

/**
 * do_await - wait for the backend's state
 * @args: states: a bit for each that will do; ms: how long. Says the state.
 */
int do_await(const char *args)
{
	int err = await(arg(args, "states", ANY_STATE), arg(args, "ms", ANSWER_MS));

	say("backend %u\n", READ_ONCE(backend_state));
	return err;
}

/**
 * do_seen - say which states the backend was in since the last time
 * @args: none
 */
int do_seen(const char *args)
{
	say("backend was in %#x\n", backend_states);
	backend_states = 0;
	return 0;
}

static int connect_well(void)
{
	struct xen_pci_op op = { .size = 4 };
	int err = do_open("");

	if (!err)
		err = publish(bf.gref, bf.port, 7);
	if (!err)
		err = await(STATE(Connected), FORGIVEN_MS);
	if (!err)
		err = set_state(XenbusStateConnected);
	if (!err)
		err = channel_ask(&op);
	return err ? err : op.err;
}

/* Mini-OS goes this way: Closing, Closed and Initialising, each answered. */
static int close_well(void)
{
	int err = set_state(XenbusStateClosing);

	if (!err)
		err = await(STATE(Closing) | STATE(Closed), ANSWER_MS);
	if (!err)
		err = set_state(XenbusStateClosed);
	if (!err)
		err = await(STATE(Closed), ANSWER_MS);
	if (!err)
		err = set_state(XenbusStateInitialising);
	if (!err)
		err = await(STATE(InitWait) | STATE(Initialised) |
			    STATE(Connected) | STATE(Closing), ANSWER_MS);
	return err ? err : do_close("");
}

/**
 * do_connect - go back to where a new frontend begins, and connect as it should
 * @args: new=1: it is one that never connected
 */
int do_connect(const char *args)
{
	int err = arg(args, "new", 0) ? 0 : close_well();

	return err ? err : connect_well();
}

/**
 * do_cycles - connect and disconnect
 * @args: count
 */
int do_cycles(const char *args)
{
	u32 i, count = arg(args, "count", 1);
	int err = 0;

	for (i = 0; !err && i < count && go_on(); i++) {
		err = close_well();
		if (!err)
			err = connect_well();
	}
	say("%u cycles\n", i);
	return err;
}

/* Nothing waits for the backend here: it may see the last of many states. */
static int write_state(unsigned int state, const char *args)
{
	u32 ms = arg(args, "ms", 0);

	if (ms)
		msleep(ms);
	return go_on() ? set_state(state) : -EINTR;
}

/**
 * do_flips - states at random, of which some are none
 * @args: count, seed; ms: between them
 */
int do_flips(const char *args)
{
	u32 i, count = arg(args, "count", 1);
	struct rnd_state rnd;
	int err = 0;

	prandom_seed_state(&rnd, arg(args, "seed", 1));
	for (i = 0; !err && i < count; i++)
		err = write_state(below(&rnd, 16) ? below(&rnd, 10) :
						    wild(&rnd), args);
	return err;
}

/**
 * do_walk - every sequence of states of a length
 * @args: length; ms: between them
 */
int do_walk(const char *args)
{
	return walk_words(XenbusStateReconfigured + 1, arg(args, "length", 2),
			  write_state, args);
}
