/* SPDX-License-Identifier: GPL-2.0 */
/* A PCI device made of byte arrays, and what of the core was called for it. */
#ifndef TEST_EMUL_H
#define TEST_EMUL_H

/**
 * struct emul_calls - how often the core, or the rest of the driver, was asked
 * @master_on: pci_set_master()
 * @master_off: pci_clear_master()
 * @mwi_on: pci_try_set_mwi()
 * @mwi_off: pci_clear_mwi()
 * @intx_on: pciback_guest_intx(), on
 * @intx_off: pciback_guest_intx(), off
 * @decodes: pciback_guest_decodes(), anew
 * @rom_on: pci_enable_rom()
 * @rom_off: pci_disable_rom()
 * @readrq: pcie_set_readrq()
 * @flr: pciback_guest_flr()
 * @vpd: pciback_guest_vpd()
 * @slow: what needs process context; may_fail and failed are
 *	pciback_guest_may_sleep() and errors of pciback_guest_set_power()
 */
struct emul_calls {
	unsigned int master_on, master_off, mwi_on, mwi_off;
	unsigned int intx_on, intx_off, decodes, rom_on, rom_off, readrq;
	unsigned int flr, vpd;
	struct {
		unsigned int msi_bits, save, restore, power;
		unsigned int may_fail, failed;
	} slow;
};

/**
 * struct emul - the device
 * @pdev: as the core knows it
 * @cfg: config space in hardware
 * @fixed: bits of @cfg that a write does not change
 * @w1c: bits of @cfg that a write of one clears
 * @raw: bits of a dword of @cfg that writes changed since emul_forget()
 * @reads: number of config reads since then
 * @writes: number of config writes since then
 * @calls: calls since then
 * @fail_access: the Nth access from now fails; 0: none
 * @failed_pos: where the last one failed
 * @failed_size: and how many bytes it was
 * @gone: surprise removal: reads are ones, writes are lost
 * @msi_control: pciback_guest_msi_bits() grants
 * @refuse: the core refuses power states, ROM and VPD
 * @limited: pciback_guest_may_sleep() says no
 * @gsi: what pciback_guest_line() answers
 * @pm: where the core finds power management
 * @exp: where the core finds PCI Express
 */
struct emul {
	struct pci_dev pdev;
	u8 cfg[4096];
	u8 fixed[4096];
	u8 w1c[4096];
	u8 raw[4];
	unsigned int reads;
	unsigned int writes;
	struct emul_calls calls;
	unsigned int fail_access, failed_pos, failed_size;
	bool gone;
	bool msi_control;
	bool refuse;
	bool limited;
	u8 gsi;
	u8 pm;
	u8 exp;
};

/* The Nth allocation from now fails; 0: none. */
extern unsigned int emul_fail_alloc;

/* The MPS of every device, and where the host's bus puts its addresses. */
#define EMUL_MPS	256
#define EMUL_BUS_SHIFT	0x10000000ULL

/* The word of vital product data at an address. */
#define EMUL_VPD(addr)	(0xc0de0000u ^ (addr) * 0x101u)

void emul_init(struct emul *emul, unsigned int size);
void emul_forget(struct emul *emul);
u32 emul_get(const struct emul *emul, unsigned int pos, unsigned int size);
void emul_put(struct emul *emul, unsigned int pos, unsigned int size, u32 val);

#endif /* TEST_EMUL_H */
