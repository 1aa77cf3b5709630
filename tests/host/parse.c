// SPDX-License-Identifier: GPL-2.0
/* The grammar of addresses, quirks and hide lists. */
#include "../../parse.h"
#include "random.h"
#include "tap.h"

#define ONE	0xffffffff
#define SLOT	0xfffffff8
#define BUS	0xffffff00

struct good {
	const char *text;
	u32 sbdf;
	u32 mask;
};

static const struct good good_patterns[] = {
	{ "0000:00:00.00", 0, ONE }, { "0000:00:00.07", 7, ONE },
	{ "0000:00:00.0", 0, ONE }, { "0000:01:00.0", 0x100, ONE },
	{ "0000:01:1f.7", 0x1ff, ONE }, { "ffff:ff:1f.7", 0xffffffff, ONE },
	{ "FFFF:FF:1F.7", 0xffffffff, ONE }, { "abcd:ef:0a.3", 0xabcdef53, ONE },
	{ "ABCD:ef:0A.3", 0xabcdef53, ONE }, { "0:0:0.0", 0, ONE },
	{ "1:2:3.4", 0x1021c, ONE }, { "01:02:03.4", 0x1021c, ONE },
	{ "001:2:3.4", 0x1021c, ONE }, { "0001:02:3.4", 0x1021c, ONE },
	{ "10:20:1e.1", 0x1020f1, ONE }, { "00:00.0", 0, ONE },
	{ "01:00.0", 0x100, ONE }, { "1:0.0", 0x100, ONE },
	{ "ff:1f.7", 0xffff, ONE }, { "fF:1F.7", 0xffff, ONE },
	{ "a:b.1", 0xa59, ONE }, { "00:1f.2", 0xfa, ONE },
	{ " 01:00.0", 0x100, ONE }, { "01:00.0 ", 0x100, ONE },
	{ "01:00.0\n", 0x100, ONE }, { "\t 01:00.0 \t\r\n", 0x100, ONE },
	{ "  0000:01:00.0\n\n", 0x100, ONE }, { "\v\f01:00.0\v\f", 0x100, ONE },
	{ "0000:03:00.0", 0x300, ONE }, { "0000:03:10.1", 0x381, ONE },
	{ "8000:80:10.4", 0x80008084, ONE }, { "7fff:7f:0f.3", 0x7fff7f7b, ONE },
	{ "0000:01:00.*", 0x100, SLOT }, { "01:00.*", 0x100, SLOT },
	{ "1:2:3.*", 0x10218, SLOT }, { "ff:1f.*", 0xfff8, SLOT },
	{ "ffff:ff:1f.*", 0xfffffff8, SLOT }, { "0:0.*", 0, SLOT },
	{ " 01:1.*\n", 0x108, SLOT }, { "0000:00:00.*", 0, SLOT },
	{ "0000:01:*.*", 0x100, BUS }, { "01:*.*", 0x100, BUS },
	{ "1:2:*.*", 0x10200, BUS }, { "ff:*.*", 0xff00, BUS },
	{ "ffff:ff:*.*", 0xffffff00, BUS }, { "0:*.*", 0, BUS },
	{ "\t0000:00:*.*\n", 0, BUS }, { "a:*.*", 0xa00, BUS },
	{ "0000:0a:*.*", 0xa00, BUS }, { "abcd:0:*.*", 0xabcd0000, BUS },
	{ "00:1f.*", 0xf8, SLOT }, { "0001:00:00.0", 0x10000, ONE },
	{ "00:01.0", 8, ONE }, { "00:00.7", 7, ONE }, { "00:10.0", 0x80, ONE },
	{ "80:00.0", 0x8000, ONE }, { "100:0:0.0", 0x1000000, ONE },
	{ "0100:00:00.0", 0x1000000, ONE }, { "fff:f:f.7", 0xfff0f7f, ONE },
	{ "10:0:*.*", 0x100000, BUS }, { "0010:10:10.*", 0x101080, SLOT },
	{ "2:1f.0", 0x2f8, ONE }, { "2:9.6", 0x24e, ONE },
	{ "02:a.6", 0x256, ONE }, { "0002:b:c.5", 0x20b65, ONE },
	{ "f:e:d.1", 0xf0e69, ONE }, { "F:E:D.1", 0xf0e69, ONE },
	{ "c0de:c0:10.0", 0xc0dec080, ONE }, { "1:*.*\n", 0x100, BUS },
	{ "\n1:0.*\n", 0x100, SLOT }, { "99:19.5", 0x99cd, ONE },
	{ "9999:99:19.5", 0x999999cd, ONE }, { "0:0:0.7", 7, ONE },
	{ "0:0:1.0", 8, ONE }, { "0:1:0.0", 0x100, ONE },
	{ "1:0:0.0", 0x10000, ONE }, { "ffff:0:0.0", 0xffff0000, ONE },
	{ "0:ff:0.0", 0xff00, ONE }, { "0:0:1f.0", 0xf8, ONE },
	{ "e:1e.*", 0xef0, SLOT }, { "0e:0e.*", 0xe70, SLOT },
	{ "ef:*.*", 0xef00, BUS }, { "00:00.0\t", 0, ONE },
	{ NULL },
};

