// SPDX-License-Identifier: GPL-2.0
/* Driver and model side by side: every access to both, every effect compared. */
#include <stdarg.h>

#include "model.h"

void (*rig_complain)(const char *text);

/* Says what is wrong, unless all is well. */
static __printf(2, 3) bool holds(bool ok, const char *fmt, ...)
{
	char text[256];
	va_list args;

	if (!ok && rig_complain) {
		va_start(args, fmt);
		vsnprintf(text, sizeof(text), fmt, args);
		va_end(args);
		rig_complain(text);
	}
	return ok;
}

/* A device that no guest has used yet. */
void rig_fresh(struct rig *rig)
{
	struct model *m = &rig->model;

	memcpy(rig->emul.cfg, rig->start, m->size);
	memcpy(m->hw, rig->start, m->size);
	rig->emul.pdev.current_state = PCI_D0;
	pciback_conf_reset(rig->conf);
	model_fresh(m);
}

bool rig_read(struct rig *rig, long offset, long size)
{
	u32 val = 0x5a5a5a5a, want;
	bool touches;
	int err, expect;

	emul_forget(&rig->emul);
	expect = model_read(&rig->model, offset, size, &want, &touches);
	err = pciback_conf_read(rig->conf, offset, size, &val);
	if (!holds(err == expect, "read %#lx/%ld: %d, not %d", offset, size, err,
		   expect))
		return false;
	if (!holds(val == want, "read %#lx/%ld: %#x, not %#x", offset, size, val,
		   want))
		return false;
	if (!holds(rig->emul.reads == touches, "read %#lx/%ld: %u accesses",
		   offset, size, rig->emul.reads))
		return false;
	if (!holds(!rig->emul.writes, "read %#lx/%ld wrote", offset, size))
		return false;
	return true;
}

static bool same_hw(const struct rig *rig, long offset, u32 val)
{
	unsigned int i;

	if (!memcmp(rig->emul.cfg, rig->model.hw, rig->model.size))
		return true;
	for (i = 0; rig->emul.cfg[i] == rig->model.hw[i];)
		i++;
	return holds(false, "write %#x to %#lx: hardware has %#x at %#x, not %#x",
		     val, offset, rig->emul.cfg[i], i, rig->model.hw[i]);
}

/* What the core is to carry out must not be written raw. */
static bool raw_spares_acts(const struct rig *rig, long offset)
{
	long bit;

	for (bit = offset / 4 * 32; bit < offset / 4 * 32 + 32; bit++)
		if (!holds(!strchr("as", rig->model.kind[bit]) ||
			   !(rig->emul.raw[bit / 8 % 4] >> bit % 8 & 1),
			   "bit %ld of %#lx was written raw", bit % 32, offset))
			return false;
	return true;
}

/* Is all that the write meets in the shadow, with nothing to be carried out? */
static bool shadow_only(const struct model *m, long offset, long size)
{
	long i, byte;

	for (byte = offset; byte < offset + size; byte++) {
		int owner = m->owner[byte];

		if (owner < 0)
			continue;
		for (i = 0; i < (long)m->reg[owner].size * 8; i++)
			if (!strchr("f0vz", m->kind[m->reg[owner].pos * 8 + i]))
				return false;
	}
	return true;
}

bool rig_write(struct rig *rig, long offset, long size, u32 val,
	       bool permissive)
{
	struct pciback_denied denied;
	struct model *m = &rig->model;
	struct emul *emul = &rig->emul;
	static const struct emul_calls none;
	int err, expect;
	bool slow;
	u32 no;

	emul_forget(emul);
	memset(&m->calls, 0, sizeof(m->calls));
	expect = model_write(m, offset, size, val, permissive, &no);
	slow = pciback_conf_sleeps(rig->conf, offset, size);
	if (!holds(!emul->reads, "sleeps() read"))
		return false;
	err = pciback_conf_write(rig->conf, offset, size, val, permissive,
				 &denied);
	if (!holds(err == expect, "write %#x to %#lx/%ld: %d, not %d", val, offset,
		   size, err, expect))
		return false;
	if (!holds(err || (denied.mask == no && denied.offset == offset &&
			   denied.size == size && denied.value == val),
		   "write %#x to %#lx/%ld: denied %#x, not %#x", val, offset, size,
		   denied.mask, no))
		return false;
	if (!holds(!memcmp(&emul->calls, &m->calls, sizeof(m->calls)),
		   "write %#x to %#lx/%ld calls other functions", val, offset, size))
		return false;
	if (!holds(slow || !memcmp(&emul->calls.slow, &none.slow, sizeof(none.slow)),
		   "write %#x to %#lx/%ld sleeps unannounced", val, offset, size))
		return false;
	if (!holds(slow == m->slow, "write %#x to %#lx/%ld: sleeps() %d", val,
		   offset, size, slow))
		return false;
	if (!same_hw(rig, offset, val))
		return false;
	if (!holds(expect != -EINVAL || !emul->reads, "write %#lx/%ld reads",
		   offset, size))
		return false;
	if (!holds(m->raw || !emul->writes, "write %#x to %#lx/%ld writes", val, offset,
		   size))
		return false;
	if (!holds(m->raw || !emul->reads || !shadow_only(m, offset, size),
		   "write %#x to %#lx/%ld touches hardware", val, offset, size))
		return false;
	return expect == -EINVAL || raw_spares_acts(rig, offset);
}

