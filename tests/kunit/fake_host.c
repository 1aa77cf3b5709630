// SPDX-License-Identifier: GPL-2.0
/* A PCI host bridge that is not there. */
#include <linux/delay.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "fake_host.h"

/* Beyond all memory, and nothing is there: reads are constant, writes vanish. */
#define WINDOW		0x8000000000ULL
#define WINDOW_SIZE	SZ_16M
#define BAR_SIZE	SZ_16K

static void set_word(u8 *at, u16 val)
{
	at[0] = val;
	at[1] = val >> 8;
}

static u16 get_word(const u8 *at)
{
	return at[0] | at[1] << 8;
}

/* ---- what writes do ---- */

static void reset(struct fake_dev *dev)
{
	memcpy(dev->cfg, dev->boot, sizeof(dev->cfg));
	dev->asleep = false;
	dev->vpd_left = 0;
	if (dev->at_reset)
		dev->at_reset(dev);
}

static void reset_below(struct fake_host *host, struct fake_dev *bridge)
{
	unsigned int i;

	bridge->bus_resets++;
	for (i = 0; i < host->nr; i++)
		if (host->dev[i]->bus == bridge->boot[PCI_SECONDARY_BUS])
			reset(host->dev[i]);
}

static bool covers(int where, int size, int pos)
{
	return where <= pos && pos < where + size;
}

/* One large resource, of which each byte is its address, and the end tag. */
static u8 vpd_byte(u16 addr)
{
	switch (addr) {
	case 0:
		return 0x82;
	case 1:
		return FAKE_VPD_SIZE - 4;
	case 2:
		return 0;
	case FAKE_VPD_SIZE - 1:
		return 0x78;
	}
	return addr;
}

/**
 * fake_vpd_word - what a device with FAKE_VPD says of itself
 * @addr: where
 *
 * Return: four bytes.
 */
u32 fake_vpd_word(u16 addr)
{
	return vpd_byte(addr) | vpd_byte(addr + 1) << 8 |
	       vpd_byte(addr + 2) << 16 | (u32)vpd_byte(addr + 3) << 24;
}

/* A word of VPD was asked for. */
static void begin_vpd(struct fake_dev *dev)
{
	dev->vpds++;
	dev->vpd_left = dev->vpd_reads;
}

/* Each look at the address register brings it nearer. */
static void step_vpd(struct fake_dev *dev)
{
	u8 *addr = &dev->cfg[FAKE_VPD_POS + PCI_VPD_ADDR];
	u8 *data = &dev->cfg[FAKE_VPD_POS + PCI_VPD_DATA];
	u32 word = fake_vpd_word(get_word(addr));

	if (!dev->vpd_left || dev->vpd_left == FAKE_VPD_NEVER || --dev->vpd_left)
		return;
	set_word(data, word);
	set_word(data + 2, word >> 16);
	set_word(addr, get_word(addr) | PCI_VPD_ADDR_F);
}

/* No_Soft_Reset clear is to forget all in D3hot. */
static void change_power(struct fake_dev *dev, u8 state)
{
	const u8 *pm = &dev->boot[FAKE_PM_POS + PCI_PM_CTRL];

	if (state == 3)
		dev->d3s++;
	else if (dev->asleep && !(*pm & PCI_PM_CTRL_NO_SOFT_RESET))
		reset(dev);
	dev->asleep = state == 3;
}

/* Bits that are commands: carried out, and never read back as set. */
static void obey(struct fake_host *host, struct fake_dev *dev, int where,
		 int size)
{
	u8 *devctl = &dev->cfg[FAKE_PCIE_POS + PCI_EXP_DEVCTL];
	u8 *af = &dev->cfg[FAKE_AF_POS + PCI_AF_CTRL];
	u8 *bridge = &dev->cfg[PCI_BRIDGE_CONTROL];
	u8 *pm = &dev->cfg[FAKE_PM_POS + PCI_PM_CTRL];

	if (covers(where, size, FAKE_PCIE_POS + PCI_EXP_DEVCTL + 1) &&
	    get_word(devctl) & PCI_EXP_DEVCTL_BCR_FLR) {
		dev->flrs++;
		reset(dev);
	} else if (covers(where, size, FAKE_AF_POS + PCI_AF_CTRL) &&
		   *af & PCI_AF_CTRL_FLR) {
		dev->flrs++;
		reset(dev);
	} else if (covers(where, size, FAKE_PM_POS + PCI_PM_CTRL)) {
		change_power(dev, *pm & PCI_PM_CTRL_STATE_MASK);
	} else if (dev->vpd_reads &&
		   covers(where, size, FAKE_VPD_POS + PCI_VPD_ADDR)) {
		begin_vpd(dev);
	} else if (dev->boot[PCI_HEADER_TYPE] == PCI_HEADER_TYPE_BRIDGE &&
		   covers(where, size, PCI_BRIDGE_CONTROL) &&
		   *bridge & PCI_BRIDGE_CTL_BUS_RESET) {
		reset_below(host, dev);
	}
}

