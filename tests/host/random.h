/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers at random, the same ones in each run. */
#ifndef TEST_RANDOM_H
#define TEST_RANDOM_H

static inline u32 next_random(u32 *state)
{
	*state = *state * 1664525u + 1013904223u;
	/* The low bits of such a generator have short periods. */
	return *state >> 8 ^ *state << 13;
}

#endif /* TEST_RANDOM_H */
