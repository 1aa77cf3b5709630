// SPDX-License-Identifier: GPL-2.0
/*
 * latency FILE MIN: read two bytes of config space every two milliseconds until
 * SIGTERM, and MIN times at least, then say how long that took: a device's
 * status, which the backend has to fetch from the hardware.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MAX_SAMPLES 4000000
#define STATUS 6

static unsigned int sample[MAX_SAMPLES];

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a;
	unsigned int y = *(const unsigned int *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	struct timespec pause = { .tv_nsec = 2000000 };
	unsigned short word;
	int file, min, nr = 0;
	bool ended = false;
	long long start;
	sigset_t term;

	if (argc != 3)
		return 2;
	min = atoi(argv[2]);
	file = open(argv[1], O_RDONLY);
	if (file < 0)
		return 1;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	do {
		start = now();
		if (pread(file, &word, sizeof(word), STATUS) != sizeof(word))
			return 1;
		sample[nr++] = (now() - start) / 1000;
		ended |= sigtimedwait(&term, NULL, &pause) == SIGTERM;
	} while ((!ended || nr < min) && nr < MAX_SAMPLES);
	qsort(sample, nr, sizeof(sample[0]), compare);
	printf("%d %u %u %u\n", nr, sample[nr / 2], sample[nr - nr / 100 - 1],
	       sample[nr - 1]);
	return 0;
}
