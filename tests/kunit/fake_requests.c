// SPDX-License-Identifier: GPL-2.0
/* The requests of a guest that has one device, each with its answer. */
#include "fake_xen.h"

/**
 * fake_guest_cmd - ask for something, and wait for the answer
 * @guest: connected guest
 * @op: the request, but for its command; gets the answer
 * @cmd: XEN_PCI_OP_*
 *
 * Return: XEN_PCI_ERR_*, or -ETIMEDOUT.
 */
int fake_guest_cmd(struct fake_guest *guest, struct xen_pci_op *op, u32 cmd)
{
	int err;

	op->cmd = cmd;
	err = fake_guest_op(guest, op);
	return err ?: op->err;
}

/**
 * fake_guest_read - read config space
 * @guest: connected guest
 * @offset: first byte
 * @size: 1, 2 or 4 bytes
 * @val: what was read
 *
 * Return: XEN_PCI_ERR_*, or -ETIMEDOUT.
 */
int fake_guest_read(struct fake_guest *guest, int offset, int size, u32 *val)
{
	struct xen_pci_op op = { .offset = offset, .size = size };
	int err = fake_guest_cmd(guest, &op, XEN_PCI_OP_conf_read);

	*val = op.value;
	return err;
}

/**
 * fake_guest_write - write config space
 * @guest: connected guest
 * @offset: first byte
 * @size: 1, 2 or 4 bytes
 * @val: what is written
 *
 * Return: XEN_PCI_ERR_*, or -ETIMEDOUT.
 */
int fake_guest_write(struct fake_guest *guest, int offset, int size, u32 val)
{
	struct xen_pci_op op = {
		.offset = offset, .size = size, .value = val,
	};

	return fake_guest_cmd(guest, &op, XEN_PCI_OP_conf_write);
}
