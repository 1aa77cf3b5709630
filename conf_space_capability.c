// SPDX-License-Identifier: GPL-2.0
/*
 * Policy of the capabilities, and the two chains as the guest sees them.
 *
 * A capability without a row below is hidden: it is unlinked from its chain,
 * and its registers stay shut on a permissive device too. A capability that
 * overlaps another or does not fit into config space is hidden likewise.
 */
#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "conf_space.h"
#include "pciback.h"

#define READ_ONLY(off, bytes)	{ .offset = (off), .size = (bytes) }
/* ID and next pointer: pciback_conf_build() links the visible ones. */
#define HEADER		{ .offset = 0, .size = 2, .virt = 0xffff }
#define EXT_HEADER	{ .offset = 0, .size = 4, .virt = ~0U }

/* No chain is longer than this: a capability begins at a dword of its own. */
#define MAX_CAPS	(PCI_CFG_SPACE_EXP_SIZE / 4)

/**
 * struct pciback_cap - policy of one capability
 * @id: PCI_CAP_ID_* or PCI_EXT_CAP_ID_*
 * @len: length in bytes
 * @length: length where the device has the say, given its position, or -errno
 * @reg: registers, the header among them; NULL: the capability is hidden
 * @nr: number of registers
 */
struct pciback_cap {
	u16 id;
	u16 len;
	int (*length)(struct pci_dev *pdev, u16 pos);
	const struct pciback_reg *reg;
	unsigned int nr;
};

#define VISIBLE(regs)	.reg = (regs), .nr = ARRAY_SIZE(regs)

/* ---- Power management, PCI PM 1.2 section 3.2 ---- */

/*
 * The core makes the transition: it waits as long as the device needs and
 * brings its config back where the device forgets it (No_Soft_Reset clear).
 */
static int pm_changed(struct pciback_conf *conf, struct pciback_inst *inst,
		      u32 old, u32 new)
{
	pci_power_t state = (__force pci_power_t)(new & PCI_PM_CTRL_STATE_MASK);
	struct pci_dev *pdev = conf->pdev;
	int err;

	if (!((old ^ new) & PCI_PM_CTRL_STATE_MASK))
		return 0;
	if (state != PCI_D0 && pdev->current_state == PCI_D0)
		pci_save_state(pdev);
	err = pci_set_power_state(pdev, state);
	if (err)
		return -EACCES;
	if (state == PCI_D0 && !(new & PCI_PM_CTRL_NO_SOFT_RESET))
		pci_restore_state(pdev);
	return 0;
}

