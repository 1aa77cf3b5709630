/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels this driver builds for, and nowhere else.
 * For a tree of its own version this file is not needed.
 */
#ifndef XEN_PCIBACK_COMPAT_H
#define XEN_PCIBACK_COMPAT_H

#include <linux/pci.h>
#include <linux/sysfs.h>
#include <xen/acpi.h>
#include <xen/interface/physdev.h>
#include <xen/privcmd.h>

/* The attribute that a binary file's functions get became const (6.17). */
#define PCIBACK_BIN_READ						\
	ssize_t (*)(struct file *, struct kobject *,			\
		    struct bin_attribute *, char *, loff_t, size_t)
#define PCIBACK_BIN_NOT_CONST						\
	__builtin_types_compatible_p(PCIBACK_BIN_READ,			\
		typeof(((struct bin_attribute *)NULL)->read))
#define pciback_bin_attr_t						\
	typeof(__builtin_choose_expr(PCIBACK_BIN_NOT_CONST,		\
				     (struct bin_attribute *)NULL,	\
				     (const struct bin_attribute *)NULL))

/* A PVH dom0 that gives devices away (6.12). */
#ifndef IOCTL_PRIVCMD_PCIDEV_GET_GSI
static inline int xen_acpi_get_gsi_info(struct pci_dev *pdev, int *gsi,
					int *trigger, int *polarity)
{
	return -EOPNOTSUPP;
}

static inline int xen_pvh_setup_gsi(int gsi, int trigger, int polarity)
{
	return -EOPNOTSUPP;
}

static inline void xen_acpi_register_get_gsi_func(int (*fn)(u32 sbdf))
{
}
#endif

#ifndef PHYSDEVOP_pci_device_reset
static inline int xen_reset_device(const struct pci_dev *pdev)
{
	return 0;
}
#endif

#endif /* XEN_PCIBACK_COMPAT_H */
