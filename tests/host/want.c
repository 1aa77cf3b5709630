// SPDX-License-Identifier: GPL-2.0
/*
 * The policy a second time, from the specifications and not from the driver's
 * tables: every register drawn bit by bit in the letters of model.h.
 */
#include "devices.h"

/**
 * struct want_reg - a register
 * @off: from the start of its capability
 * @size: in bytes
 * @bits: see model.h
 * @act: what its acting bits do
 * @zero: virtual bits start as zero, not as hardware is
 */
struct want_reg {
	u16 off;
	u16 size;
	const char *bits;
	model_act_fn *act;
	bool zero;
};

#define RO8	"--------"
#define RO16	"-------- --------"
#define RO32	"-------- -------- -------- --------"
#define FIX8	"ffffffff"
#define FIX16	"ffffffff ffffffff"
#define FIX32	"ffffffff ffffffff ffffffff ffffffff"
#define ACT16	"AAAAAAAA AAAAAAAA"
#define ACT32	"AAAAAAAA AAAAAAAA AAAAAAAA AAAAAAAA"

static int command(struct model *m, struct model_reg *reg, u32 old, u32 new)
{
	if ((old ^ new) & 0x0004) {
		if (new & 0x0004)
			m->calls.master_on++;
		else
			m->calls.master_off++;
	}
	if ((old ^ new) & 0x0010) {
		if (new & 0x0010)
			m->calls.mwi_on++;
		else
			m->calls.mwi_off++;
	}
	if ((old ^ new) & 0x0400) {
		if (new & 0x0400)
			m->calls.intx_off++;
		else
			m->calls.intx_on++;
	}
	if (!(old & 3) && new & 3)
		m->calls.decodes++;
	model_hw_put(m, reg->pos, 2, 0x0014, new);
	return 0;
}

/* Written back after a reset that only the guest knows of. */
static int bar(struct model *m, struct model_reg *reg, u32 old, u32 new)
{
	(void)old;
	if (new != reg->value || !reg->window || m->emul->pdev.is_virtfn)
		return 0;
	m->raw = true;
	model_hw_put(m, reg->pos, 4, ~0u, reg->value);
	return 0;
}

static int rom(struct model *m, struct model_reg *reg, u32 old, u32 new)
{
	if (!reg->window || !((old ^ new) & 1))
		return 0;
	if (!(new & 1)) {
		m->calls.rom_off++;
		return 0;
	}
	m->calls.rom_on++;
	return m->emul->refuse ? -EACCES : 0;
}

static const struct want_reg header[] = {
	{ 0x00, 2, FIX16 },
	{ 0x02, 2, FIX16 },
	/* INTx; fast back-to-back, SERR; stepping, parity, palette, MWI, ... */
	{ 0x04, 2, "-----Apv pvpapaAA", command, .zero = true },
	{ 0x06, 2, "ccccc--c ---f----" },
	{ 0x08, 4, FIX32 },
	{ 0x0c, 1, "rrrrrrrr" },
	{ 0x0d, 1, RO8 },
	{ 0x0e, 1, FIX8 },
	{ 0x0f, 1, "-r------" },
	{ 0x10, 4, ACT32, bar }, { 0x14, 4, ACT32, bar },
	{ 0x18, 4, ACT32, bar }, { 0x1c, 4, ACT32, bar },
	{ 0x20, 4, ACT32, bar }, { 0x24, 4, ACT32, bar },
	{ 0x28, 4, FIX32 },
	{ 0x2c, 4, FIX32 },
	{ 0x30, 4, ACT32, rom },
	{ 0x34, 1, FIX8 },
	{ 0x3c, 1, FIX8 }, { 0x3d, 1, FIX8 }, { 0x3e, 1, FIX8 }, { 0x3f, 1, FIX8 },
	{ 0 }
};

static int power(struct model *m, struct model_reg *reg, u32 old, u32 new)
{
	if (!((old ^ new) & 3))
		return 0;
	if (m->emul->gone)
		return -ENODEV;
	/* Awake is never out of reach. */
	if (new & 3) {
		m->calls.slow.may_fail++;
		if (m->emul->limited)
			return -EACCES;
	}
	if (!(old & 3))
		m->calls.slow.save++;
	m->calls.slow.power++;
	if (m->emul->refuse) {
		m->calls.slow.failed++;
		return -EACCES;
	}
	model_hw_put(m, reg->pos, 2, 3, new);
	if (!(new & 3) && !(new & 8))
		m->calls.slow.restore++;
	return 0;
}

