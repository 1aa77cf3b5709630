/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses of devices, and how people write them. */
#ifndef XEN_PCIBACK_PARSE_H
#define XEN_PCIBACK_PARSE_H

#include <linux/types.h>

/**
 * pciback_sbdf - one number for a device's address
 * @domain: PCI segment, 16 bits
 * @bus: bus number, 8 bits
 * @devfn: as by PCI_DEVFN()
 *
 * Return: the address; addresses compare as their parts do, in this order.
 */
static inline u32 pciback_sbdf(u16 domain, u8 bus, u8 devfn)
{
	return (u32)domain << 16 | bus << 8 | devfn;
}

/* The format of pci_name(), and its arguments for an address. */
#define SBDF_FMT "%04x:%02x:%02x.%d"
#define SBDF_ARG(sbdf)							\
	(sbdf) >> 16, (sbdf) >> 8 & 0xff, (sbdf) >> 3 & 0x1f, (sbdf) & 7

/**
 * struct pciback_pattern - some addresses
 * @sbdf: an address x is meant if (x & @mask) equals @sbdf
 * @mask: ~0 for a single device
 */
struct pciback_pattern {
	u32 sbdf;
	u32 mask;
};

/**
 * struct pciback_quirk - a register that the administrator opens
 * @sbdf: device
 * @reg: offset in config space
 * @size: 1, 2 or 4 bytes
 * @mask: bits that become writable; never 0
 */
struct pciback_quirk {
	u32 sbdf;
	u32 reg;
	u32 size;
	u32 mask;
};

int pciback_parse_pattern(const char *s, struct pciback_pattern *pattern);
int pciback_parse_sbdf(const char *s, u32 *sbdf);
int pciback_parse_quirk(const char *s, struct pciback_quirk *quirk);
int pciback_parse_hide(const char **s, struct pciback_pattern *pattern,
		       unsigned int *len);

#endif /* XEN_PCIBACK_PARSE_H */
