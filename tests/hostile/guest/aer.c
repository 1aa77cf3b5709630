// SPDX-License-Identifier: GPL-2.0
/* The backend's error requests, answered as told: late, wrongly, never. */
#include <linux/workqueue.h>
#include <xen/events.h>
#include <asm/sync_bitops.h>

#include "badfront.h"

#define NEVER (~0U)

static u32 verdict;
static u32 delay;
static u32 requests;

static void answer(struct work_struct *work)
{
	if (!bf.page || !bf.irq)
		return;
	WRITE_ONCE(bf.page->aer_op.err, verdict);
	/* The answer is there when the flag is gone. */
	virt_wmb();
	sync_clear_bit(_XEN_PCIB_active, (unsigned long *)&bf.page->flags);
	notify_remote_via_irq(bf.irq);
}

static DECLARE_DELAYED_WORK(work, answer);

/**
 * aer_asked - an event came, and there is a request
 */
void aer_asked(void)
{
	if (delay == NEVER) {
		requests++;
		return;
	}
	if (queue_delayed_work(system_wq, &work, msecs_to_jiffies(delay)))
		requests++;
}

/**
 * aer_exit - no answer from here on
 */
void aer_exit(void)
{
	cancel_delayed_work_sync(&work);
}

/**
 * do_aer - say how many requests there were, and how to answer the next
 * @args: verdict; ms: how late, all ones for never
 */
int do_aer(const char *args)
{
	say("%u error requests\n", requests);
	requests = 0;
	verdict = arg(args, "verdict", 0);
	delay = arg(args, "ms", 0);
	return 0;
}
