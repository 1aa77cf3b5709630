// SPDX-License-Identifier: GPL-2.0
/*
 * Devices as the tables' authors had in mind: their capabilities, in the order
 * and places of real ones. Registers take any write, for the policy and not
 * the device is to keep a guest from changing them.
 */
#include "devices.h"

#define MEM(addr, bytes)	{ addr, bytes, IORESOURCE_MEM }
#define MEM64(addr, bytes)	{ addr, bytes, IORESOURCE_MEM |		\
				  IORESOURCE_MEM_64 |			\
				  PCI_BASE_ADDRESS_MEM_TYPE_64 |	\
				  PCI_BASE_ADDRESS_MEM_PREFETCH }
#define IO(addr, bytes)		{ addr, bytes, IORESOURCE_IO |		\
				  PCI_BASE_ADDRESS_SPACE_IO }

#define PM_CAP(at)	{ at, PCI_CAP_ID_PM, 8, { 0xc8230000, 0x00008100 } }
#define MSIX_CAP(at)	{ at, PCI_CAP_ID_MSIX, 12, { 0x00090000, 0x3, 0x2003 } }
#define EXP_V2(at)	{ at, PCI_CAP_ID_EXP, 0x3c,			\
			  { 0x00020000, 0x10008cc2, 0x000f2810, 0x00035c11, \
			    0x10110000, 0, 0, 0, 0, 0x0000081f, 0, 0,	\
			    0x00010002 } }
#define AER_CAP(at)	{ at, PCI_EXT_CAP_ID_ERR, 0x2c,			\
			  { 0, 0x00100000, 0, 0x00462031, 0x2001, 0x2000 } }

static const struct fake_cap none[] = { { 0 } };

static const struct fake_cap igb_caps[] = {
	PM_CAP(0x40),
	{ 0x50, PCI_CAP_ID_MSI, 24, { 0x01800000, 0xfee00000, 0, 0x4041, 0, 0 } },
	MSIX_CAP(0x70), EXP_V2(0xa0), { 0 }
};

static const struct fake_cap igb_ext[] = {
	AER_CAP(0x100),
	{ 0x140, PCI_EXT_CAP_ID_DSN, 12, { 0, 0x12345678, 0x9abcdef0 } },
	{ 0x150, PCI_EXT_CAP_ID_ARI, 8, { 0, 0x00000100 } },
	{ 0x160, PCI_EXT_CAP_ID_SRIOV, 64,
	  { 0, 0x2, 0, 0x00080008, 0x00000008, 0x00028000, 0x10ca0000, 0x553, 1 } },
	{ 0 }
};

static const struct fake_cap e1000_caps[] = {
	PM_CAP(0xdc),
	{ 0xe4, PCI_CAP_ID_PCIX, 8, { 0x00020000, 0x204300f8 } },
	{ 0xf0, PCI_CAP_ID_MSI, 14, { 0x00800000, 0xfee00000, 0, 0x4041 } },
	{ 0 }
};

static const struct fake_cap nvme_caps[] = {
	{ 0x50, PCI_CAP_ID_MSI, 20, { 0x01000000, 0xfee00000, 0x4041, 3, 1 } },
	{ 0x40, PCI_CAP_ID_PM, 8, { 0x00030000, 0x00000008 } },
	EXP_V2(0x70), MSIX_CAP(0xb0),
	{ 0xc0, PCI_CAP_ID_VPD, 8, { 0x92340000, 0xdeadbeef } },
	{ 0xd0, PCI_CAP_ID_VNDR, 0x10, { 0x00100000, 1, 2, 3 } },
	{ 0 }
};

static const struct fake_cap nvme_ext[] = {
	AER_CAP(0x100),
	{ 0x148, PCI_EXT_CAP_ID_DSN, 12, { 0, 1, 2 } },
	{ 0x158, PCI_EXT_CAP_ID_PWR, 16, { 0 } },
	{ 0x168, PCI_EXT_CAP_ID_SECPCI, 0x0c, { 0 } },
	{ 0x188, PCI_EXT_CAP_ID_LTR, 8, { 0, 0x10031003 } },
	{ 0x190, PCI_EXT_CAP_ID_L1SS, 16, { 0, 0x1f } },
	{ 0x1a0, PCI_EXT_CAP_ID_VNDR, 0x14, { 0, 0x01410002, 7, 8, 9 } },
	{ 0 }
};

static const struct fake_cap vf_caps[] = {
	MSIX_CAP(0x70), EXP_V2(0xa0), { 0 }
};

