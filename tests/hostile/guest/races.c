// SPDX-License-Identifier: GPL-2.0
/* A page that changes while it is read, flags that lie, events about nothing. */
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <xen/events.h>

#include "badfront.h"

/* How long a request may stay unanswered that was changed on its way. */
#define PATIENCE 20

/* Rewrites the request with others, as fast as it can. */
static int rewrite(void *data)
{
	static struct xen_pci_op op;
	u32 *to = (u32 *)&bf.page->op, *from = (u32 *)&op;
	unsigned int i, fields = offsetof(struct xen_pci_op, msix_entries[4]) / 4;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, (unsigned long)data);
	while (!kthread_should_stop()) {
		make_op(&rnd, &op);
		for (i = 0; i < fields; i++)
			WRITE_ONCE(to[i], from[i]);
		cond_resched();
	}
	return 0;
}

static struct task_struct *start_rewriting(unsigned long seed)
{
	unsigned int cpu = cpumask_last(cpu_online_mask);

	return kthread_run_on_cpu(rewrite, (void *)seed, cpu, "badfront/%u");
}

/**
 * do_race - requests that another CPU rewrites all the while
 * @args: count, seed
 */
int do_race(const char *args)
{
	u32 bad = 0, late = 0, i, count = arg(args, "count", 1);
	u32 seed = arg(args, "seed", 1);
	static struct xen_pci_op op;
	struct task_struct *task;
	struct rnd_state rnd;

	if (!bf.page || !bf.irq)
		return -ENOTCONN;
	task = start_rewriting(seed + 1);
	if (IS_ERR(task))
		return PTR_ERR(task);
	prandom_seed_state(&rnd, seed);
	for (i = 0; i < count && go_on(); i++) {
		make_op(&rnd, &op);
		channel_post(&op);
		/* Whose answer it is nobody knows, but not one for others. */
		late += !channel_answered(PATIENCE);
		bad += !page_is_sound();
	}
	kthread_stop(task);
	WRITE_ONCE(bf.page->flags, XEN_PCIB_AERHANDLER);
	say("%u requests, %u without an answer, %u bad answers\n", i, late, bad);
	return 0;
}

/**
 * do_games - flags set and cleared at all the wrong times
 * @args: count, seed
 */
int do_games(const char *args)
{
	u32 i, count = arg(args, "count", 1);
	static struct xen_pci_op op;
	struct rnd_state rnd;

	if (!bf.page || !bf.irq)
		return -ENOTCONN;
	prandom_seed_state(&rnd, arg(args, "seed", 1));
	for (i = 0; i < count && go_on(); i++) {
		make_op(&rnd, &op);
		channel_post(&op);
		if (below(&rnd, 2))
			channel_answered(below(&rnd, 4));
		WRITE_ONCE(bf.page->flags, wild(&rnd));
		notify_remote_via_irq(bf.irq);
		WRITE_ONCE(bf.page->aer_op.err, wild(&rnd));
		WRITE_ONCE(bf.page->flags, wild(&rnd));
		if (below(&rnd, 2))
			notify_remote_via_irq(bf.irq);
	}
	WRITE_ONCE(bf.page->flags, XEN_PCIB_AERHANDLER);
	say("%u games, %u bad answers\n", i, !page_is_sound());
	return 0;
}

/**
 * do_storm - events without a request, as fast as the guest can
 * @args: count
 */
int do_storm(const char *args)
{
	u32 i, count = arg(args, "count", 1);

	if (!bf.irq)
		return -ENOTCONN;
	for (i = 0; i < count && go_on(); i++)
		notify_remote_via_irq(bf.irq);
	say("%u events\n", i);
	return 0;
}
