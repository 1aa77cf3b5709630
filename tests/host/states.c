// SPDX-License-Identifier: GPL-2.0
/* The table of states, cell by cell, against the one in the documentation. */
#include <stdlib.h>
#include <string.h>

#include "../../states.h"
#include "tap.h"

#define RST DOCUMENTATION "/xen-pciback-states.rst"
#define STATES 9

static const char * const name[] = {
	[PCIBACK_NOTHING] = "-", [PCIBACK_BEGIN] = "begin",
	[PCIBACK_SETUP] = "setup",
	[PCIBACK_UPDATE] = "update", [PCIBACK_CONNECT] = "connect",
	[PCIBACK_RESUME] = "resume", [PCIBACK_RECONFIGURE] = "reconfigure",
	[PCIBACK_REPLUG] = "replug", [PCIBACK_RECONNECT] = "reconnect",
	[PCIBACK_RETRY] = "retry", [PCIBACK_DETACH] = "detach",
	[PCIBACK_AWAIT] = "await", [PCIBACK_REOPEN] = "reopen",
	[PCIBACK_ATTEND] = "attend",
	[PCIBACK_LINGER] = "linger",
	[PCIBACK_RESTART] = "restart", [PCIBACK_DISCONNECT] = "disconnect",
	[PCIBACK_CLOSE] = "close", [PCIBACK_RELEASE] = "release",
};

/* As the documentation draws it; empty where it has no such cell. */
static char drawn[STATES][STATES][16];

static void read_cells(const char *line)
{
	unsigned int be, fe;
	int n = 0;

	if (sscanf(line, "%u %*s%n", &be, &n) != 1 || !n || be >= STATES)
		return;
	for (fe = 0; fe < STATES; fe++) {
		line += n;
		if (sscanf(line, " %15s%n", drawn[be][fe], &n) != 1)
			return;
	}
}

static void drawn_whole(int unused)
{
	FILE *file = fopen(RST, "r");
	unsigned int be, fe;
	char line[256];

	CHECK(file, "%s", RST);
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		read_cells(line);
	fclose(file);
	for (be = 1; be < STATES; be++)
		for (fe = 0; fe < STATES; fe++)
			CHECK(drawn[be][fe][0], "%u x %u is missing", be, fe);
}

static void check(unsigned int be, unsigned int fe, bool online,
		  const char *want)
{
	enum pciback_action action = pciback_next(be, fe, online);

	CHECK(action < ARRAY_SIZE(name) && !strcmp(name[action], want),
	      "%u x %u, online %d: action %d, not %s", be, fe, online, action,
	      want);
}

static bool ends(unsigned int be, unsigned int fe)
{
	return fe == XenbusStateUnknown || fe == XenbusStateClosed ||
	       be == XenbusStateClosed;
}

static void cells(int online)
{
	unsigned int be, fe;

	for (be = 1; be < STATES; be++)
		for (fe = 0; fe < STATES; fe++)
			check(be, fe, online, !online && ends(be, fe) ?
			      "release" : drawn[be][fe]);
}

/* A guest may write anything into its state: as if it were missing. */
static void no_such_state(int online)
{
	static const unsigned int strange[] = { 9, 10, 255, 256, 0x7fffffff,
						0x80000000, ~0u };
	unsigned int i, be;

	for (i = 0; i < ARRAY_SIZE(strange); i++)
		for (be = 0; be < STATES; be++) {
			check(strange[i], be, online, "-");
			check(be, strange[i], online,
			      name[pciback_next(be, 0, online)]);
		}
}

/* Without a directory there is nothing to be done. */
static void no_backend(int online)
{
	unsigned int fe;

	for (fe = 0; fe < STATES; fe++)
		check(0, fe, online, "-");
}

static const struct tap_test tests[] = {
	{ "the documentation draws every cell", drawn_whole },
	{ "each cell, online", cells, 1 },
	{ "each cell, offline", cells, 0 },
	{ "states that do not exist, online", no_such_state, 1 },
	{ "states that do not exist, offline", no_such_state, 0 },
	{ "no directory, online", no_backend, 1 },
	{ "no directory, offline", no_backend, 0 },
};

int main(void)
{
	return tap_run(tests, ARRAY_SIZE(tests));
}
