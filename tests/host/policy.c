// SPDX-License-Identifier: GPL-2.0
/*
 * Documentation/xen-pciback-policy.rst and the driver's tables say the same.
 *
 * The document has a heading for each table ("Header", "Capability 0x05: ...",
 * "Extended capability 0x0001: ...") and below it a line for each register that
 * begins with its offset, its size and its bits in the letters that the
 * document explains. Words stand for registers whose bits are all alike.
 */
#include "../../conf_space.h"
#include "tap.h"

/* Bits that are all alike: letter -> word. */
static const struct {
	const char *letter;
	const char *word;
} words[] = {
	{ "-", "read-only" }, { "f", "fixed" }, { "r", "writable" },
	{ "A", "virtual" },
};

#define MAX_LINES 256

/**
 * struct line - a register in the document
 * @table: heading that it stands under
 * @offset: from the start of the table
 * @size: in bytes
 * @bits: letters without blanks, or a word
 * @seen: the driver has it
 */
struct line {
	char table[32];
	unsigned int offset, size;
	char bits[40];
	bool seen;
};

static struct line lines[MAX_LINES];
static unsigned int nr_lines;

/* Headings as the document has them, up to the colon. */
static char tables[64][32];
static bool vendor[64];
static unsigned int nr_tables;

static char letter(const struct pciback_reg *reg, unsigned int bit)
{
	bool virt = reg->virt >> bit & 1, act = reg->act >> bit & 1;

	if (reg->w1c >> bit & 1)
		return virt ? 'z' : 'c';
	if (reg->rw >> bit & 1)
		return act ? (virt ? 'A' : 'a') : (virt ? 'v' : 'r');
	if (reg->rw_permissive >> bit & 1)
		return 'p';
	return virt ? 'f' : '-';
}

static void draw(const struct pciback_reg *reg, char *bits)
{
	unsigned int i, nr = reg->size * 8;

	for (i = 0; i < nr; i++)
		bits[i] = letter(reg, nr - 1 - i);
	bits[nr] = 0;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strspn(bits, words[i].letter) == nr)
			strcpy(bits, words[i].word);
}

/* The letters of a line; groups of eight are joined. */
static void take_bits(const char *text, unsigned int size, char *bits)
{
	unsigned int nr = strcspn(text, "\n ");

	if (nr != 8 || size == 1) {
		snprintf(bits, 40, "%.*s", min(nr, 39u), text);
		return;
	}
	for (; size--; text += 9, bits += 8)
		memcpy(bits, text, 8);
	*bits = 0;
}

static void take_line(const char *text)
{
	struct line *line = &lines[nr_lines];
	int at = 0;

	if (!strncmp(text, "Header", 6) || !strncmp(text, "Capability 0x", 13) ||
	    !strncmp(text, "Extended capability 0x", 22)) {
		vendor[nr_tables] = strstr(text, "vendor's own");
		snprintf(tables[nr_tables++], 32, "%.*s",
			 (int)strcspn(text, ":\n"), text);
		return;
	}
	sscanf(text, "0x%x %u %n", &line->offset, &line->size, &at);
	if (!at || !nr_tables || strlen(text) < at + 35u)
		return;
	strcpy(line->table, tables[nr_tables - 1]);
	take_bits(text + at, line->size, line->bits);
	nr_lines++;
}

static bool read_document(void)
{
	FILE *file = fopen(DOCUMENTATION "/xen-pciback-policy.rst", "r");
	char text[256];

	if (!file)
		return false;
	while (nr_lines < MAX_LINES && nr_tables < 64 &&
	       fgets(text, sizeof(text), file))
		take_line(text);
	fclose(file);
	return true;
}

static void check_reg(const char *table, const struct pciback_reg *reg)
{
	char bits[40];
	unsigned int i;

	draw(reg, bits);
	for (i = 0; i < nr_lines; i++) {
		struct line *line = &lines[i];

		if (line->offset != reg->offset || strcmp(line->table, table))
			continue;
		line->seen = true;
		CHECK(line->size == reg->size && !strcmp(line->bits, bits),
		      "%s, %#04x: it is %u bytes, %s", table, reg->offset,
		      reg->size, bits);
		return;
	}
	CHECK(false, "%s lacks 0x%02x  %u  %s", table, reg->offset, reg->size,
	      bits);
}

static void check_caps(const struct pciback_cap *cap, unsigned int nr,
		       const char *fmt)
{
	char table[32];
	unsigned int i;

	for (; nr--; cap++) {
		/* What is hidden has no table. */
		if (!cap->nr)
			continue;
		snprintf(table, sizeof(table), fmt, cap->id);
		for (i = 0; i < nr_tables && strcmp(tables[i], table); i++)
			;
		CHECK(i < nr_tables && vendor[i] == cap->open,
		      "%s: heading, and \"vendor's own\" in it or not", table);
		for (i = 0; i < cap->nr; i++)
			check_reg(table, &cap->reg[i]);
	}
}

static void complete(int unused)
{
	unsigned int i;

	for (i = 0; i < pciback_header_nr; i++)
		check_reg("Header", &pciback_header_regs[i]);
	check_caps(pciback_std_caps, pciback_std_caps_nr, "Capability 0x%02x");
	check_caps(pciback_ext_caps, pciback_ext_caps_nr,
		   "Extended capability 0x%04x");
}

static unsigned int nr_shown(const struct pciback_cap *cap, unsigned int nr)
{
	unsigned int shown = 0;

	for (; nr--; cap++)
		shown += !!cap->nr;
	return shown;
}

static void nothing_else(int unused)
{
	unsigned int i;

	CHECK(nr_lines < MAX_LINES && nr_tables < 64, "too long");
	for (i = 0; i < nr_lines; i++)
		CHECK(lines[i].seen, "%s: the driver has no register at %#04x",
		      lines[i].table, lines[i].offset);
	CHECK(nr_tables == 1 + nr_shown(pciback_std_caps, pciback_std_caps_nr) +
			   nr_shown(pciback_ext_caps, pciback_ext_caps_nr),
	      "%u tables", nr_tables);
}

static const struct tap_test tests[] = {
	{ "the document has each register of the driver", complete },
	{ "... and nothing else", nothing_else },
};

int main(void)
{
	if (!read_document())
		return 1;
	return tap_run(tests, ARRAY_SIZE(tests));
}
