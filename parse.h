/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses of devices, and how people write them. */
#ifndef XEN_PCIBACK_PARSE_H
#define XEN_PCIBACK_PARSE_H

#include <linux/kernel.h>
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

/**
 * struct pciback_name - an address as people read it
 * @s: as pci_name() has it
 */
struct pciback_name {
	char s[sizeof("ffff:ff:1f.7")];
};

/**
 * pciback_name - write an address, for use in the arguments of a message
 * @sbdf: address
 *
 * Return: the text, in a structure that outlives the call.
 */
static inline struct pciback_name pciback_name(u32 sbdf)
{
	struct pciback_name name;

	snprintf(name.s, sizeof(name.s), "%04x:%02x:%02x.%d", sbdf >> 16,
		 sbdf >> 8 & 0xff, sbdf >> 3 & 0x1f, sbdf & 7);
	return name;
}

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
