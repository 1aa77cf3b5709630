// SPDX-License-Identifier: GPL-2.0
/*
 * The making of a policy: rows of the tables are checked, installed on a device
 * and sorted. Once sealed, its shadows change, and a quirk may join its rows.
 */
#include <linux/errno.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "conf_space.h"

/**
 * pciback_conf_check_reg - is a row of a table well formed?
 * @reg: the row
 *
 * Return: 0, or -EINVAL: wrong size or alignment, masks beyond the size, a bit
 * both rw and w1c, act bits that are not rw or have no ->changed(), slow bits
 * that are not act, virtual bits opened by permissive.
 */
int pciback_conf_check_reg(const struct pciback_reg *reg)
{
	u32 all;

	if (reg->size != 1 && reg->size != 2 && reg->size != 4)
		return -EINVAL;
	all = pciback_size_mask(reg->size);
	if (reg->offset & (reg->size - 1) ||
	    (reg->virt | reg->rw | reg->w1c | reg->rw_permissive) & ~all ||
	    reg->w1c & (reg->rw | reg->rw_permissive | reg->act) ||
	    reg->act & ~reg->rw || reg->slow & ~reg->act ||
	    reg->rw_permissive & (reg->rw | reg->virt) ||
	    !reg->changed != !reg->act)
		return -EINVAL;
	return 0;
}

/* Hardware bits that reach the device as a guest writes them. */
static u32 raw_bits(const struct pciback_reg *reg)
{
	return (reg->rw | reg->rw_permissive) & ~reg->virt & ~reg->act;
}

static int init_inst(struct pciback_conf *conf, struct pciback_inst *inst)
{
	u32 hw;
	int err;

	inst->raw = raw_bits(inst->reg);
	if (!inst->reg->virt && !inst->raw)
		return 0;
	err = pciback_conf_hw_read(conf, inst->pos, inst->reg->size, &hw);
	if (err)
		return err;
	hw = pciback_gaps_fresh(conf, inst->pos, inst->reg->size, hw);
	inst->fresh = hw;
	if (inst->reg->init)
		hw = inst->reg->init(conf, inst, hw);
	inst->init = hw & inst->reg->virt;
	inst->shadow = inst->init;
	return 0;
}

static int grow(struct pciback_conf *conf)
{
	unsigned int max = conf->max ? conf->max * 2 : 32;
	struct pciback_inst *inst;

	inst = krealloc_array(conf->inst, max, sizeof(*inst), GFP_KERNEL);
	if (!inst)
		return -ENOMEM;
	conf->inst = inst;
	conf->max = max;
	return 0;
}

/**
 * pciback_conf_add - install rows of a table
 * @conf: policy under construction, not sealed yet
 * @reg: the rows
 * @nr: number of rows
 * @base: offset in config space to which the rows are relative
 * @len: rows that start at this offset or behind it do not exist here
 *
 * Return: 0, -EINVAL for a malformed row or one outside config space, -ENOMEM,
 * or -ENODEV if the device cannot be read.
 */
int pciback_conf_add(struct pciback_conf *conf, const struct pciback_reg *reg,
		     unsigned int nr, u16 base, u16 len)
{
	const struct pciback_reg *end = reg + nr;
	int err;

	for (; reg < end; reg++) {
		struct pciback_inst *inst;

		if (reg->offset >= len)
			continue;
		err = pciback_conf_check_reg(reg);
		if (!err && base + reg->offset + reg->size > conf->size)
			err = -EINVAL;
		if (!err && conf->nr == conf->max)
			err = grow(conf);
		if (err)
			return err;

		inst = &conf->inst[conf->nr];
		*inst = (struct pciback_inst){
			.reg = reg, .pos = base + reg->offset,
		};
		err = init_inst(conf, inst);
		if (err)
			return err;
		conf->nr++;
	}
	return 0;
}

static int cmp_inst(const void *a, const void *b)
{
	const struct pciback_inst *x = a, *y = b;

	return (int)x->pos - (int)y->pos;
}

/**
 * pciback_conf_seal - end the construction of a policy
 * @conf: policy to which all rows were added
 *
 * Return: 0, or -EINVAL if two registers overlap.
 */
int pciback_conf_seal(struct pciback_conf *conf)
{
	unsigned int i;

	sort(conf->inst, conf->nr, sizeof(*conf->inst), cmp_inst, NULL);
	for (i = 1; i < conf->nr; i++) {
		const struct pciback_inst *prev = &conf->inst[i - 1];

		if (prev->pos + prev->reg->size > conf->inst[i].pos)
			return -EINVAL;
	}
	return 0;
}

/**
 * pciback_conf_grant - give a quirk another mask
 * @conf: policy of the device, with the row installed
 * @reg: the row
 * @mask: bits that guests may write from now on
 *
 * What was written under a former mask is brought back all the same.
 */
void pciback_conf_grant(struct pciback_conf *conf, struct pciback_reg *reg,
			u32 mask)
{
	unsigned int i;

	for (i = 0; i < conf->nr; i++) {
		if (conf->inst[i].reg == reg)
			conf->inst[i].raw |= mask;
	}
	reg->rw = mask;
}

/**
 * pciback_conf_reset - forget what a guest wrote to virtual bits
 * @conf: policy of the device
 */
void pciback_conf_reset(struct pciback_conf *conf)
{
	unsigned int i;

	for (i = 0; i < conf->nr; i++)
		conf->inst[i].shadow = conf->inst[i].init;
}

/**
 * pciback_conf_restore - bring back what a guest wrote to hardware
 * @conf: policy of the device, which is awake
 *
 * The core restores what it knows of, and a reset need not do the rest. Bits that
 * a write of one clears are left alone; and so is a device that does not answer,
 * until the next time.
 */
void pciback_conf_restore(struct pciback_conf *conf)
{
	unsigned int i;

	if (pciback_conf_is_silent(conf))
		return;
	for (i = 0; i < conf->nr; i++) {
		struct pciback_inst *inst = &conf->inst[i];
		u32 raw = inst->raw;
		u32 hw;

		if (!raw || pciback_conf_hw_read(conf, inst->pos,
						 inst->reg->size, &hw))
			continue;
		if ((hw ^ inst->fresh) & raw)
			pciback_conf_hw_write(conf, inst->pos, inst->reg->size,
					      (hw & ~raw & ~inst->reg->w1c) |
					      (inst->fresh & raw));
	}
	pciback_gaps_restore(conf);
}

/**
 * pciback_conf_alloc - an empty policy for a device
 * @pdev: the device
 *
 * Return: the policy, to be released by pciback_conf_free(), or NULL.
 */
struct pciback_conf *pciback_conf_alloc(struct pci_dev *pdev)
{
	struct pciback_conf *conf = kzalloc(sizeof(*conf), GFP_KERNEL);

	if (conf) {
		conf->pdev = pdev;
		conf->size = pdev->cfg_size;
	}
	return conf;
}

/**
 * pciback_conf_free - release a policy
 * @conf: policy that nobody uses any more, or NULL
 */
void pciback_conf_free(struct pciback_conf *conf)
{
	if (!conf)
		return;
	kfree(conf->gaps);
	kfree(conf->inst);
	kfree(conf);
}