static const struct fake_cap vf_ext[] = {
	AER_CAP(0x100),
	{ 0x150, PCI_EXT_CAP_ID_ARI, 8, { 0 } },
	{ 0x1a0, PCI_EXT_CAP_ID_ATS, 8, { 0, 0x80000000 } },
	{ 0 }
};

/* Odd ones: short forms, hidden ones first and last, advanced features. */
static const struct fake_cap odd_caps[] = {
	{ 0x80, PCI_CAP_ID_HT, 8, { 0xa8000000, 0xfee00000 } },
	{ 0x40, PCI_CAP_ID_MSI, 10, { 0, 0xfee00000, 0x4041 } },
	{ 0x60, PCI_CAP_ID_AF, 6, { 0x03060000, 0x0001 } },
	{ 0x90, PCI_CAP_ID_EXP, 0x14, { 0x00010000, 0x00008cc2, 0x000f2810 } },
	{ 0xb0, PCI_CAP_ID_EA, 8, { 0 } },
	{ 0xc0, PCI_CAP_ID_DBG, 4, { 0 } },
	{ 0xd0, PCI_CAP_ID_SSVID, 8, { 0 } },
	{ 0 }
};

static const struct fake_cap odd_ext[] = {
	{ 0x100, PCI_EXT_CAP_ID_SRIOV, 64, { 0, 2 } },
	{ 0x200, PCI_EXT_CAP_ID_REBAR, 16, { 0, 0x10, 0x20 } },
	{ 0x180, PCI_EXT_CAP_ID_DSN, 12, { 0, 3, 4 } },
	{ 0x300, PCI_EXT_CAP_ID_PASID, 8, { 0 } },
	{ 0x310, PCI_EXT_CAP_ID_PRI, 16, { 0 } },
	{ 0x330, PCI_EXT_CAP_ID_PTM, 12, { 0 } },
	{ 0x350, PCI_EXT_CAP_ID_L1SS, 20, { 0 } },
	{ 0 }
};

static const struct fake_cap root_complex_caps[] = {
	{ 0x40, PCI_CAP_ID_EXP, 0x0c, { 0x00910000, 0x8cc2, 0x000f2810 } },
	{ 0x60, PCI_CAP_ID_AF, 6, { 0x01060000, 0x0000 } },
	{ 0 }
};

const struct fake_dev fake_devs[] = {
	{ .name = "igb", .size = 4096, .caps = igb_caps, .ext = igb_ext,
	  .bar = { MEM(0xfe000000, 0x20000), MEM(0xfe020000, 0x20000),
		   IO(0xc000, 32), MEM(0xfe044000, 0x4000) },
	  .rom = MEM(0xfe040000, 0x4000) },
	{ .name = "e1000", .size = 256, .caps = e1000_caps, .ext = none,
	  .bar = { MEM(0xfeb80000, 0x20000), IO(0xc040, 64) },
	  .rom = MEM(0, 0x10000) },
	{ .name = "nvme", .size = 4096, .caps = nvme_caps, .ext = nvme_ext,
	  .bar = { MEM64(0x80fe000000, 0x4000), { 0 }, MEM64(0x90000000, 16) },
	  .rom = MEM(0xfe080000, 0x800) },
	{ .name = "igbvf", .size = 4096, .virtfn = true, .caps = vf_caps,
	  .ext = vf_ext,
	  .bar = { MEM64(0x8100004000, 0x4000), { 0 }, { 0 },
		   MEM64(0x8100104000, 0x4000) } },
	{ .name = "odd", .size = 4096, .caps = odd_caps, .ext = odd_ext,
	  .bar = { MEM(0xfd000000, 0x1000000),
		   { 0xf0000000, 0x1000, IORESOURCE_MEM | IORESOURCE_UNSET } },
	  /* As of a display: not the device's, but the BIOS's copy. */
	  .rom = { 0xc0000, 0x20000, IORESOURCE_MEM | IORESOURCE_ROM_SHADOW } },
	{ .name = "root complex", .size = 4096, .caps = root_complex_caps,
	  .ext = none, .bar = { IO(0xe000, 256) } },
	{ .name = "bare", .size = 256, .caps = none, .ext = none },
};

const unsigned int fake_devs_nr = ARRAY_SIZE(fake_devs);

static void fill_cap(struct emul *emul, const struct fake_cap *cap)
{
	unsigned int i;

	for (i = 0; i < DIV_ROUND_UP(cap->len, 4) && i < 16; i++)
		emul_put(emul, cap->pos + 4 * i, 4, cap->word[i]);
}

