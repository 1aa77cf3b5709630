/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a guest may do, bit by bit: an independent and naive statement of the
 * engine's semantics, against which the driver's one is compared.
 *
 * A register is text, one letter for each bit, the highest first; blanks are
 * for the reader:
 *
 *	-  hardware, read only		.  no register: a gap
 *	p  as -, but rw if permissive	r  hardware, rw
 *	c  hardware, cleared by one	a  hardware, rw, carried out by the core
 *	s  as a, and that sleeps	f  virtual, read only, as hardware was
 *	0  as f, but zero		v  virtual, rw
 *	z  virtual, cleared by one	A  virtual, rw, with an action
 *	S  as A, and that sleeps
 */
#ifndef TEST_MODEL_H
#define TEST_MODEL_H

#include "../../conf_space.h"
#include "emul.h"

struct model;
struct model_reg;

/*
 * What happens after a write that covers an a, s, A or S: @old and @new are the
 * register before and after. A hook for a and s sets the bits by hw_put().
 */
typedef int model_act_fn(struct model *m, struct model_reg *reg, u32 old,
			 u32 new);

/**
 * struct model_reg - a register of the model
 * @pos: first byte
 * @size: in bytes
 * @bits: see above
 * @virt: its virtual bits
 * @value: of virtual bits on a fresh device, if @has_value
 * @has_value: else they are as hardware was
 * @window: for a BAR, the address bits that it decodes
 * @bar: reads as a BAR does
 * @act: the action, or NULL
 */
struct model_reg {
	unsigned int pos;
	unsigned int size;
	const char *bits;
	u32 virt;
	u32 value;
	bool has_value;
	u32 window;
	bool bar;
	model_act_fn *act;
};

#define MODEL_REGS 256

/**
 * struct model - a device under the model's policy
 * @size: of config space
 * @nr: number of @reg
 * @reg: in the order of their position
 * @kind: letter of each bit of config space
 * @owner: register of each byte, or -1
 * @closed: bytes that stay shut on a permissive device
 * @zero: bytes that read as zero
 * @hw: config space in hardware, as it should be
 * @hw_w1c: bits of @hw that clear by one
 * @hw_fixed: bits of @hw that a write does not change
 * @shadow: the virtual bits
 * @fresh: @shadow of a fresh device
 * @calls: what should have been called
 * @emul: for its switches
 * @slow: the last write needs process context
 * @raw: the last write has something to write to hardware
 */
struct model {
	unsigned int size;
	unsigned int nr;
	struct model_reg reg[MODEL_REGS];
	char kind[4096 * 8];
	short owner[4096];
	bool closed[4096];
	bool zero[4096];
	u8 hw[4096];
	u8 hw_w1c[4096];
	u8 hw_fixed[4096];
	u8 shadow[4096];
	u8 fresh[4096];
	struct emul_calls calls;
	const struct emul *emul;
	bool slow;
	bool raw;
};

void model_init(struct model *m, const struct emul *emul);
struct model_reg *model_add(struct model *m, unsigned int pos,
			    unsigned int size, const char *bits);
void model_seal(struct model *m);
void model_fresh(struct model *m);
u32 model_hw(const struct model *m, unsigned int pos, unsigned int size);
void model_hw_put(struct model *m, unsigned int pos, unsigned int size, u32 mask,
		  u32 val);
u32 model_shadow(const struct model *m, const struct model_reg *reg);
void model_shadow_put(struct model *m, const struct model_reg *reg, u32 val);
u32 model_mask(const struct model_reg *reg, const char *letters);
int model_read(struct model *m, long offset, long size, u32 *val, bool *touches);
int model_write(struct model *m, long offset, long size, u32 val,
		bool permissive, u32 *denied);

/* rig: the driver and the model side by side */

/**
 * struct rig - a device under both
 * @emul: the device
 * @conf: the driver's policy
 * @model: ours
 * @start: hardware on a fresh device
 */
struct rig {
	struct emul emul;
	struct pciback_conf *conf;
	struct model model;
	u8 start[4096];
};

void rig_fresh(struct rig *rig);
bool rig_read(struct rig *rig, long offset, long size);
bool rig_write(struct rig *rig, long offset, long size, u32 val,
	       bool permissive);
bool rig_dword(struct rig *rig, unsigned int dword);
bool rig_masks(struct rig *rig);

/* Complains; a program that only wants to know may redirect it. */
extern void (*rig_complain)(const char *text);

#endif /* TEST_MODEL_H */
