// SPDX-License-Identifier: GPL-2.0
/* The driver's tables over devices like real ones, bit by bit. */
#include "devices.h"
#include "random.h"
#include "tap.h"

static struct rig rig;

static bool setup(int nr)
{
	if (fake_rig(&rig, &fake_devs[nr]))
		return true;
	CHECK(false, "%s: no policy: %ld", fake_devs[nr].name,
	      PTR_ERR(rig.conf));
	return false;
}

/* The part of config space where policy speaks, and a little around it. */
static bool spoken_of(const struct model *m, unsigned int dword)
{
	unsigned int i;

	for (i = dword ? dword - 4 : 0; i < dword + 8 && i < m->size; i++)
		if (m->owner[i] >= 0 || m->zero[i])
			return true;
	return dword < 256 || dword % 128 == 0 || dword == m->size - 4;
}

static void all_bits(int nr)
{
	unsigned int dword;

	if (!setup(nr))
		return;
	for (dword = 0; dword < rig.model.size; dword += 4)
		if (spoken_of(&rig.model, dword))
			rig_dword(&rig, dword);
	pciback_conf_free(rig.conf);
}

static void same_masks(int nr)
{
	if (!setup(nr))
		return;
	rig_masks(&rig);
	pciback_conf_free(rig.conf);
}

enum { MSI_CONTROL = 1, REFUSE = 2, LIMITED = 4, GONE = 8 };

static void set_switches(unsigned int switches)
{
	rig.emul.msi_control = switches & MSI_CONTROL;
	rig.emul.refuse = switches & REFUSE;
	rig.emul.limited = switches & LIMITED;
	rig.emul.gone = switches & GONE;
}

static void with_switch(int switches)
{
	unsigned int nr, dword;

	for (nr = 0; nr < fake_devs_nr; nr++) {
		if (!setup(nr))
			continue;
		set_switches(switches);
		for (dword = 0; dword < 256; dword += 4)
			rig_dword(&rig, dword);
		pciback_conf_free(rig.conf);
	}
}

/* Long histories instead of fresh devices, in which the switches change. */
static void histories(int steps)
{
	u32 seed = 1, nr;

	for (nr = 0; nr < fake_devs_nr; nr++) {
		int i;

		if (!setup(nr))
			continue;
		for (i = 0; i < steps; i++) {
			u32 size = 1u << next_random(&seed) % 3;
			u32 pos = next_random(&seed) % (i & 1 ? 256 : rig.model.size);
			u32 val = next_random(&seed);

			if (i % 64 == 0)
				set_switches(next_random(&seed) & next_random(&seed));
			val = i % 7 == 0 ? ~0u : i % 11 == 0 ? 0 : val;
			pos &= ~(size - 1);
			if (!rig_write(&rig, pos, size, val, i % 5 == 0) ||
			    !rig_read(&rig, pos, size) ||
			    !rig_read(&rig, pos & ~3u, 4))
				break;
		}
		pciback_conf_free(rig.conf);
	}
}

/* All ones and zeros over all of config space, in every width. */
static void sweep(bool permissive)
{
	static const u32 values[] = { ~0u, 0, 0x55555555, 0xaaaaaaaa, ~0u };
	struct pciback_denied denied;
	unsigned int i, size, pos;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		for (size = 1; size <= 4; size *= 2)
			for (pos = 0; pos < rig.model.size; pos += size)
				pciback_conf_write(rig.conf, pos, size,
						   values[i], permissive,
						   &denied);
}

static void host_keeps(const char *what, unsigned int pos, unsigned int size,
		       u32 mask)
{
	u32 now = emul_get(&rig.emul, pos, size), then = 0;

	memcpy(&then, rig.start + pos, size);
	CHECK(!((now ^ then) & mask), "%s at %#x: %#x, was %#x", what, pos, now,
	      then);
}

/* A function's own line in the list, so that a failure has the advisory's name. */
static void decode_stays(int permissive)
{
	unsigned int nr;

	for (nr = 0; nr < fake_devs_nr; nr++) {
		if (!setup(nr))
			continue;
		sweep(permissive);
		host_keeps("COMMAND", PCI_COMMAND, 2,
			   PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
			   PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
			   PCI_COMMAND_INTX_DISABLE);
		pciback_conf_free(rig.conf);
	}
}

/* Hardware may be given the host's address back, and nothing else. */
static void bars_stay(int permissive)
{
	unsigned int nr, i;

	for (nr = 0; nr < fake_devs_nr; nr++) {
		if (!setup(nr))
			continue;
		for (i = 0; i < 6; i++)
			emul_put(&rig.emul, 0x10 + 4 * i, 4,
				 rig.model.reg[rig.model.owner[0x10 + 4 * i]].value);
		emul_put(&rig.emul, 0x30, 4, 0xfee00001);
		memcpy(rig.start, rig.emul.cfg, sizeof(rig.start));
		sweep(permissive);
		for (i = 0; i < 6; i++)
			host_keeps("BAR", 0x10 + 4 * i, 4, ~0u);
		host_keeps("ROM", 0x30, 4, ~0u);
		pciback_conf_free(rig.conf);
	}
}