static const struct pciback_reg pm_regs[] = {
	HEADER,
	/* 3.2.3. PME# is a wire shared with the host's devices: not offered. */
	{ .offset = PCI_PM_PMC, .size = 2, .virt = PCI_PM_CAP_PME_MASK,
	  .init = pciback_reads_zero },
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
 * registers. The flag shows the guest that data is there; VPD is not written.
 */
static int vpd_changed(struct pciback_conf *conf, struct pciback_inst *inst,
		       u32 old, u32 new)
{
	struct pciback_inst *data;
	__le32 word;

	if (new & PCI_VPD_ADDR_F)
		return -EACCES;
	if (pci_read_vpd(conf->pdev, new & PCI_VPD_ADDR_MASK, sizeof(word),
			 &word) != sizeof(word))
		return 0;
	data = pciback_conf_find(conf, inst->pos + PCI_VPD_DATA - PCI_VPD_ADDR);
	data->shadow = le32_to_cpu(word);
	inst->shadow = new | PCI_VPD_ADDR_F;
	return 0;
}

static const struct pciback_reg vpd_regs[] = {
	HEADER,
	{ .offset = PCI_VPD_ADDR, .size = 2, .virt = 0xffff, .rw = 0xffff,
	  .act = 0xffff, .slow = 0xffff, .init = pciback_reads_zero,
	  .changed = vpd_changed },
	{ .offset = PCI_VPD_DATA, .size = 4, .virt = ~0U,
	  .init = pciback_reads_zero },
};

/* ---- MSI, PCI 3.0 section 6.8.1, and MSI-X, section 6.8.2 ---- */

/*
 * PV guests use ops, not these bits. A device model in a stub domain does write
 * them; it may where the administrator says so (allow_interrupt_control).
 */
static int msi_changed(struct pciback_conf *conf, struct pciback_inst *inst,
		       u32 old, u32 new)
{
	if (old == new)
		return 0;
	return pciback_guest_msi_bits(conf, inst->pos, old, new);
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
	READ_ONLY(PCI_MSIX_TABLE, 4),
	READ_ONLY(PCI_MSIX_PBA, 4),
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
	READ_ONLY(PCI_EXP_FLAGS, 2),
	READ_ONLY(PCI_EXP_DEVCAP, 4),
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
		.slow = PCI_EXP_DEVCTL_BCR_FLR,
		.changed = devctl_changed,
	},
	/* 7.8.5. What the device saw go wrong, cleared by one. */
	{ .offset = PCI_EXP_DEVSTA, .size = 2,
	  .w1c = PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED |
		 PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD },
	READ_ONLY(PCI_EXP_LNKCAP, 4),
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
	READ_ONLY(PCI_EXP_DEVCAP2, 4),
	/* 7.8.16. Time-outs and latency messages reach the host: shadow only. */
	{ .offset = PCI_EXP_DEVCTL2, .size = 2,
	  .virt = PCI_EXP_DEVCTL2_COMP_TIMEOUT | PCI_EXP_DEVCTL2_COMP_TMOUT_DIS |
		  PCI_EXP_DEVCTL2_LTR_EN,
	  .rw = PCI_EXP_DEVCTL2_COMP_TIMEOUT | PCI_EXP_DEVCTL2_COMP_TMOUT_DIS |
		PCI_EXP_DEVCTL2_LTR_EN },
	READ_ONLY(PCI_EXP_DEVSTA2, 2),
	READ_ONLY(PCI_EXP_LNKCAP2, 4),
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
	READ_ONLY(PCI_AF_LENGTH, 1),
	READ_ONLY(PCI_AF_CAP, 1),
	{ .offset = PCI_AF_CTRL, .size = 1, .virt = PCI_AF_CTRL_FLR,
	  .rw = PCI_AF_CTRL_FLR, .act = PCI_AF_CTRL_FLR,
	  .slow = PCI_AF_CTRL_FLR, .init = pciback_reads_zero,
	  .changed = af_changed },
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

/* 6.7 "vendor specific": the device says how long it is; its body is a gap. */
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

static const struct pciback_cap std_caps[] = {
	{ .id = PCI_CAP_ID_PM, .len = PCI_PM_SIZEOF, VISIBLE(pm_regs) },
	{ .id = PCI_CAP_ID_VPD, .len = PCI_CAP_VPD_SIZEOF, VISIBLE(vpd_regs) },
	{ .id = PCI_CAP_ID_MSI, .length = msi_length, VISIBLE(msi_regs) },
	{ .id = PCI_CAP_ID_MSIX, .len = PCI_CAP_MSIX_SIZEOF, VISIBLE(msix_regs) },
	{ .id = PCI_CAP_ID_EXP, .length = pcie_length, VISIBLE(pcie_regs) },
	{ .id = PCI_CAP_ID_AF, .len = PCI_CAP_AF_SIZEOF, VISIBLE(af_regs) },
	{ .id = PCI_CAP_ID_PCIX, .len = 8, VISIBLE(pcix_regs) },
	{ .id = PCI_CAP_ID_VNDR, .length = vendor_length, VISIBLE(vendor_regs) },
};

/* ---- Extended capabilities, PCIe 3.0 section 7.9 on: to read only ---- */

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

static int ext_vendor_length(struct pci_dev *pdev, u16 pos)
{
	u32 header;

	if (pci_read_config_dword(pdev, pos + PCI_VNDR_HEADER, &header))
		return -ENODEV;
	return max_t(int, PCI_VNDR_HEADER_LEN(header), 8);
}

/*
 * Hidden, among others: SR-IOV, ARI, ATS, PRI, PASID, Resizable BAR, ACS, DPC
 * and MFVC change routing, translation or resources that the host manages.
 */
static const struct pciback_cap ext_caps[] = {
	{ .id = PCI_EXT_CAP_ID_ERR, .len = 0x38, VISIBLE(aer_regs) },
	{ .id = PCI_EXT_CAP_ID_DSN, .len = PCI_EXT_CAP_DSN_SIZEOF,
	  VISIBLE(ext_regs) },
	{ .id = PCI_EXT_CAP_ID_PWR, .len = PCI_EXT_CAP_PWR_SIZEOF,
	  VISIBLE(ext_regs) },
	{ .id = PCI_EXT_CAP_ID_VNDR, .length = ext_vendor_length,
	  VISIBLE(ext_regs) },
	{ .id = PCI_EXT_CAP_ID_LTR, .len = PCI_EXT_CAP_LTR_SIZEOF,
	  VISIBLE(ext_regs) },
	{ .id = PCI_EXT_CAP_ID_SECPCI, .len = 0x0c, VISIBLE(ext_regs) },
};

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
		if (!header || header == ~0U)
			break;
		chain_append(chain, pos, PCI_EXT_CAP_ID(header));
	}
	return 0;
}

