/* SPDX-License-Identifier: GPL-2.0 */
/* Devices to try the policy on, and the policy as the specifications have it. */
#ifndef TEST_DEVICES_H
#define TEST_DEVICES_H

#include "model.h"

/**
 * struct fake_cap - a capability of a device
 * @pos: where
 * @id: PCI_CAP_ID_* or PCI_EXT_CAP_ID_*
 * @len: how long it is by its specification, in bytes
 * @word: content by dwords; ID and next pointer are filled in
 */
struct fake_cap {
	u16 pos;
	u16 id;
	u16 len;
	u32 word[16];
};

/**
 * struct fake_bar - a resource
 * @start: where the host has it, as a CPU address; 0: it found no room
 * @size: in bytes; 0: none
 * @flags: IORESOURCE_* and the BAR's own low bits
 */
struct fake_bar {
	u64 start;
	u32 size;
	unsigned long flags;
};

/**
 * struct fake_dev - a device
 * @name: of it
 * @size: of config space
 * @virtfn: its IDs and BARs read as the SR-IOV specification says
 * @bar: resources
 * @rom: ROM
 * @caps: first chain, in its order, up to one at 0
 * @ext: second chain, the first at 0x100
 */
struct fake_dev {
	const char *name;
	unsigned int size;
	bool virtfn;
	struct fake_bar bar[6];
	struct fake_bar rom;
	const struct fake_cap *caps;
	const struct fake_cap *ext;
};

extern const struct fake_dev fake_devs[];
extern const unsigned int fake_devs_nr;

void fake_fill(struct emul *emul, const struct fake_dev *dev);
void want_policy(struct model *m, const struct fake_dev *dev);

/* Device and both policies; false if the driver cannot build its own. */
bool fake_rig(struct rig *rig, const struct fake_dev *dev);

#endif /* TEST_DEVICES_H */
