// SPDX-License-Identifier: GPL-2.0
/* The naive model: every access is taken apart into its bits. */
#include "model.h"

#define VIRTUAL		"f0vzAS"
#define ACTING		"asAS"

static bool is(char kind, const char *letters)
{
	return strchr(letters, kind);
}

static bool bit_of(const u8 *bytes, unsigned int bit)
{
	return bytes[bit / 8] >> bit % 8 & 1;
}

static void set_bit_of(u8 *bytes, unsigned int bit, bool val)
{
	bytes[bit / 8] &= ~(1 << bit % 8);
	bytes[bit / 8] |= val << bit % 8;
}

static u32 bits_of(const u8 *bytes, unsigned int pos, unsigned int size)
{
	unsigned int i;
	u32 val = 0;

	for (i = 0; i < size; i++)
		val |= (u32)bytes[pos + i] << (i * 8);
	return val;
}

u32 model_hw(const struct model *m, unsigned int pos, unsigned int size)
{
	return m->emul->gone ? ~0u >> (32 - size * 8) : bits_of(m->hw, pos, size);
}

void model_hw_put(struct model *m, unsigned int pos, unsigned int size, u32 mask,
		  u32 val)
{
	unsigned int i;

	for (i = 0; i < size * 8 && !m->emul->gone; i++)
		if (mask >> i & 1)
			set_bit_of(m->hw, pos * 8 + i, val >> i & 1);
}

u32 model_shadow(const struct model *m, const struct model_reg *reg)
{
	return bits_of(m->shadow, reg->pos, reg->size);
}

void model_shadow_put(struct model *m, const struct model_reg *reg, u32 val)
{
	unsigned int i;

	for (i = 0; i < reg->size; i++)
		m->shadow[reg->pos + i] = val >> (i * 8);
}

/* The bits of a register whose letter is one of @letters. */
u32 model_mask(const struct model_reg *reg, const char *letters)
{
	const char *c;
	u32 mask = 0;

	for (c = reg->bits; *c; c++)
		if (*c != ' ')
			mask = mask << 1 | is(*c, letters);
	return mask;
}

void model_init(struct model *m, const struct emul *emul)
{
	memset(m, 0, sizeof(*m));
	memset(m->kind, '.', sizeof(m->kind));
	memset(m->owner, -1, sizeof(m->owner));
	m->emul = emul;
	m->size = emul->pdev.cfg_size;
	memcpy(m->hw, emul->cfg, sizeof(m->hw));
	memcpy(m->hw_w1c, emul->w1c, sizeof(m->hw_w1c));
	memcpy(m->hw_fixed, emul->fixed, sizeof(m->hw_fixed));
}

struct model_reg *model_add(struct model *m, unsigned int pos,
			    unsigned int size, const char *bits)
{
	struct model_reg *reg = &m->reg[m->nr];
	unsigned int bit = (pos + size) * 8;
	const char *c;

	for (c = bits; *c; c++)
		if (*c != ' ')
			m->kind[--bit] = *c;
	if (bit != pos * 8 || m->nr == MODEL_REGS)
		abort();
	memset(reg, 0, sizeof(*reg));
	reg->pos = pos;
	reg->size = size;
	reg->bits = bits;
	reg->virt = model_mask(reg, VIRTUAL);
	for (bit = pos; bit < pos + size; bit++)
		m->owner[bit] = m->nr;
	m->nr++;
	return reg;
}

/* All registers are there: computes the virtual bits of a fresh device. */
void model_seal(struct model *m)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		const struct model_reg *reg = &m->reg[i];
		u32 val = reg->has_value ? reg->value :
					   model_hw(m, reg->pos, reg->size);

		model_shadow_put(m, reg, val & reg->virt &
				 ~model_mask(reg, "0"));
	}
	memcpy(m->fresh, m->shadow, sizeof(m->fresh));
}

void model_fresh(struct model *m)
{
	memcpy(m->shadow, m->fresh, m->size);
}

/* A byte of a BAR shows its size if all its address bits were written as one. */
static bool bar_bit(const struct model *m, const struct model_reg *reg,
		    unsigned int bit)
{
	unsigned int byte = bit / 8 - reg->pos;
	u8 window = reg->window >> (byte * 8);
	u8 home = reg->value >> (byte * 8);
	u8 wrote = m->shadow[bit / 8];

	if (reg->pos == PCI_ROM_ADDRESS && !byte)
		home = (home & ~1) | (reg->window ? wrote & 1 : 0);
	if ((wrote & window) == window)
		return (window | (home & ~window)) >> bit % 8 & 1;
	return home >> bit % 8 & 1;
}

