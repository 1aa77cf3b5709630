// SPDX-License-Identifier: GPL-2.0
/* The device that is made of byte arrays, and the core that the driver calls. */
#include "../../conf_space.h"
#include "../../conf_space_tables.h"
#include "../../pciback.h"
#include "emul.h"

#define NO_DEVICE 0x86

unsigned int emul_fail_alloc;

static struct emul *of(const struct pci_dev *pdev)
{
	return (struct emul *)((char *)pdev - offsetof(struct emul, pdev));
}

/* ---- Memory ---- */

static bool alloc_fails(void)
{
	return emul_fail_alloc && !--emul_fail_alloc;
}

void *kzalloc(size_t size, int gfp)
{
	(void)gfp;
	return alloc_fails() ? NULL : calloc(1, size);
}

void *kcalloc(size_t nr, size_t size, int gfp)
{
	return kzalloc(nr * size, gfp);
}

/* ASan's realloc() always moves, so that a stale pointer is found. */
void *krealloc_array(void *old, size_t nr, size_t size, int gfp)
{
	(void)gfp;
	return alloc_fails() ? NULL : realloc(old, nr * size);
}

void *kmemdup(const void *src, size_t size, int gfp)
{
	void *new = kzalloc(size, gfp);

	if (new && size)
		memcpy(new, src, size);
	return new;
}

void kfree(const void *ptr)
{
	free((void *)ptr);
}

/* ---- Config space ---- */

void emul_init(struct emul *emul, unsigned int size)
{
	memset(emul, 0, sizeof(*emul));
	emul->pdev.cfg_size = size;
}

void emul_forget(struct emul *emul)
{
	memset(emul->raw, 0, sizeof(emul->raw));
	memset(&emul->calls, 0, sizeof(emul->calls));
	emul->reads = 0;
	emul->writes = 0;
}

u32 emul_get(const struct emul *emul, unsigned int pos, unsigned int size)
{
	u32 val = 0;

	memcpy(&val, emul->cfg + pos, size);
	return val;
}

void emul_put(struct emul *emul, unsigned int pos, unsigned int size, u32 val)
{
	memcpy(emul->cfg + pos, &val, size);
}

/* The driver must not even try what a bus would not do. */
static void check_access(const struct emul *emul, int pos, int size)
{
	if (pos < 0 || pos + size > emul->pdev.cfg_size || pos & (size - 1))
		abort();
}

static bool access_fails(struct emul *emul, int pos, int size)
{
	if (!emul->fail_access || --emul->fail_access)
		return false;
	emul->failed_pos = pos;
	emul->failed_size = size;
	return true;
}

static int read_config(const struct pci_dev *pdev, int pos, int size, u32 *val)
{
	struct emul *emul = of(pdev);

	check_access(emul, pos, size);
	emul->reads++;
	*val = ~0U;
	if (access_fails(emul, pos, size))
		return NO_DEVICE;
	if (!emul->gone)
		*val = emul_get(emul, pos, size);
	return 0;
}

static int write_config(const struct pci_dev *pdev, int pos, int size, u32 val)
{
	struct emul *emul = of(pdev);
	int i;

	check_access(emul, pos, size);
	emul->writes++;
	if (access_fails(emul, pos, size))
		return NO_DEVICE;
	for (i = pos; i < pos + size && !emul->gone; i++, val >>= 8) {
		u8 old = emul->cfg[i], keep = emul->fixed[i] | emul->w1c[i];

		emul->cfg[i] = (old & keep) | ((u8)val & ~keep);
		emul->cfg[i] &= ~(val & emul->w1c[i]);
		emul->raw[i & 3] |= old ^ emul->cfg[i];
	}
	return 0;
}

int pci_read_config_byte(const struct pci_dev *pdev, int pos, u8 *val)
{
	u32 bits;
	int err = read_config(pdev, pos, 1, &bits);

	*val = bits;
	return err;
}

int pci_read_config_word(const struct pci_dev *pdev, int pos, u16 *val)
{
	u32 bits;
	int err = read_config(pdev, pos, 2, &bits);

	*val = bits;
	return err;
}

int pci_read_config_dword(const struct pci_dev *pdev, int pos, u32 *val)
{
	return read_config(pdev, pos, 4, val);
}

int pci_write_config_byte(const struct pci_dev *pdev, int pos, u8 val)
{
	return write_config(pdev, pos, 1, val);
}

int pci_write_config_word(const struct pci_dev *pdev, int pos, u16 val)
{
	return write_config(pdev, pos, 2, val);
}