static const char * const bad_patterns[] = {
	"", " ", "\n", ":", ".", "*", "*.*", ".*", ":*.*", "0", "00", "0000",
	"00:", "00:00", "00:00.", "00:.0", ":00.0", "00.0", "0000:00:00",
	"0000:00:00.", "0000:00:.0", "0000::00.0", ":00:00.0", "::0.0",
	"00000:00:00.0", "10000:00:00.0", "0000:000:00.0", "0000:100:00.0",
	"0000:00:000.0", "0000:00:20.0", "0000:00:ff.0", "0000:00:00.8",
	"0000:00:00.9", "0000:00:00.f", "0000:00:00.000", "0000:00:00.10",
	"000:00.0", "100:00.0", "0100:00.0", "00:20.0", "00:00.8", "00:000.0",
	"00:00.0x", "0000:01:00.0x", "01:00.0 x", "01:00.0,", "01:00.0;02:00.0",
	"01:00.0 02:00.0", "01:00.0\n02:00.0", "01:00.0/", "01:00.0:",
	"01:00.0.0", "01:00.0*", "01:00.*0", "01:00.**", "01:*.0", "01:*", "01:*.",
	"01:*.*x", "01:**.*", "01:*.**", "01:*0.*", "*:00.0", "*:*.*", "*:00:00.0",
	"0000:*:00.0", "0000:*:*.*", "*:*:*.*", "0000:00:*.0", "0000:*.*",
	"g0:00.0", "0g:00.0", "00:0g.0", "00:00.g", "0x00:00.0", "00:0x0.0",
	"-1:00.0", "+1:00.0", "00:-1.0", "00:00.-1", "00 :00.0", "00: 00.0",
	"00:00 .0", "00:00. 0", "0000 :00:00.0", "0000: 00:00.0", "(01:00.0)",
	"01:00.0)", "(01:00.0", "01-00.0", "01:00,0", "0000-00-00.0",
	"0000:00:00:0", "0000:00.00.0", "0000:00:00:00.0", "1:2:3:4.5",
	"\2001:00.0", "01:00.0\x80", "\xff", "fffff:ff:1f.7",
	"ffffffff:00:00.0", "100000000:00:00.0", "0000000000000001:00.0",
	"01:00.00000000000000000000000000000000000000000000000000",
};

struct good_quirk {
	const char *text;
	struct pciback_quirk quirk;
};

