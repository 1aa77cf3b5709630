// SPDX-License-Identifier: GPL-2.0
/*
 * The one grammar for device addresses: sysfs files, hide= and xenstore.
 *
 *	address	[dddd:]bb:ss.ff		digits hexadecimal, 1 to as many as shown
 *	pattern	address, or [dddd:]bb:ss.* or [dddd:]bb:*.*
 *	quirk	address-reg:size:mask	the three with or without 0x
 *
 * Text is taken whole or not at all: white space may surround it, nothing may
 * follow it.
 */
#include <linux/bits.h>
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "parse.h"

/* hex_to_bin() is not declared by the same header in all kernels. */
static u32 digit_value(char c)
{
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

/* A hexadecimal number of at most @digits digits and not above @max. */
static int hex_number(const char **s, unsigned int digits, u32 max, u32 *val)
{
	unsigned int i;
	u32 num = 0;

	for (i = 0; isxdigit((*s)[i]); i++) {
		if (i == digits)
			return -EINVAL;
		num = num << 4 | digit_value((*s)[i]);
	}
	if (!i || num > max)
		return -EINVAL;
	*s += i;
	*val = num;
	return 0;
}

static bool skip_char(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static const char *at_end(const char *s)
{
	return *skip_spaces(s) ? NULL : s;
}

/* "ss.f", "ss.*" or "*.*" */
static int slot_and_function(const char **s, u32 *devfn, u32 *mask)
{
	u32 slot, func = 0;

	*mask = 0;
	*devfn = 0;
	if (skip_char(s, '*'))
		return skip_char(s, '.') && skip_char(s, '*') ? 0 : -EINVAL;
	if (hex_number(s, 2, 0x1f, &slot) || !skip_char(s, '.'))
		return -EINVAL;
	*mask = PCI_DEVFN(0x1f, 0);
	if (!skip_char(s, '*')) {
		if (hex_number(s, 2, 7, &func))
			return -EINVAL;
		*mask = PCI_DEVFN(0x1f, 7);
	}
	*devfn = PCI_DEVFN(slot, func);
	return 0;
}

/* Reads a pattern and leaves @s behind it. */
static int pattern_prefix(const char **s, struct pciback_pattern *pattern)
{
	u32 first, bus, devfn, mask, domain = 0;
	const char *start = *s;

	if (hex_number(s, 4, 0xffff, &first) || !skip_char(s, ':'))
		return -EINVAL;
	/* With a domain there is a second colon before the function's dot. */
	if (!hex_number(s, 2, 0xff, &bus) && skip_char(s, ':')) {
		domain = first;
	} else {
		*s = start;
		if (hex_number(s, 2, 0xff, &bus) || !skip_char(s, ':'))
			return -EINVAL;
	}
	if (slot_and_function(s, &devfn, &mask))
		return -EINVAL;
	pattern->sbdf = pciback_sbdf(domain, bus, devfn);
	pattern->mask = pciback_sbdf(0xffff, 0xff, mask);
	return 0;
}

/**
 * pciback_parse_pattern - read a pattern
 * @s: the text, NUL-terminated
 * @pattern: what it says
 *
 * Return: 0 or -EINVAL.
 */
int pciback_parse_pattern(const char *s, struct pciback_pattern *pattern)
{
	s = skip_spaces(s);
	if (pattern_prefix(&s, pattern) || !at_end(s))
		return -EINVAL;
	return 0;
}

/**
 * pciback_parse_sbdf - read the address of one device
 * @s: the text, NUL-terminated
 * @sbdf: what it says
 *
 * Return: 0 or -EINVAL, also for a pattern.
 */
int pciback_parse_sbdf(const char *s, u32 *sbdf)
{
	struct pciback_pattern pattern;

	if (pciback_parse_pattern(s, &pattern) || pattern.mask != ~0U)
		return -EINVAL;
	*sbdf = pattern.sbdf;
	return 0;
}

static int quirk_number(const char **s, u32 max, u32 *val)
{
	if (**s == '0' && tolower((*s)[1]) == 'x')
		*s += 2;
	return hex_number(s, 8, max, val);
}

/**
 * pciback_parse_quirk - read a quirk
 * @s: the text, NUL-terminated
 * @quirk: what it says; a mask of 0 has become all bits of the register
 *
 * Return: 0; -EINVAL if it is malformed, the register is not aligned to its
 * size or outside config space, or the mask is wider than the register.
 */
int pciback_parse_quirk(const char *s, struct pciback_quirk *quirk)
{
	struct pciback_pattern pattern;
	u32 all;

	s = skip_spaces(s);
	if (pattern_prefix(&s, &pattern) || pattern.mask != ~0U ||
	    !skip_char(&s, '-') ||
	    quirk_number(&s, PCI_CFG_SPACE_EXP_SIZE - 1, &quirk->reg) ||
	    !skip_char(&s, ':') || quirk_number(&s, 4, &quirk->size) ||
	    !skip_char(&s, ':') || quirk_number(&s, ~0U, &quirk->mask) ||
	    !at_end(s))
		return -EINVAL;
	if (!is_power_of_2(quirk->size) || quirk->reg & (quirk->size - 1))
		return -EINVAL;
	all = GENMASK(quirk->size * 8 - 1, 0);
	if (quirk->mask & ~all)
		return -EINVAL;
	if (!quirk->mask)
		quirk->mask = all;
	quirk->sbdf = pattern.sbdf;
	return 0;
}

/**
 * pciback_parse_hide - read the next entry of a hide= list
 * @s: in: where to read; out: behind the entry
 * @pattern: what the entry says
 * @len: length of the entry's text; it began at the old @s + white space
 *
 * The list is entries in parentheses, "(dddd:bb:ss.f)(bb:*.*)", with any white
 * space around them. Anything else is a bad entry that ends before the next
 * opening parenthesis, so that the rest of the list holds.
 *
 * Return: 1 for an entry, 0 at the end, -EINVAL for a bad entry.
 */
int pciback_parse_hide(const char **s, struct pciback_pattern *pattern,
		       unsigned int *len)
{
	const char *start = skip_spaces(*s);
	const char *end = start;
	int err = -EINVAL;

	*s = start;
	*len = 0;
	if (!*start)
		return 0;
	if (skip_char(&end, '(')) {
		end = skip_spaces(end);
		err = pattern_prefix(&end, pattern);
		end = skip_spaces(end);
		if (!err && !skip_char(&end, ')'))
			err = -EINVAL;
	}
	if (err) {
		end = strchr(start + 1, '(');
		if (!end)
			end = start + strlen(start);
	}
	*s = end;
	*len = end - start;
	return err ? err : 1;
}
