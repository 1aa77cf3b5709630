// SPDX-License-Identifier: GPL-2.0
/* The engine on registers of every shape, and on accesses of every kind. */
#include "model.h"
#include "random.h"
#include "tap.h"

#define ROWS 24

static struct rig rig;
static struct pciback_reg rows[ROWS];
static unsigned int rows_nr;

/* ---- Rows made from the model's letters ---- */

static int refuse_with;
static u32 refuse_value;

static bool refuses(u32 new)
{
	return refuse_with && (refuse_value == 0 || new == refuse_value);
}

/* What the last row's action was told, and what it should have been. */
static struct seen {
	unsigned int calls;
	u32 old, new;
} told, due;

/* The driver's side: as the core would, sets the hardware's bits. */
static int changed(struct pciback_conf *conf, struct pciback_inst *inst,
		   u32 old, u32 new)
{
	u32 hw, bits = inst->reg->act & ~inst->reg->virt;

	told = (struct seen){ told.calls + 1, old, new };
	if (refuses(new))
		return refuse_with;
	hw = emul_get(&rig.emul, inst->pos, inst->reg->size);
	emul_put(&rig.emul, inst->pos, inst->reg->size,
		 (hw & ~bits) | (new & bits));
	return 0;
}

static int model_changed(struct model *m, struct model_reg *reg, u32 old,
			 u32 new)
{
	due = (struct seen){ due.calls + 1, old, new };
	if (refuses(new))
		return refuse_with;
	model_hw_put(m, reg->pos, reg->size, model_mask(reg, "as"), new);
	return 0;
}

static u32 zero_init(struct pciback_conf *conf, struct pciback_inst *inst,
		     u32 hw)
{
	return 0;
}

static struct pciback_reg row_of(const struct model_reg *reg)
{
	return (struct pciback_reg){
		.offset = reg->pos, .size = reg->size,
		.virt = model_mask(reg, "f0vzAS"),
		.rw = model_mask(reg, "rvasAS"),
		.w1c = model_mask(reg, "cz"),
		.act = model_mask(reg, "asAS"),
		.slow = model_mask(reg, "sS"),
		.rw_permissive = model_mask(reg, "p"),
		.init = model_mask(reg, "0") ? zero_init : NULL,
		.changed = model_mask(reg, "asAS") ? changed : NULL,
	};
}

static void begin(unsigned int size)
{
	unsigned int i;

	emul_init(&rig.emul, size);
	for (i = 0; i < size; i++)
		rig.emul.cfg[i] = i * 37 + 11;
	/* Reserved: COMMAND and STATUS all ones are no device. */
	rig.emul.cfg[PCI_STATUS] &= ~1;
	rig.emul.fixed[PCI_STATUS] = 1;
	memcpy(rig.start, rig.emul.cfg, sizeof(rig.start));
	model_init(&rig.model, &rig.emul);
	rig.conf = pciback_conf_alloc(&rig.emul.pdev);
	rows_nr = 0;
	refuse_with = 0;
}

/* Sticky bits of hardware: those of the row, and one that it says nothing of. */
static void add(unsigned int pos, const char *bits)
{
	unsigned int i, size = 0;
	struct model_reg *reg;
	const char *c;

	for (c = bits; *c; c++)
		size += *c != ' ';
	size /= 8;
	reg = model_add(&rig.model, pos, size, bits);
	reg->act = model_changed;
	for (i = 0; i < size; i++) {
		rig.emul.w1c[pos + i] = model_mask(reg, "cz") >> (i * 8);
		rig.emul.cfg[pos + i] |= rig.emul.w1c[pos + i];
	}
	rows[rows_nr++] = row_of(reg);
}

