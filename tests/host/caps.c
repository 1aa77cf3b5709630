// SPDX-License-Identifier: GPL-2.0
/* The walk over the chains of devices that are broken, or that mean harm. */
#include "devices.h"
#include "tap.h"

static struct emul emul;

static void std(unsigned int pos, u8 id, u8 next)
{
	emul_put(&emul, pos, 2, id | next << 8);
}

static void ext(unsigned int pos, u16 id, u16 next)
{
	emul_put(&emul, pos, 4, id | 1 << 16 | (u32)next << 20);
}

/* A device whose chain begins at @first, and has none of the second kind. */
static void device(u8 first)
{
	emul_init(&emul, 4096);
	emul_put(&emul, PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
	emul_put(&emul, PCI_CAPABILITY_LIST, 1, first);
}

/* What a guest finds that walks as Linux does; "50:05 a0:10" */
static const char *walk_std(struct pciback_conf *conf)
{
	static char text[512];
	unsigned int hops = 0, at = 0;
	u32 val, pos;

	text[0] = '\0';
	if (pciback_conf_read(conf, PCI_STATUS, 2, &val))
		return "error";
	if (!(val & PCI_STATUS_CAP_LIST))
		return "";
	pciback_conf_read(conf, PCI_CAPABILITY_LIST, 1, &pos);
	while (pos && hops++ < 49) {
		pciback_conf_read(conf, pos, 2, &val);
		at += sprintf(text + at, "%s%x:%02x", at ? " " : "", pos,
			      val & 0xff);
		pos = val >> 8;
	}
	return hops > 48 ? "loop" : text;
}

static const char *walk_ext(struct pciback_conf *conf)
{
	static char text[12 * 1024];
	unsigned int pos = 256, hops = 0, at = 0;
	u32 val;

	text[0] = '\0';
	while (pos >= 256 && conf->size > 256 && hops++ < 961) {
		if (pciback_conf_read(conf, pos, 4, &val))
			return "error";
		if (val == ~0u)
			break;
		if (val)
			at += sprintf(text + at, "%s%x:%04x", at ? " " : "",
				      pos, val & 0xffff);
		pos = val >> 20 & 0xffc;
	}
	return hops > 960 ? "loop" : text;
}

static bool build_and_see(const char *want_std, const char *want_ext)
{
	struct pciback_conf *conf = pciback_conf_build(&emul.pdev);
	const char *seen;

	CHECK(!IS_ERR(conf), "%ld", PTR_ERR(conf));
	if (IS_ERR(conf))
		return false;
	seen = walk_std(conf);
	CHECK(!strcmp(seen, want_std), "'%s', not '%s'", seen, want_std);
	seen = walk_ext(conf);
	CHECK(!strcmp(seen, want_ext), "'%s', not '%s'", seen, want_ext);
	pciback_conf_free(conf);
	return true;
}

/* Whether a permissive guest can change a byte of hardware. */
static bool open_byte(unsigned int pos)
{
	struct pciback_conf *conf = pciback_conf_build(&emul.pdev);
	struct pciback_denied denied;
	u8 before = emul.cfg[pos];
	bool open;

	if (IS_ERR(conf))
		return false;
	pciback_conf_write(conf, pos, 1, (u8)~before, true, &denied);
	open = emul.cfg[pos] != before;
	emul.cfg[pos] = before;
	pciback_conf_free(conf);
	return open;
}

#define PM 1
#define VPD 3
#define MSI 5
#define VENDOR 9
#define DEBUG 0xa
#define HT 0x8
#define EXP 0x10
#define MSIX 0x11

/* ---- First chain ---- */

static void no_list(int unused)
{
	device(0x40);
	std(0x40, PM, 0);
	emul_put(&emul, PCI_STATUS, 2, 0);
	build_and_see("", "");
	device(0);
	build_and_see("", "");
	emul_init(&emul, 256);
	memset(emul.cfg, 0xff, sizeof(emul.cfg));
	build_and_see("", "");
}

static void pointers(int unused)
{
	static const u8 below[] = { 0x01, 0x04, 0x34, 0x3c, 0x3f };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(below); i++) {
		device(below[i]);
		build_and_see("", "");
		device(0x40);
		std(0x40, PM, below[i]);
		build_and_see("40:01", "");
	}
	/* The low bits are reserved: masked, not an error (6.7). */
	device(0x43);
	std(0x40, PM, 0x52);
	std(0x50, VPD, 0x81);
	std(0x80, VENDOR, 0xff);
	emul_put(&emul, 0x82, 1, 4);
	emul_put(&emul, 0xfc, 4, ~0u);
	build_and_see("40:01 50:03 80:09", "");
}

