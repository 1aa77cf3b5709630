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

	list_for_each_entry(quirk, &stub->quirk_list, item) {
		if (quirk->reg.offset == pos && quirk->reg.size == size)
			return quirk;
	}
	return NULL;
}

static int add_quirk(struct pcistub *stub, const struct pciback_quirk *quirk)
{
	struct pciback_quirk_reg *new;
	int err;

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

	pcistub_conf_begin(stub);
	err = pciback_conf_add(stub->conf, &new->reg, 1, 0, stub->conf->size);
	if (!err) {
		list_add_tail(&new->item, &stub->quirk_list);
		err = pciback_conf_seal(stub->conf);
	} else {
		kfree(new);
	}
	pcistub_conf_end(stub);
	return err;
}

/* What the register holds is to be seen, which takes a device that is awake. */
static int add_awake(struct pcistub *stub, const struct pciback_quirk *quirk)
{
	int err = pciback_pm_busy(stub);

	if (!err)
		err = add_quirk(stub, quirk);
	pciback_pm_idle(stub);
	return err;
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
	if (!stub->conf || READ_ONCE(stub->state) == PCISTUB_GONE) {
		err = -ENODEV;
	} else if (old) {
		pcistub_conf_begin(stub);
		pciback_conf_grant(stub->conf, &old->reg, quirk->mask);
		pcistub_conf_end(stub);
	} else {
		err = add_awake(stub, quirk);
	}
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