/* Rows are added from the last one on. */
static bool end(void)
{
	unsigned int i;
	int err = 0;

	memcpy(rig.start, rig.emul.cfg, sizeof(rig.start));
	memcpy(rig.model.hw, rig.emul.cfg, sizeof(rig.start));
	memcpy(rig.model.hw_w1c, rig.emul.w1c, sizeof(rig.start));
	for (i = 0; i < rows_nr && !err; i++)
		err = pciback_conf_add(rig.conf, &rows[rows_nr - 1 - i], 1, 0,
				       256);
	if (!err)
		err = pciback_conf_seal(rig.conf);
	CHECK(!err, "%d", err);
	model_seal(&rig.model);
	rig_fresh(&rig);
	return !err;
}

static void every_access(void)
{
	unsigned int dword;

	for (dword = 0; dword < 64; dword += 4)
		rig_dword(&rig, dword);
}

/* ---- Each kind of bit, in each size, with neighbours and gaps ---- */

static const char kinds[] = "-prcasf0vzAS";

static void one_kind(int size)
{
	unsigned int i, j;

	for (i = 0; kinds[i]; i++) {
		char bits[33] = "";

		memset(bits, kinds[i], size * 8);
		begin(64);
		for (j = 0; j < 3; j++)
			add(8 + j * size, bits);
		add(32, bits);
		add(48 + (size == 1), bits);
		if (end())
			every_access();
		pciback_conf_free(rig.conf);
	}
}

/* Registers side by side, every bit of another kind, some bytes left out. */
static void random_rows(int seed)
{
	static char text[ROWS][33];
	u32 state = seed, round, pos, i;

	for (round = 0; round < 25; round++) {
		begin(64);
		for (pos = PCI_CLASS_REVISION; pos < 60 && rows_nr < ROWS;) {
			u32 size = 1u << next_random(&state) % 3;
			u32 act = next_random(&state) % 2;

			if (pos % size || next_random(&state) % 4 == 0) {
				pos++;
				continue;
			}
			memset(text[rows_nr], 0, sizeof(text[0]));
			for (i = 0; i < size * 8; i++)
				do
					text[rows_nr][i] =
						kinds[next_random(&state) % 12];
				while (strchr(act ? "0" : "0asAS",
					      text[rows_nr][i]));
			add(pos, text[rows_nr]);
			pos += size;
		}
		if (end())
			every_access();
		pciback_conf_free(rig.conf);
	}
}

/* ---- Accesses that config space does not have ---- */

static void invalid_accesses(int size_of_config)
{
	static const long far[] = { INT_MIN, INT_MIN + 1, -4096, -4, -2, -1,
				    252, 253, 254, 255, 256, 257, 260, 4092,
				    4093, 4094, 4095, 4096, 4097, 0x10000,
				    INT_MAX - 4, INT_MAX - 3, INT_MAX - 1,
				    INT_MAX };
	static const long sizes[] = { INT_MIN, -4, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8,
				      16, 32, 0x100, INT_MAX };
	unsigned int i, j, permissive;
	long pos;

	begin(size_of_config);
	add(0, "rrrrrrrr vvvvvvvv");
	add(252, "rrrrrrrr vvvvvvvv rrrrrrrr vvvvvvvv");
	if (!end())
		return;
	for (permissive = 0; permissive < 2; permissive++)
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			for (i = 0; i < ARRAY_SIZE(far); i++) {
				rig_read(&rig, far[i], sizes[j]);
				rig_write(&rig, far[i], sizes[j], ~0u, permissive);
			}
			for (pos = -8; pos < size_of_config + 8; pos++) {
				rig_read(&rig, pos, sizes[j]);
				rig_write(&rig, pos, sizes[j], pos * 77u, permissive);
			}
		}
	pciback_conf_free(rig.conf);
}

/* ---- Errors ---- */