static void loops(int unused)
{
	device(0x40);
	std(0x40, PM, 0x40);
	build_and_see("40:01", "");
	std(0x40, PM, 0x50);
	std(0x50, VPD, 0x60);
	std(0x60, DEBUG, 0x40);
	build_and_see("40:01 50:03", "");
	std(0x60, DEBUG, 0x60);
	build_and_see("40:01 50:03", "");
	std(0x60, DEBUG, 0x51);
	build_and_see("40:01 50:03", "");
}

static void all_ones(int unused)
{
	device(0x40);
	std(0x40, PM, 0x50);
	std(0x50, 0xff, 0xff);
	build_and_see("40:01", "");
	std(0x50, 0xff, 0x60);
	std(0x60, VPD, 0);
	build_and_see("40:01", "");
}

static void hidden(int unused)
{
	device(0x40);
	std(0x40, HT, 0x50);
	std(0x50, 0, 0x60);
	std(0x60, 0x7f, 0x70);
	std(0x70, HT, 0);
	build_and_see("", "");
	std(0x50, PM, 0x60);
	build_and_see("50:01", "");
	std(0x60, MSIX, 0x70);
	std(0x70, HT, 0x80);
	std(0x80, VPD, 0x90);
	std(0x90, HT, 0);
	build_and_see("50:01 60:11 80:03", "");
	CHECK(!open_byte(0x41) && !open_byte(0x44) && !open_byte(0x4f),
	      "first one is open");
	CHECK(!open_byte(0x70) && !open_byte(0x7c), "middle one is open");
	CHECK(!open_byte(0x90) && !open_byte(0xff), "last one is open");
	CHECK(open_byte(0x58), "gap is shut");
}

static void at_the_end(int unused)
{
	device(0xfc);
	std(0xfc, MSIX, 0);
	build_and_see("", "");
	CHECK(!open_byte(0xfe), "open");
	device(0xf8);
	std(0xf8, MSIX, 0);
	build_and_see("", "");
	device(0xf4);
	std(0xf4, MSIX, 0);
	build_and_see("f4:11", "");
	device(0xf8);
	std(0xf8, PM, 0xfc);
	std(0xfc, VENDOR, 0);
	emul_put(&emul, 0xfe, 1, 0xff);
	build_and_see("f8:01", "");
	device(0xfc);
	std(0xfc, VENDOR, 0);
	emul_put(&emul, 0xfe, 1, 0);
	build_and_see("fc:09", "");
	device(0xc4);
	std(0xc4, EXP, 0);
	emul_put(&emul, 0xc6, 2, 2);
	build_and_see("c4:10", "");
	device(0xc8);
	std(0xc8, EXP, 0);
	emul_put(&emul, 0xca, 2, 2);
	build_and_see("", "");
	CHECK(!open_byte(0xd0), "control is open");
}

/* The one that comes first in the chain has the bytes. */
static void overlaps(int unused)
{
	device(0x40);
	std(0x40, EXP, 0x60);
	emul_put(&emul, 0x42, 2, 2);
	std(0x60, PM, 0x7c);
	std(0x7c, VPD, 0);
	build_and_see("40:10 7c:03", "");
	CHECK(!open_byte(0x64), "open");
	device(0x60);
	std(0x60, PM, 0x40);
	std(0x40, EXP, 0);
	emul_put(&emul, 0x42, 2, 2);
	build_and_see("60:01", "");
	CHECK(!open_byte(0x48), "open");
	CHECK(!open_byte(0x40), "open");
}

static void long_chain(int unused)
{
	char want[512];
	unsigned int pos, at = 0;

	device(0x40);
	for (pos = 0x40; pos < 0x100; pos += 4) {
		std(pos, VENDOR, pos + 4);
		emul_put(&emul, pos + 2, 1, 4);
		at += sprintf(want + at, "%s%x:09", at ? " " : "", pos);
	}
	build_and_see(want, "");
}

static void twins(int unused)
{
	device(0x40);
	std(0x40, MSI, 0x60);
	std(0x60, MSI, 0x80);
	std(0x80, PM, 0x90);
	std(0x90, PM, 0);
	build_and_see("40:05 60:05 80:01 90:01", "");
}

/* ---- Second chain ---- */

#define AER 1
#define DSN 3
#define XVENDOR 0xb
#define SRIOV 0x10
#define LTR 0x18
#define L1SS 0x1e
#define REBAR 0x15

