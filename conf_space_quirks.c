// SPDX-License-Identifier: GPL-2.0
/*
 * Quirks: registers of one device that the administrator opens to its guests,
 * by the sysfs file of that name. They live as long as the claim.
 */
#include <linux/slab.h>

#include "pciback.h"

/**
 * struct pciback_quirk_reg - a row that was made at run time
 * @item: in pcistub.quirk_list
 * @reg: the row; its offset is the register's
 */
struct pciback_quirk_reg {
	struct list_head item;
	struct pciback_reg reg;
};

static struct pciback_quirk_reg *find(struct pcistub *stub, u32 pos, u32 size)
{
	struct pciback_quirk_reg *quirk;

	list_for_each_entry(quirk, &stub->quirk_list, item)
		if (quirk->reg.offset == pos && quirk->reg.size == size)
			return quirk;
	return NULL;
}

/* A policy with one row more, or with another mask in an old one. */
static struct pciback_conf *conf_with(struct pcistub *stub,
				      const struct pciback_reg *reg)
{
	struct pciback_conf *new = pciback_conf_copy(stub->conf);
	int err;

	if (!new)
		return ERR_PTR(-ENOMEM);
	err = pciback_conf_add(new, reg, 1, 0, PCI_CFG_SPACE_EXP_SIZE);
	if (!err)
		err = pciback_conf_seal(new);
	if (!err)
		return new;
	pciback_conf_free(new);
	return ERR_PTR(err);
}

static int add(struct pcistub *stub, const struct pciback_quirk *quirk)
{
	struct pciback_quirk_reg *new;
	struct pciback_conf *conf, *old;

	if (quirk->reg + quirk->size > stub->conf->size)
		return -EINVAL;
	if (pciback_conf_covered(stub->conf, quirk->reg, quirk->size))
		return -EEXIST;
	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	new->reg.offset = quirk->reg;
	new->reg.size = quirk->size;
	new->reg.rw = quirk->mask;
	conf = conf_with(stub, &new->reg);
	if (IS_ERR(conf)) {
		kfree(new);
		return PTR_ERR(conf);
	}
	list_add_tail(&new->item, &stub->quirk_list);

	spin_lock_irq(&stub->conf_lock);
	old = stub->conf;
	stub->conf = conf;
	spin_unlock_irq(&stub->conf_lock);
	pciback_conf_free(old);
	return 0;
}

/**
 * pciback_quirk_add - open a register of a device
 * @stub: device
 * @quirk: register and mask; a register that is open already gets this mask
 *
 * Return: 0; -EEXIST: policy speaks of this register, and has the last word;
 * -EINVAL: beyond the device's config space; -ENODEV: not ready; -ENOMEM.
 */
int pciback_quirk_add(struct pcistub *stub, const struct pciback_quirk *quirk)
{
	struct pciback_quirk_reg *old;
	int err = 0;

	mutex_lock(&stub->lock);
	old = find(stub, quirk->reg, quirk->size);
	if (!stub->conf || READ_ONCE(stub->state) == PCISTUB_GONE)
		err = -ENODEV;
	else if (old)
		WRITE_ONCE(old->reg.rw, quirk->mask);
	else
		err = add(stub, quirk);
	mutex_unlock(&stub->lock);
	return err;
}

/**
 * pciback_quirks_free - release the quirks of a device that is gone
 * @stub: device that nobody uses any more
 */
void pciback_quirks_free(struct pcistub *stub)
{
	struct pciback_quirk_reg *quirk, *next;

	list_for_each_entry_safe(quirk, next, &stub->quirk_list, item)
		kfree(quirk);
}