int pci_write_config_dword(const struct pci_dev *pdev, int pos, u32 val)
{
	return write_config(pdev, pos, 4, val);
}

int pcie_capability_read_dword(struct pci_dev *pdev, int pos, u32 *val)
{
	return pci_read_config_dword(pdev, of(pdev)->exp + pos, val);
}

/* ---- The core ---- */

/* What the core does to a register does not count as the driver's access. */
static void core_bits(struct pci_dev *pdev, int pos, u16 mask, u16 val)
{
	u16 old = emul_get(of(pdev), pos, 2);

	if (of(pdev)->gone)
		return;
	emul_put(of(pdev), pos, 2, (old & ~mask) | (val & mask));
}

void pcibios_resource_to_bus(struct pci_bus *bus, struct pci_bus_region *region,
			     struct resource *res)
{
	u64 shift = res->flags & IORESOURCE_IO ? 0 : EMUL_BUS_SHIFT;

	(void)bus;
	region->start = res->start - shift;
	region->end = res->end - shift;
}

void pci_set_master(struct pci_dev *pdev)
{
	of(pdev)->calls.master_on++;
	core_bits(pdev, PCI_COMMAND, PCI_COMMAND_MASTER, ~0);
}

void pci_clear_master(struct pci_dev *pdev)
{
	of(pdev)->calls.master_off++;
	core_bits(pdev, PCI_COMMAND, PCI_COMMAND_MASTER, 0);
}

int pci_try_set_mwi(struct pci_dev *pdev)
{
	of(pdev)->calls.mwi_on++;
	core_bits(pdev, PCI_COMMAND, PCI_COMMAND_INVALIDATE, ~0);
	return 0;
}

void pci_clear_mwi(struct pci_dev *pdev)
{
	of(pdev)->calls.mwi_off++;
	core_bits(pdev, PCI_COMMAND, PCI_COMMAND_INVALIDATE, 0);
}

int pci_set_power_state(struct pci_dev *pdev, pci_power_t state)
{
	struct emul *emul = of(pdev);

	emul->calls.slow.power++;
	if (emul->refuse)
		return -EIO;
	pdev->current_state = state;
	core_bits(pdev, emul->pm + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK, state);
	return 0;
}

int pcie_get_mps(struct pci_dev *pdev)
{
	(void)pdev;
	return EMUL_MPS;
}

int pcie_set_readrq(struct pci_dev *pdev, int readrq)
{
	int code = 0;

	of(pdev)->calls.readrq++;
	while (128 << code < readrq)
		code++;
	if (code > 5)
		return -EINVAL;
	core_bits(pdev, of(pdev)->exp + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_READRQ,
		  code << 12);
	return 0;
}

int pci_enable_rom(struct pci_dev *pdev)
{
	of(pdev)->calls.rom_on++;
	return of(pdev)->refuse ? -EINVAL : 0;
}

void pci_disable_rom(struct pci_dev *pdev)
{
	of(pdev)->calls.rom_off++;
}

/* ---- The rest of the driver ---- */

u32 pciback_guest_line(struct pci_dev *pdev)
{
	return of(pdev)->gsi;
}

void pciback_guest_intx(struct pciback_conf *conf, bool on)
{
	if (on)
		of(conf->pdev)->calls.intx_on++;
	else
		of(conf->pdev)->calls.intx_off++;
}

void pciback_guest_save(struct pciback_conf *conf, bool forgets)
{
	of(conf->pdev)->calls.slow.save++;
}

void pciback_guest_restore(struct pciback_conf *conf)
{
	of(conf->pdev)->calls.slow.restore++;
}

void pciback_guest_decodes(struct pciback_conf *conf, bool anew)
{
	of(conf->pdev)->calls.decodes += anew;
}

bool pciback_guest_may_sleep(struct pciback_conf *conf)
{
	of(conf->pdev)->calls.slow.may_fail++;
	return !of(conf->pdev)->limited;
}

int pciback_guest_set_power(struct pciback_conf *conf, pci_power_t state)
{
	int err = pci_set_power_state(conf->pdev, state);

	of(conf->pdev)->calls.slow.failed += !!err;
	return err;
}

void pciback_guest_flr(struct pciback_conf *conf)
{
	of(conf->pdev)->calls.flr++;
}

int pciback_guest_msi_bits(struct pciback_conf *conf, u16 pos, u32 val)
{
	struct emul *emul = of(conf->pdev);

	emul->calls.slow.msi_bits++;
	if (!emul->msi_control)
		return -EACCES;
	core_bits(conf->pdev, pos, 0xffff, val);
	return 0;
}
