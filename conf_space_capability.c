// SPDX-License-Identifier: GPL-2.0
/*
 * Policy of the capabilities. One without an entry in the two tables at the end
 * of this file is hidden, see conf_space_chain.c. As in conf_space_header.c,
 * tests/host compares them with Documentation/xen-pciback-policy.rst.
 */
#include <linux/kernel.h>
#include <linux/pci.h>

#include "conf_space_tables.h"

/* ID and next pointer: pciback_conf_build() links the visible ones. */
#define HEADER		{ .offset = 0, .size = 2, .virt = 0xffff }
#define EXT_HEADER	{ .offset = 0, .size = 4, .virt = ~0U }

/* ---- Power management, PCI PM 1.2 section 3.2 ---- */

/*
 * The core makes the transition: it waits as long as the device needs and
 * brings its config back where the device forgets it (No_Soft_Reset clear). The
 * way back to D0 stays open.
 */
static int pm_changed(struct pciback_conf *conf, struct pciback_inst *inst,
		      u32 old, u32 new)
{
	pci_power_t state = (__force pci_power_t)(new & PCI_PM_CTRL_STATE_MASK);
	struct pci_dev *pdev = conf->pdev;

	if (!((old ^ new) & PCI_PM_CTRL_STATE_MASK))
		return 0;
	if ((old | PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS) == 0xffff)
		return -ENODEV;
	if (state != PCI_D0 && !pciback_guest_may_sleep(conf))
		return -EACCES;
	if (state != PCI_D0 && pdev->current_state == PCI_D0)
		pciback_guest_save(conf, !(new & PCI_PM_CTRL_NO_SOFT_RESET));
	if (pciback_guest_set_power(conf, state))
		return -EACCES;
	if (state == PCI_D0 && !(new & PCI_PM_CTRL_NO_SOFT_RESET))
		pciback_guest_restore(conf);
	return 0;
}

static u32 without_pme(struct pciback_conf *conf, struct pciback_inst *inst,
		       u32 hw)
{
	return hw & ~PCI_PM_CAP_PME_MASK;
}

static const struct pciback_reg pm_regs[] = {
	HEADER,
	/* 3.2.3. PME# is a wire shared with the host's devices: not offered. */
	{ .offset = PCI_PM_PMC, .size = 2, .virt = 0xffff,
	  .init = without_pme },
	{
		/*
		 * 3.2.4. D-states, and which of the data registers is shown.
		 * PME status clears by one: only w1c keeps it from being
		 * written back.
		 */
		.offset = PCI_PM_CTRL, .size = 2,
		.virt = PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS,
		.rw = PCI_PM_CTRL_STATE_MASK | PCI_PM_CTRL_DATA_SEL_MASK,
		.w1c = PCI_PM_CTRL_PME_STATUS,
		.act = PCI_PM_CTRL_STATE_MASK,
		.slow = PCI_PM_CTRL_STATE_MASK,
		.init = pciback_reads_zero,
		.changed = pm_changed,
	},
	READ_ONLY(PCI_PM_PPB_EXTENSIONS, 1),
	READ_ONLY(PCI_PM_DATA_REGISTER, 1),
};

/* ---- Vital product data, PCI 3.0 appendix I ---- */

/*
 * Read through the core, which takes turns with dom0's own use of the same
 * registers, once no lock is held. VPD is not written.
 */
static int vpd_changed(struct pciback_conf *conf, struct pciback_inst *inst,
		       u32 old, u32 new)
{
	if (new & PCI_VPD_ADDR_F)
		return -EACCES;
	pciback_guest_vpd(conf, inst->pos, new & PCI_VPD_ADDR_MASK);
	return 0;
}

/**
 * pciback_vpd_show - have a guest see the data that it asked for
 * @conf: policy of the device
 * @pos: offset of the address register, as given to pciback_guest_vpd()
 * @word: the data
 */
void pciback_vpd_show(struct pciback_conf *conf, u16 pos, u32 word)
{
	pciback_conf_find(conf, pos + PCI_VPD_DATA - PCI_VPD_ADDR)->shadow = word;
	pciback_conf_find(conf, pos)->shadow |= PCI_VPD_ADDR_F;
}

