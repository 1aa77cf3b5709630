// SPDX-License-Identifier: GPL-2.0
/*
 * The config space engine: applies the rows of the policy tables to a guest's
 * reads and writes. It knows no register, takes no lock, and touches hardware
 * only where the answer is not in a shadow. The same source builds in user
 * space for tests/host.
 */
#include <linux/errno.h>
#include <linux/nospec.h>
#include <linux/pci.h>

#include "conf_space.h"

/*
 * Bits of the register @inst that an access to @size bytes from @offset covers.
 * The two overlap, so both distances are below four bytes.
 */
static u32 covered_bits(const struct pciback_inst *inst, unsigned int offset,
			unsigned int size)
{
	u64 mask = pciback_size_mask(size);

	if (offset >= inst->pos)
		mask <<= (offset - inst->pos) * 8;
	else
		mask >>= (inst->pos - offset) * 8;
	return mask & pciback_size_mask(inst->reg->size);
}

/* Moves bits of an access at @from to where they are seen from @to. */
static u32 shift_bits(u32 bits, unsigned int from, unsigned int to)
{
	if (from >= to)
		return bits << ((from - to) * 8);
	return bits >> ((to - from) * 8);
}

/**
 * pciback_conf_hw_read - read a register as the device has it
 * @conf: policy of the device
 * @pos: offset in config space
 * @size: 1, 2 or 4 bytes
 * @val: what was read
 *
 * Return: 0, or -ENODEV if the device cannot be read.
 */
int pciback_conf_hw_read(struct pciback_conf *conf, unsigned int pos,
			 unsigned int size, u32 *val)
{
	u16 word = 0;
	u8 byte = 0;
	int err;

	switch (size) {
	case 1:
		err = pci_read_config_byte(conf->pdev, pos, &byte);
		*val = byte;
		break;
	case 2:
		err = pci_read_config_word(conf->pdev, pos, &word);
		*val = word;
		break;
	default:
		err = pci_read_config_dword(conf->pdev, pos, val);
	}
	return err ? -ENODEV : 0;
}

/**
 * pciback_conf_hw_write - write a register of the device
 * @conf: policy of the device
 * @pos: offset in config space
 * @size: 1, 2 or 4 bytes
 * @val: what to write
 *
 * Return: 0, or -ENODEV if the device cannot be reached.
 */
int pciback_conf_hw_write(struct pciback_conf *conf, unsigned int pos,
			  unsigned int size, u32 val)
{
	int err;

	switch (size) {
	case 1:
		err = pci_write_config_byte(conf->pdev, pos, val);
		break;
	case 2:
		err = pci_write_config_word(conf->pdev, pos, val);
		break;
	default:
		err = pci_write_config_dword(conf->pdev, pos, val);
	}
	return err ? -ENODEV : 0;
}

static bool valid_access(const struct pciback_conf *conf, s32 offset, s32 size)
{
	return (size == 1 || size == 2 || size == 4) && offset >= 0 &&
	       offset <= (s32)conf->size - size && !(offset & (size - 1));
}

/* Index of the first register that ends behind @offset; ->nr if there is none. */
static unsigned int first_inst(const struct pciback_conf *conf,
			       unsigned int offset)
{
	const struct pciback_inst *inst = conf->inst;
	unsigned int low = 0, high = conf->nr;

	/* To the first that starts behind it; the one before may reach over it. */
	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (inst[mid].pos > offset)
			high = mid;
		else
			low = mid + 1;
	}
	if (low && inst[low - 1].pos + inst[low - 1].reg->size > offset)
		low--;
	return low;
}

/* The register @i, if it begins before @end; to walk those of an access. */
static struct pciback_inst *inst_before(const struct pciback_conf *conf,
					unsigned int i, unsigned int end)
{
	return i < conf->nr && conf->inst[i].pos < end ? &conf->inst[i] : NULL;
}

static u32 visible(const struct pciback_inst *inst)
{
	return inst->reg->read ? inst->reg->read(inst) : inst->shadow;
}

