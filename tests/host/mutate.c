// SPDX-License-Identifier: GPL-2.0
/*
 * Does the test of the tables test anything? Every bit of every mask of every
 * row is flipped once, and somebody has to notice: the engine that refuses the
 * row, the bitwise comparison, or the list of masks.
 */
#include "tap.h"

/* The tables are part of this program, and can be written to. */
#define const
#include "../../conf_space_header.c"
#include "../../conf_space_capability.c"
#include "devices.h"

#define NR_STD ARRAY_SIZE(pciback_std_caps)
#define NR_EXT ARRAY_SIZE(pciback_ext_caps)

static struct rig rigs[8];

static struct tally {
	unsigned int refused, seen, listed, survived;
} tally;

static bool same_behaviour(struct rig *rig, struct pciback_reg *row)
{
	unsigned int i;

	rig_fresh(rig);
	for (i = 0; i < rig->conf->nr; i++)
		if (rig->conf->inst[i].reg == row &&
		    !rig_dword(rig, rig->conf->inst[i].pos & ~3))
			return false;
	return true;
}

static bool same_list(struct rig *rig, struct pciback_reg *row)
{
	(void)row;
	return rig_masks(rig);
}

/* Whether the devices under the present tables pass a test. */
static bool pass(bool (*test)(struct rig *rig, struct pciback_reg *row),
		 struct pciback_reg *row)
{
	unsigned int i;
	bool good = true;

	for (i = 0; i < fake_devs_nr && good; i++) {
		struct rig *rig = &rigs[i];

		memcpy(rig->emul.cfg, rig->start, sizeof(rig->start));
		rig->conf = pciback_conf_build(&rig->emul.pdev);
		if (IS_ERR(rig->conf))
			return false;
		good = test(rig, row);
		pciback_conf_free(rig->conf);
	}
	return good;
}

static bool builds(struct rig *rig, struct pciback_reg *row)
{
	(void)rig;
	(void)row;
	return true;
}

static bool noticed(struct pciback_reg *row)
{
	if (!pass(builds, row))
		tally.refused++;
	else if (!pass(same_behaviour, row))
		tally.seen++;
	else if (!pass(same_list, row))
		tally.listed++;
	else
		return false;
	return true;
}

static void survivor(struct pciback_reg *row, const char *what, unsigned int bit)
{
	tally.survived++;
	tap_fail("survived: register +%#x, %s, bit %u", row->offset, what, bit);
}

static void flip_mask(struct pciback_reg *row, u32 *mask, const char *what)
{
	unsigned int bit;

	for (bit = 0; bit < row->size * 8u; bit++) {
		*mask ^= 1u << bit;
		if (!noticed(row))
			survivor(row, what, bit);
		*mask ^= 1u << bit;
	}
}

static void mutate_row(struct pciback_reg *row)
{
	struct pciback_reg old = *row;

	flip_mask(row, &row->virt, "virt");
	flip_mask(row, &row->rw, "rw");
	flip_mask(row, &row->w1c, "w1c");
	flip_mask(row, &row->act, "act");
	flip_mask(row, &row->slow, "slow");
	flip_mask(row, &row->rw_permissive, "rw_permissive");
	row->init = NULL;
	if (old.init && !noticed(row))
		survivor(row, "init", 0);
	*row = old;
	row->read = NULL;
	if (old.read && !noticed(row))
		survivor(row, "read", 0);
	*row = old;
	row->changed = NULL;
	if (old.changed && !noticed(row))
		survivor(row, "changed", 0);
	*row = old;
}

static void mutate_rows(struct pciback_reg *row, unsigned int nr)
{
	memset(&tally, 0, sizeof(tally));
	for (; nr--; row++)
		mutate_row(row);
	printf("# %u refused, %u behaved differently, %u not as listed, %u survived\n",
	       tally.refused, tally.seen, tally.listed, tally.survived);
}

static void header(int unused)
{
	mutate_rows(pciback_header_regs, pciback_header_nr);
}

static void std_cap(int nr)
{
	mutate_rows(pciback_std_caps[nr].reg, pciback_std_caps[nr].nr);
}

static void ext_cap(int nr)
{
	mutate_rows(pciback_ext_caps[nr].reg, pciback_ext_caps[nr].nr);
}

/* Between the rows of the second chain's capabilities, and of vendors' own. */
static bool same_bodies(struct rig *rig, struct pciback_reg *row)
{
	unsigned int pos;

	(void)row;
	rig_fresh(rig);
	for (pos = 0x40; pos < rig->model.size; pos += 4)
		if (rig->model.owner[pos] < 0 &&
		    !rig_write(rig, pos, 4, 0x5a5aa5a5, true))
			return false;
	return true;
}

/* One that is hidden: where it ends. */
static void mutate_end(struct pciback_cap *cap)
{
	cap->id ^= 0x80;
	CHECK(!pass(same_bodies, NULL), "survived: hidden, ID %#x", cap->id);
	cap->id ^= 0x80;
	cap->len += 4;
	CHECK(!pass(same_bodies, NULL), "survived: longer, %#x", cap->id);
	cap->len -= 8;
	CHECK(!pass(same_bodies, NULL), "survived: shorter, %#x", cap->id);
	cap->len += 4;
}

/* A capability that is taken for another one, and one that is open or shut. */
static void mutate_caps(struct pciback_cap *cap, unsigned int nr, bool bodies)
{
	for (; nr--; cap++) {
		if (!cap->nr) {
			mutate_end(cap);
			continue;
		}
		cap->id ^= 0x80;
		CHECK(!pass(same_list, NULL), "survived: ID %#x", cap->id);
		cap->id ^= 0x80;
		/* A first chain's capability is all rows, but for the vendor's. */
		if (!bodies && !cap->open)
			continue;
		cap->open = !cap->open;
		CHECK(!pass(same_bodies, NULL), "survived: open, %#x", cap->id);
		cap->open = !cap->open;
	}
}

static void capabilities(int unused)
{
	mutate_caps(pciback_std_caps, NR_STD, false);
	mutate_caps(pciback_ext_caps, NR_EXT, true);
}

static void unchanged(int unused)
{
	unsigned int i;

	for (i = 0; i < pciback_header_nr; i++)
		CHECK(pass(same_behaviour, &pciback_header_regs[i]), "%u", i);
	CHECK(pass(same_list, NULL), "list");
}

int main(void)
{
	static struct tap_test tests[3 + NR_STD +
				     NR_EXT] = {
		{ "unchanged tables pass", unchanged },
		{ "capabilities", capabilities },
		{ "masks of the header", header },
	};
	static char names[ARRAY_SIZE(tests)][40];
	unsigned int i, nr = 3;

	for (i = 0; i < fake_devs_nr; i++) {
		if (!fake_rig(&rigs[i], &fake_devs[i]))
			return 1;
		pciback_conf_free(rigs[i].conf);
	}
	for (i = 0; i < NR_STD + NR_EXT; i++, nr++) {
		bool std = i < NR_STD;

		tests[nr].arg = std ? i : i - NR_STD;
		tests[nr].run = std ? std_cap : ext_cap;
		snprintf(names[nr], sizeof(names[nr]), "masks of %scapability %#x",
			 std ? "" : "extended ",
			 std ? pciback_std_caps[tests[nr].arg].id :
			       pciback_ext_caps[tests[nr].arg].id);
		tests[nr].name = names[nr];
	}
	return tap_run(tests, nr);
}