/* An action that refuses leaves the shadow, and ends the write. */
static void refused_change(int unused)
{
	struct pciback_denied denied;
	u32 val;

	begin(64);
	add(0, "AAAAAAAA vvvvvvvv");
	add(2, "vvvvvvvv vvvvvvvv");
	if (!end())
		return;
	rig_write(&rig, 0, 4, 0x11223344, false);
	refuse_with = -EBUSY;
	refuse_value = 0x7788;
	rig_write(&rig, 0, 2, 0x7788, false);
	rig_write(&rig, 0, 4, 0x55667788, false);
	pciback_conf_read(rig.conf, 0, 4, &val);
	CHECK(val == 0x11223344, "%#x", val);
	refuse_with = 0;
	CHECK(!pciback_conf_write(rig.conf, 0, 4, 0x55667788, false, &denied),
	      "still refused");
	pciback_conf_free(rig.conf);
}

/* ->changed() hears of the register before and after, hardware and shadow. */
static void change_told(int unused)
{
	struct pciback_denied denied;

	begin(64);
	add(4, "-------- asASvf-- AAAAaaaa --------");
	emul_put(&rig.emul, 4, 4, 0x5a00ff5a);
	if (!end())
		return;
	told.calls = 0;
	pciback_conf_write(rig.conf, 4, 1, 0, false, &denied);
	pciback_conf_write(rig.conf, 7, 1, 0, false, &denied);
	CHECK(!told.calls, "called where it has no bit");
	pciback_conf_write(rig.conf, 5, 1, 0x3c, false, &denied);
	CHECK(told.calls == 1 && told.old == 0x5a00ff5a && told.new == 0x5a003c5a,
	      "%u: %#x, %#x", told.calls, told.old, told.new);
	pciback_conf_write(rig.conf, 4, 4, 0xffffffff, false, &denied);
	CHECK(told.calls == 2 && told.old == 0x5a003c5a && told.new == 0x5af8ff5a,
	      "%u: %#x, %#x", told.calls, told.old, told.new);
	pciback_conf_free(rig.conf);
}

/* The register that could not be accessed, and those behind it, are fresh. */
static bool rest_is_fresh(const struct pciback_conf *conf)
{
	const struct pciback_inst *inst = conf->inst, *end = inst + conf->nr;

	/* An access to a gap is never just what a register is. */
	while (inst < end && (inst->pos != rig.emul.failed_pos ||
			      inst->reg->size != rig.emul.failed_size))
		inst++;
	while (inst < end && inst->shadow == inst->init)
		inst++;
	return inst == end;
}

/* Each hardware access of a call fails once: an error, and nothing half done. */
static void failed_access(int permissive)
{
	unsigned int nth, pos, size;
	struct pciback_denied denied;
	u32 val = 1;
	int err;

	begin(64);
	add(0, "vvvvvvvv rrrrrrrr");
	add(2, "cccccccc aaaavvvv");
	add(8, "rvrvrvrv");
	add(10, "vvvvvvvv rrrrcccc");
	if (!end())
		return;
	for (size = 1; size <= 4; size *= 2)
		for (pos = 0; pos < 16; pos += size)
			for (nth = 1; nth < 8; nth++) {
				rig_fresh(&rig);
				rig.emul.fail_access = nth;
				err = pciback_conf_read(rig.conf, pos, size, &val);
				CHECK(err == (rig.emul.fail_access ? 0 : -ENODEV) &&
				      (!err || !val), "read %u/%u, %u: %d %#x",
				      pos, size, nth, err, val);
				rig.emul.fail_access = nth;
				err = pciback_conf_write(rig.conf, pos, size, ~0u,
							 permissive, &denied);
				CHECK(err == (rig.emul.fail_access ? 0 : -ENODEV),
				      "write %u/%u, %u: %d", pos, size, nth, err);
				CHECK(!err || rest_is_fresh(rig.conf),
				      "write %u/%u, %u left a shadow", pos, size,
				      nth);
				rig.emul.fail_access = 0;
			}
	pciback_conf_free(rig.conf);
}