/* Without the administrator's leave: control words, addresses, data, tables. */
static void msi_stays(int permissive)
{
	const struct fake_cap *cap;
	unsigned int nr, i;

	for (nr = 0; nr < fake_devs_nr; nr++) {
		if (!setup(nr))
			continue;
		sweep(permissive);
		for (cap = fake_devs[nr].caps; cap->pos; cap++)
			for (i = 0; i < cap->len; i += 2)
				if (cap->id == PCI_CAP_ID_MSI ||
				    cap->id == PCI_CAP_ID_MSIX)
					host_keeps("MSI", cap->pos + i, 2, ~0u);
		pciback_conf_free(rig.conf);
	}
}

static bool may_show(u16 id, bool extended)
{
	if (extended)
		return id == PCI_EXT_CAP_ID_ERR || id == PCI_EXT_CAP_ID_DSN ||
		       id == PCI_EXT_CAP_ID_PWR || id == PCI_EXT_CAP_ID_VNDR ||
		       id == PCI_EXT_CAP_ID_LTR || id == PCI_EXT_CAP_ID_SECPCI;
	return id != PCI_CAP_ID_HT && id != PCI_CAP_ID_EA;
}

static void hidden_in(const struct fake_cap *cap, bool extended)
{
	unsigned int i;

	for (; cap->pos; cap++)
		for (i = 0; i < cap->len; i++)
			if (!may_show(cap->id, extended))
				host_keeps("hidden", cap->pos + i, 1, 0xff);
}

static void hidden_stays(int permissive)
{
	unsigned int nr;

	for (nr = 0; nr < fake_devs_nr; nr++) {
		if (!setup(nr))
			continue;
		sweep(permissive);
		hidden_in(fake_devs[nr].caps, false);
		hidden_in(fake_devs[nr].ext, true);
		pciback_conf_free(rig.conf);
	}
}

/* A guest that reset its device by the device's own register. */
static void bars_return(int nr)
{
	struct pciback_denied denied;
	const struct model_reg *reg;
	unsigned int i;

	if (!setup(nr))
		return;
	for (i = 0; i < 6; i++) {
		reg = &rig.model.reg[rig.model.owner[0x10 + 4 * i]];
		if (!reg->window)
			continue;
		emul_put(&rig.emul, reg->pos, 4, 0);
		pciback_conf_write(rig.conf, reg->pos, 4, 0x12345678, true,
				   &denied);
		CHECK(!emul_get(&rig.emul, reg->pos, 4), "moved at %#x",
		      reg->pos);
		pciback_conf_write(rig.conf, reg->pos, 2, reg->value & 0xffff,
				   false, &denied);
		pciback_conf_write(rig.conf, reg->pos + 2, 2, reg->value >> 16,
				   false, &denied);
		CHECK(emul_get(&rig.emul, reg->pos, 4) == reg->value,
		      "not given back at %#x", reg->pos);
	}
	pciback_conf_free(rig.conf);
}

static const struct tap_test tests[] = {
	{ "igb: each bit as specified", all_bits, 0 },
	{ "igb: masks as specified", same_masks, 0 },
	{ "e1000: each bit as specified", all_bits, 1 },
	{ "e1000: masks as specified", same_masks, 1 },
	{ "nvme: each bit as specified", all_bits, 2 },
	{ "nvme: masks as specified", same_masks, 2 },
	{ "igbvf: each bit as specified", all_bits, 3 },
	{ "igbvf: masks as specified", same_masks, 3 },
	{ "odd: each bit as specified", all_bits, 4 },
	{ "odd: masks as specified", same_masks, 4 },
	{ "root complex: each bit as specified", all_bits, 5 },
	{ "root complex: masks as specified", same_masks, 5 },
	{ "bare: each bit as specified", all_bits, 6 },
	{ "bare: masks as specified", same_masks, 6 },
	{ "each bit where the guest may set MSI bits", with_switch, MSI_CONTROL },
	{ "each bit where the core refuses", with_switch, REFUSE },
	{ "each bit where the guest has failed too often", with_switch, LIMITED },
	{ "each bit where the device is gone", with_switch, GONE },
	{ "random histories", histories, 40000 },
	{ "decode, parity and SERR# are the host's (XSA-120)", decode_stays, 0 },
	{ "... permissive too", decode_stays, 1 },
	{ "BARs stay put", bars_stay, 0 },
	{ "... permissive too", bars_stay, 1 },
	{ "MSI is not the guest's", msi_stays, 0 },
	{ "... permissive too", msi_stays, 1 },
	{ "hidden capabilities are shut", hidden_stays, 0 },
	{ "... permissive too", hidden_stays, 1 },
	{ "BARs return after a reset by the guest", bars_return, 0 },
};

static void complain(const char *text)
{
	tap_fail("%s", text);
}

int main(void)
{
	rig_complain = complain;
	return tap_run(tests, ARRAY_SIZE(tests));
}
