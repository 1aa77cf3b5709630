// SPDX-License-Identifier: GPL-2.0
/*
 * switch FILE PM MS: write to a device's config space what switches its bus
 * mastering and its power off and on, again and again for that long. PM is where
 * its power management capability is. For dom0, of a device that nobody uses.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define COMMAND 4
#define MASTER 4
#define PM_CTRL 4
#define D3HOT 3

/* PCI Bus Power Management 1.2 section 5.6.1 */
#define FROM_D3HOT_US 10000

static long long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void put(int file, int offset, unsigned short value)
{
	if (pwrite(file, &value, sizeof(value), offset) != sizeof(value))
		exit(1);
}

int main(int argc, char **argv)
{
	unsigned short command;
	long long end;
	int file, pm;

	if (argc != 4)
		return 2;
	file = open(argv[1], O_RDWR);
	pm = strtol(argv[2], NULL, 0);
	end = now_ms() + atoi(argv[3]);
	if (file < 0 ||
	    pread(file, &command, sizeof(command), COMMAND) != sizeof(command))
		return 1;
	while (now_ms() < end) {
		put(file, COMMAND, command ^ MASTER);
		put(file, COMMAND, command);
		put(file, pm + PM_CTRL, D3HOT);
		put(file, pm + PM_CTRL, 0);
		usleep(FROM_D3HOT_US);
	}
	return 0;
}
