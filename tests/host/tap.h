/* SPDX-License-Identifier: GPL-2.0 */
/* Test programs that speak TAP, in the manner of the kernel's kselftest.h. */
#ifndef TEST_TAP_H
#define TEST_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/**
 * struct tap_test - one result
 * @name: what holds if it passes
 * @run: reports by CHECK() what does not
 * @arg: for @run
 */
struct tap_test {
	const char *name;
	void (*run)(int arg);
	int arg;
};

/* Complaints of the test that runs; only the first ones are printed. */
static unsigned int tap_complaints;

static inline __printf(1, 2)
void tap_fail(const char *fmt, ...)
{
	va_list args;

	if (tap_complaints++ >= 12)
		return;
	va_start(args, fmt);
	printf("# ");
	vprintf(fmt, args);
	putchar('\n');
	va_end(args);
}

static inline int tap_run(const struct tap_test *tests, unsigned int nr)
{
	unsigned int i, failed = 0;

	/* Nothing is lost when a sanitizer ends the program. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%u\n", nr);
	for (i = 0; i < nr; i++) {
		tap_complaints = 0;
		tests[i].run(tests[i].arg);
		if (tap_complaints > 12)
			printf("# ... %u complaints in all\n", tap_complaints);
		printf("%sok %u - %s\n", tap_complaints ? "not " : "", i + 1,
		       tests[i].name);
		fflush(stdout);
		failed += !!tap_complaints;
	}
	return !!failed;
}

/* Goes on after a failure. */
#define CHECK(cond, fmt, ...)						\
	do {								\
		if (!(cond))						\
			tap_fail("%s:%d: %s: " fmt, __FILE__, __LINE__, \
				 #cond, ##__VA_ARGS__);			\
	} while (0)

#endif /* TEST_TAP_H */
