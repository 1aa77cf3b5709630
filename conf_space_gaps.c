// SPDX-License-Identifier: GPL-2.0
/*
 * Registers that no table knows, which the guest of a permissive device may
 * write. What they held before its first write is kept for the next guest.
 */
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "conf_space.h"

/**
 * struct pciback_gaps - what a guest wrote where nobody knows the registers
 * @fresh: bytes of config space before its first write
 * @written: bytes that it wrote, and that @fresh has
 */
struct pciback_gaps {
	u8 fresh[PCI_CFG_SPACE_EXP_SIZE];
	DECLARE_BITMAP(written, PCI_CFG_SPACE_EXP_SIZE);
};

/* Writes the bytes @open of an access; where that is not all, one by one. */
static int write_bytes(struct pciback_conf *conf, unsigned int offset,
		       unsigned int size, u32 val, u32 open)
{
	unsigned int i;
	int err = 0;

	if (open == pciback_size_mask(size))
		return pciback_conf_hw_write(conf, offset, size, val);
	for (i = 0; i < size && !err; i++) {
		if (open & pciback_size_mask(1) << (i * 8))
			err = pciback_conf_hw_write(conf, offset + i, 1,
						    val >> (i * 8) & 0xff);
	}
	return err;
}

static int remember(struct pciback_conf *conf, unsigned int offset,
		    unsigned int size, u32 open, u32 hw)
{
	struct pciback_gaps *gaps = conf->gaps;
	unsigned int i;

	if (!gaps)
		gaps = kzalloc(sizeof(*gaps), GFP_ATOMIC);
	if (!gaps)
		return -ENOMEM;
	conf->gaps = gaps;
	for (i = 0; i < size; i++) {
		if (!(open & pciback_size_mask(1) << (i * 8)) ||
		    __test_and_set_bit(offset + i, gaps->written))
			continue;
		gaps->fresh[offset + i] = hw >> (i * 8);
	}
	return 0;
}

/**
 * pciback_gaps_write - write where no register is known
 * @conf: policy of the device
 * @offset: first byte
 * @size: 1, 2 or 4 bytes; @offset is a multiple of it
 * @val: what the guest writes
 * @open: the bits of @val in gaps: whole bytes
 *
 * Return: 0, -ENODEV if the device cannot be reached, or -ENOMEM.
 */
int pciback_gaps_write(struct pciback_conf *conf, unsigned int offset,
		       unsigned int size, u32 val, u32 open)
{
	bool silent;
	u32 hw;
	int err;

	err = pciback_conf_hw_look(conf, offset, size, &hw, &silent);
	if (err || silent)
		return err;
	err = remember(conf, offset, size, open, hw);
	return err ? err : write_bytes(conf, offset, size, val, open);
}

/**
 * pciback_gaps_fresh - what registers held before a guest wrote them
 * @conf: policy of the device
 * @pos: first byte
 * @size: 1 to 4 bytes
 * @hw: what they hold now
 *
 * Return: @hw, but for the bytes that a guest wrote.
 */
u32 pciback_gaps_fresh(const struct pciback_conf *conf, unsigned int pos,
		       unsigned int size, u32 hw)
{
	const struct pciback_gaps *gaps = conf->gaps;
	unsigned int i;

	for (i = 0; gaps && i < size; i++) {
		if (!test_bit(pos + i, gaps->written))
			continue;
		hw &= ~(pciback_size_mask(1) << (i * 8));
		hw |= (u32)gaps->fresh[pos + i] << (i * 8);
	}
	return hw;
}

/* Brings a dword back, where it is not as it was. */
static void restore(struct pciback_conf *conf, unsigned int offset)
{
	u32 open = 0, fresh, hw;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		if (test_bit(offset + i, conf->gaps->written))
			open |= pciback_size_mask(1) << (i * 8);
	}
	if (!open || pciback_conf_hw_read(conf, offset, 4, &hw))
		return;
	fresh = pciback_gaps_fresh(conf, offset, 4, hw);
	if (fresh != hw)
		write_bytes(conf, offset, 4, fresh, open);
}

/**
 * pciback_gaps_restore - bring back what a guest wrote, and forget it
 * @conf: policy of the device, which is awake
 */
void pciback_gaps_restore(struct pciback_conf *conf)
{
	unsigned int offset;

	if (!conf->gaps)
		return;
	for (offset = 0; offset < conf->size; offset += 4)
		restore(conf, offset);
	kfree(conf->gaps);
	conf->gaps = NULL;
}