/* ---- pci_ops; the core calls them one at a time ---- */

static struct fake_host *host_of(struct pci_bus *bus)
{
	return container_of((struct pci_sysdata *)bus->sysdata,
			    struct fake_host, sysdata);
}

static bool beyond(int where, int size)
{
	return where + size > PCI_CFG_SPACE_EXP_SIZE;
}

/* The device, unless this access is one that it does not answer. */
static struct fake_dev *reach(struct pci_bus *bus, unsigned int devfn)
{
	struct fake_host *host = host_of(bus);
	unsigned int i;

	for (i = 0; i < host->nr; i++) {
		struct fake_dev *dev = host->dev[i];

		if (dev->bus != bus->number || dev->devfn != devfn)
			continue;
		host->accesses++;
		return host->accesses == host->fail_at ||
		       (host->gone_at && host->accesses >= host->gone_at) ?
		       NULL : dev;
	}
	return NULL;
}

/* An access that does not reach a device: an error, or as if it was nothing. */
static int lose(struct pci_bus *bus, int where, int size)
{
	struct fake_host *host = host_of(bus);

	host->lost_at = where;
	host->lost_size = size;
	return host->accesses && host->accesses == host->fail_at ?
	       PCIBIOS_DEVICE_NOT_FOUND : PCIBIOS_SUCCESSFUL;
}

static int fake_read(struct pci_bus *bus, unsigned int devfn, int where,
		     int size, u32 *val)
{
	struct fake_dev *dev = reach(bus, devfn);
	int i;

	*val = ~0U;
	if (beyond(where, size))
		return PCIBIOS_BAD_REGISTER_NUMBER;
	if (!dev)
		return lose(bus, where, size);
	*val = 0;
	mdelay(host_of(bus)->read_ms);
	if (covers(where, size, FAKE_VPD_POS + PCI_VPD_ADDR))
		step_vpd(dev);
	for (i = 0; i < size; i++)
		*val |= (u32)dev->cfg[where + i] << (i * 8);
	return PCIBIOS_SUCCESSFUL;
}