static const struct good_quirk good_quirks[] = {
	{ "00:00.0-0:1:0", { 0, 0, 1, 0xff } },
	{ "00:00.0-0:2:0", { 0, 0, 2, 0xffff } },
	{ "00:00.0-0:4:0", { 0, 0, 4, ~0u } },
	{ "00:00.0-40:1:0", { 0, 0x40, 1, 0xff } },
	{ "00:00.0-0x40:1:0", { 0, 0x40, 1, 0xff } },
	{ "00:00.0-0X40:0x1:0x0f", { 0, 0x40, 1, 0xf } },
	{ "00:00.0-40:1:1", { 0, 0x40, 1, 1 } },
	{ "00:00.0-40:1:ff", { 0, 0x40, 1, 0xff } },
	{ "00:00.0-40:1:80", { 0, 0x40, 1, 0x80 } },
	{ "00:00.0-41:1:0f", { 0, 0x41, 1, 0xf } },
	{ "00:00.0-43:1:0f", { 0, 0x43, 1, 0xf } },
	{ "00:00.0-40:2:1", { 0, 0x40, 2, 1 } },
	{ "00:00.0-42:2:ffff", { 0, 0x42, 2, 0xffff } },
	{ "00:00.0-42:2:8000", { 0, 0x42, 2, 0x8000 } },
	{ "00:00.0-40:4:ffffffff", { 0, 0x40, 4, ~0u } },
	{ "00:00.0-40:4:80000000", { 0, 0x40, 4, 0x80000000 } },
	{ "00:00.0-40:4:00000001", { 0, 0x40, 4, 1 } },
	{ "0000:03:00.0-80:4:0", { 0x300, 0x80, 4, ~0u } },
	{ "0000:03:00.0-94:4:12345678", { 0x300, 0x94, 4, 0x12345678 } },
	{ "0000:03:00.0-AC:4:DEADBEEF", { 0x300, 0xac, 4, 0xdeadbeef } },
	{ "ffff:ff:1f.7-fff:1:ff", { ~0u, 0xfff, 1, 0xff } },
	{ "ffff:ff:1f.7-ffe:2:ff", { ~0u, 0xffe, 2, 0xff } },
	{ "ffff:ff:1f.7-ffc:4:ff", { ~0u, 0xffc, 4, 0xff } },
	{ "ff:1f.7-ffc:4:0", { 0xffff, 0xffc, 4, ~0u } },
	{ "1:2:3.4-5:1:6", { 0x1021c, 5, 1, 6 } },
	{ "1:2.3-4:1:5", { 0x113, 4, 1, 5 } },
	{ "00:00.0-00000040:1:0", { 0, 0x40, 1, 0xff } },
	{ "00:00.0-00000fff:1:0", { 0, 0xfff, 1, 0xff } },
	{ "00:00.0-40:00000001:0", { 0, 0x40, 1, 0xff } },
	{ "00:00.0-40:4:00000000", { 0, 0x40, 4, ~0u } },
	{ "00:00.0-40:01:00000001", { 0, 0x40, 1, 1 } },
	{ " 00:00.0-40:1:0", { 0, 0x40, 1, 0xff } },
	{ "00:00.0-40:1:0\n", { 0, 0x40, 1, 0xff } },
	{ "\t00:00.0-40:1:0 \r\n", { 0, 0x40, 1, 0xff } },
	{ "00:00.0-100:4:1", { 0, 0x100, 4, 1 } },
	{ "00:00.0-aBc:4:1", { 0, 0xabc, 4, 1 } },
	{ "0000:00:00.0-3:1:0", { 0, 3, 1, 0xff } },
	{ "0000:00:1f.0-dc:4:3", { 0xf8, 0xdc, 4, 3 } },
	{ "8:0.1-e:2:7fff", { 0x801, 0xe, 2, 0x7fff } },
	{ "10:1:1.1-7fe:2:1", { 0x100109, 0x7fe, 2, 1 } },
	{ "00:02.0-f0:4:f0f0f0f0", { 0x10, 0xf0, 4, 0xf0f0f0f0 } },
	{ "00:02.0-0800:4:1", { 0x10, 0x800, 4, 1 } },
	{ "00:00.0-44:1:b1",
	  { 0x0, 0x44, 1, 0xb1 } },
	{ "01:01.1-68:2:f362",
	  { 0x109, 0x68, 2, 0xf362 } },
	{ "02:02.2-8c:4:daa66d13",
	  { 0x212, 0x8c, 4, 0xdaa66d13 } },
	{ "03:03.3-b0:1:c4",
	  { 0x31b, 0xb0, 1, 0xc4 } },
	{ "04:04.4-d4:2:6075",
	  { 0x424, 0xd4, 2, 0x6075 } },
	{ "05:05.5-f8:4:b54cda26",
	  { 0x52d, 0xf8, 4, 0xb54cda26 } },
	{ "06:06.6-11c:1:d7",
	  { 0x636, 0x11c, 1, 0xd7 } },
	{ "07:07.7-140:2:cd88",
	  { 0x73f, 0x140, 2, 0xcd88 } },
	{ "08:08.0-164:4:8ff34739",
	  { 0x840, 0x164, 4, 0x8ff34739 } },
	{ "09:09.1-188:1:ea",
	  { 0x949, 0x188, 1, 0xea } },
	{ "0a:0a.2-1ac:2:3a9b",
	  { 0xa52, 0x1ac, 2, 0x3a9b } },
	{ "0b:0b.3-1d0:4:6a99b44c",
	  { 0xb5b, 0x1d0, 4, 0x6a99b44c } },
	{ "0c:0c.4-1f4:1:fd",
	  { 0xc64, 0x1f4, 1, 0xfd } },
	{ "0d:0d.5-218:2:a7ae",
	  { 0xd6d, 0x218, 2, 0xa7ae } },
	{ "0e:0e.6-23c:4:4540215f",
	  { 0xe76, 0x23c, 4, 0x4540215f } },
	{ "0f:0f.7-260:1:10",
	  { 0xf7f, 0x260, 1, 0x10 } },
	{ "10:10.0-284:2:14c1",
	  { 0x1080, 0x284, 2, 0x14c1 } },
	{ "11:11.1-2a8:4:1fe68e72",
	  { 0x1189, 0x2a8, 4, 0x1fe68e72 } },
	{ "12:12.2-2cc:1:23",
	  { 0x1292, 0x2cc, 1, 0x23 } },
	{ "13:13.3-2f0:2:81d4",
	  { 0x139b, 0x2f0, 2, 0x81d4 } },
	{ "14:14.4-314:4:fa8cfb85",
	  { 0x14a4, 0x314, 4, 0xfa8cfb85 } },
	{ "15:15.5-338:1:36",
	  { 0x15ad, 0x338, 1, 0x36 } },
	{ "16:16.6-35c:2:eee7",
	  { 0x16b6, 0x35c, 2, 0xeee7 } },
	{ "17:17.7-380:4:d5336898",
	  { 0x17bf, 0x380, 4, 0xd5336898 } },
	{ "18:18.0-3a4:1:49",
	  { 0x18c0, 0x3a4, 1, 0x49 } },
	{ "19:19.1-3c8:2:5bfa",
	  { 0x19c9, 0x3c8, 2, 0x5bfa } },
	{ "1a:1a.2-3ec:4:afd9d5ab",
	  { 0x1ad2, 0x3ec, 4, 0xafd9d5ab } },
	{ "1b:1b.3-410:1:5c",
	  { 0x1bdb, 0x410, 1, 0x5c } },
	{ "1c:1c.4-434:2:c90d",
	  { 0x1ce4, 0x434, 2, 0xc90d } },
	{ "1d:1d.5-458:4:8a8042be",
	  { 0x1ded, 0x458, 4, 0x8a8042be } },
	{ "1e:1e.6-47c:1:6f",
	  { 0x1ef6, 0x47c, 1, 0x6f } },
	{ "1f:1f.7-4a0:2:3620",
	  { 0x1fff, 0x4a0, 2, 0x3620 } },
	{ "20:00.0-4c4:4:6526afd1",
	  { 0x2000, 0x4c4, 4, 0x6526afd1 } },
	{ "21:01.1-4e8:1:82",
	  { 0x2109, 0x4e8, 1, 0x82 } },
	{ "22:02.2-50c:2:a333",
	  { 0x2212, 0x50c, 2, 0xa333 } },
	{ "23:03.3-530:4:3fcd1ce4",
	  { 0x231b, 0x530, 4, 0x3fcd1ce4 } },
	{ "24:04.4-554:1:95",
	  { 0x2424, 0x554, 1, 0x95 } },
	{ "25:05.5-578:2:1046",
	  { 0x252d, 0x578, 2, 0x1046 } },
	{ "26:06.6-59c:4:1a7389f7",
	  { 0x2636, 0x59c, 4, 0x1a7389f7 } },
	{ "27:07.7-5c0:1:a8",
	  { 0x273f, 0x5c0, 1, 0xa8 } },
	{ "28:08.0-5e4:2:7d59",
	  { 0x2840, 0x5e4, 2, 0x7d59 } },
	{ "29:09.1-608:4:f519f70a",
	  { 0x2949, 0x608, 4, 0xf519f70a } },
};

