// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest asks for may fail in ways that the kernel logs, or that take it
 * long, and the guest may ask as often as it likes: after some failures it has to
 * wait.
 */
#include <linux/jiffies.h>

#include "pciback.h"

#define MAX_FAILURES 10
/* A reset takes 100 ms, with waiting for pending transactions 800. */
#define LONG_TIME (HZ / 2)
#define QUIET_TIME (60 * HZ)

static bool is_quiet(const struct pciback_limit *limit)
{
	return time_after(jiffies, limit->last + QUIET_TIME);
}

/**
 * pciback_limit_allows - may it be tried again?
 * @limit: limit; the caller holds the lock that it is under
 *
 * Return: false after ten failures without a quiet minute.
 */
bool pciback_limit_allows(const struct pciback_limit *limit)
{
	return limit->nr < MAX_FAILURES || is_quiet(limit);
}

/**
 * pciback_limit_left - how long it may not be tried
 * @limit: limit that does not allow it
 *
 * Return: time in jiffies, at least 1.
 */
unsigned long pciback_limit_left(const struct pciback_limit *limit)
{
	long left = limit->last + QUIET_TIME + 1 - jiffies;

	return max(left, 1L);
}

/**
 * pciback_limit_is_long - has it taken so long that it counts as a failure?
 * @begun: when it was begun, in jiffies
 *
 * Return: true if it has. The core logs such waits too.
 */
bool pciback_limit_is_long(unsigned long begun)
{
	return time_after(jiffies, begun + LONG_TIME);
}

/**
 * pciback_limit_count - it has failed, at some cost to the host
 * @limit: limit; the caller holds the lock that it is under
 */
void pciback_limit_count(struct pciback_limit *limit)
{
	if (is_quiet(limit))
		limit->nr = 0;
	limit->nr++;
	limit->last = jiffies;
}