static int fake_write(struct pci_bus *bus, unsigned int devfn, int where,
		      int size, u32 val)
{
	struct fake_dev *dev = reach(bus, devfn);
	int i;

	if (beyond(where, size))
		return PCIBIOS_BAD_REGISTER_NUMBER;
	if (!dev)
		return lose(bus, where, size);
	for (i = 0; i < size; i++) {
		u8 rw = dev->rw[where + i];

		dev->cfg[where + i] &= ~rw;
		dev->cfg[where + i] |= (val >> (i * 8)) & rw;
	}
	obey(host_of(bus), dev, where, size);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops fake_ops = {
	.read = fake_read,
	.write = fake_write,
};

/* ---- how a device is made ---- */

static void link_cap(struct fake_dev *dev, u8 pos, u8 id)
{
	dev->boot[pos] = id;
	dev->boot[pos + 1] = dev->boot[PCI_CAPABILITY_LIST];
	dev->boot[PCI_CAPABILITY_LIST] = pos;
	dev->boot[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
}

static void make_header(struct fake_dev *dev)
{
	set_word(&dev->boot[PCI_VENDOR_ID], 0x1b36);
	set_word(&dev->boot[PCI_DEVICE_ID], 0xfa4e);
	set_word(&dev->boot[PCI_CLASS_DEVICE], PCI_CLASS_NETWORK_ETHERNET);
	set_word(&dev->rw[PCI_COMMAND], 0x0547);
	dev->rw[PCI_CACHE_LINE_SIZE] = 0xff;
	dev->rw[PCI_LATENCY_TIMER] = 0xff;
	dev->rw[PCI_INTERRUPT_LINE] = 0xff;
	/* One 64-bit BAR, prefetchable as the window is. */
	dev->boot[PCI_BASE_ADDRESS_0] = PCI_BASE_ADDRESS_MEM_TYPE_64 |
					PCI_BASE_ADDRESS_MEM_PREFETCH;
	memset(&dev->rw[PCI_BASE_ADDRESS_0], 0xff, 8);
	set_word(&dev->rw[PCI_BASE_ADDRESS_0], (u16)~(BAR_SIZE - 1));
}

static void make_bridge(struct fake_dev *dev)
{
	set_word(&dev->boot[PCI_VENDOR_ID], 0x1b36);
	set_word(&dev->boot[PCI_DEVICE_ID], 0xfa4f);
	set_word(&dev->boot[PCI_CLASS_DEVICE], PCI_CLASS_BRIDGE_PCI);
	set_word(&dev->rw[PCI_COMMAND], 0x0547);
	dev->boot[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_BRIDGE;
	dev->boot[PCI_SECONDARY_BUS] = 1;
	dev->boot[PCI_SUBORDINATE_BUS] = 1;
	memset(&dev->rw[PCI_PRIMARY_BUS], 0xff, 3);
	set_word(&dev->rw[PCI_BRIDGE_CONTROL], 0xffff);
	/* A window for 64-bit prefetchable memory. */
	dev->boot[PCI_PREF_MEMORY_BASE] = PCI_PREF_RANGE_TYPE_64;
	dev->boot[PCI_PREF_MEMORY_LIMIT] = PCI_PREF_RANGE_TYPE_64;
	set_word(&dev->rw[PCI_PREF_MEMORY_BASE], 0xfff0);
	set_word(&dev->rw[PCI_PREF_MEMORY_LIMIT], 0xfff0);
	memset(&dev->rw[PCI_PREF_BASE_UPPER32], 0xff, 8);
}

static void make_pcie(struct fake_dev *dev, bool flr)
{
	u8 *cap = &dev->boot[FAKE_PCIE_POS];

	link_cap(dev, FAKE_PCIE_POS, PCI_CAP_ID_EXP);
	set_word(cap + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_RC_END << 4);
	if (flr)
		cap[PCI_EXP_DEVCAP + 3] = PCI_EXP_DEVCAP_FLR >> 24;
	set_word(&dev->rw[FAKE_PCIE_POS + PCI_EXP_DEVCTL], 0xffff);
	set_word(&dev->rw[FAKE_PCIE_POS + PCI_EXP_DEVCTL2], 0x05ff);
}

static void make_interrupts(struct fake_dev *dev, unsigned long has)
{
	if (has & FAKE_MSI) {
		link_cap(dev, FAKE_MSI_POS, PCI_CAP_ID_MSI);
		/* Four vectors, 64-bit addresses. */
		dev->boot[FAKE_MSI_POS + PCI_MSI_FLAGS] =
			PCI_MSI_FLAGS_64BIT | 2 << 1;
		dev->rw[FAKE_MSI_POS + PCI_MSI_FLAGS] =
			PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE;
		memset(&dev->rw[FAKE_MSI_POS + PCI_MSI_ADDRESS_LO], 0xff, 10);
		dev->rw[FAKE_MSI_POS + PCI_MSI_ADDRESS_LO] = 0xfc;
	}
	if (has & FAKE_MSIX) {
		link_cap(dev, FAKE_MSIX_POS, PCI_CAP_ID_MSIX);
		/* The table at the start of BAR 0, pending bits in its middle. */
		dev->boot[FAKE_MSIX_POS + PCI_MSIX_FLAGS] = FAKE_NR_MSIX - 1;
		set_word(&dev->boot[FAKE_MSIX_POS + PCI_MSIX_PBA],
			 BAR_SIZE / 2);
		set_word(&dev->rw[FAKE_MSIX_POS + PCI_MSIX_FLAGS],
			 PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	}
}

static void make_resets(struct fake_dev *dev, unsigned long has)
{
	if (has & FAKE_PM) {
		link_cap(dev, FAKE_PM_POS, PCI_CAP_ID_PM);
		set_word(&dev->boot[FAKE_PM_POS + PCI_PM_PMC], 3);
		set_word(&dev->rw[FAKE_PM_POS + PCI_PM_CTRL], 0x0003);
	}
	if (has & FAKE_AF) {
		link_cap(dev, FAKE_AF_POS, PCI_CAP_ID_AF);
		dev->boot[FAKE_AF_POS + PCI_AF_LENGTH] = PCI_CAP_AF_SIZEOF;
		dev->boot[FAKE_AF_POS + PCI_AF_CAP] = PCI_AF_CAP_TP |
						      PCI_AF_CAP_FLR;
		dev->rw[FAKE_AF_POS + PCI_AF_CTRL] = PCI_AF_CTRL_FLR;
	}
	if (has & (FAKE_PCIE | FAKE_FLR))
		make_pcie(dev, has & FAKE_FLR);
}

static void make_aer(struct fake_dev *dev)
{
	set_word(&dev->boot[FAKE_AER_POS], PCI_EXT_CAP_ID_ERR);
	set_word(&dev->boot[FAKE_AER_POS + 2], 2);
}

static void make_vpd(struct fake_dev *dev)
{
	link_cap(dev, FAKE_VPD_POS, PCI_CAP_ID_VPD);
	set_word(&dev->rw[FAKE_VPD_POS + PCI_VPD_ADDR], 0xffff);
	dev->vpd_reads = 1;
}

/**
 * fake_host_add - put a device on a host that is not started yet
 * @host: host
 * @bus: number of the bus, 1 behind a bridge
 * @devfn: on that bus
 * @has: FAKE_*
 *
 * Its bytes may be changed before the start.
 *
 * Return: the device, or NULL.
 */
struct fake_dev *fake_host_add(struct fake_host *host, u8 bus, u8 devfn,
			       unsigned long has)
{
	struct fake_dev *dev;

	if (host->nr == FAKE_MAX_DEVS)
		return NULL;
	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return NULL;
	dev->bus = bus;
	dev->devfn = devfn;
	if (has & FAKE_BRIDGE)
		make_bridge(dev);
	else
		make_header(dev);
	make_interrupts(dev, has);
	make_resets(dev, has);
	if (has & FAKE_VPD)
		make_vpd(dev);
	if (has & FAKE_AER)
		make_aer(dev);
	host->dev[host->nr++] = dev;
	return dev;
}

/* ---- the bridge ---- */

/**
 * fake_host_alloc - a host without devices
 *
 * Return: the host, or NULL.
 */
struct fake_host *fake_host_alloc(void)
{
	struct fake_host *host = kzalloc(sizeof(*host), GFP_KERNEL);

	if (!host)
		return NULL;
	host->parent = root_device_register("xpb-fake-host");
	if (IS_ERR(host->parent)) {
		kfree(host);
		return NULL;
	}
	host->sysdata.domain = FAKE_DOMAIN;
	host->sysdata.node = NUMA_NO_NODE;
	host->window = (struct resource)
		DEFINE_RES_MEM_NAMED(WINDOW, WINDOW_SIZE, "fake host");
	host->window.flags |= IORESOURCE_PREFETCH | IORESOURCE_MEM_64;
	return host;
}

/**
 * fake_host_start - have the PCI core find the devices
 * @host: host
 *
 * Return: 0 or -errno.
 */
int fake_host_start(struct fake_host *host)
{
	LIST_HEAD(resources);
	unsigned int i;
	int err;

	for (i = 0; i < host->nr; i++)
		reset(host->dev[i]);
	err = request_resource(&iomem_resource, &host->window);
	if (err)
		return err;
	pci_add_resource(&resources, &host->window);
	pci_lock_rescan_remove();
	host->bus = pci_scan_root_bus(host->parent, 0, &fake_ops,
				      &host->sysdata, &resources);
	if (host->bus) {
		pci_bus_size_bridges(host->bus);
		pci_bus_assign_resources(host->bus);
		/* A reset keeps what the core has assigned: BARs are ours. */
		pci_bus_add_devices(host->bus);
	}
	pci_unlock_rescan_remove();
	if (host->bus)
		return 0;
	pci_free_resource_list(&resources);
	release_resource(&host->window);
	return -ENOMEM;
}

/**
 * fake_host_free - unplug all
 * @host: host, or NULL
 */
void fake_host_free(struct fake_host *host)
{
	unsigned int i;

	if (!host)
		return;
	if (host->bus) {
		struct pci_host_bridge *bridge = pci_find_host_bridge(host->bus);

		pci_lock_rescan_remove();
		pci_stop_root_bus(host->bus);
		pci_remove_root_bus(host->bus);
		pci_unlock_rescan_remove();
		pci_free_host_bridge(bridge);
		release_resource(&host->window);
	}
	root_device_unregister(host->parent);
	for (i = 0; i < host->nr; i++)
		kfree(host->dev[i]);
	kfree(host);
}

/**
 * fake_host_pdev - a device as the PCI core found it
 * @host: host
 * @i: the device's number, in the order of fake_host_add()
 *
 * Return: the device with a reference, or NULL.
 */
struct pci_dev *fake_host_pdev(struct fake_host *host, unsigned int i)
{
	return pci_get_domain_bus_and_slot(FAKE_DOMAIN, host->dev[i]->bus,
					   host->dev[i]->devfn);
}

/**
 * fake_host_watch - count accesses from here on, and misbehave
 * @host: host
 * @fail_at: the access that is to fail, 0 for none
 * @gone_at: the access from which on no device answers, 0 for none
 */
void fake_host_watch(struct fake_host *host, unsigned int fail_at,
		     unsigned int gone_at)
{
	host->accesses = 0;
	host->fail_at = fail_at;
	host->gone_at = gone_at;
	host->lost_at = 0;
	host->lost_size = 0;
}