/* A device that was pulled reads as ones, and that is all. */
static void surprise_removal(int unused)
{
	struct pciback_denied denied;
	u32 val;

	begin(64);
	add(0, "vvvvvvvv rrrrrrrr");
	if (!end())
		return;
	rig.emul.gone = true;
	CHECK(!pciback_conf_read(rig.conf, 0, 4, &val) &&
	      val == ((rig.start[1] << 8) | 0xffff00ff), "%#x", val);
	CHECK(!pciback_conf_write(rig.conf, 0, 4, 0x1234, true, &denied), "");
	CHECK(!pciback_conf_read(rig.conf, 0, 2, &val) && val == 0x12ff,
	      "%#x", val);
	pciback_conf_free(rig.conf);
}

/* ---- Life ---- */

static void reset_restores(int unused)
{
	begin(64);
	add(0, "vvvvvvvv vvvvvvvv zzzzzzzz ffffffff");
	add(4, "SSSSSSSS");
	if (!end())
		return;
	rig_write(&rig, 0, 4, 0xdeadbeef, false);
	rig_write(&rig, 4, 1, 0x77, false);
	memcpy(rig.model.shadow, rig.model.fresh, sizeof(rig.model.fresh));
	pciback_conf_reset(rig.conf);
	rig_read(&rig, 0, 4);
	rig_read(&rig, 4, 1);
	pciback_conf_free(rig.conf);
	pciback_conf_free(NULL);
}

static u32 odd_init(struct pciback_conf *conf, struct pciback_inst *inst, u32 hw)
{
	inst->bits = hw;
	return ~hw;
}

static u32 odd_read(const struct pciback_inst *inst)
{
	return inst->shadow ^ 0xff;
}

/* ->init() sets the shadow, ->read() what is seen, of virtual bits alone. */
static void init_and_read(int unused)
{
	const struct pciback_reg reg = {
		.offset = 4, .size = 2, .virt = 0x0ff0, .rw = 0x0ff0,
		.init = odd_init, .read = odd_read,
	};
	struct pciback_denied denied;
	u32 val;

	begin(64);
	emul_put(&rig.emul, 4, 2, 0x1234);
	CHECK(!pciback_conf_add(rig.conf, &reg, 1, 0, 64), "");
	CHECK(!pciback_conf_seal(rig.conf), "");
	CHECK(rig.conf->inst[0].shadow == 0x0dc0, "%#x", rig.conf->inst[0].shadow);
	CHECK(rig.conf->inst[0].bits == 0x1234, "%#x", rig.conf->inst[0].bits);
	pciback_conf_read(rig.conf, 4, 2, &val);
	CHECK(val == ((0x0dc0 ^ 0xf0) | 0x1004), "%#x", val);
	pciback_conf_write(rig.conf, 4, 2, 0xffff, false, &denied);
	pciback_conf_read(rig.conf, 4, 2, &val);
	CHECK(val == 0x1f04, "%#x", val);
	CHECK(denied.mask == 0xe00b, "%#x", denied.mask);
	CHECK(emul_get(&rig.emul, 4, 2) == 0x1234, "hardware changed");
	pciback_conf_free(rig.conf);
}

/* Dwords that are shut, and those that read as zero. */
static void closed_dwords(int permissive)
{
	unsigned int i;

	begin(64);
	add(16, "ffffffff ffffffff");
	add(40, "rrrrrrrr rrrrrrrr");
	if (!end())
		return;
	for (i = 4; i < 8; i++)
		__set_bit(i, rig.conf->closed);
	__set_bit(4, rig.conf->zero);
	memset(rig.model.closed + 16, 1, 16);
	memset(rig.model.zero + 16, 1, 4);
	every_access();
	CHECK(pciback_conf_covered(rig.conf, 16, 4), "row and closed");
	CHECK(pciback_conf_covered(rig.conf, 30, 1), "closed");
	CHECK(pciback_conf_covered(rig.conf, 41, 1), "row's end");
	CHECK(pciback_conf_covered(rig.conf, 40, 4), "row's part");
	CHECK(!pciback_conf_covered(rig.conf, 42, 2), "behind");
	CHECK(!pciback_conf_covered(rig.conf, 36, 4), "before");
	CHECK(pciback_conf_find(rig.conf, 40) == &rig.conf->inst[1], "find");
	CHECK(!pciback_conf_find(rig.conf, 41), "found inside");
	CHECK(!pciback_conf_find(rig.conf, 60), "found behind");
	pciback_conf_free(rig.conf);
}

