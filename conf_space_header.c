// SPDX-License-Identifier: GPL-2.0
/*
 * Policy of the type 0 configuration header, PCI Local Bus 3.0 section 6.2.
 * The host owns the resources: a guest sees where they are and may size them,
 * but decode stays on and BARs stay put in hardware whatever it writes.
 * Documentation/xen-pciback-policy.rst says it for readers; tests/host compares.
 */
#include <linux/kernel.h>
#include <linux/pci.h>

#include "conf_space_tables.h"

#define DECODE	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY)

/* Identity comes from the core: a VF's own registers hold ones (SR-IOV 3.4.1). */
static u32 vendor_init(struct pciback_conf *conf, struct pciback_inst *inst,
		       u32 hw)
{
	return conf->pdev->vendor;
}

static u32 device_init(struct pciback_conf *conf, struct pciback_inst *inst,
		       u32 hw)
{
	return conf->pdev->device;
}

static int command_changed(struct pciback_conf *conf, struct pciback_inst *inst,
			   u32 old, u32 new)
{
	u32 flip = old ^ new;

	if (flip & PCI_COMMAND_MASTER) {
		if (new & PCI_COMMAND_MASTER)
			pci_set_master(conf->pdev);
		else
			pci_clear_master(conf->pdev);
	}
	if (flip & PCI_COMMAND_INVALIDATE) {
		if (new & PCI_COMMAND_INVALIDATE)
			pci_try_set_mwi(conf->pdev);
		else
			pci_clear_mwi(conf->pdev);
	}
	if (flip & PCI_COMMAND_INTX_DISABLE)
		pciback_guest_intx(conf, !(new & PCI_COMMAND_INTX_DISABLE));
	if (new & DECODE)
		pciback_guest_decodes(conf, !(old & DECODE));
	return 0;
}

/*
 * A BAR's shadow is what the guest wrote last. ->bits are the address bits that
 * the BAR decodes, ->init is where the host put it.
 */
static u32 bar_init(struct pciback_conf *conf, struct pciback_inst *inst, u32 hw)
{
	unsigned int n = (inst->pos - PCI_BASE_ADDRESS_0) / 4;
	struct resource *res = &conf->pdev->resource[n];
	struct pci_bus_region region;
	bool high = n && res[-1].flags & IORESOURCE_MEM_64;

	if (high)
		res--;
	if (!res->flags || res->flags & IORESOURCE_UNSET)
		return 0;
	pcibios_resource_to_bus(conf->pdev->bus, &region, res);
	if (high) {
		inst->bits = upper_32_bits(~(u64)(resource_size(res) - 1));
		return upper_32_bits(region.start);
	}
	inst->bits = lower_32_bits(~(u64)(resource_size(res) - 1));
	if (res->flags & IORESOURCE_IO)
		return lower_32_bits(region.start) |
		       (res->flags & ~PCI_BASE_ADDRESS_IO_MASK & 0x3);
	return lower_32_bits(region.start) |
	       (res->flags & ~PCI_BASE_ADDRESS_MEM_MASK & 0xf);
}

/*
 * Sizing (6.2.5.1) byte by byte: a byte to which all ones were written shows
 * the decoded bits. Any other value is not taken: the host's address is shown.
 */
static u32 bar_read(const struct pciback_inst *inst)
{
	u32 seen = inst->init & ~inst->bits;
	unsigned int shift;

	for (shift = 0; shift < 32; shift += 8) {
		u32 byte = inst->bits & (0xffU << shift);

		seen |= (inst->shadow & byte) == byte ? byte : inst->init & byte;
	}
	return seen;
}

/*
 * A driver that reset its device by a register of its own writes the BARs back:
 * if hardware lost the host's address, give it back. A VF has no BARs.
 */
static int bar_changed(struct pciback_conf *conf, struct pciback_inst *inst,
		       u32 old, u32 new)
{
	u32 hw;

	if (new != inst->init || !inst->bits || conf->pdev->is_virtfn)
		return 0;
	if (pci_read_config_dword(conf->pdev, inst->pos, &hw) || hw == inst->init)
		return 0;
	return pci_write_config_dword(conf->pdev, inst->pos, inst->init) ?
	       -ENODEV : 0;
}

static u32 rom_init(struct pciback_conf *conf, struct pciback_inst *inst, u32 hw)
{
	struct resource *res = &conf->pdev->resource[PCI_ROM_RESOURCE];
	struct pci_bus_region region;

	if (!res->flags || !res->parent || res->flags & IORESOURCE_ROM_SHADOW)
		return 0;
	pcibios_resource_to_bus(conf->pdev->bus, &region, res);
	inst->bits = ~(resource_size(res) - 1) & PCI_ROM_ADDRESS_MASK;
	return region.start & PCI_ROM_ADDRESS_MASK;
}