static const char * const bad_quirks[] = {
	"", "-", "-40:1:0", "40:1:0", "00:00.0", "00:00.0-", "00:00.0-40",
	"00:00.0-40:", "00:00.0-40:1", "00:00.0-40:1:", "00:00.0-:1:0",
	"00:00.0-40::0", "00:00.0-::", "00:00.0:40:1:0", "00:00.0 40:1:0",
	"00:00.0 -40:1:0", "00:00.0- 40:1:0", "00:00.0-40 :1:0",
	"00:00.0-40: 1:0", "00:00.0-40:1 :0", "00:00.0-40:1: 0",
	"00:00.0-40:1:0x", "00:00.0-40:1:0:", "00:00.0-40:1:0 x",
	"00:00.0-40:1:0,", "00:00.0-40:1:0-", "00:00.0-1000:1:0",
	"00:00.0-1001:1:0", "00:00.0-ffff:1:0", "00:00.0-fffff:1:0",
	"00:00.0-100000040:1:0", "00:00.0-000000040:1:0", "00:00.0--1:1:0",
	"00:00.0-+1:1:0", "00:00.0-0x:1:0", "00:00.0-00x40:1:0", "00:00.0-g:1:0", "00:00.0-40:0:0",
	"00:00.0-40:3:0", "00:00.0-40:5:0", "00:00.0-40:6:0", "00:00.0-40:8:0",
	"00:00.0-40:10:0", "00:00.0-40:-1:0", "00:00.0-40:100000001:0",
	"00:00.0-40:000000001:0", "00:00.0-40:ff:0", "00:00.0-40:g:0",
	"00:00.0-40:1:100", "00:00.0-40:1:1ff", "00:00.0-40:1:ffff",
	"00:00.0-40:1:80000000", "00:00.0-40:2:10000", "00:00.0-40:2:ffffffff",
	"00:00.0-40:4:100000000", "00:00.0-40:4:fffffffff",
	"00:00.0-40:4:000000001", "00:00.0-40:1:-1", "00:00.0-40:1:g",
	"00:00.0-40:1:*", "00:00.0-41:2:0", "00:00.0-43:2:0", "00:00.0-41:4:0",
	"00:00.0-42:4:0", "00:00.0-43:4:0", "00:00.0-fff:2:0", "00:00.0-ffd:4:0",
	"00:00.0-ffe:4:0", "00:00.0-fff:4:0", "00:00.*-40:1:0", "00:*.*-40:1:0",
	"0000:00:00.*-40:1:0", "0000:00:*.*-40:1:0", "00:20.0-40:1:0",
	"00:00.8-40:1:0", "100:00.0-40:1:0", "10000:00:00.0-40:1:0",
	"00.0-40:1:0", ":00.0-40:1:0", "00:00.0-40:1:0\n00:00.0-41:1:0",
	"(00:00.0-40:1:0)", "00:00.0-40-1-0", "00:00.0-40.1.0", "\xff-40:1:0",
	"00:00.0-\x80:1:0", "00:00.0-40:1:0\x80",
};

