// SPDX-License-Identifier: GPL-2.0
/*
 * sweep FILE ones|zeros|SEED: write a device's whole config space, by every
 * access of 1, 2 and 4 bytes, with ones, zeros or values drawn from a seed.
 *
 * FILE is the device's config file in sysfs. Prints the number of writes and of
 * those that failed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum pattern { ONES, ZEROS, DRAWN };

static unsigned int value(enum pattern pattern)
{
	if (pattern == ONES)
		return ~0U;
	return pattern == ZEROS ? 0 : (unsigned int)mrand48();
}

int main(int argc, char **argv)
{
	enum pattern pattern = DRAWN;
	unsigned int writes = 0, failed = 0;
	struct stat st;
	int fd, size, pos;

	if (argc != 3)
		return 2;
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || fstat(fd, &st)) {
		perror(argv[1]);
		return 1;
	}
	if (!strcmp(argv[2], "ones"))
		pattern = ONES;
	else if (!strcmp(argv[2], "zeros"))
		pattern = ZEROS;
	else
		srand48(atol(argv[2]));
	for (size = 1; size <= 4; size *= 2) {
		for (pos = 0; pos < st.st_size; pos += size) {
			unsigned int val = value(pattern);

			writes++;
			failed += pwrite(fd, &val, size, pos) != size;
		}
	}
	printf("%u writes, %u failed\n", writes, failed);
	return 0;
}