/* ---- Malformed rows ---- */

static int none(struct pciback_conf *conf, struct pciback_inst *inst, u32 old,
		u32 new)
{
	return 0;
}

static const struct {
	const char *rule;
	struct pciback_reg reg;
} malformed[] = {
	{ "size 0", { .size = 0 } },
	{ "size 3", { .size = 3 } },
	{ "size 8", { .size = 8 } },
	{ "word at odd offset", { .offset = 1, .size = 2 } },
	{ "dword at half", { .offset = 6, .size = 4 } },
	{ "virt beyond size", { .size = 1, .virt = 0x100 } },
	{ "rw beyond size", { .size = 2, .rw = 0x10000 } },
	{ "w1c beyond size", { .size = 2, .w1c = 0x80000000 } },
	{ "rw_permissive beyond size", { .size = 1, .rw_permissive = 0x100 } },
	{ "act beyond size", { .size = 1, .rw = 1, .act = 0x101, .changed = none } },
	{ "slow beyond size", { .size = 1, .rw = 1, .act = 1, .slow = 0x101,
				.changed = none } },
	{ "rw and w1c", { .size = 2, .rw = 3, .w1c = 2 } },
	{ "w1c and rw_permissive", { .size = 2, .w1c = 4, .rw_permissive = 4 } },
	{ "act and w1c", { .size = 1, .w1c = 1, .act = 1, .changed = none } },
	{ "act but not rw", { .size = 1, .rw = 1, .act = 3, .changed = none } },
	{ "slow but not act", { .size = 1, .rw = 3, .act = 1, .slow = 2,
				.changed = none } },
	{ "rw and rw_permissive", { .size = 1, .rw = 1, .rw_permissive = 1 } },
	{ "virt and rw_permissive", { .size = 1, .virt = 1, .rw_permissive = 1 } },
	{ "act without changed", { .size = 1, .rw = 1, .act = 1 } },
	{ "changed without act", { .size = 1, .rw = 1, .changed = none } },
};

static void refused_rows(int unused)
{
	static const struct pciback_reg good[] = {
		{ .size = 1 },
		{ .offset = 3, .size = 1, .rw = 0xff },
		{ .offset = 2, .size = 2, .virt = 0xffff, .w1c = 0xffff },
		{ .offset = 8, .size = 4, .virt = ~0u, .rw = ~0u, .act = ~0u,
		  .slow = ~0u, .changed = none },
		{ .size = 4, .rw_permissive = ~0u },
	};
	unsigned int i;

	begin(64);
	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		CHECK(pciback_conf_check_reg(&malformed[i].reg) == -EINVAL, "%s",
		      malformed[i].rule);
		CHECK(pciback_conf_add(rig.conf, &malformed[i].reg, 1, 0, 64) ==
		      -EINVAL, "%s", malformed[i].rule);
	}
	CHECK(!rig.conf->nr, "%u were added", rig.conf->nr);
	for (i = 0; i < ARRAY_SIZE(good); i++)
		CHECK(!pciback_conf_check_reg(&good[i]), "good row %u", i);
	pciback_conf_free(rig.conf);
}