static const struct pciback_cap *find_policy(const struct pciback_cap *caps,
					     unsigned int nr, u16 id)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (caps[i].id == id)
			return &caps[i];
	return NULL;
}

/* Installs the rows of one capability, or leaves it to be hidden. */
static int add_cap(struct pciback_conf *conf, unsigned long *used,
		   const struct pciback_cap *cap, u16 pos, u16 end,
		   bool *visible)
{
	int len, first = pos / 4, last;

	if (!cap)
		return 0;
	len = cap->length ? cap->length(conf->pdev, pos) : cap->len;
	if (len < 0)
		return len;
	last = first + DIV_ROUND_UP(len, 4);
	if (last * 4 > end || find_next_bit(used, last, first) < last)
		return 0;
	bitmap_set(used, first, last - first);
	*visible = true;
	return pciback_conf_add(conf, cap->reg, cap->nr, pos, len);
}

/* Shuts a hidden capability, up to where the next one in its space begins. */
static void hide_cap(struct pciback_conf *conf, const unsigned long *used,
		     const struct chain *chain, u16 pos, u16 end)
{
	unsigned int i;

	for (i = 0; i < chain->nr; i++)
		if (chain->cap[i].pos > pos)
			end = min(end, chain->cap[i].pos);
	for (i = pos / 4; i < end / 4; i++)
		if (!test_bit(i, used))
			__set_bit(i, conf->closed);
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
	for (i = 0; i < chain->nr; i++)
		if (!chain->cap[i].visible)
			hide_cap(conf, used, chain, chain->cap[i].pos, end);
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

/**
 * pciback_reads_zero - init function of bits that a guest sees clear
 * @conf: policy under construction
 * @inst: the register
 * @hw: what it holds
 *
 * Return: 0.
 */
u32 pciback_reads_zero(struct pciback_conf *conf, struct pciback_inst *inst,
		       u32 hw)
{
	return 0;
}

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
		err = add_chain(conf, std, std_caps, ARRAY_SIZE(std_caps),
				PCI_CFG_SPACE_SIZE);
	if (!err && conf->size > PCI_CFG_SPACE_SIZE)
		err = walk_ext(conf->pdev, ext);
	if (!err)
		err = add_chain(conf, ext, ext_caps, ARRAY_SIZE(ext_caps),
				conf->size);
	if (err)
		return err;
	if (ext->nr && !ext->cap[0].visible) {
		/* The row is the anchor, see link_ext(). */
		__clear_bit(PCI_CFG_SPACE_SIZE / 4, conf->zero);
		err = pciback_conf_add(conf, ext_regs, ARRAY_SIZE(ext_regs),
				       PCI_CFG_SPACE_SIZE, 4);
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