static const struct pciback_reg vpd_regs[] = {
	HEADER,
	{ .offset = PCI_VPD_ADDR, .size = 2, .virt = 0xffff, .rw = 0xffff,
	  .act = 0xffff, .init = pciback_reads_zero, .changed = vpd_changed },
	{ .offset = PCI_VPD_DATA, .size = 4, .virt = ~0U,
	  .init = pciback_reads_zero },
};

/* ---- MSI, PCI 3.0 section 6.8.1, and MSI-X, section 6.8.2 ---- */

/*
 * PV guests use ops, not these bits. A device model in a stub domain does write
 * them; it may where the administrator says so (permissive, or only
 * allow_interrupt_control).
 */
static int msi_changed(struct pciback_conf *conf, struct pciback_inst *inst,
		       u32 old, u32 new)
{
	if (old == new)
		return 0;
	return pciback_guest_msi_bits(conf, inst->pos, new);
}

/* 6.8.1.3: 64-bit addresses and per-vector masks each make it longer. */
static int msi_length(struct pci_dev *pdev, u16 pos)
{
	int len = PCI_MSI_DATA_32 + 2;
	u16 flags;

	if (pci_read_config_word(pdev, pos + PCI_MSI_FLAGS, &flags))
		return -ENODEV;
	if (flags & PCI_MSI_FLAGS_64BIT)
		len += 4;
	if (flags & PCI_MSI_FLAGS_MASKBIT)
		len += 10;
	return len;
}

static const struct pciback_reg msi_regs[] = {
	HEADER,
	{ .offset = PCI_MSI_FLAGS, .size = 2, .rw = PCI_MSI_FLAGS_ENABLE,
	  .act = PCI_MSI_FLAGS_ENABLE, .slow = PCI_MSI_FLAGS_ENABLE,
	  .changed = msi_changed },
	/* Address, data and masks are Xen's (XSA-128, 129, 130). */
	READ_ONLY(4, 4),
	READ_ONLY(8, 4),
	READ_ONLY(12, 4),
	READ_ONLY(16, 4),
	READ_ONLY(20, 4),
};

static const struct pciback_reg msix_regs[] = {
	HEADER,
	{ .offset = PCI_MSIX_FLAGS, .size = 2,
	  .rw = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL,
	  .act = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL,
	  .slow = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL,
	  .changed = msi_changed },
	FIXED(PCI_MSIX_TABLE, 4, ~0U),
	FIXED(PCI_MSIX_PBA, 4, ~0U),
};

/* ---- PCI Express, PCIe 3.0 section 7.8 ---- */

/*
 * A read request must not be smaller than the largest payload, or a switch that
 * counts credits by payload can be starved: such a wish is raised to the payload.
 */
static int devctl_changed(struct pciback_conf *conf, struct pciback_inst *inst,
			  u32 old, u32 new)
{
	int readrq = 128 << ((new & PCI_EXP_DEVCTL_READRQ) >> 12);
	u32 devcap;

	inst->shadow &= ~PCI_EXP_DEVCTL_BCR_FLR;
	if (new & PCI_EXP_DEVCTL_BCR_FLR &&
	    !pcie_capability_read_dword(conf->pdev, PCI_EXP_DEVCAP, &devcap) &&
	    devcap & PCI_EXP_DEVCAP_FLR)
		pciback_guest_flr(conf);
	if (!((old ^ new) & PCI_EXP_DEVCTL_READRQ))
		return 0;
	readrq = max(readrq, pcie_get_mps(conf->pdev));
	return pcie_set_readrq(conf->pdev, readrq) ? -EACCES : 0;
}

/* 7.8: version 2 has all registers, version 1 endpoints end at the link's. */
static int pcie_length(struct pci_dev *pdev, u16 pos)
{
	u16 flags;

	if (pci_read_config_word(pdev, pos + PCI_EXP_FLAGS, &flags))
		return -ENODEV;
	if ((flags & PCI_EXP_FLAGS_VERS) >= 2)
		return PCI_EXP_SLTSTA2 + 2;
	if ((flags & PCI_EXP_FLAGS_TYPE) >> 4 == PCI_EXP_TYPE_RC_END)
		return PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V1;
	return PCI_CAP_EXP_ENDPOINT_SIZEOF_V1;
}