/* Status bits that are set now and that a write of one clears. */
static void sticky(struct emul *emul, unsigned int pos, unsigned int size,
		   u32 mask)
{
	emul_put(emul, pos, size, emul_get(emul, pos, size) | mask);
	for (; size--; pos++, mask >>= 8)
		emul->w1c[pos] |= mask;
}

static void fill_std(struct emul *emul, const struct fake_cap *cap)
{
	emul_put(emul, PCI_CAPABILITY_LIST, 1, cap->pos);
	for (; cap->pos; cap++) {
		fill_cap(emul, cap);
		emul_put(emul, cap->pos, 2, cap->id | cap[1].pos << 8);
		if (cap->id == PCI_CAP_ID_PM) {
			emul->pm = cap->pos;
			sticky(emul, cap->pos + PCI_PM_CTRL, 2, 0x8000);
		} else if (cap->id == PCI_CAP_ID_EXP) {
			emul->exp = cap->pos;
			sticky(emul, cap->pos + PCI_EXP_DEVSTA, 2, 0x000f);
		} else if (cap->id == PCI_CAP_ID_PCIX) {
			sticky(emul, cap->pos + PCI_X_STATUS, 4, 0x200c0000);
		}
	}
}

static void fill_ext(struct emul *emul, const struct fake_cap *cap)
{
	for (; cap->pos; cap++) {
		fill_cap(emul, cap);
		emul_put(emul, cap->pos, 4,
			 cap->id | 1 << 16 | (u32)cap[1].pos << 20);
		if (cap->id == PCI_EXT_CAP_ID_ERR) {
			sticky(emul, cap->pos + PCI_ERR_UNCOR_STATUS, 4, ~1u);
			sticky(emul, cap->pos + PCI_ERR_COR_STATUS, 4, 0xffff);
		}
	}
}

static void fill_bars(struct emul *emul, const struct fake_dev *dev)
{
	struct pci_dev *pdev = &emul->pdev;
	static struct resource host;
	unsigned int i;

	for (i = 0; i <= PCI_ROM_RESOURCE; i++) {
		const struct fake_bar *bar = i < 6 ? &dev->bar[i] : &dev->rom;

		if (!bar->size)
			continue;
		pdev->resource[i].start = bar->start;
		pdev->resource[i].end = bar->start + bar->size - 1;
		pdev->resource[i].flags = bar->flags;
		pdev->resource[i].parent = bar->start ? &host : NULL;
	}
	for (i = 0; i < 24 && !dev->virtfn; i++)
		emul->cfg[PCI_BASE_ADDRESS_0 + i] = 0x30 + i;
}

/* Makes the device. */
void fake_fill(struct emul *emul, const struct fake_dev *dev)
{
	emul_init(emul, dev->size);
	emul->gsi = 17;
	emul->pdev.vendor = 0x8086;
	emul->pdev.device = 0x10c9;
	emul->pdev.is_virtfn = dev->virtfn;
	emul_put(emul, PCI_VENDOR_ID, 4, dev->virtfn ? ~0u : 0x10c98086);
	emul_put(emul, PCI_COMMAND, 2, dev->virtfn ? 0x0000 : 0x0003);
	emul_put(emul, PCI_STATUS, 2, dev->caps->pos ? 0x0010 : 0);
	emul_put(emul, PCI_CLASS_REVISION, 4, 0x02000001);
	emul_put(emul, PCI_CACHE_LINE_SIZE, 4, 0x00800010);
	emul_put(emul, PCI_SUBSYSTEM_VENDOR_ID, 4, 0xa03c8086);
	emul_put(emul, PCI_INTERRUPT_LINE, 4, 0x0702010a);
	sticky(emul, PCI_STATUS, 2, 0xf900);
	fill_bars(emul, dev);
	fill_std(emul, dev->caps);
	fill_ext(emul, dev->ext);
}

bool fake_rig(struct rig *rig, const struct fake_dev *dev)
{
	fake_fill(&rig->emul, dev);
	rig->conf = pciback_conf_build(&rig->emul.pdev);
	if (IS_ERR(rig->conf))
		return false;
	memcpy(rig->start, rig->emul.cfg, sizeof(rig->start));
	model_init(&rig->model, &rig->emul);
	want_policy(&rig->model, dev);
	model_seal(&rig->model);
	rig_fresh(rig);
	return true;
}

/* The driver reads VPD when the write is over; here it is there at once. */
void pciback_guest_vpd(struct pciback_conf *conf, u16 pos, u16 addr)
{
	struct emul *emul = (struct emul *)((char *)conf->pdev -
					    offsetof(struct emul, pdev));

	emul->calls.vpd++;
	if (!emul->refuse)
		pciback_vpd_show(conf, pos, EMUL_VPD((u32)addr));
}
