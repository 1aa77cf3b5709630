// SPDX-License-Identifier: GPL-2.0
/* The reconfigure planner, against a table of all its cases. */
#include "../../plan.h"
#include "tap.h"

#define K PCIBACK_STEP_KEEP
#define A PCIBACK_STEP_ADD
#define D PCIBACK_STEP_REMOVE
#define F PCIBACK_STEP_FORGET
#define R PCIBACK_STEP_REFUSE

/*
 * By state-N, from 0 (missing) to 8. A toolstack writes 1 to add and 5 to
 * remove; we write 3. At setup every device is meant but one that goes. One that
 * goes and is not there was lost before: its address is to be forgotten.
 */
static const enum pciback_step
	/*                  0  1  2  3  4  5  6  7  8 */
	add[]          = {  K, A, K, K, K, F, K, K, K },
	add_at_setup[] = {  A, A, A, A, A, K, A, A, A },
	bad[]          = {  K, R, K, K, K, K, K, K, K },
	bad_at_setup[] = {  R, R, R, R, R, K, R, R, R },
	have[]         = {  K, K, K, K, K, D, K, K, K };

static const char * const step_name[] = { "keep", "add", "remove", "forget",
					  "refuse" };

static const enum pciback_step *expected(bool usable, bool exported, bool setup)
{
	if (exported)
		return have;
	if (usable)
		return setup ? add_at_setup : add;
	return setup ? bad_at_setup : bad;
}

static void check(const struct pciback_wish *wish, enum pciback_step want,
		  const char *what)
{
	CHECK(wish->step == want, "%s, state %d, exported %d: %s, not %s", what,
	      wish->state, wish->exported, step_name[wish->step],
	      step_name[want]);
}

/* One device, named or not. */
static void single(int setup)
{
	int state, exported, named;

	for (state = 0; state <= 8; state++)
		for (exported = 0; exported < 2; exported++)
			for (named = 0; named < 2; named++) {
				struct pciback_wish wish = {
					.named = named, .sbdf = 0x100,
					.state = state, .exported = exported,
					.step = 99,
				};

				pciback_plan(&wish, 1, setup);
				check(&wish, expected(named, exported, setup)[state],
				      named ? "named" : "not named");
			}
}

/* The same device twice: it counts where it is named first. */
static void twice(int setup)
{
	int first, second, exported;

	for (first = 0; first <= 8; first++)
		for (second = 0; second <= 8; second++)
			for (exported = 0; exported < 2; exported++) {
				struct pciback_wish wish[] = {
					{ .named = true, .sbdf = 7,
					  .state = first, .exported = exported },
					{ .named = true, .sbdf = 8, .state = 1 },
					{ .named = true, .sbdf = 7,
					  .state = second, .exported = exported },
				};

				pciback_plan(wish, 3, setup);
				check(&wish[0], expected(true, exported, setup)[first],
				      "first");
				check(&wish[1], PCIBACK_STEP_ADD, "between");
				check(&wish[2], expected(false, false, setup)[second],
				      "second");
			}
}

/* Two keys without a name are not the same device, whatever is left in sbdf. */
static void nameless(int setup)
{
	struct pciback_wish wish[] = {
		{ .named = false, .sbdf = 7, .state = 1 },
		{ .named = true, .sbdf = 7, .state = 1 },
		{ .named = false, .sbdf = 7, .state = 5 },
	};

	pciback_plan(wish, 3, setup);
	check(&wish[0], PCIBACK_STEP_REFUSE, "no name");
	check(&wish[1], PCIBACK_STEP_ADD, "named");
	check(&wish[2], PCIBACK_STEP_KEEP, "no name, and going");
	pciback_plan(wish, 0, setup);
	pciback_plan(NULL, 0, setup);
}

static void wants(int unused)
{
	const struct pciback_wish wish[] = {
		{ .named = true, .sbdf = 1 }, { .named = false, .sbdf = 2 },
		{ .named = true, .sbdf = 3 }, { .named = true, .sbdf = 0 },
	};

	CHECK(pciback_plan_wants(wish, 4, 1), "first");
	CHECK(!pciback_plan_wants(wish, 4, 2), "no name");
	CHECK(pciback_plan_wants(wish, 4, 3), "third");
	CHECK(!pciback_plan_wants(wish, 2, 3), "beyond");
	CHECK(pciback_plan_wants(wish, 4, 0), "0000:00:00.0");
	CHECK(!pciback_plan_wants(wish, 3, 0), "no 0000:00:00.0");
	CHECK(!pciback_plan_wants(NULL, 0, 0), "none");
}

/* One that cannot be had does not keep the others from their steps. */
static void mixed(int unused)
{
	struct pciback_wish wish[] = {
		{ .named = true, .sbdf = 1, .state = 3, .exported = true },
		{ .named = true, .sbdf = 2, .state = 5, .exported = true },
		{ .named = false, .state = 1 },
		{ .named = true, .sbdf = 3, .state = 1 },
		{ .named = true, .sbdf = 4, .state = 5 },
	};
	static const enum pciback_step want[] = { K, D, R, A, F };
	unsigned int i;

	pciback_plan(wish, 5, false);
	for (i = 0; i < 5; i++)
		check(&wish[i], want[i], "mixed");
}

static const struct tap_test tests[] = {
	{ "one device, reconfigure", single, 0 },
	{ "one device, setup", single, 1 },
	{ "named twice, reconfigure", twice, 0 },
	{ "named twice, setup", twice, 1 },
	{ "without a name, reconfigure", nameless, 0 },
	{ "without a name, setup", nameless, 1 },
	{ "what is wanted", wants },
	{ "each device by itself", mixed },
};

int main(void)
{
	return tap_run(tests, ARRAY_SIZE(tests));
}