static void no_ext(int unused)
{
	struct pciback_conf *conf;

	device(0);
	build_and_see("", "");
	emul_put(&emul, 0x100, 4, ~0u);
	build_and_see("", "");
	emul_init(&emul, 256);
	ext(0x100, AER, 0);
	conf = pciback_conf_build(&emul.pdev);
	CHECK(!IS_ERR(conf) && conf->nr == pciback_header_nr, "behind 256 bytes");
	pciback_conf_free(conf);
}

static void ext_pointers(int unused)
{
	device(0);
	ext(0x100, DSN, 0x0fc);
	build_and_see("", "100:0003");
	ext(0x100, DSN, 0x040);
	build_and_see("", "100:0003");
	ext(0x100, DSN, 0x143);
	ext(0x140, LTR, 0);
	build_and_see("", "100:0003 140:0018");
	ext(0x140, LTR, 0xffc);
	emul_put(&emul, 0xffc, 4, ~0u);
	build_and_see("", "100:0003 140:0018");
	ext(0xffc, DSN, 0);
	build_and_see("", "100:0003 140:0018");
	CHECK(!open_byte(0xffd), "open");
	ext(0x140, LTR, 0xff4);
	ext(0xff4, DSN, 0);
	build_and_see("", "100:0003 140:0018 ff4:0003");
}

/* Of an endpoint it has no registers of a root port, whose place is another's. */
static void ext_after_errors(int unused)
{
	device(0);
	ext(0x100, AER, 0x12c);
	ext(0x12c, DSN, 0);
	build_and_see("", "100:0001 12c:0003");
}

static void ext_loops(int unused)
{
	device(0);
	ext(0x100, DSN, 0x100);
	build_and_see("", "100:0003");
	ext(0x100, DSN, 0x200);
	ext(0x200, REBAR, 0x300);
	ext(0x300, LTR, 0x100);
	build_and_see("", "100:0003 300:0018");
	ext(0x300, LTR, 0x200);
	build_and_see("", "100:0003 300:0018");
}

/* The first one is where the chain begins, shown or not. */
static void anchors(int unused)
{
	device(0);
	ext(0x100, SRIOV, 0x200);
	ext(0x200, AER, 0x300);
	ext(0x300, REBAR, 0x400);
	ext(0x400, DSN, 0);
	build_and_see("", "100:0000 200:0001 400:0003");
	CHECK(!open_byte(0x108), "SR-IOV control is open");
	CHECK(!open_byte(0x308), "ReBAR control is open");
	ext(0x200, 0x7ff, 0x300);
	ext(0x400, 0x23, 0);
	build_and_see("", "");
	CHECK(!open_byte(0x204) && !open_byte(0xfff), "unknown one is open");
}

/* What is behind a hidden one of known length is not its own. */
static void ends(int unused)
{
	device(0x58);
	std(0x58, DEBUG, 0x98);
	std(0x98, 0xd, 0);
	ext(0x100, SRIOV, 0x178);
	ext(0x178, L1SS, 0);
	build_and_see("", "");
	CHECK(!open_byte(0x5b) && !open_byte(0x9f) && !open_byte(0x13f) &&
	      !open_byte(0x18b), "its end is open");
	CHECK(open_byte(0x5c) && open_byte(0xa0) && open_byte(0x140) &&
	      open_byte(0x70f), "what is behind is shut");
	ext(0x130, LTR, 0x178);
	ext(0x100, SRIOV, 0x130);
	build_and_see("", "100:0000 130:0018");
	CHECK(!open_byte(0x12f) && open_byte(0x138), "the next one is not its end");
}

static void ext_overlaps(int unused)
{
	device(0);
	ext(0x100, AER, 0x110);
	ext(0x110, DSN, 0x138);
	ext(0x138, LTR, 0x200);
	ext(0x200, XVENDOR, 0x210);
	emul_put(&emul, 0x204, 4, 0xfff00000);
	ext(0x210, LTR, 0x220);
	ext(0x220, XVENDOR, 0);
	emul_put(&emul, 0x224, 4, 0x01000000);
	/* One that does not fit is hidden, and takes nothing from the others. */
	build_and_see("", "100:0001 138:0018 210:0018 220:000b");
	emul_put(&emul, 0x204, 4, 0x02000000);
	build_and_see("", "100:0001 138:0018 200:000b 220:000b");
	if (!open_byte(0x20c) || open_byte(0x214))
		tap_fail("shut is not what the two share");
	emul_put(&emul, 0x204, 4, 0);
	build_and_see("", "100:0001 138:0018 200:000b 210:0018 220:000b");
}