static const struct want_reg pm[] = {
	{ 0, 2, FIX16 },
	{ 2, 2, "00000fff ffffffff" },
	/* PME status is write-one-to-clear in hardware, and stays alone there. */
	{ 4, 2, "z--rrrr0 ------ss", power, .zero = true },
	{ 6, 1, RO8 }, { 7, 1, RO8 },
	{ 0 }
};

static int vpd_address(struct model *m, struct model_reg *reg, u32 old, u32 new)
{
	u32 word = EMUL_VPD(new & 0x7fff);

	(void)old;
	if (new & 0x8000)
		return -EACCES;
	m->calls.vpd++;
	if (m->emul->refuse)
		return 0;
	model_shadow_put(m, reg, new | 0x8000);
	memcpy(m->shadow + reg->pos + 2, &word, 4);
	return 0;
}

static const struct want_reg vpd[] = {
	{ 0, 2, FIX16 },
	{ 2, 2, ACT16, vpd_address, .zero = true },
	{ 4, 4, FIX32, .zero = true },
	{ 0 }
};

static int msi_bits(struct model *m, struct model_reg *reg, u32 old, u32 new)
{
	if (old == new)
		return 0;
	m->calls.slow.msi_bits++;
	if (!m->emul->msi_control)
		return -EACCES;
	model_hw_put(m, reg->pos, 2, old ^ new, new);
	return 0;
}

static const struct want_reg msi[] = {
	{ 0, 2, FIX16 },
	{ 2, 2, "-------- -------s", msi_bits },
	{ 4, 4, RO32 }, { 8, 4, RO32 }, { 12, 4, RO32 }, { 16, 4, RO32 },
	{ 20, 4, RO32 },
	{ 0 }
};

static const struct want_reg msix[] = {
	{ 0, 2, FIX16 },
	{ 2, 2, "ss------ --------", msi_bits },
	{ 4, 4, FIX32 }, { 8, 4, FIX32 },
	{ 0 }
};

static int device_control(struct model *m, struct model_reg *reg, u32 old,
			  u32 new)
{
	u32 size = 128u << (new >> 12 & 7);

	model_shadow_put(m, reg, model_shadow(m, reg) & 0x7fff);
	if (new & 0x8000 && model_hw(m, reg->pos - 4, 4) & 1u << 28)
		m->calls.flr++;
	if (!((old ^ new) & 0x7000))
		return 0;
	m->calls.readrq++;
	if (size > 4096)
		return -EACCES;
	if (size < EMUL_MPS)
		new = 1u << 12;
	model_hw_put(m, reg->pos, 2, 0x7000, new);
	return 0;
}

static const struct want_reg express[] = {
	{ 0x00, 2, FIX16 }, { 0x02, 2, FIX16 }, { 0x04, 4, FIX32 },
	/* FLR, read request, no snoop, aux, -, tag; payload, ordering, errors */
	{ 0x08, 2, "Aaaarv-v vvvrvvvv", device_control },
	{ 0x0a, 2, "-------- ----cccc" },
	{ 0x0c, 4, FIX32 },
	{ 0x10, 2, "------vv vv----vv" }, { 0x12, 2, RO16 },
	{ 0x14, 4, RO32 }, { 0x18, 4, RO32 }, { 0x1c, 4, RO32 },
	{ 0x20, 4, RO32 }, { 0x24, 4, FIX32 },
	{ 0x28, 2, "-----v-- ---vvvvv" }, { 0x2a, 2, RO16 },
	{ 0x2c, 4, FIX32 }, { 0x30, 2, RO16 }, { 0x32, 2, RO16 },
	{ 0x34, 4, RO32 }, { 0x38, 2, RO16 }, { 0x3a, 2, RO16 },
	{ 0 }
};

static int af_control(struct model *m, struct model_reg *reg, u32 old, u32 new)
{
	(void)old;
	model_shadow_put(m, reg, 0);
	if (new & 1 && model_hw(m, reg->pos - 1, 1) & 2)
		m->calls.flr++;
	return 0;
}

static const struct want_reg af[] = {
	{ 0, 2, FIX16 }, { 2, 1, FIX8 }, { 3, 1, FIX8 },
	{ 4, 1, "-------A", af_control, .zero = true },
	{ 5, 1, RO8 },
	{ 0 }
};

