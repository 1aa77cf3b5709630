// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's config requests, each timed: one pread() or pwrite() of a device's
 * config file in sysfs is one request to the backend.
 *
 * confop FILE CASE...	CASE is r,OFFSET,SIZE,COUNT
 *			or w,OFFSET,SIZE,COUNT,VALUE[,VALUE], values in turn
 *	prints for each the case and its distribution: TIME:NUMBER..., in units
 *	of 100 ns; all numbers are decimal
 * confop FILE until TIME NS OFFSET SIZE
 *	reads during the last so many nanoseconds before a time of the epoch, and
 *	prints how often
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND	1000000000ULL
#define UNIT	100
#define WARM_UP	4

static unsigned long long now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const unsigned long long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void print(const char *name, unsigned long long *sample, unsigned int count)
{
	unsigned int i, same = 1;

	qsort(sample, count, sizeof(*sample), compare);
	printf("%s", name);
	for (i = 0; i < count; i++, same++) {
		unsigned long long unit = sample[i] / UNIT;

		if (i + 1 < count && sample[i + 1] / UNIT == unit)
			continue;
		printf(" %llu:%u", unit, same);
		same = 0;
	}
	printf("\n");
}

/* A request that the backend refuses takes its time too: no error here. */
static void request(int fd, char kind, unsigned int value, unsigned int size,
		    unsigned int offset)
{
	ssize_t done;

	if (kind == 'r')
		done = pread(fd, &value, size, offset);
	else
		done = pwrite(fd, &value, size, offset);
	(void)done;
}

static int measure(int fd, const char *text)
{
	unsigned int offset, size, count, i, value[2] = {};
	unsigned long long *sample;
	char kind;
	int n;

	n = sscanf(text, "%c,%u,%u,%u,%u,%u", &kind, &offset, &size, &count,
		   &value[0], &value[1]);
	if (n < 4 || !count || (kind != 'r' && n < 5))
		return -1;
	if (n < 6)
		value[1] = value[0];
	sample = calloc(count, sizeof(*sample));
	if (!sample)
		return -1;
	for (i = 0; i < WARM_UP; i++)
		request(fd, kind, value[i % 2], size, offset);
	for (i = 0; i < count; i++) {
		unsigned long long start = now(CLOCK_MONOTONIC);

		request(fd, kind, value[i % 2], size, offset);
		sample[i] = now(CLOCK_MONOTONIC) - start;
	}
	print(text, sample, count);
	free(sample);
	return 0;
}

static int flood(int fd, char **argv)
{
	unsigned long long end = strtoull(argv[0], NULL, 0);
	unsigned long long start = end - strtoull(argv[1], NULL, 0);
	unsigned int offset = strtoul(argv[2], NULL, 0);
	unsigned int size = strtoul(argv[3], NULL, 0);
	struct timespec ts = {
		.tv_sec = start / SECOND, .tv_nsec = start % SECOND,
	};
	unsigned long count = 0;

	if (now(CLOCK_REALTIME) >= start ||
	    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL)) {
		fprintf(stderr, "confop: too late\n");
		return 1;
	}
	for (; now(CLOCK_REALTIME) < end; count++)
		request(fd, 'r', 0, size, offset);
	printf("%lu\n", count);
	return 0;
}

int main(int argc, char **argv)
{
	int i, fd = argc > 2 ? open(argv[1], O_RDWR) : -1;

	if (fd < 0) {
		fprintf(stderr, "confop: no config file\n");
		return 1;
	}
	if (argc == 7 && !strcmp(argv[2], "until"))
		return flood(fd, argv + 3);
	for (i = 2; i < argc; i++) {
		if (measure(fd, argv[i])) {
			fprintf(stderr, "confop: '%s' is no case\n", argv[i]);
			return 1;
		}
	}
	return 0;
}
