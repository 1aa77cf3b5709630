// SPDX-License-Identifier: GPL-2.0
/*
 * The two capability chains as a guest sees them, and the making of a policy.
 *
 * A capability that the tables do not have is hidden: it is unlinked from its
 * chain, and its registers stay shut on a permissive device too. One that
 * overlaps another or does not fit into config space is hidden likewise. What
 * the device says of its chains is not trusted: walks end at a loop.
 */
#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "conf_space.h"

/* No chain is longer than this: a capability begins at a dword of its own. */
#define MAX_CAPS	(PCI_CFG_SPACE_EXP_SIZE / 4)

/* Where the capabilities of one chain are, in its order. */
struct chain {
	unsigned int nr;
	struct {
		u16 pos;
		u16 id;
		bool visible;
	} cap[MAX_CAPS];
};

static void chain_append(struct chain *chain, u16 pos, u16 id)
{
	chain->cap[chain->nr].pos = pos;
	chain->cap[chain->nr].id = id;
	chain->cap[chain->nr].visible = false;
	chain->nr++;
}

/* Follows a chain to its end, a loop, a pointer out of range or all ones. */
static int walk_std(struct pci_dev *pdev, struct chain *chain)
{
	DECLARE_BITMAP(seen, PCI_CFG_SPACE_SIZE / 4) = {};
	u16 status, header;
	u8 pos;

	if (pci_read_config_word(pdev, PCI_STATUS, &status) ||
	    pci_read_config_byte(pdev, PCI_CAPABILITY_LIST, &pos))
		return -ENODEV;
	if (!(status & PCI_STATUS_CAP_LIST))
		return 0;
	for (pos &= ~3; pos >= PCI_STD_HEADER_SIZEOF; pos = (header >> 8) & ~3) {
		if (__test_and_set_bit(pos / 4, seen))
			break;
		if (pci_read_config_word(pdev, pos, &header))
			return -ENODEV;
		if ((header & 0xff) == 0xff)
			break;
		chain_append(chain, pos, header & 0xff);
	}
	return 0;
}

static int walk_ext(struct pci_dev *pdev, struct chain *chain)
{
	DECLARE_BITMAP(seen, PCI_CFG_SPACE_EXP_SIZE / 4) = {};
	u32 header;
	u16 pos;

	for (pos = PCI_CFG_SPACE_SIZE; pos >= PCI_CFG_SPACE_SIZE;
	     pos = PCI_EXT_CAP_NEXT(header)) {
		if (__test_and_set_bit(pos / 4, seen))
			break;
		if (pci_read_config_dword(pdev, pos, &header))
			return -ENODEV;
		if (!header || PCI_POSSIBLE_ERROR(header))
			break;
		chain_append(chain, pos, PCI_EXT_CAP_ID(header));
	}
	return 0;
}

static const struct pciback_cap *find_policy(const struct pciback_cap *caps,
					     unsigned int nr, u16 id)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (caps[i].id == id)
			return &caps[i];
	}
	return NULL;
}

/* Installs the rows of one capability, or leaves it to be hidden. */
static int add_cap(struct pciback_conf *conf, unsigned long *used,
		   const struct pciback_cap *cap, u16 pos, u16 end,
		   bool *visible)
{
	int len, first = pos / 4, last;

	if (!cap || !cap->nr)
		return 0;
	len = cap->length ? cap->length(conf->pdev, pos) : cap->len;
	if (len < 0)
		return len;
	last = first + DIV_ROUND_UP(len, 4);
	if (last * 4 > end || find_next_bit(used, last, first) < last)
		return 0;
	bitmap_set(used, first, last - first);
	if (!cap->open)
		bitmap_set(conf->closed, first, last - first);
	*visible = true;
	return pciback_conf_add(conf, cap->reg, cap->nr, pos, len);
}

/*
 * Shuts a hidden capability, up to where it ends. If that is not known it is where
 * the next one in its space begins.
 */
static void hide_cap(struct pciback_conf *conf, const unsigned long *used,
		     const struct chain *chain, const struct pciback_cap *cap,
		     u16 pos, u16 end)
{
	unsigned int i;

	if (cap && !cap->nr)
		end = min_t(u16, end, pos + cap->len);

	for (i = 0; i < chain->nr; i++) {
		if (chain->cap[i].pos > pos)
			end = min(end, chain->cap[i].pos);
	}
	/* Also of what another one, which is open, says is its own. */
	bitmap_set(conf->closed, pos / 4, end / 4 - pos / 4);
	if (!test_bit(pos / 4, used))
		__set_bit(pos / 4, conf->zero);
}