static void patterns(int unused)
{
	const struct good *good;

	for (good = good_patterns; good->mask; good++) {
		struct pciback_pattern pattern = { 1, 1 };
		int err = pciback_parse_pattern(good->text, &pattern);

		CHECK(!err && pattern.sbdf == good->sbdf &&
		      pattern.mask == good->mask, "'%s': %d, %#x %#x", good->text,
		      err, pattern.sbdf, pattern.mask);
	}
}

static void no_patterns(int unused)
{
	struct pciback_pattern pattern;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_patterns); i++)
		CHECK(pciback_parse_pattern(bad_patterns[i], &pattern) == -EINVAL,
		      "'%s'", bad_patterns[i]);
}

/* An address is a pattern that means one device. */
static void addresses(int unused)
{
	const struct good *good;
	unsigned int i;

	for (good = good_patterns; good->mask; good++) {
		u32 sbdf = 0x5555aaaa;
		int err = pciback_parse_sbdf(good->text, &sbdf);

		if (good->mask == ONE)
			CHECK(!err && sbdf == good->sbdf, "'%s': %d, %#x",
			      good->text, err, sbdf);
		else
			CHECK(err == -EINVAL && sbdf == 0x5555aaaa, "'%s': %d",
			      good->text, err);
	}
	for (i = 0; i < ARRAY_SIZE(bad_patterns); i++) {
		u32 sbdf;

		CHECK(pciback_parse_sbdf(bad_patterns[i], &sbdf) == -EINVAL,
		      "'%s'", bad_patterns[i]);
	}
}

