// SPDX-License-Identifier: GPL-2.0
/* A guest's accesses to a device with a real policy, against the model. */
#include "devices.h"

int fuzz_one(const u8 *data, size_t size);

/**
 * struct step - an access, made of the input
 * @offset: where; above config space too
 * @what: bits 0-1 its width, 2 write, 3 permissive, 4 the core refuses, 5 MSI
 *	control is given, 6 back to a fresh device, 7 the guest has failed too often
 * @value: what is written
 */
struct step {
	u16 offset;
	u8 what;
	u32 value;
};

/* Bytes of input for one. */
#define STEP 7

static bool take(struct rig *rig, const struct step *step)
{
	static const int sizes[] = { 1, 2, 4, 3 };
	long offset = (short)(step->offset << 3) >> 3, size = sizes[step->what & 3];

	rig->emul.refuse = step->what & 0x10;
	rig->emul.msi_control = step->what & 0x20;
	rig->emul.limited = step->what & 0x80;
	if (step->what & 0x40)
		rig_fresh(rig);
	if (step->what & 4)
		return rig_write(rig, offset, size, step->value, step->what & 8);
	return rig_read(rig, offset, size);
}

int fuzz_one(const u8 *data, size_t size)
{
	static struct rig rigs[8];
	struct rig *rig;
	struct step step;

	if (!size)
		return 0;
	rig = &rigs[*data % fake_devs_nr];
	if (!rig->conf && !fake_rig(rig, &fake_devs[*data % fake_devs_nr]))
		abort();
	rig_fresh(rig);
	for (data++, size--; size >= STEP; data += STEP, size -= STEP) {
		memcpy(&step.offset, data, 2);
		step.what = data[2];
		memcpy(&step.value, data + 3, 4);
		if (!take(rig, &step))
			abort();
	}
	return 0;
}
