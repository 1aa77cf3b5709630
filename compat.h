/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels this driver builds for, and nowhere else.
 * For a tree of its own version this file is not needed.
 */
#ifndef XEN_PCIBACK_COMPAT_H
#define XEN_PCIBACK_COMPAT_H

#include <linux/sysfs.h>

/* The attribute that a binary file's functions get became const (6.17). */
typedef ssize_t pciback_bin_read_t(struct file *, struct kobject *,
				   struct bin_attribute *, char *, loff_t,
				   size_t);
typedef typeof(__builtin_choose_expr(
	__builtin_types_compatible_p(typeof(((struct bin_attribute *)0)->read),
				     pciback_bin_read_t *),
	(struct bin_attribute *)0,
	(const struct bin_attribute *)0)) pciback_bin_attr_t;

#endif /* XEN_PCIBACK_COMPAT_H */