/* Every address there is comes back from its text. */
static void round_trip(int unused)
{
	u32 sbdf = 0, back, i;
	char text[32];

	for (i = 0; i < 300000; i++, sbdf += 0x37f3) {
		snprintf(text, sizeof(text), "%04x:%02x:%02x.%d", sbdf >> 16,
			 sbdf >> 8 & 0xff, sbdf >> 3 & 31, sbdf & 7);
		CHECK(!pciback_parse_sbdf(text, &back) && back == sbdf, "%s", text);
		CHECK(!strcmp(text, pciback_name(sbdf).s), "%s", text);
		CHECK(pciback_sbdf(sbdf >> 16, sbdf >> 8, sbdf) == sbdf, "%#x",
		      sbdf);
	}
}

/* All texts that differ from a good one in one character. */
static void one_character(int unused)
{
	static const char base[] = "0001:02:03.4";
	struct pciback_pattern pattern;
	unsigned int at, c;

	for (at = 0; at < sizeof(base) - 1; at++)
		for (c = 1; c < 256; c++) {
			char text[sizeof(base)];
			bool fits;

			memcpy(text, base, sizeof(base));
			text[at] = c;
			if (strchr(":.", base[at]))
				fits = text[at] == base[at];
			else if (at == 11)
				fits = strchr("01234567*", c);
			else
				fits = isxdigit(c) && (at != 8 || c < '2');
			fits |= at == 0 && isspace(c);
			CHECK(pciback_parse_pattern(text, &pattern) ==
			      (fits ? 0 : -EINVAL), "'%s'", text);
		}
}

static void quirks(int unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good_quirks); i++) {
		struct pciback_quirk quirk;
		int err = pciback_parse_quirk(good_quirks[i].text, &quirk);

		CHECK(!err && !memcmp(&quirk, &good_quirks[i].quirk, sizeof(quirk)),
		      "'%s': %d, %#x %#x %u %#x", good_quirks[i].text, err,
		      quirk.sbdf, quirk.reg, quirk.size, quirk.mask);
	}
}

