// SPDX-License-Identifier: GPL-2.0
/* Any text to each parser; what is taken is what a second reading says. */
#include "../../parse.h"

int fuzz_one(const u8 *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void list(const char *text, size_t size)
{
	struct pciback_pattern pattern;
	const char *s = text;
	unsigned int len;
	size_t calls = 0;
	int got;

	while ((got = pciback_parse_hide(&s, &pattern, &len))) {
		check(len && s <= text + size && ++calls <= size);
		check(got < 0 || (s[-1] == ')' && !(pattern.sbdf & ~pattern.mask)));
	}
	check(!*s);
}

int fuzz_one(const u8 *data, size_t size)
{
	struct pciback_pattern pattern;
	struct pciback_quirk quirk;
	char *text = calloc(1, size + 1);
	u32 sbdf, again;

	if (size)
		memcpy(text, data, size);
	if (!pciback_parse_pattern(text, &pattern))
		check(!(pattern.sbdf & ~pattern.mask));
	if (!pciback_parse_sbdf(text, &sbdf))
		check(!pciback_parse_sbdf(pciback_name(sbdf).s, &again) &&
		      again == sbdf);
	if (!pciback_parse_quirk(text, &quirk))
		check(quirk.mask && quirk.reg + quirk.size <= 4096 &&
		      !(quirk.reg % quirk.size) && quirk.size <= 4 &&
		      !((u64)quirk.mask >> (quirk.size * 8)));
	list(text, strlen(text));
	free(text);
	return 0;
}
