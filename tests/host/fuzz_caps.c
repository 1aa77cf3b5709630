// SPDX-License-Identifier: GPL-2.0
/*
 * A device with any config space: its policy can be built, a guest's walk ends
 * and finds only what may be shown, and a sweep of writes leaves the host's bits.
 */
#include "devices.h"

int fuzz_one(const u8 *data, size_t size);

static struct emul emul;

static void check(bool ok)
{
	if (!ok)
		abort();
}

static u32 get(struct pciback_conf *conf, unsigned int pos, unsigned int size)
{
	u32 val;

	check(!pciback_conf_read(conf, pos, size, &val));
	return val;
}

static void walk(struct pciback_conf *conf)
{
	unsigned int pos, hops = 0;
	u32 head;

	pos = get(conf, PCI_CAPABILITY_LIST, 1);
	check(!!(get(conf, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST) == !!pos);
	for (; pos; pos = head >> 8) {
		check(pos >= 0x40 && !(pos & 3) && hops++ < 48);
		head = get(conf, pos, 2);
		switch (head & 0xff) {
		case PCI_CAP_ID_PM:
			/* The core takes the first one. */
			emul.pm = emul.pm ?: pos;
			break;
		case PCI_CAP_ID_EXP:
			emul.exp = emul.exp ?: pos;
			break;
		case PCI_CAP_ID_VPD: case PCI_CAP_ID_MSI: case PCI_CAP_ID_MSIX:
		case PCI_CAP_ID_AF: case PCI_CAP_ID_PCIX: case PCI_CAP_ID_VNDR:
			break;
		default:
			check(false);
		}
	}
}

static void walk_ext(struct pciback_conf *conf)
{
	unsigned int pos = 0x100, hops = 0;
	u32 head = 0;

	for (; pos && conf->size > 256; pos = head >> 20) {
		check(pos >= 0x100 && !(pos & 3) && hops++ < 960);
		head = get(conf, pos, 4);
		if (head == ~0u)
			break;
		switch (head & 0xffff) {
		case 0:
			check(pos == 0x100);
			break;
		case PCI_EXT_CAP_ID_ERR: case PCI_EXT_CAP_ID_DSN:
		case PCI_EXT_CAP_ID_PWR: case PCI_EXT_CAP_ID_VNDR:
		case PCI_EXT_CAP_ID_LTR: case PCI_EXT_CAP_ID_SECPCI:
			break;
		default:
			check(false);
		}
	}
}

static void rows(const struct pciback_conf *conf)
{
	unsigned int i;

	for (i = 0; i < conf->nr; i++) {
		check(!pciback_conf_check_reg(conf->inst[i].reg));
		check(conf->inst[i].pos + conf->inst[i].reg->size <= conf->size);
		check(!i || conf->inst[i - 1].pos + conf->inst[i - 1].reg->size <=
		      conf->inst[i].pos);
	}
}

static bool in_row(const struct pciback_conf *conf, unsigned int byte)
{
	unsigned int i;

	for (i = 0; i < conf->nr; i++)
		if (byte >= conf->inst[i].pos &&
		    byte < conf->inst[i].pos + conf->inst[i].reg->size)
			return true;
	return false;
}

/* Only registers of the tables change, and gaps that are open. */
static void sweep(struct pciback_conf *conf, bool permissive)
{
	u16 command = emul_get(&emul, PCI_COMMAND, 2);
	struct pciback_denied denied;
	unsigned int pos, i;
	u8 before[4096];

	memcpy(before, emul.cfg, sizeof(before));
	for (pos = 0; pos < conf->size; pos += 4) {
		pciback_conf_write(conf, pos, 4, ~0u, permissive, &denied);
		pciback_conf_write(conf, pos, 4, 0, permissive, &denied);
	}
	check(!((emul_get(&emul, PCI_COMMAND, 2) ^ command) & 0x0543));
	for (i = 0x40; i < conf->size; i++)
		check(before[i] == emul.cfg[i] || in_row(conf, i) ||
		      (permissive && !test_bit(i / 4, conf->closed)));
}

int fuzz_one(const u8 *data, size_t size)
{
	struct pciback_conf *conf;
	bool wide = size > 256;

	emul_init(&emul, wide ? 4096 : 256);
	if (size)
		memcpy(emul.cfg, data, min_t(size_t, size, sizeof(emul.cfg)));
	conf = pciback_conf_build(&emul.pdev);
	check(!IS_ERR(conf));
	rows(conf);
	walk(conf);
	walk_ext(conf);
	sweep(conf, false);
	sweep(conf, true);
	pciback_conf_reset(conf);
	walk(conf);
	walk_ext(conf);
	pciback_conf_free(conf);
	return 0;
}