/* A write, and what is seen of it. */
static bool one_write(struct rig *rig, unsigned int pos, unsigned int size,
		      u32 val, bool permissive)
{
	return rig_write(rig, pos, size, val, permissive) &&
	       rig_read(rig, pos & ~3u, 4);
}

static bool each_read(struct rig *rig, unsigned int dword)
{
	unsigned int pos, size;

	for (size = 1; size <= 4; size *= 2)
		for (pos = dword; pos < dword + 4; pos += size)
			if (!rig_read(rig, pos, size))
				return false;
	return true;
}

/*
 * Every bit of a dword, alone and in every access that touches it: written 0
 * and 1 with all others as they are, zero and one; each on a fresh device, and
 * the last again after its contrary.
 */
static bool each_bit(struct rig *rig, unsigned int pos, unsigned int size,
		     bool permissive)
{
	u32 all = ~0u >> (32 - size * 8), now, base[3];
	unsigned int bit, i;
	bool touches;

	rig_fresh(rig);
	if (!each_read(rig, pos & ~3u))
		return false;
	model_read(&rig->model, pos, size, &now, &touches);
	base[0] = now;
	base[1] = 0;
	base[2] = all;
	for (bit = 0; bit < size * 8; bit++) {
		for (i = 0; i < 3; i++) {
			u32 set = base[i] | 1u << bit;
			u32 clear = base[i] & ~(1u << bit);

			rig_fresh(rig);
			if (!one_write(rig, pos, size, set, permissive) ||
			    !one_write(rig, pos, size, clear, permissive))
				return false;
			rig_fresh(rig);
			if (!one_write(rig, pos, size, clear, permissive) ||
			    !one_write(rig, pos, size, set, permissive))
				return false;
		}
	}
	return each_read(rig, pos & ~3u);
}

bool rig_dword(struct rig *rig, unsigned int dword)
{
	unsigned int pos, size, permissive;

	for (permissive = 0; permissive < 2; permissive++)
		for (size = 1; size <= 4; size *= 2)
			for (pos = dword; pos < dword + 4; pos += size)
				if (!each_bit(rig, pos, size, permissive))
					return false;
	rig_fresh(rig);
	return true;
}

/* The driver's rows against the model's letters, mask by mask. */
bool rig_masks(struct rig *rig)
{
	const struct pciback_conf *conf = rig->conf;
	unsigned int i;

	for (i = 0; i < rig->model.nr; i++) {
		const struct model_reg *want = &rig->model.reg[i];
		const struct pciback_inst *inst;
		const struct pciback_reg *reg;

		inst = pciback_conf_find(rig->conf, want->pos);
		if (!holds(inst && inst->reg->size == want->size,
			   "no register of %u bytes at %#x", want->size, want->pos))
			return false;
		reg = inst->reg;
		if (!holds(reg->virt == model_mask(want, "f0vzAS") &&
			   reg->rw == model_mask(want, "rvasAS") &&
			   reg->w1c == model_mask(want, "cz") &&
			   reg->act == model_mask(want, "asAS") &&
			   reg->slow == model_mask(want, "sS") &&
			   reg->rw_permissive == model_mask(want, "p"),
			   "masks at %#x are not those of %s", want->pos,
			   want->bits))
			return false;
	}
	if (!holds(conf->nr == rig->model.nr, "%u registers, not %u", conf->nr,
		   rig->model.nr))
		return false;
	return true;
}
