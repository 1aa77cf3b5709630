/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel as the driver's pure parts use, in user space. Every
 * file is compiled with "-include kernel.h"; the kernel headers that it names
 * and that the C library does not have are empty files, see the Makefile.
 */
#ifndef TEST_KERNEL_H
#define TEST_KERNEL_H

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/const.h>
#include <linux/pci.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;

#define __force
#define __rcu

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
/* There is one thread. */
#define READ_ONCE(x)		(x)
#define array_index_nospec(i, size)	(i)
#define WRITE_ONCE(x, val)	((x) = (val))
#define DIV_ROUND_UP		__KERNEL_DIV_ROUND_UP
#define GENMASK(high, low)						\
	((~0UL << (low)) & (~0UL >> (BITS_PER_LONG - 1 - (high))))
#define lower_32_bits(n)	((u32)(n))
#define upper_32_bits(n)	((u32)((u64)(n) >> 32))
#define le32_to_cpu(n)		((u32)(n))
#define struct_size(p, member, count)					\
	offsetof(typeof(*(p)), member[count])

#define min(a, b)							\
	({ typeof(a) _a = (a); typeof(b) _b = (b); _a < _b ? _a : _b; })
#define max(a, b)							\
	({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define min_t(type, a, b)	min((type)(a), (type)(b))

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

/* ---- Errors as pointers ---- */

static inline void *ERR_PTR(long err)
{
	return (void *)err;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= (unsigned long)-4095;
}

/* ---- Text ---- */

static inline char *skip_spaces(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return (char *)s;
}

/* ---- Bitmaps ---- */

#define BITS_PER_LONG		64
#define DECLARE_BITMAP(name, bits)					\
	unsigned long name[DIV_ROUND_UP(bits, BITS_PER_LONG)]

static inline bool test_bit(unsigned int bit, const unsigned long *map)
{
	return map[bit / BITS_PER_LONG] >> bit % BITS_PER_LONG & 1;
}

static inline void __set_bit(unsigned int bit, unsigned long *map)
{
	map[bit / BITS_PER_LONG] |= 1UL << bit % BITS_PER_LONG;
}

static inline void __clear_bit(unsigned int bit, unsigned long *map)
{
	map[bit / BITS_PER_LONG] &= ~(1UL << bit % BITS_PER_LONG);
}

static inline bool __test_and_set_bit(unsigned int bit, unsigned long *map)
{
	bool was = test_bit(bit, map);

	__set_bit(bit, map);
	return was;
}

static inline void bitmap_set(unsigned long *map, unsigned int start,
			      unsigned int nr)
{
	while (nr--)
		__set_bit(start++, map);
}

static inline unsigned long find_next_bit(const unsigned long *map,
					  unsigned long size,
					  unsigned long start)
{
	while (start < size && !test_bit(start, map))
		start++;
	return start < size ? start : size;
}

/* ---- Memory, in emul.c ---- */

#define GFP_KERNEL		0
#define GFP_ATOMIC		0

void *kzalloc(size_t size, int gfp);
void *kcalloc(size_t nr, size_t size, int gfp);
void *krealloc_array(void *old, size_t nr, size_t size, int gfp);
void *kmemdup(const void *src, size_t size, int gfp);
void kfree(const void *ptr);

#define __inline_bsearch(...)	bsearch(__VA_ARGS__)

#define PCI_POSSIBLE_ERROR(val)	((val) == (typeof(val))~0ULL)

static inline void sort(void *base, size_t nr, size_t size,
			int (*cmp)(const void *, const void *), void *swap)
{
	(void)swap;
	if (nr)
		qsort(base, nr, size, cmp);
}

/* ---- PCI, in emul.c ---- */

#define IORESOURCE_IO		0x00000100
#define IORESOURCE_MEM		0x00000200
#define IORESOURCE_MEM_64	0x00100000
#define IORESOURCE_UNSET	0x20000000
#define IORESOURCE_ROM_SHADOW	0x00000002
#define PCI_ROM_RESOURCE	6

typedef int __bitwise pci_power_t;

#define PCI_D0			((pci_power_t)0)

struct resource {
	u64 start;
	u64 end;
	unsigned long flags;
	struct resource *parent;
};

struct pci_bus_region {
	u64 start;
	u64 end;
};

struct pci_bus;

struct pci_dev {
	struct pci_bus *bus;
	u16 vendor;
	u16 device;
	int cfg_size;
	bool is_virtfn;
	u8 msi_cap;
	u8 msix_cap;
	pci_power_t current_state;
	struct resource resource[PCI_ROM_RESOURCE + 1];
};

static inline u64 resource_size(const struct resource *res)
{
	return res->end - res->start + 1;
}

void pcibios_resource_to_bus(struct pci_bus *bus, struct pci_bus_region *region,
			     struct resource *res);
int pci_read_config_byte(const struct pci_dev *pdev, int pos, u8 *val);
int pci_read_config_word(const struct pci_dev *pdev, int pos, u16 *val);
int pci_read_config_dword(const struct pci_dev *pdev, int pos, u32 *val);
int pci_write_config_byte(const struct pci_dev *pdev, int pos, u8 val);
int pci_write_config_word(const struct pci_dev *pdev, int pos, u16 val);
int pci_write_config_dword(const struct pci_dev *pdev, int pos, u32 val);
int pcie_capability_read_dword(struct pci_dev *pdev, int pos, u32 *val);
void pci_set_master(struct pci_dev *pdev);
void pci_clear_master(struct pci_dev *pdev);
int pci_try_set_mwi(struct pci_dev *pdev);
void pci_clear_mwi(struct pci_dev *pdev);
int pci_set_power_state(struct pci_dev *pdev, pci_power_t state);
int pcie_get_mps(struct pci_dev *pdev);
int pcie_set_readrq(struct pci_dev *pdev, int readrq);
int pci_enable_rom(struct pci_dev *pdev);
void pci_disable_rom(struct pci_dev *pdev);

/* ---- Only to be named by the driver's headers ---- */

enum xenbus_state {
	XenbusStateUnknown, XenbusStateInitialising, XenbusStateInitWait,
	XenbusStateInitialised, XenbusStateConnected, XenbusStateClosing,
	XenbusStateClosed, XenbusStateReconfiguring, XenbusStateReconfigured,
};

typedef u32 grant_ref_t;
typedef u32 evtchn_port_t;
typedef u16 domid_t;
#define spinlock_t int
#define wait_queue_head_t int

struct kref { int unused; };
struct mutex { int unused; };
struct list_head { struct list_head *next, *prev; };
struct rcu_head { void *unused; };
struct work_struct { int unused; };
typedef void (*work_func_t)(struct work_struct *work);
struct delayed_work { int unused; };
struct ratelimit_state { int unused; };
struct xenbus_watch { int unused; };
struct xen_pci_op { int unused; };
struct pci_saved_state;
struct xen_pci_sharedinfo;
struct msix_entry;
struct xenbus_device;
struct workqueue_struct;
struct attribute_group;
struct pci_error_handlers;

#endif /* TEST_KERNEL_H */