static const struct pciback_reg pcie_regs[] = {
	HEADER,
	FIXED(PCI_EXP_FLAGS, 2, 0xffff),
	FIXED(PCI_EXP_DEVCAP, 4, ~0U),
	{
		/*
		 * 7.8.4. Ordering and snooping hints concern the device's own
		 * traffic. Payload size is agreed along the path and reporting
		 * goes to the host's root port: both stay in the shadow. A
		 * function level reset is made by the host.
		 */
		.offset = PCI_EXP_DEVCTL, .size = 2,
		.virt = PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE |
			PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE |
			PCI_EXP_DEVCTL_PAYLOAD | PCI_EXP_DEVCTL_EXT_TAG |
			PCI_EXP_DEVCTL_AUX_PME | PCI_EXP_DEVCTL_BCR_FLR,
		.rw = PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE |
		      PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE |
		      PCI_EXP_DEVCTL_PAYLOAD | PCI_EXP_DEVCTL_EXT_TAG |
		      PCI_EXP_DEVCTL_AUX_PME | PCI_EXP_DEVCTL_BCR_FLR |
		      PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN |
		      PCI_EXP_DEVCTL_READRQ,
		.act = PCI_EXP_DEVCTL_BCR_FLR | PCI_EXP_DEVCTL_READRQ,
		.changed = devctl_changed,
	},
	/* 7.8.5. What the device saw go wrong, cleared by one. */
	{ .offset = PCI_EXP_DEVSTA, .size = 2,
	  .w1c = PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED |
		 PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD },
	FIXED(PCI_EXP_LNKCAP, 4, ~0U),
	/* 7.8.7. The link belongs to both its ends: kept for the guest to see. */
	{ .offset = PCI_EXP_LNKCTL, .size = 2,
	  .virt = PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_CCC |
		  PCI_EXP_LNKCTL_ES | PCI_EXP_LNKCTL_CLKREQ_EN |
		  PCI_EXP_LNKCTL_HAWD,
	  .rw = PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_CCC |
		PCI_EXP_LNKCTL_ES | PCI_EXP_LNKCTL_CLKREQ_EN |
		PCI_EXP_LNKCTL_HAWD },
	READ_ONLY(PCI_EXP_LNKSTA, 2),
	/* Slots and roots: not of an endpoint. */
	READ_ONLY(PCI_EXP_SLTCAP, 4),
	READ_ONLY(PCI_EXP_SLTCTL, 4),
	READ_ONLY(PCI_EXP_RTCTL, 4),
	READ_ONLY(PCI_EXP_RTSTA, 4),
	FIXED(PCI_EXP_DEVCAP2, 4, ~0U),
	/* 7.8.16. Time-outs and latency messages reach the host: shadow only. */
	{ .offset = PCI_EXP_DEVCTL2, .size = 2,
	  .virt = PCI_EXP_DEVCTL2_COMP_TIMEOUT | PCI_EXP_DEVCTL2_COMP_TMOUT_DIS |
		  PCI_EXP_DEVCTL2_LTR_EN,
	  .rw = PCI_EXP_DEVCTL2_COMP_TIMEOUT | PCI_EXP_DEVCTL2_COMP_TMOUT_DIS |
		PCI_EXP_DEVCTL2_LTR_EN },
	READ_ONLY(PCI_EXP_DEVSTA2, 2),
	FIXED(PCI_EXP_LNKCAP2, 4, ~0U),
	READ_ONLY(PCI_EXP_LNKCTL2, 2),
	READ_ONLY(PCI_EXP_LNKSTA2, 2),
	READ_ONLY(PCI_EXP_SLTCAP2, 4),
	READ_ONLY(PCI_EXP_SLTCTL2, 2),
	READ_ONLY(PCI_EXP_SLTSTA2, 2),
};

/* ---- Advanced features, PCI AF ECN ---- */