static bool seen(const struct model *m, unsigned int bit)
{
	int owner = m->owner[bit / 8];

	if (owner >= 0 && m->reg[owner].bar)
		return bar_bit(m, &m->reg[owner], bit);
	if (is(m->kind[bit], VIRTUAL))
		return bit_of(m->shadow, bit);
	return !m->zero[bit / 8] && (m->emul->gone || bit_of(m->hw, bit));
}

static bool exists(const struct model *m, long offset, long size)
{
	if (size != 1 && size != 2 && size != 4)
		return false;
	return offset >= 0 && offset % size == 0 && offset + size <= m->size;
}

int model_read(struct model *m, long offset, long size, u32 *val, bool *touches)
{
	long i;

	*val = 0;
	*touches = false;
	if (!exists(m, offset, size))
		return -EINVAL;
	for (i = 0; i < size * 8; i++) {
		long bit = offset * 8 + i;

		*val |= (u32)seen(m, bit) << i;
		if (!is(m->kind[bit], VIRTUAL) && !m->zero[bit / 8])
			*touches = true;
	}
	return 0;
}

static void raw_write(struct model *m, unsigned int bit, bool val)
{
	m->raw = true;
	if (m->emul->gone || bit_of(m->hw_fixed, bit))
		return;
	if (!bit_of(m->hw_w1c, bit))
		set_bit_of(m->hw, bit, val);
	else if (val)
		set_bit_of(m->hw, bit, false);
}

/* One bit; returns whether the wish was denied. */
static bool write_bit(struct model *m, unsigned int bit, bool val,
		      bool permissive)
{
	char kind = m->kind[bit];

	if (kind == 'p')
		kind = permissive ? 'r' : '-';
	if (kind == '.') {
		if (!permissive || m->closed[bit / 8])
			return true;
		kind = 'r';
	}
	if (is(kind, "r") || (kind == 'c' && val))
		raw_write(m, bit, val);
	else if (is(kind, "vAS"))
		set_bit_of(m->shadow, bit, val);
	else if (kind == 'z' && val)
		set_bit_of(m->shadow, bit, false);
	else if (is(kind, "-f0"))
		return seen(m, bit) != val;
	return false;
}

/* The part of a write that meets one register, from bit @from to bit @to. */
static int write_reg(struct model *m, struct model_reg *reg, unsigned int from,
		     unsigned int to, u32 val, bool permissive, u32 *denied)
{
	u32 virt = reg->virt, hw = model_hw(m, reg->pos, reg->size);
	u32 shadow = model_shadow(m, reg), new = hw;
	bool act = false;
	unsigned int bit;
	int err;

	for (bit = from; bit < to; bit++) {
		bool want = val >> (bit - from) & 1;

		if (write_bit(m, bit, want, permissive))
			*denied |= 1u << (bit - from);
		if (!is(m->kind[bit], ACTING))
			continue;
		act = true;
		if (is(m->kind[bit], "sS"))
			m->slow = true;
		if (is(m->kind[bit], "as"))
			set_bit_of((u8 *)&new, bit - reg->pos * 8, want);
	}
	if (!act)
		return 0;
	err = reg->act(m, reg, (hw & ~virt) | shadow,
		       (new & ~virt) | model_shadow(m, reg));
	if (err)
		model_shadow_put(m, reg, shadow);
	return err;
}

int model_write(struct model *m, long offset, long size, u32 val,
		bool permissive, u32 *denied)
{
	unsigned int bit, end;
	int err;

	*denied = 0;
	m->slow = false;
	m->raw = false;
	if (!exists(m, offset, size))
		return -EINVAL;
	for (bit = offset * 8; bit < (offset + size) * 8; bit = end) {
		int owner = m->owner[bit / 8];
		u32 no = 0, part = val >> (bit - offset * 8);

		end = bit + 8;
		if (owner < 0) {
			for (; bit < end; bit++, part >>= 1)
				if (write_bit(m, bit, part & 1, permissive))
					*denied |= 1u << (bit - offset * 8);
			continue;
		}
		while (end < (offset + size) * 8 && m->owner[end / 8] == owner)
			end += 8;
		err = write_reg(m, &m->reg[owner], bit, end, part, permissive, &no);
		if (err)
			return err;
		*denied |= no << (bit - offset * 8);
	}
	return 0;
}