static void no_quirks(int unused)
{
	struct pciback_quirk quirk;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_quirks); i++)
		CHECK(pciback_parse_quirk(bad_quirks[i], &quirk) == -EINVAL, "'%s'",
		      bad_quirks[i]);
	for (i = 0; i < ARRAY_SIZE(bad_patterns); i++) {
		char text[128];

		snprintf(text, sizeof(text), "%s-40:1:0", bad_patterns[i]);
		CHECK(pciback_parse_quirk(text, &quirk) == -EINVAL, "'%s'", text);
	}
}

/* ---- Lists ---- */

/* What a list comes to: '+' for an entry, '!' for a bad one. */
static const struct {
	const char *list;
	const char *entries;
	u32 sbdf[4];
} lists[] = {
	{ "", "" }, { " ", "" }, { "\n\t ", "" },
	{ "(01:00.0)", "+", { 0x100 } }, { "(0000:01:00.0)", "+", { 0x100 } },
	{ " ( 01:00.0 ) ", "+", { 0x100 } }, { "(01:00.*)", "+", { 0x100 } },
	{ "(01:*.*)", "+", { 0x100 } }, { "(ffff:ff:*.*)", "+", { 0xffffff00 } },
	{ "(01:00.0)(02:00.0)", "++", { 0x100, 0x200 } },
	{ "(01:00.0) (02:00.0)", "++", { 0x100, 0x200 } },
	{ "(01:00.0)\n(02:00.0)\n", "++", { 0x100, 0x200 } },
	{ "(01:00.0)(01:00.0)", "++", { 0x100, 0x100 } },
	{ "(01:00.0)(02:00.*)(03:*.*)", "+++", { 0x100, 0x200, 0x300 } },
	{ "01:00.0", "!" }, { "x", "!" }, { ")", "!" }, { "(", "!" },
	{ "()", "!" }, { "( )", "!" }, { "((", "!!" }, { "(((", "!!!" },
	{ "))", "!" }, { "(01:00.0", "!" }, { "01:00.0)", "!" }, { "(x)", "!" },
	{ "(01:00.0x)", "!" }, { "(01:00.8)", "!" }, { "(01:20.0)", "!" },
	{ "(100:00.0)", "!" }, { "(01:*.0)", "!" }, { "(*.*)", "!" },
	{ "[01:00.0]", "!" }, { "(01:00.0]", "!" }, { "{01:00.0}", "!" },
	{ "(01:00.0 02:00.0)", "!" }, { "(01:00.0,02:00.0)", "!" },
	{ "(01:00.0)x", "+!", { 0x100 } }, { "(01:00.0))", "+!", { 0x100 } },
	{ "(01:00.0),(02:00.0)", "+!+", { 0x100, 0x200 } },
	{ "(01:00.0), (02:00.0)", "+!+", { 0x100, 0x200 } },
	{ "x(02:00.0)", "!+", { 0x200 } }, { "x (02:00.0)", "!+", { 0x200 } },
	{ ",(02:00.0)", "!+", { 0x200 } }, { "()(02:00.0)", "!+", { 0x200 } },
	{ "((02:00.0)", "!+", { 0x200 } }, { "((02:00.0))", "!+!", { 0x200 } },
	{ "(x)(02:00.0)", "!+", { 0x200 } }, { "(01:00.0(02:00.0)", "!+", { 0x200 } },
	{ "(01:00.0 (02:00.0)", "!+", { 0x200 } },
	{ "(01:00.0x)(02:00.0)", "!+", { 0x200 } },
	{ "(01:00.9)(02:00.0)(03:0g.0)(04:00.0)", "!+!+", { 0x200, 0x400 } },
	{ "(99999:01:00.0)(02:00.0)", "!+", { 0x200 } },
	{ "(01:00.0)(", "+!", { 0x100 } }, { "(01:00.0)()", "+!", { 0x100 } },
	{ "(01:00.0)(02", "+!", { 0x100 } },
	{ "(01:00.0)garbage(02:00.0)garbage", "+!+!", { 0x100, 0x200 } },
	{ "(01:00.0)-(02:00.0)", "+!+", { 0x100, 0x200 } },
	{ "01:00.0(02:00.0)", "!+", { 0x200 } },
	{ "01:00.0 02:00.0", "!" }, { "0000:01:00.0,0000:02:00.0", "!" },
	{ "(0000:01:00.0)(0000:02:00.0)", "++", { 0x100, 0x200 } },
	{ "(\n01:00.0\n)", "+", { 0x100 } }, { "(01:00 .0)", "!" },
	{ "(01 :00.0)", "!" }, { "(01:00.0-40:1:0)", "!" },
	{ "(8086:10c9)", "!" }, { "(8086:10c9)(02:00.0)", "!+", { 0x200 } },
	{ "(\xff)(02:00.0)", "!+", { 0x200 } }, { "\x80(02:00.0)", "!+", { 0x200 } },
	{ "(01:00.0)\x80", "+!", { 0x100 } }, { "none", "!" }, { "0", "!" },
	{ "(0)", "!" }, { "(:)", "!" }, { "(.)", "!" }, { "(:.)", "!" },
	{ "(::.)", "!" }, { "(01:00.)", "!" }, { "(01:.0)", "!" },
	{ "(01:00)", "!" }, { "(0000:01)", "!" }, { "(0000:01:00)", "!" },
};