/**
 * pciback_conf_find - the register that starts at an offset
 * @conf: policy of the device
 * @pos: offset in config space
 *
 * Return: the register, or NULL.
 */
struct pciback_inst *pciback_conf_find(struct pciback_conf *conf, u16 pos)
{
	unsigned int i = first_inst(conf, pos);

	if (i == conf->nr || conf->inst[i].pos != pos)
		return NULL;
	return &conf->inst[i];
}

/**
 * pciback_conf_is_silent - does a device not answer config reads?
 * @conf: policy of the device
 *
 * Return: true for one that is pulled out, broken, or in a reset.
 */
bool pciback_conf_is_silent(struct pciback_conf *conf)
{
	u32 val;

	return pciback_conf_hw_read(conf, PCI_COMMAND, 4, &val) ||
	       PCI_POSSIBLE_ERROR(val);
}

/**
 * pciback_conf_hw_look - read a register that is to be written
 * @conf: policy of the device
 * @pos: offset in config space
 * @size: 1, 2 or 4 bytes
 * @val: what was read
 * @silent: set to whether nobody answered
 *
 * What does not answer reads as all ones, and what is kept of them would be
 * written when it does again: a reset, or a sleep, that nobody asked for. Such a
 * write is to be lost, as on the bus.
 *
 * Return: 0, or -ENODEV if the device cannot be read.
 */
int pciback_conf_hw_look(struct pciback_conf *conf, unsigned int pos,
			 unsigned int size, u32 *val, bool *silent)
{
	int err = pciback_conf_hw_read(conf, pos, size, val);

	*silent = false;
	if (err || *val != pciback_size_mask(size))
		return err;
	*silent = pciback_conf_is_silent(conf);
	/* It may have come back meanwhile. */
	return *silent ? 0 : pciback_conf_hw_read(conf, pos, size, val);
}

/**
 * pciback_conf_covered - does policy speak of any of these bytes?
 * @conf: policy of the device
 * @pos: offset of the first byte
 * @size: number of bytes, 1 to 4, not crossing a dword
 *
 * Return: true if it does.
 */
bool pciback_conf_covered(const struct pciback_conf *conf, u16 pos, u8 size)
{
	return inst_before(conf, first_inst(conf, pos), pos + size) ||
	       test_bit(pos / 4, conf->closed);
}

/**
 * pciback_conf_read - answer a guest's read
 * @conf: policy of the device
 * @offset: first byte
 * @size: 1, 2 or 4 bytes
 * @val: the answer; bits beyond @size are zero, and all bits on an error
 *
 * Never sleeps.
 *
 * Return: 0, -EINVAL for an access that config space does not have, -ENODEV if
 * the device cannot be read.
 */
int pciback_conf_read(struct pciback_conf *conf, s32 offset, s32 size, u32 *val)
{
	const struct pciback_inst *inst;
	u32 known = 0, bits = 0, hw = 0;
	unsigned int i;
	int err;

	*val = 0;
	if (!valid_access(conf, offset, size))
		return -EINVAL;
	offset = array_index_nospec(offset, conf->size);

	i = first_inst(conf, offset);
	for (; (inst = inst_before(conf, i, offset + size)); i++) {
		u32 be = covered_bits(inst, offset, size) & inst->reg->virt;

		known |= shift_bits(be, inst->pos, offset);
		bits |= shift_bits(visible(inst) & be, inst->pos, offset);
	}
	if (test_bit(offset / 4, conf->zero))
		known = pciback_size_mask(size);

	if (pciback_size_mask(size) & ~known) {
		err = pciback_conf_hw_read(conf, offset, size, &hw);
		if (err)
			return err;
	}
	*val = (hw & ~known & pciback_size_mask(size)) | bits;
	return 0;
}

/*
 * Applies a write of @val, of which the bits @be are meant, to one register.
 * All is relative to the register. The bits of @be that would have changed
 * but may not are left in @denied.
 */
