// SPDX-License-Identifier: GPL-2.0
/* What a guest wrote to hardware is brought back, and nothing else is touched. */
#include "model.h"
#include "tap.h"

#define POS	0x40
#define SIZE	4

static struct emul emul;

static int none(struct pciback_conf *conf, struct pciback_inst *inst, u32 old,
		u32 new)
{
	return 0;
}

/* A device with one register, which holds @start when it is claimed. */
static struct pciback_conf *claim(struct pciback_reg *reg, u32 start)
{
	struct pciback_conf *conf;

	emul_init(&emul, 256);
	emul_put(&emul, POS, SIZE, start);
	reg->size = SIZE;
	conf = pciback_conf_alloc(&emul.pdev);
	CHECK(!pciback_conf_add(conf, reg, 1, POS, 256), "not added");
	CHECK(!pciback_conf_seal(conf), "not sealed");
	emul_forget(&emul);
	return conf;
}

static void plain_bits_come_back(int unused)
{
	struct pciback_reg reg = { .rw = 0xff00, .rw_permissive = 0xff0000 };
	struct pciback_conf *conf = claim(&reg, 0x12345678);

	emul_put(&emul, POS, SIZE, 0xffffffff);
	pciback_conf_restore(conf);
	CHECK(emul_get(&emul, POS, SIZE) == 0xff3456ff, "%08x",
	      emul_get(&emul, POS, SIZE));
	pciback_conf_free(conf);
}

static void the_same_is_not_written(int unused)
{
	struct pciback_reg reg = { .rw = 0xff };
	struct pciback_conf *conf = claim(&reg, 0x12);

	pciback_conf_restore(conf);
	CHECK(emul.writes == 0, "%u writes", emul.writes);
	pciback_conf_free(conf);
}

static void other_bits_are_left(int unused)
{
	struct pciback_reg reg = {
		.virt = 0xf, .rw = 0xfff, .act = 0xf0, .w1c = 0xf000,
		.changed = none,
	};
	struct pciback_conf *conf = claim(&reg, 0x50);

	/* Errors that the device reports: a one would clear them. */
	emul.w1c[POS + 1] = 0xf0;
	emul_put(&emul, POS, SIZE, 0xffaf);
	pciback_conf_restore(conf);
	CHECK(emul_get(&emul, POS, SIZE) == 0xf0af, "%08x",
	      emul_get(&emul, POS, SIZE));
	pciback_conf_free(conf);
}

/* As by a second write to the file quirks. */
static void a_mask_that_grew(int unused)
{
	struct pciback_reg reg = { .rw = 0x0f };
	struct pciback_conf *conf = claim(&reg, 0xa5);

	pciback_conf_grant(conf, &reg, 0xff);
	emul_put(&emul, POS, SIZE, 0x00);
	pciback_conf_restore(conf);
	CHECK(emul_get(&emul, POS, SIZE) == 0xa5, "%08x",
	      emul_get(&emul, POS, SIZE));
	pciback_conf_free(conf);
}

/* What a guest wrote while it could is not the next one's. */
static void a_mask_that_shrank(int unused)
{
	struct pciback_reg reg = { .rw = 0xff };
	struct pciback_conf *conf = claim(&reg, 0xa5);

	emul_put(&emul, POS, SIZE, 0x00);
	pciback_conf_grant(conf, &reg, 0x0f);
	pciback_conf_restore(conf);
	CHECK(emul_get(&emul, POS, SIZE) == 0xa5, "%08x",
	      emul_get(&emul, POS, SIZE));
	pciback_conf_free(conf);
}

static void guest_writes(struct pciback_conf *conf, s32 offset, s32 size,
			 u32 val, bool permissive, int want)
{
	struct pciback_denied denied;
	int err = pciback_conf_write(conf, offset, size, val, permissive,
				     &denied);

	CHECK(err == want, "%#x: %d", offset, err);
}

/* Beside a register whose top byte clears errors by a one. */
static void gaps_come_back(int unused)
{
	struct pciback_reg reg = { .w1c = 0xff000000, .rw = 0xff };
	struct pciback_conf *conf = claim(&reg, 0xff000012);
	unsigned int i;

	emul.w1c[POS + 3] = 0xff;
	emul_put(&emul, 0x50, 4, 0x11223344);
	emul_put(&emul, 0x54, 4, 0x55667788);
	emul_put(&emul, 0xfc, 4, 0x99aabbcc);
	for (i = 0; i < 2; i++) {
		guest_writes(conf, 0x50, 4, 0xdeadbeef, true, 0);
		guest_writes(conf, 0x51, 1, 0x77, true, 0);
		guest_writes(conf, 0x56, 2, 0x4711, true, 0);
		/* One byte, and not what stands beside it. */
		guest_writes(conf, 0xff, 1, 0x01, true, 0);
		emul_put(&emul, 0xfc, 2, 0x0815);
		pciback_conf_restore(conf);
		CHECK(emul_get(&emul, 0x50, 4) == 0x11223344 &&
		      emul_get(&emul, 0x54, 4) == 0x55667788, "%08x %08x",
		      emul_get(&emul, 0x50, 4), emul_get(&emul, 0x54, 4));
		CHECK(emul_get(&emul, 0xfc, 4) == 0x99aa0815, "%08x",
		      emul_get(&emul, 0xfc, 4));
	}
	CHECK(emul_get(&emul, POS, 4) == 0xff000012, "%08x",
	      emul_get(&emul, POS, 4));
	/* What the guest put back itself is not written. */
	guest_writes(conf, 0x50, 4, 0xdeadbeef, true, 0);
	guest_writes(conf, 0x50, 4, 0x11223344, true, 0);
	emul_forget(&emul);
	pciback_conf_restore(conf);
	CHECK(!emul.writes, "%u writes", emul.writes);
	/* It is forgotten: what comes now is the next guest's. */
	emul_put(&emul, 0x50, 4, 0x12345678);
	emul_forget(&emul);
	pciback_conf_restore(conf);
	CHECK(!emul.writes && emul_get(&emul, 0x50, 4) == 0x12345678, "%u",
	      emul.writes);
	pciback_conf_free(conf);
}

