// SPDX-License-Identifier: GPL-2.0
/*
 * uevent TEXT: wait for the first device to appear whose path has TEXT in it;
 * print "waiting", and then when it came in nanoseconds of the epoch.
 */
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

int main(int argc, char **argv)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int sock = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);
	struct timespec ts;
	char event[4096];
	ssize_t len;

	if (argc != 2 || bind(sock, (struct sockaddr *)&addr, sizeof(addr)))
		return 1;
	printf("waiting\n");
	fflush(stdout);
	do {
		len = recv(sock, event, sizeof(event) - 1, 0);
		if (len < 0)
			return 1;
		event[len] = 0;
	} while (strncmp(event, "add@", 4) || !strstr(event, argv[1]));
	clock_gettime(CLOCK_REALTIME, &ts);
	printf("%lld%09ld\n", (long long)ts.tv_sec, ts.tv_nsec);
	return 0;
}