static const struct want_reg pcix[] = {
	{ 0, 2, FIX16 },
	{ 2, 2, "-------- -rrrrrrv" },
	{ 4, 4, "--c----- ----cc-- -------- --------" },
	{ 0 }
};

static const struct want_reg vendor[] = {
	{ 0, 2, FIX16 }, { 2, 1, RO8 },
	{ 0 }
};

static const struct want_reg ext[] = {
	{ 0, 4, FIX32 },
	{ 0 }
};

static const struct want_reg ext_vendor[] = {
	{ 0, 4, FIX32 }, { 4, 4, RO32 },
	{ 0 }
};

static const struct want_reg aer[] = {
	{ 0x00, 4, FIX32 },
	/* Bit 0 is undefined (7.10.2); all others are status or reserved. */
	{ 0x04, 4, "cccccccc cccccccc cccccccc ccccccc-" },
	{ 0x08, 4, RO32 }, { 0x0c, 4, RO32 },
	{ 0x10, 4, "-------- -------- cccccccc cccccccc" },
	{ 0x14, 4, RO32 }, { 0x18, 4, RO32 },
	{ 0 }
};

static const struct {
	u16 id;
	const struct want_reg *regs;
} std_policy[] = {
	{ PCI_CAP_ID_PM, pm }, { PCI_CAP_ID_VPD, vpd },
	{ PCI_CAP_ID_MSI, msi }, { PCI_CAP_ID_MSIX, msix },
	{ PCI_CAP_ID_EXP, express }, { PCI_CAP_ID_AF, af },
	{ PCI_CAP_ID_PCIX, pcix }, { PCI_CAP_ID_VNDR, vendor },
};

static const struct {
	u16 id;
	const struct want_reg *regs;
} ext_policy[] = {
	{ PCI_EXT_CAP_ID_ERR, aer }, { PCI_EXT_CAP_ID_DSN, ext },
	{ PCI_EXT_CAP_ID_PWR, ext }, { PCI_EXT_CAP_ID_VNDR, ext_vendor },
	{ PCI_EXT_CAP_ID_LTR, ext }, { PCI_EXT_CAP_ID_SECPCI, ext },
};

static const struct want_reg *policy_of(u16 id, bool extended)
{
	unsigned int i;

	for (i = 0; !extended && i < ARRAY_SIZE(std_policy); i++)
		if (std_policy[i].id == id)
			return std_policy[i].regs;
	for (i = 0; extended && i < ARRAY_SIZE(ext_policy); i++)
		if (ext_policy[i].id == id)
			return ext_policy[i].regs;
	return NULL;
}

static void add_regs(struct model *m, const struct want_reg *want,
		     unsigned int pos, unsigned int len)
{
	for (; want->size; want++) {
		struct model_reg *reg;

		if (want->off >= len)
			return;
		reg = model_add(m, pos + want->off, want->size, want->bits);
		reg->act = want->act;
		reg->has_value = want->zero;
	}
}

static struct model_reg *reg_at(struct model *m, unsigned int pos)
{
	return &m->reg[m->owner[pos]];
}

static void set_value(struct model *m, unsigned int pos, u32 value)
{
	reg_at(m, pos)->has_value = true;
	reg_at(m, pos)->value = value;
}

/* By its specification; 0 if that leaves it to the device, or there is none. */
static unsigned int length_of(u16 id, bool extended)
{
	if (!extended)
		return id == PCI_CAP_ID_DBG ? 4 : id == PCI_CAP_ID_SSVID ? 8 : 0;
	switch (id) {
	case PCI_EXT_CAP_ID_ARI:
	case PCI_EXT_CAP_ID_ATS:
	case PCI_EXT_CAP_ID_PASID:
		return 8;
	case PCI_EXT_CAP_ID_PTM:
		return 12;
	case PCI_EXT_CAP_ID_PRI:
		return 16;
	case PCI_EXT_CAP_ID_L1SS:
		return 20;
	case PCI_EXT_CAP_ID_SRIOV:
		return 64;
	}
	return 0;
}

/* From a hidden capability to its end, or where the next begins, nothing is open. */
static void close_cap(struct model *m, const struct fake_cap *caps,
		      unsigned int pos, unsigned int len, unsigned int end)
{
	unsigned int i;

	if (len && pos + len < end)
		end = pos + len;
	for (; caps->pos; caps++)
		if (caps->pos > pos && caps->pos < end)
			end = caps->pos;
	for (i = pos; i < end; i++)
		m->closed[i] = m->owner[i] < 0;
	for (i = pos; i < pos + 4; i++)
		m->zero[i] = true;
}

