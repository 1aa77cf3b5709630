/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PCI host bridge that is not there: config space is arrays of bytes, each
 * with masks of what can be written. Unfaithful on request.
 */
#ifndef XPB_FAKE_HOST_H
#define XPB_FAKE_HOST_H

#include <linux/pci.h>
#include <asm/pci.h>

#define FAKE_DOMAIN	0xfa4e
#define FAKE_MAX_DEVS	4

/* What a device has; the rest of its config space is empty. */
#define FAKE_PCIE	BIT(0)
#define FAKE_FLR	BIT(1)	/* of the PCIe capability */
#define FAKE_AF		BIT(2)
#define FAKE_PM		BIT(3)	/* a reset by way of D3 */
#define FAKE_MSI	BIT(4)
#define FAKE_MSIX	BIT(5)
#define FAKE_BRIDGE	BIT(6)	/* to bus 1 */
#define FAKE_VPD	BIT(7)
#define FAKE_AER	BIT(8)	/* with FAKE_PCIE */

/* Where it has them. */
enum {
	FAKE_PM_POS	= 0x40,
	FAKE_MSI_POS	= 0x50,
	FAKE_MSIX_POS	= 0x70,
	FAKE_AF_POS	= 0x80,
	FAKE_VPD_POS	= 0x90,
	FAKE_PCIE_POS	= 0xa0,
	FAKE_AER_POS	= 0x100,
};

#define FAKE_NR_MSIX	8

/* Bytes of vital product data, the end tag included. */
#define FAKE_VPD_SIZE	0x40
/* For a device that never has them ready. */
#define FAKE_VPD_NEVER	UINT_MAX

/**
 * struct fake_dev - a device
 * @bus: its number
 * @devfn: on that bus
 * @cfg: config space as it is now
 * @boot: and as it is after a reset
 * @rw: bits that can be written
 * @flrs: function level resets, AF's among them
 * @d3s: transitions to D3
 * @asleep: it is there, and resets itself on its way back
 * @bus_resets: of the bus below
 * @vpds: words of VPD that were asked for
 * @vpd_reads: reads of VPD's address register until its data are there
 * @vpd_left: so many are left for what was asked for last
 * @at_reset: called at each reset, with interrupts off
 * @data: for @at_reset
 */
struct fake_dev {
	u8 bus;
	u8 devfn;
	u8 cfg[PCI_CFG_SPACE_EXP_SIZE];
	u8 boot[PCI_CFG_SPACE_EXP_SIZE];
	u8 rw[PCI_CFG_SPACE_EXP_SIZE];
	unsigned int flrs;
	unsigned int d3s;
	bool asleep;
	unsigned int bus_resets;
	unsigned int vpds;
	unsigned int vpd_reads;
	unsigned int vpd_left;
	void (*at_reset)(struct fake_dev *dev);
	void *data;
};

/**
 * struct fake_host - the bridge, and how it misbehaves
 * @sysdata: what x86 wants to know of a bus
 * @parent: of the bridge
 * @window: of memory, for BARs
 * @bus: the root bus
 * @dev: devices
 * @nr: number of them
 * @accesses: config accesses since fake_host_watch()
 * @fail_at: the access that fails, 0 for none
 * @gone_at: the access from which on nothing answers any more, 0 for none
 * @read_ms: how long a read takes
 * @lost_at: where the last access was that failed
 * @lost_size: its size in bytes, 0 if none did
 */
struct fake_host {
	struct pci_sysdata sysdata;
	struct device *parent;
	struct resource window;
	struct pci_bus *bus;
	struct fake_dev *dev[FAKE_MAX_DEVS];
	unsigned int nr;
	unsigned int accesses;
	unsigned int fail_at;
	unsigned int gone_at;
	unsigned int read_ms;
	int lost_at;
	int lost_size;
};

struct fake_host *fake_host_alloc(void);
struct fake_dev *fake_host_add(struct fake_host *host, u8 bus, u8 devfn,
			       unsigned long has);
int fake_host_start(struct fake_host *host);
void fake_host_free(struct fake_host *host);
struct pci_dev *fake_host_pdev(struct fake_host *host, unsigned int i);
void fake_host_watch(struct fake_host *host, unsigned int fail_at,
		     unsigned int gone_at);
u32 fake_vpd_word(u16 addr);

#endif /* XPB_FAKE_HOST_H */