/* As by a quirk for what a permissive device's guest has written before. */
static void gap_becomes_a_register(int unused)
{
	struct pciback_reg quirk = { .size = 2, .rw = 0xffff };
	struct pciback_reg reg = { .rw = 0xff };
	struct pciback_conf *conf = claim(&reg, 0x12);
	unsigned int i;

	emul_put(&emul, 0x50, 4, 0x11223344);
	guest_writes(conf, 0x51, 1, 0x77, true, 0);
	CHECK(!pciback_conf_add(conf, &quirk, 1, 0x50, 256), "not added");
	CHECK(!pciback_conf_seal(conf), "not sealed");
	/* The second time it is not known any more what the guest wrote. */
	for (i = 0; i < 2; i++) {
		emul_put(&emul, 0x50, 4, 0x11223344);
		pciback_conf_restore(conf);
		CHECK(emul_get(&emul, 0x50, 4) == 0x11223344, "%08x",
		      emul_get(&emul, 0x50, 4));
	}
	pciback_conf_free(conf);
}

static void gaps_without_memory(int unused)
{
	struct pciback_reg reg = { .rw = 0xff };
	struct pciback_conf *conf = claim(&reg, 0x12);

	emul_fail_alloc = 1;
	guest_writes(conf, 0x50, 4, 0xdeadbeef, true, -ENOMEM);
	CHECK(!emul.writes, "written and not remembered");
	emul.fail_access = 1;
	guest_writes(conf, 0x50, 4, 0xdeadbeef, true, -ENODEV);
	guest_writes(conf, 0x50, 4, 0xdeadbeef, false, 0);
	emul_forget(&emul);
	pciback_conf_restore(conf);
	CHECK(!emul.writes, "%u writes", emul.writes);
	/* Freed with it: ASan looks. */
	guest_writes(conf, 0x50, 4, 0xdeadbeef, true, 0);
	pciback_conf_free(conf);
}

/* All ones would be kept, and written. */
static void what_does_not_answer_is_left(int unused)
{
	struct pciback_reg reg = { .rw = 0xff };
	struct pciback_conf *conf = claim(&reg, 0x12);

	emul_put(&emul, 0x50, 4, 0x11223344);
	guest_writes(conf, POS, 4, 0x34, false, 0);
	guest_writes(conf, 0x50, 4, 0xdeadbeef, true, 0);

	emul.gone = true;
	emul_forget(&emul);
	guest_writes(conf, POS, 4, 0x56, false, 0);
	guest_writes(conf, 0x54, 4, 0xdeadbeef, true, 0);
	pciback_conf_restore(conf);
	CHECK(!emul.writes, "%u writes", emul.writes);
	/* What it is to get back is not forgotten. */
	emul.gone = false;
	pciback_conf_restore(conf);
	CHECK(emul_get(&emul, POS, 4) == 0x12 &&
	      emul_get(&emul, 0x50, 4) == 0x11223344, "%08x %08x",
	      emul_get(&emul, POS, 4), emul_get(&emul, 0x50, 4));
	/* A gap may be all ones. */
	emul_put(&emul, 0x54, 4, 0xffffffff);
	guest_writes(conf, 0x54, 4, 0xdeadbeef, true, 0);
	pciback_conf_restore(conf);
	CHECK(emul_get(&emul, 0x54, 4) == 0xffffffff, "%08x",
	      emul_get(&emul, 0x54, 4));
	pciback_conf_free(conf);
}

static const struct tap_test tests[] = {
	{ "plain bits come back", plain_bits_come_back },
	{ "the same is not written", the_same_is_not_written },
	{ "other bits are left", other_bits_are_left },
	{ "a mask that grew", a_mask_that_grew },
	{ "a mask that shrank", a_mask_that_shrank },
	{ "gaps come back", gaps_come_back },
	{ "a gap becomes a register", gap_becomes_a_register },
	{ "gaps without memory", gaps_without_memory },
	{ "what does not answer is left", what_does_not_answer_is_left },
};

int main(void)
{
	return tap_run(tests, ARRAY_SIZE(tests));
}
