/* SPDX-License-Identifier: GPL-2.0 */
/* How the tables of the policy are written, and what they ask of the driver. */
#ifndef XEN_PCIBACK_CONF_SPACE_TABLES_H
#define XEN_PCIBACK_CONF_SPACE_TABLES_H

#include "conf_space.h"

/* Hardware's own, at any time. */
#define READ_ONLY(off, bytes)	{ .offset = (off), .size = (bytes) }

/* The same at any time: what hardware, or @fn, says at the claim. */
#define FIXED_AS(off, bytes, bits, fn)					\
	{ .offset = (off), .size = (bytes), .virt = (bits), .init = (fn) }
#define FIXED(off, bytes, bits)	FIXED_AS(off, bytes, bits, NULL)

/**
 * pciback_reads_zero - &pciback_reg.init of bits that a fresh device shows clear
 * @conf: policy of the device
 * @inst: the register
 * @hw: what hardware has there
 *
 * Return: 0.
 */
static inline u32 pciback_reads_zero(struct pciback_conf *conf,
				     struct pciback_inst *inst, u32 hw)
{
	return 0;
}

/* irq.c and gsi.c */
void pciback_guest_intx(struct pciback_conf *conf, bool on);
void pciback_guest_decodes(struct pciback_conf *conf, bool anew);
void pciback_guest_save(struct pciback_conf *conf, bool forgets);
void pciback_guest_restore(struct pciback_conf *conf);
int pciback_guest_msi_bits(struct pciback_conf *conf, u16 pos, u32 val);
u32 pciback_guest_line(struct pci_dev *pdev);

/* pciback_ops.c */
void pciback_guest_flr(struct pciback_conf *conf);
void pciback_guest_vpd(struct pciback_conf *conf, u16 pos, u16 addr);
bool pciback_guest_may_sleep(struct pciback_conf *conf);
int pciback_guest_set_power(struct pciback_conf *conf, pci_power_t state);

#endif /* XEN_PCIBACK_CONF_SPACE_TABLES_H */