static void hide_lists(int unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		const char *s = lists[i].list, *end = s + strlen(s);
		unsigned int nr = 0, good = 0, len;
		struct pciback_pattern pattern;
		int got;

		do {
			const char *start = skip_spaces(s);

			got = pciback_parse_hide(&s, &pattern, &len);
			if (!got)
				break;
			CHECK(len && s == start + len && s <= end,
			      "'%s': %u bytes at %td", lists[i].list, len,
			      start - lists[i].list);
			CHECK(got == (lists[i].entries[nr] == '+' ? 1 : -EINVAL),
			      "'%s', entry %u: %d", lists[i].list, nr, got);
			if (got == 1)
				CHECK(pattern.sbdf == lists[i].sbdf[good++],
				      "'%s': %#x", lists[i].list, pattern.sbdf);
		} while (lists[i].entries[nr++]);
		CHECK(!got && !*s && nr == strlen(lists[i].entries),
		      "'%s': %u entries", lists[i].list, nr);
		CHECK(!pciback_parse_hide(&s, &pattern, &len) && !len,
		      "'%s': more behind the end", lists[i].list);
	}
}

/* Whatever the list is, each call takes something of it. */
static void progress(int unused)
{
	static const char alphabet[] = "()01:.* ,x";
	u32 state = 1, i, j;

	for (i = 0; i < 200000; i++) {
		char text[24] = "";
		struct pciback_pattern pattern;
		unsigned int len, calls = 0;
		const char *s = text;

		for (j = 0; j < i % 23; j++) {
			u32 at = next_random(&state) % (sizeof(alphabet) - 1);

			text[j] = alphabet[at];
		}
		while (pciback_parse_hide(&s, &pattern, &len) && calls < 50)
			calls++;
		CHECK(calls < 24 && s == text + strlen(text), "'%s'", text);
	}
}

static const struct tap_test tests[] = {
	{ "patterns", patterns },
	{ "what is no pattern", no_patterns },
	{ "addresses", addresses },
	{ "addresses as the core writes them", round_trip },
	{ "one character changed", one_character },
	{ "quirks", quirks },
	{ "what is no quirk", no_quirks },
	{ "hide lists", hide_lists },
	{ "each call makes progress", progress },
};

int main(void)
{
	return tap_run(tests, ARRAY_SIZE(tests));
}