static int write_inst(struct pciback_conf *conf, struct pciback_inst *inst,
		      u32 be, u32 val, bool permissive, u32 *denied)
{
	const struct pciback_reg *reg = inst->reg;
	u32 rw = (reg->rw | (permissive ? reg->rw_permissive : 0)) & be;
	u32 w1c = reg->w1c & be & val;
	u32 raw = rw & ~reg->virt & ~reg->act;
	u32 shadow = inst->shadow;
	u32 cur = 0, new, moves;
	bool silent = false;
	int err = 0;

	if (pciback_size_mask(reg->size) & ~reg->virt) {
		err = pciback_conf_hw_look(conf, inst->pos, reg->size, &cur,
					   &silent);
		if (err)
			return err;
	}
	*denied = ((cur & ~reg->virt) | (visible(inst) & reg->virt)) ^ val;
	*denied &= be & ~rw & ~reg->w1c;

	/* Writing what is there may mean something, but not beside act bits. */
	moves = reg->act ? raw & (cur ^ val) : raw;
	if ((moves || (w1c & cur & ~reg->virt)) && !silent) {
		/* A one read from a w1c bit would clear it: write zeros there. */
		new = (cur & ~raw & ~reg->w1c) | (val & raw) | (w1c & ~reg->virt);
		err = pciback_conf_hw_write(conf, inst->pos, reg->size, new);
		if (err)
			return err;
	}

	new = (shadow & ~(rw & reg->virt)) | (val & rw & reg->virt);
	inst->shadow = new & ~(w1c & reg->virt);
	if (be & reg->act) {
		cur &= ~reg->virt;
		new = (cur & ~(rw & reg->act)) | (val & rw & reg->act & ~reg->virt);
		err = reg->changed(conf, inst, cur | shadow, new | inst->shadow);
		if (err)
			inst->shadow = shadow;
	}
	return err;
}

/**
 * pciback_conf_write - apply a guest's write
 * @conf: policy of the device
 * @offset: first byte
 * @size: 1, 2 or 4 bytes
 * @val: what the guest writes; bits beyond @size are ignored
 * @permissive: gaps and ->rw_permissive bits are open
 * @denied: what was not granted, for the log; a denied write is no error
 *
 * Sleeps only where pciback_conf_sleeps() says so.
 *
 * Return: 0, -EINVAL for an access that config space does not have, -ENODEV if
 * the device cannot be reached, or what a register's ->changed() answers.
 */
int pciback_conf_write(struct pciback_conf *conf, s32 offset, s32 size, u32 val,
		       bool permissive, struct pciback_denied *denied)
{
	struct pciback_inst *inst;
	unsigned int i;
	u32 gap, no;
	int err;

	*denied = (struct pciback_denied){
		.offset = offset, .size = size, .value = val,
	};
	if (!valid_access(conf, offset, size))
		return -EINVAL;
	offset = array_index_nospec(offset, conf->size);

	gap = pciback_size_mask(size);
	i = first_inst(conf, offset);
	for (; (inst = inst_before(conf, i, offset + size)); i++) {
		u32 be = covered_bits(inst, offset, size);

		gap &= ~shift_bits(be, inst->pos, offset);
		err = write_inst(conf, inst, be,
				 shift_bits(val, offset, inst->pos) & be,
				 permissive, &no);
		if (err)
			return err;
		denied->mask |= shift_bits(no, inst->pos, offset);
	}
	if (!gap)
		return 0;
	if (permissive && !test_bit(offset / 4, conf->closed))
		return pciback_gaps_write(conf, offset, size, val, gap);
	denied->mask |= gap;
	return 0;
}

/**
 * pciback_conf_sleeps - must a write be made in process context?
 * @conf: policy of the device
 * @offset: first byte
 * @size: 1, 2 or 4 bytes
 *
 * Return: true if so.
 */
bool pciback_conf_sleeps(const struct pciback_conf *conf, s32 offset, s32 size)
{
	const struct pciback_inst *inst;
	unsigned int i;

	if (!valid_access(conf, offset, size))
		return false;
	i = first_inst(conf, offset);
	for (; (inst = inst_before(conf, i, offset + size)); i++) {
		if (inst->reg->slow & covered_bits(inst, offset, size))
			return true;
	}
	return false;
}