static int af_changed(struct pciback_conf *conf, struct pciback_inst *inst,
		      u32 old, u32 new)
{
	u8 cap;

	inst->shadow = 0;
	if (new & PCI_AF_CTRL_FLR &&
	    !pci_read_config_byte(conf->pdev,
				  inst->pos - PCI_AF_CTRL + PCI_AF_CAP, &cap) &&
	    cap & PCI_AF_CAP_FLR)
		pciback_guest_flr(conf);
	return 0;
}

static const struct pciback_reg af_regs[] = {
	HEADER,
	FIXED(PCI_AF_LENGTH, 1, 0xff),
	FIXED(PCI_AF_CAP, 1, 0xff),
	{ .offset = PCI_AF_CTRL, .size = 1, .virt = PCI_AF_CTRL_FLR,
	  .rw = PCI_AF_CTRL_FLR, .act = PCI_AF_CTRL_FLR,
	  .init = pciback_reads_zero, .changed = af_changed },
	READ_ONLY(PCI_AF_STATUS, 1),
};

/* ---- PCI-X, PCI-X 2.0 section 7.2: the device's own split transactions ---- */

static const struct pciback_reg pcix_regs[] = {
	HEADER,
	{ .offset = PCI_X_CMD, .size = 2, .virt = PCI_X_CMD_DPERR_E,
	  .rw = PCI_X_CMD_DPERR_E | PCI_X_CMD_ERO | PCI_X_CMD_MAX_READ |
		PCI_X_CMD_MAX_SPLIT },
	{ .offset = PCI_X_STATUS, .size = 4,
	  .w1c = PCI_X_STATUS_SPL_DISC | PCI_X_STATUS_UNX_SPL |
		 PCI_X_STATUS_SPL_ERR },
};

/*
 * 6.7 "vendor specific": the device says how long it is. What is in it nobody
 * knows but its driver: the one body that permissive opens.
 */
static int vendor_length(struct pci_dev *pdev, u16 pos)
{
	u8 len;

	if (pci_read_config_byte(pdev, pos + PCI_CAP_FLAGS, &len))
		return -ENODEV;
	return max_t(int, len, 4);
}

static const struct pciback_reg vendor_regs[] = {
	HEADER,
	READ_ONLY(PCI_CAP_FLAGS, 1),
};

/*
 * The last ones are hidden, like all that are not named. What is behind them is not
 * theirs: drivers of some devices write there, if an administrator lets them.
 */
const struct pciback_cap pciback_std_caps[] = {
	{ .id = PCI_CAP_ID_PM, .len = PCI_PM_SIZEOF,
	  .reg = pm_regs, .nr = ARRAY_SIZE(pm_regs) },
	{ .id = PCI_CAP_ID_VPD, .len = PCI_CAP_VPD_SIZEOF,
	  .reg = vpd_regs, .nr = ARRAY_SIZE(vpd_regs) },
	{ .id = PCI_CAP_ID_MSI, .length = msi_length,
	  .reg = msi_regs, .nr = ARRAY_SIZE(msi_regs) },
	{ .id = PCI_CAP_ID_MSIX, .len = PCI_CAP_MSIX_SIZEOF,
	  .reg = msix_regs, .nr = ARRAY_SIZE(msix_regs) },
	{ .id = PCI_CAP_ID_EXP, .length = pcie_length,
	  .reg = pcie_regs, .nr = ARRAY_SIZE(pcie_regs) },
	{ .id = PCI_CAP_ID_AF, .len = PCI_CAP_AF_SIZEOF,
	  .reg = af_regs, .nr = ARRAY_SIZE(af_regs) },
	{ .id = PCI_CAP_ID_PCIX, .len = 8,
	  .reg = pcix_regs, .nr = ARRAY_SIZE(pcix_regs) },
	{ .id = PCI_CAP_ID_VNDR, .length = vendor_length, .open = true,
	  .reg = vendor_regs, .nr = ARRAY_SIZE(vendor_regs) },
	{ .id = PCI_CAP_ID_DBG, .len = 4 },
	{ .id = PCI_CAP_ID_SSVID, .len = 8 },
};