static int seal_two(u16 pos, u8 size, u16 other, u8 other_size)
{
	const struct pciback_reg two[] = {
		{ .offset = pos, .size = size },
		{ .offset = other, .size = other_size },
	};
	int err;

	begin(64);
	err = pciback_conf_add(rig.conf, two, 2, 0, 64);
	if (!err)
		err = pciback_conf_seal(rig.conf);
	pciback_conf_free(rig.conf);
	return err;
}

static void overlaps(int unused)
{
	CHECK(seal_two(4, 4, 4, 4) == -EINVAL, "twice");
	CHECK(seal_two(4, 4, 4, 1) == -EINVAL, "first byte");
	CHECK(seal_two(4, 4, 7, 1) == -EINVAL, "last byte");
	CHECK(seal_two(6, 2, 4, 4) == -EINVAL, "other order");
	CHECK(seal_two(4, 2, 5, 1) == -EINVAL, "half");
	CHECK(!seal_two(4, 4, 8, 1), "behind");
	CHECK(!seal_two(4, 4, 3, 1), "before");
	CHECK(!seal_two(60, 4, 0, 4), "both ends");
}

static void outside(int unused)
{
	const struct pciback_reg reg = { .offset = 4, .size = 4, .virt = ~0u };

	begin(64);
	CHECK(pciback_conf_add(rig.conf, &reg, 1, 60, 64) == -EINVAL, "behind");
	CHECK(pciback_conf_add(rig.conf, &reg, 1, 0xfffc, 64) == -EINVAL, "far");
	CHECK(!pciback_conf_add(rig.conf, &reg, 1, 0, 4) && !rig.conf->nr,
	      "not shortened");
	CHECK(!pciback_conf_add(rig.conf, &reg, 1, 56, 5) && rig.conf->nr == 1,
	      "last one");
	rig.emul.fail_access = 1;
	CHECK(pciback_conf_add(rig.conf, &reg, 1, 0, 8) == -ENODEV &&
	      rig.conf->nr == 1, "read failed");
	pciback_conf_free(rig.conf);
}

/* Every allocation fails once. */
static void no_memory(int unused)
{
	const struct pciback_reg reg = { .size = 1 };
	unsigned int nth, i;
	int err = -ENOMEM;

	for (nth = 1; err; nth++) {
		emul_init(&rig.emul, 64);
		emul_fail_alloc = nth;
		rig.conf = pciback_conf_alloc(&rig.emul.pdev);
		if (!rig.conf)
			continue;
		for (i = 0, err = 0; i < 40 && !err; i++)
			err = pciback_conf_add(rig.conf, &reg, 1, i, 64);
		CHECK(!err || err == -ENOMEM, "%d", err);
		pciback_conf_free(rig.conf);
	}
	emul_fail_alloc = 0;
	CHECK(nth > 3, "only %u allocations", nth);
}

static const struct tap_test tests[] = {
	{ "bytes of each kind", one_kind, 1 },
	{ "words of each kind", one_kind, 2 },
	{ "dwords of each kind", one_kind, 4 },
	{ "random registers side by side", random_rows, 1 },
	{ "more of them", random_rows, 4711 },
	{ "accesses that 256 bytes do not have", invalid_accesses, 256 },
	{ "accesses that 4096 bytes do not have", invalid_accesses, 4096 },
	{ "a refused change leaves the shadow", refused_change },
	{ "a change is told before and after", change_told },
	{ "failed hardware accesses", failed_access, 0 },
	{ "failed hardware accesses, permissive", failed_access, 1 },
	{ "surprise removal", surprise_removal },
	{ "reset", reset_restores },
	{ "init() and read()", init_and_read },
	{ "closed dwords", closed_dwords, 0 },
	{ "malformed rows are refused", refused_rows },
	{ "overlapping rows are refused", overlaps },
	{ "rows outside config space are refused", outside },
	{ "no memory", no_memory },
};

static void complain(const char *text)
{
	tap_fail("%s", text);
}

int main(void)
{
	rig_complain = complain;
	return tap_run(tests, ARRAY_SIZE(tests));
}
