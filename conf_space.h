/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a guest may do to the config space of its device.
 *
 * A device's config space is a sorted array of registers (rows of const policy
 * tables) with gaps between them. Bits of a row are one of
 *
 *	virtual    kept in the row's shadow, hardware neither read nor written
 *	hardware   everything else
 *
 * and to each the guest's right is one of
 *
 *	read only  the default: a mask left out denies
 *	rw         stored as written
 *	w1c        cleared by writing one
 *	act        rw, but carried out by ->changed() through the PCI core
 *
 * A gap reads hardware and drops writes, unless the device is permissive. Gaps
 * in a capability whose registers are known stay shut even so.
 */
#ifndef XEN_PCIBACK_CONF_SPACE_H
#define XEN_PCIBACK_CONF_SPACE_H

#include <linux/bitops.h>
#include <linux/pci.h>
#include <linux/types.h>

struct pciback_conf;
struct pciback_gaps;
struct pciback_inst;

/**
 * struct pciback_reg - policy of one register
 * @offset: from the start of the header or of the capability, in bytes
 * @size: 1, 2 or 4 bytes; @offset is a multiple of it
 * @virt: bits that live in the shadow
 * @rw: bits that the guest may set and clear
 * @w1c: bits that the guest may clear by writing one; disjoint from @rw
 * @act: bits of @rw that @changed carries out; never written raw
 * @slow: bits of @act for which @changed sleeps
 * @rw_permissive: bits that join @rw on a permissive device
 * @init: value of the shadow on a fresh device; @hw is what the register
 *	holds. NULL: @hw. May set @inst->bits.
 * @read: what the guest sees of the virtual bits, where that is not the shadow
 * @changed: called after a write that covers bits of @act, with the shadow
 *	already stored; an error is the guest's answer and undoes the shadow.
 *	@old and @new are hardware bits and shadow put together. Runs under the
 *	lock of &struct pciback_conf, in process context if the write is slow.
 *
 * All masks are relative to the register. A row of zeros is read-only hardware.
 */
struct pciback_reg {
	u16 offset;
	u8 size;
	u32 virt;
	u32 rw;
	u32 w1c;
	u32 act;
	u32 slow;
	u32 rw_permissive;
	u32 (*init)(struct pciback_conf *conf, struct pciback_inst *inst, u32 hw);
	u32 (*read)(const struct pciback_inst *inst);
	int (*changed)(struct pciback_conf *conf, struct pciback_inst *inst,
		       u32 old, u32 new);
};

/**
 * struct pciback_inst - one register of one device
 * @reg: its policy
 * @pos: offset in config space, in bytes
 * @shadow: the virtual bits, and nothing in the others
 * @init: @shadow of a fresh device
 * @fresh: what hardware held on a fresh device, where @reg has bits that need it
 * @raw: hardware bits that guests may have written since then
 * @bits: what @reg's functions keep, such as the writable bits of a BAR
 */
struct pciback_inst {
	const struct pciback_reg *reg;
	u16 pos;
	u32 shadow;
	u32 init;
	u32 fresh;
	u32 raw;
	u32 bits;
};

/**
 * struct pciback_conf - the policy of one device
 * @pdev: the device
 * @size: of its config space, 256 or 4096 bytes
 * @closed: dwords whose gaps stay shut on a permissive device: capabilities,
 *	unless their body is the vendor's own
 * @zero: dwords of @closed that read as zero
 * @nr: number of registers in @inst
 * @max: number that fit into @inst
 * @inst: registers in the order of their offset, none overlapping another
 * @gaps: what a permissive device's guest wrote between them; NULL: nothing
 *
 * The owner serialises all access; the engine itself takes no lock.
 */
struct pciback_conf {
	struct pci_dev *pdev;
	unsigned int size;
	DECLARE_BITMAP(closed, PCI_CFG_SPACE_EXP_SIZE / 4);
	DECLARE_BITMAP(zero, PCI_CFG_SPACE_EXP_SIZE / 4);
	unsigned int nr;
	unsigned int max;
	struct pciback_inst *inst;
	struct pciback_gaps *gaps;
};