/* What a specification says of a register that has no row: read only. */
static void shut_body(struct model *m, const struct fake_cap *cap)
{
	unsigned int i;

	for (i = cap->pos; i < ((cap->pos + cap->len + 3) & ~3u); i++)
		m->closed[i] = m->owner[i] < 0;
}

static unsigned int next_visible(const struct fake_cap *cap, bool extended)
{
	for (cap++; cap->pos; cap++)
		if (policy_of(cap->id, extended))
			break;
	return cap->pos;
}

static void add_caps(struct model *m, const struct fake_cap *caps,
		     bool extended, unsigned int end)
{
	const struct fake_cap *cap;

	for (cap = caps; cap->pos; cap++) {
		const struct want_reg *want = policy_of(cap->id, extended);

		if (!want) {
			close_cap(m, caps, cap->pos,
				  length_of(cap->id, extended), end);
			continue;
		}
		add_regs(m, want, cap->pos, cap->len);
		if (cap->id != (extended ? PCI_EXT_CAP_ID_VNDR :
					   PCI_CAP_ID_VNDR))
			shut_body(m, cap);
	}
}

static void link_std(struct model *m, const struct fake_cap *caps)
{
	const struct fake_cap *cap;
	unsigned int first = 0;

	for (cap = caps; cap->pos; cap++) {
		if (!policy_of(cap->id, false))
			continue;
		if (!first)
			first = cap->pos;
		set_value(m, cap->pos, cap->id | next_visible(cap, false) << 8);
	}
	set_value(m, PCI_CAPABILITY_LIST, first);
	set_value(m, PCI_STATUS, first ? PCI_STATUS_CAP_LIST : 0);
}

static void link_ext(struct model *m, const struct fake_cap *caps)
{
	const struct fake_cap *cap;

	for (cap = caps; cap->pos; cap++) {
		bool visible = policy_of(cap->id, true);

		if (!visible && cap != caps)
			continue;
		if (!visible) {
			add_regs(m, ext, cap->pos, 4);
			memset(m->zero + cap->pos, 0, 4);
		}
		set_value(m, cap->pos, next_visible(cap, true) << 20 |
			  (visible ? 1u << 16 | cap->id : 0));
	}
}

static void set_bar(struct model *m, unsigned int pos, u32 value, u32 window)
{
	set_value(m, pos, value);
	reg_at(m, pos)->window = window;
	reg_at(m, pos)->bar = true;
}

static void set_bars(struct model *m, const struct fake_dev *dev)
{
	unsigned int i;

	for (i = 0; i < 6; i++)
		set_bar(m, 0x10 + 4 * i, 0, 0);
	for (i = 0; i < 6; i++) {
		const struct fake_bar *res = &dev->bar[i];
		u64 addr = res->start, window = ~(u64)(res->size - 1);

		if (!res->size || res->flags & IORESOURCE_UNSET)
			continue;
		if (!(res->flags & IORESOURCE_IO))
			addr -= EMUL_BUS_SHIFT;
		set_bar(m, 0x10 + 4 * i, addr | (res->flags & 0xf), window);
		if (res->flags & IORESOURCE_MEM_64)
			set_bar(m, 0x14 + 4 * i, addr >> 32, window >> 32);
	}
	if (dev->rom.start && !(dev->rom.flags & IORESOURCE_ROM_SHADOW))
		set_bar(m, 0x30, dev->rom.start - EMUL_BUS_SHIFT,
			-dev->rom.size);
	else
		set_bar(m, 0x30, 0, 0);
}

void want_policy(struct model *m, const struct fake_dev *dev)
{
	add_regs(m, header, 0, 64);
	set_value(m, PCI_VENDOR_ID, m->emul->pdev.vendor);
	set_value(m, PCI_DEVICE_ID, m->emul->pdev.device);
	set_value(m, PCI_INTERRUPT_LINE, m->emul->gsi);
	set_bars(m, dev);
	add_caps(m, dev->caps, false, 256);
	add_caps(m, dev->ext, true, dev->size);
	link_std(m, dev->caps);
	link_ext(m, dev->ext);
}
