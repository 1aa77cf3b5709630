/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels this driver builds for, and nowhere else.
 * For a tree of its own version this file is not needed.
 */
#ifndef XEN_PCIBACK_COMPAT_H
#define XEN_PCIBACK_COMPAT_H

#include <linux/sysfs.h>

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

#endif /* XEN_PCIBACK_COMPAT_H */