/* Hidden and visible in turn, as many as there is room for. */
static void ext_long(int step)
{
	static char want[12 * 1024];
	unsigned int pos, at = 0, nr = 0;

	device(0);
	for (pos = 0x100; pos + step <= 0x1000; pos += step, nr++) {
		bool show = step >= 8 && nr % 2;

		ext(pos, show ? LTR : REBAR,
		    pos + 2 * step <= 0x1000 ? pos + step : 0);
		if (show || !nr)
			at += sprintf(want + at, "%s%x:%04x", at ? " " : "", pos,
				      show ? LTR : 0);
	}
	if (step < 8)
		want[0] = '\0';
	build_and_see("", want);
	for (pos = 0x100; pos < 0x1000 - step; pos += 2 * step)
		if (open_byte(pos + 3))
			tap_fail("hidden one at %#x is open", pos);
}

/* ---- Whatever fails ---- */

/* Every allocation fails once: an error, and no leak. */
static void no_memory(int nr)
{
	unsigned int nth;
	long err = 1;

	for (nth = 1; err; nth++) {
		struct pciback_conf *conf;

		fake_fill(&emul, &fake_devs[nr]);
		emul_fail_alloc = nth;
		conf = pciback_conf_build(&emul.pdev);
		err = IS_ERR(conf) ? PTR_ERR(conf) : 0;
		CHECK(!err || err == -ENOMEM, "%u: %ld", nth, err);
		if (!err)
			pciback_conf_free(conf);
	}
	emul_fail_alloc = 0;
	CHECK(nth > 3, "only %u allocations", nth);
}

/* Every access to the device fails once: what is not known is not open. */
static void failed_access(int nr)
{
	unsigned int nth, all;
	struct pciback_conf *conf;

	fake_fill(&emul, &fake_devs[nr]);
	conf = pciback_conf_build(&emul.pdev);
	CHECK(!IS_ERR(conf) && !emul.writes, "a claim writes");
	pciback_conf_free(conf);
	all = emul.reads;
	for (nth = 1; nth <= all; nth++) {
		emul.fail_access = nth;
		conf = pciback_conf_build(&emul.pdev);
		CHECK(IS_ERR(conf) && PTR_ERR(conf) == -ENODEV, "access %u of %u",
		      nth, all);
		if (!IS_ERR(conf))
			pciback_conf_free(conf);
	}
}

static void pulled(int nr)
{
	struct pciback_conf *conf;
	struct pciback_denied denied;
	unsigned int pos;
	u32 val;

	fake_fill(&emul, &fake_devs[nr]);
	emul.gone = true;
	conf = pciback_conf_build(&emul.pdev);
	if (IS_ERR(conf))
		return;
	CHECK(!strcmp(walk_std(conf), "") && !strcmp(walk_ext(conf), ""),
	      "capabilities of nothing");
	for (pos = 0; pos < conf->size; pos += 4) {
		pciback_conf_read(conf, pos, 4, &val);
		pciback_conf_write(conf, pos, 4, ~val, true, &denied);
	}
	pciback_conf_free(conf);
}

static void each_device(void (*test)(int nr))
{
	unsigned int nr;

	for (nr = 0; nr < fake_devs_nr; nr++)
		test(nr);
}

static void no_memory_each(int unused)
{
	each_device(no_memory);
}

static void failed_access_each(int unused)
{
	each_device(failed_access);
}

static void pulled_each(int unused)
{
	each_device(pulled);
}

static const struct tap_test tests[] = {
	{ "no list", no_list },
	{ "pointers into the header, and unaligned", pointers },
	{ "loops", loops },
	{ "all ones", all_ones },
	{ "hidden ones are unlinked and shut", hidden },
	{ "... up to their end", ends },
	{ "capabilities at the very end", at_the_end },
	{ "overlapping capabilities", overlaps },
	{ "48 capabilities", long_chain },
	{ "the same capability twice", twins },
	{ "no extended list", no_ext },
	{ "extended pointers", ext_pointers },
	{ "extended capability after errors", ext_after_errors },
	{ "extended loops", ext_loops },
	{ "the first one hidden", anchors },
	{ "overlapping extended capabilities", ext_overlaps },
	{ "480 extended capabilities", ext_long, 8 },
	{ "960 extended capabilities, all hidden", ext_long, 4 },
	{ "240 extended capabilities", ext_long, 16 },
	{ "no memory", no_memory_each },
	{ "failed accesses", failed_access_each },
	{ "surprise removal", pulled_each },
};

int main(void)
{
	return tap_run(tests, ARRAY_SIZE(tests));
}