static u32 rom_read(const struct pciback_inst *inst)
{
	if (!inst->bits)
		return 0;
	return bar_read(inst) | (inst->shadow & PCI_ROM_ADDRESS_ENABLE);
}

static int rom_changed(struct pciback_conf *conf, struct pciback_inst *inst,
		       u32 old, u32 new)
{
	if (!inst->bits || !((old ^ new) & PCI_ROM_ADDRESS_ENABLE))
		return 0;
	if (new & PCI_ROM_ADDRESS_ENABLE)
		return pci_enable_rom(conf->pdev) ? -EACCES : 0;
	pci_disable_rom(conf->pdev);
	return 0;
}

/* The guest binds its interrupt by this number: its GSI, not dom0's irq. */
static u32 line_init(struct pciback_conf *conf, struct pciback_inst *inst, u32 hw)
{
	return pciback_guest_line(conf->pdev);
}

#define BAR(n)								\
	{ .offset = PCI_BASE_ADDRESS_0 + 4 * (n), .size = 4,		\
	  .virt = ~0U, .rw = ~0U, .act = ~0U,				\
	  .init = bar_init, .read = bar_read, .changed = bar_changed }

const struct pciback_reg pciback_header_regs[] = {
	FIXED_AS(PCI_VENDOR_ID, 2, 0xffff, vendor_init),
	FIXED_AS(PCI_DEVICE_ID, 2, 0xffff, device_init),
	{
		/*
		 * 6.2.2. Decode stays on in hardware, or the guest's access to
		 * the device ends in an NMI of the host (XSA-120); parity and
		 * SERR# reporting are the host's. Permissive opens what is
		 * harmless to others: special cycles, palette snoop, stepping,
		 * fast back-to-back.
		 */
		.offset = PCI_COMMAND, .size = 2,
		.virt = DECODE | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
			PCI_COMMAND_INTX_DISABLE,
		.rw = DECODE | PCI_COMMAND_MASTER | PCI_COMMAND_INVALIDATE |
		      PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
		      PCI_COMMAND_INTX_DISABLE,
		.act = DECODE | PCI_COMMAND_MASTER | PCI_COMMAND_INVALIDATE |
		       PCI_COMMAND_INTX_DISABLE,
		.rw_permissive = PCI_COMMAND_SPECIAL | PCI_COMMAND_VGA_PALETTE |
				 PCI_COMMAND_WAIT | PCI_COMMAND_FAST_BACK,
		/* A fresh device decodes nothing, as far as the guest sees. */
		.init = pciback_reads_zero,
		.changed = command_changed,
	}, {
		/*
		 * 6.2.3. Error bits are the device's own and clear by one. The
		 * list bit follows the chain that the guest sees.
		 */
		.offset = PCI_STATUS, .size = 2,
		.virt = PCI_STATUS_CAP_LIST,
		.w1c = PCI_STATUS_PARITY | PCI_STATUS_SIG_TARGET_ABORT |
		       PCI_STATUS_REC_TARGET_ABORT | PCI_STATUS_REC_MASTER_ABORT |
		       PCI_STATUS_SIG_SYSTEM_ERROR | PCI_STATUS_DETECTED_PARITY,
	},
	FIXED(PCI_CLASS_REVISION, 4, ~0U),
	/* 6.2.4. Only the device's own bursts depend on it. */
	{ .offset = PCI_CACHE_LINE_SIZE, .size = 1, .rw = 0xff },
	READ_ONLY(PCI_LATENCY_TIMER, 1),
	FIXED(PCI_HEADER_TYPE, 1, 0xff),
	/* 6.2.4. Starting a self test affects this function alone. */
	{ .offset = PCI_BIST, .size = 1, .rw = PCI_BIST_START },
	BAR(0), BAR(1), BAR(2), BAR(3), BAR(4), BAR(5),
	FIXED(PCI_CARDBUS_CIS, 4, ~0U),
	FIXED(PCI_SUBSYSTEM_VENDOR_ID, 4, ~0U),
	{
		/* 6.2.5.2. Sized like a BAR; the enable bit is the guest's. */
		.offset = PCI_ROM_ADDRESS, .size = 4,
		.virt = ~0U, .rw = ~0U, .act = ~0U,
		.init = rom_init, .read = rom_read, .changed = rom_changed,
	},
	/* The head of the chain, see conf_space_chain.c. */
	FIXED(PCI_CAPABILITY_LIST, 1, 0xff),
	FIXED_AS(PCI_INTERRUPT_LINE, 1, 0xff, line_init),
	FIXED(PCI_INTERRUPT_PIN, 1, 0xff),
	FIXED(PCI_MIN_GNT, 1, 0xff),
	FIXED(PCI_MAX_LAT, 1, 0xff),
};

const unsigned int pciback_header_nr = ARRAY_SIZE(pciback_header_regs);