static int add_chain(struct pciback_conf *conf, struct chain *chain,
		     const struct pciback_cap *caps, unsigned int nr, u16 end)
{
	DECLARE_BITMAP(used, PCI_CFG_SPACE_EXP_SIZE / 4) = {};
	unsigned int i;
	int err;

	for (i = 0; i < chain->nr; i++) {
		err = add_cap(conf, used,
			      find_policy(caps, nr, chain->cap[i].id),
			      chain->cap[i].pos, end, &chain->cap[i].visible);
		if (err)
			return err;
	}
	for (i = 0; i < chain->nr; i++) {
		if (!chain->cap[i].visible)
			hide_cap(conf, used, chain,
				 find_policy(caps, nr, chain->cap[i].id),
				 chain->cap[i].pos, end);
	}
	return 0;
}

/* Gives a virtual register its value, now and on every fresh start. */
static void set_init(struct pciback_conf *conf, u16 pos, u32 val)
{
	struct pciback_inst *inst = pciback_conf_find(conf, pos);

	inst->init = val & inst->reg->virt;
	inst->shadow = inst->init;
}

/* Links the visible capabilities of the first chain, last one first. */
static void link_std(struct pciback_conf *conf, const struct chain *chain)
{
	unsigned int i = chain->nr;
	u16 next = 0;

	while (i--) {
		if (!chain->cap[i].visible)
			continue;
		set_init(conf, chain->cap[i].pos, chain->cap[i].id | next << 8);
		next = chain->cap[i].pos;
	}
	set_init(conf, PCI_CAPABILITY_LIST, next);
	set_init(conf, PCI_STATUS, next ? PCI_STATUS_CAP_LIST : 0);
}

/*
 * Links the visible extended capabilities. The chain starts at 0x100 whatever
 * is there: a hidden one in that place shows ID 0, version 0 and the next.
 */
static void link_ext(struct pciback_conf *conf, const struct chain *chain)
{
	unsigned int i = chain->nr;
	struct pciback_inst *inst;
	u32 next = 0;

	while (i--) {
		if (!chain->cap[i].visible && i)
			continue;
		inst = pciback_conf_find(conf, chain->cap[i].pos);
		set_init(conf, chain->cap[i].pos, next << 20 |
			 (chain->cap[i].visible ? inst->init & 0xfffff : 0));
		next = chain->cap[i].pos;
	}
}

static const struct pciback_reg anchor = {
	.offset = 0, .size = 4, .virt = ~0U,
};

static int add_all(struct pciback_conf *conf, struct chain *std,
		   struct chain *ext)
{
	int err;

	err = pciback_conf_add(conf, pciback_header_regs, pciback_header_nr, 0,
			       PCI_STD_HEADER_SIZEOF);
	if (err)
		return err;
	err = walk_std(conf->pdev, std);
	if (!err)
		err = add_chain(conf, std, pciback_std_caps,
				pciback_std_caps_nr, PCI_CFG_SPACE_SIZE);
	if (!err && conf->size > PCI_CFG_SPACE_SIZE)
		err = walk_ext(conf->pdev, ext);
	if (!err)
		err = add_chain(conf, ext, pciback_ext_caps,
				pciback_ext_caps_nr, conf->size);
	if (err)
		return err;
	if (ext->nr && !ext->cap[0].visible) {
		/* The row is the anchor, see link_ext(). */
		__clear_bit(PCI_CFG_SPACE_SIZE / 4, conf->zero);
		err = pciback_conf_add(conf, &anchor, 1, PCI_CFG_SPACE_SIZE, 4);
		if (err)
			return err;
	}
	err = pciback_conf_seal(conf);
	if (err)
		return err;
	link_std(conf, std);
	link_ext(conf, ext);
	return 0;
}

/**
 * pciback_conf_build - the policy of a device as it is now
 * @pdev: the device, with a type 0 header, its resources assigned
 *
 * Return: the policy, to be released by pciback_conf_free(); ERR_PTR(-ENOMEM),
 * or ERR_PTR(-ENODEV) if the device cannot be read.
 */
struct pciback_conf *pciback_conf_build(struct pci_dev *pdev)
{
	struct pciback_conf *conf = pciback_conf_alloc(pdev);
	struct chain *chains = kcalloc(2, sizeof(*chains), GFP_KERNEL);
	int err = -ENOMEM;

	if (conf && chains)
		err = add_all(conf, &chains[0], &chains[1]);
	kfree(chains);
	if (!err)
		return conf;
	pciback_conf_free(conf);
	return ERR_PTR(err);
}