const unsigned int pciback_std_caps_nr = ARRAY_SIZE(pciback_std_caps);

/* ---- Extended capabilities, PCIe 3.0 section 7.9 on ---- */

/* To read only: serial number, power budget, latencies and lanes of the host. */
static const struct pciback_reg ext_regs[] = {
	EXT_HEADER,
};

/* 7.10. What the device saw, cleared by one; what it reports is the host's. */
static const struct pciback_reg aer_regs[] = {
	EXT_HEADER,
	{ .offset = PCI_ERR_UNCOR_STATUS, .size = 4, .w1c = ~1U },
	READ_ONLY(PCI_ERR_UNCOR_MASK, 4),
	READ_ONLY(PCI_ERR_UNCOR_SEVER, 4),
	{ .offset = PCI_ERR_COR_STATUS, .size = 4, .w1c = 0xffff },
	READ_ONLY(PCI_ERR_COR_MASK, 4),
	READ_ONLY(PCI_ERR_CAP, 4),
};

/* 7.19. The vendor's ID and the length stand before the vendor's own. */
static const struct pciback_reg ext_vendor_regs[] = {
	EXT_HEADER,
	READ_ONLY(PCI_VNDR_HEADER, 4),
};

static int ext_vendor_length(struct pci_dev *pdev, u16 pos)
{
	u32 header;

	if (pci_read_config_dword(pdev, pos + PCI_VNDR_HEADER, &header))
		return -ENODEV;
	return max_t(int, PCI_VNDR_HEADER_LEN(header), 8);
}

/*
 * Hidden, among others: SR-IOV, ARI, ATS, PRI, PASID, Resizable BAR, ACS, DPC
 * and MFVC change routing, translation or resources that the host manages. Of the
 * last ones the length is known.
 */
const struct pciback_cap pciback_ext_caps[] = {
	/* Of an endpoint: what follows is a root port's (PCIe 3.0, 7.10). */
	{ .id = PCI_EXT_CAP_ID_ERR, .len = PCI_ERR_ROOT_COMMAND,
	  .reg = aer_regs, .nr = ARRAY_SIZE(aer_regs) },
	{ .id = PCI_EXT_CAP_ID_DSN, .len = PCI_EXT_CAP_DSN_SIZEOF,
	  .reg = ext_regs, .nr = ARRAY_SIZE(ext_regs) },
	{ .id = PCI_EXT_CAP_ID_PWR, .len = PCI_EXT_CAP_PWR_SIZEOF,
	  .reg = ext_regs, .nr = ARRAY_SIZE(ext_regs) },
	{ .id = PCI_EXT_CAP_ID_VNDR, .length = ext_vendor_length, .open = true,
	  .reg = ext_vendor_regs, .nr = ARRAY_SIZE(ext_vendor_regs) },
	{ .id = PCI_EXT_CAP_ID_LTR, .len = PCI_EXT_CAP_LTR_SIZEOF,
	  .reg = ext_regs, .nr = ARRAY_SIZE(ext_regs) },
	{ .id = PCI_EXT_CAP_ID_SECPCI, .len = 0x0c,
	  .reg = ext_regs, .nr = ARRAY_SIZE(ext_regs) },
	{ .id = PCI_EXT_CAP_ID_ARI, .len = 8 },
	{ .id = PCI_EXT_CAP_ID_ATS, .len = PCI_EXT_CAP_ATS_SIZEOF },
	{ .id = PCI_EXT_CAP_ID_SRIOV, .len = PCI_EXT_CAP_SRIOV_SIZEOF },
	{ .id = PCI_EXT_CAP_ID_PRI, .len = PCI_EXT_CAP_PRI_SIZEOF },
	{ .id = PCI_EXT_CAP_ID_PASID, .len = PCI_EXT_CAP_PASID_SIZEOF },
	{ .id = PCI_EXT_CAP_ID_L1SS, .len = 0x14 },
	{ .id = PCI_EXT_CAP_ID_PTM, .len = 0x0c },
};

const unsigned int pciback_ext_caps_nr = ARRAY_SIZE(pciback_ext_caps);