/**
 * struct pciback_cap - policy of one capability
 * @id: PCI_CAP_ID_* or PCI_EXT_CAP_ID_*
 * @len: length in bytes
 * @length: length where the device has the say, given its position, or -errno
 * @reg: registers, the header among them
 * @nr: number of registers; 0 for a capability that is hidden, of known length
 * @open: what @reg leaves out is open on a permissive device
 */
struct pciback_cap {
	u16 id;
	u16 len;
	int (*length)(struct pci_dev *pdev, u16 pos);
	const struct pciback_reg *reg;
	unsigned int nr;
	bool open;
};

/**
 * struct pciback_denied - the part of a write that was not granted
 * @offset: first byte of the access
 * @size: of the access, in bytes
 * @value: what the guest wrote
 * @mask: bits of @value that were not granted: in a register those that would
 *	have changed it, in a gap between registers all; 0: all granted
 */
struct pciback_denied {
	u16 offset;
	u8 size;
	u32 value;
	u32 mask;
};

/**
 * pciback_size_mask - all bits of a register or of an access
 * @size: 1, 2 or 4 bytes
 *
 * Return: the mask.
 */
static inline u32 pciback_size_mask(unsigned int size)
{
	return GENMASK(size * 8 - 1, 0);
}

/* conf_space_rows.c: the making of a policy */
struct pciback_conf *pciback_conf_alloc(struct pci_dev *pdev);
void pciback_conf_free(struct pciback_conf *conf);
int pciback_conf_add(struct pciback_conf *conf, const struct pciback_reg *reg,
		     unsigned int nr, u16 base, u16 len);
int pciback_conf_check_reg(const struct pciback_reg *reg);
int pciback_conf_seal(struct pciback_conf *conf);
void pciback_conf_grant(struct pciback_conf *conf, struct pciback_reg *reg,
			u32 mask);
void pciback_conf_reset(struct pciback_conf *conf);
void pciback_conf_restore(struct pciback_conf *conf);

/* conf_space.c: the engine */
int pciback_conf_hw_read(struct pciback_conf *conf, unsigned int pos,
			 unsigned int size, u32 *val);
int pciback_conf_hw_write(struct pciback_conf *conf, unsigned int pos,
			  unsigned int size, u32 val);
bool pciback_conf_is_silent(struct pciback_conf *conf);
int pciback_conf_hw_look(struct pciback_conf *conf, unsigned int pos,
			 unsigned int size, u32 *val, bool *silent);
struct pciback_inst *pciback_conf_find(struct pciback_conf *conf, u16 pos);
bool pciback_conf_covered(const struct pciback_conf *conf, u16 pos, u8 size);
int pciback_conf_read(struct pciback_conf *conf, s32 offset, s32 size, u32 *val);
int pciback_conf_write(struct pciback_conf *conf, s32 offset, s32 size, u32 val,
		       bool permissive, struct pciback_denied *denied);
bool pciback_conf_sleeps(const struct pciback_conf *conf, s32 offset, s32 size);

/* conf_space_gaps.c: what lies between the registers */
int pciback_gaps_write(struct pciback_conf *conf, unsigned int offset,
		       unsigned int size, u32 val, u32 open);
u32 pciback_gaps_fresh(const struct pciback_conf *conf, unsigned int pos,
		       unsigned int size, u32 hw);
void pciback_gaps_restore(struct pciback_conf *conf);

/* conf_space_header.c, conf_space_capability.c: the tables */
extern const struct pciback_reg pciback_header_regs[];
extern const unsigned int pciback_header_nr;
extern const struct pciback_cap pciback_std_caps[];
extern const unsigned int pciback_std_caps_nr;
extern const struct pciback_cap pciback_ext_caps[];
extern const unsigned int pciback_ext_caps_nr;

void pciback_vpd_show(struct pciback_conf *conf, u16 pos, u32 word);

/* conf_space_chain.c */
struct pciback_conf *pciback_conf_build(struct pci_dev *pdev);

#endif /* XEN_PCIBACK_CONF_SPACE_H */
