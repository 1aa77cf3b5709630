// SPDX-License-Identifier: GPL-2.0
/* What a session reads and writes about its devices in xenstore. */
#include <linux/slab.h>
#include <xen/xenbus.h>

#include "pciback.h"
#include "plan.h"
#include "store.h"

/* More in one guest is no request but a mistake. */
#define MAX_DEVICES 4096

/* N of a key such as vdev-N */
#define KEY_SIZE sizeof("vdevfn-4294967295")

static int write_root(struct pciback_session *sess, struct xenbus_transaction xbt,
		      u32 root)
{
	const char *dir = sess->xdev->nodename;
	char key[KEY_SIZE];
	int err;

	snprintf(key, sizeof(key), "root-%u", sess->nr_roots);
	err = xenbus_printf(xbt, dir, key, "%04x:%02x", root >> 8, root & 0xff);
	if (err)
		return err;
	return xenbus_printf(xbt, dir, "root_num", "%d", sess->nr_roots + 1);
}

static bool root_known(const struct pciback_session *sess, u32 root)
{
	unsigned int i;

	for (i = 0; i < sess->nr_roots; i++)
		if (sess->root[i] == root)
			return true;
	return false;
}

static int write_vdev(struct xenbus_transaction xbt, const char *dir,
		      const struct pciback_keys *keys)
{
	char key[KEY_SIZE];
	u32 vaddr;

	snprintf(key, sizeof(key), "vdev-%u", keys->index);
	if (keys->drop && xenbus_exists(xbt, dir, key))
		return xenbus_rm(xbt, dir, key);
	if (!keys->vdev)
		return 0;
	vaddr = keys->vdev->vaddr;
	return xenbus_printf(xbt, dir, key, "%04x:%02x:%02x.%02x", vaddr >> 16,
			     vaddr >> 8 & 0xff, PCI_SLOT(vaddr & 0xff),
			     PCI_FUNC(vaddr & 0xff));
}

static int write_keys(struct pciback_session *sess, struct xenbus_transaction xbt,
		      const struct pciback_keys *keys)
{
	const char *dir = sess->xdev->nodename;
	char key[KEY_SIZE];
	int err = 0;

	/* Nothing is written where the toolstack removed what we write about. */
	snprintf(key, sizeof(key), "dev-%u", keys->index);
	if (!xenbus_exists(xbt, dir, "state") ||
	    (keys->state && !xenbus_exists(xbt, dir, key)))
		return -ENOENT;
	if (keys->root >= 0 && !root_known(sess, keys->root))
		err = write_root(sess, xbt, keys->root);
	if (err || !keys->state)
		return err;
	err = write_vdev(xbt, dir, keys);
	if (err)
		return err;
	snprintf(key, sizeof(key), "state-%u", keys->index);
	return xenbus_printf(xbt, dir, key, "%d", keys->state);
}

/**
 * pciback_store_write - write a device's keys, and its bus where it is new
 * @sess: session; the caller holds its lock
 * @keys: what to write
 *
 * Return: 0; -ENOENT: the toolstack removed the device or all of the directory;
 * -ENOSPC: there are too many buses; or another -errno.
 */
int pciback_store_write(struct pciback_session *sess,
			const struct pciback_keys *keys)
{
	bool new_root = keys->root >= 0 && !root_known(sess, keys->root);
	struct xenbus_transaction xbt;
	int err, end;

	if (new_root && sess->nr_roots == PCIBACK_MAX_ROOTS)
		return -ENOSPC;
	do {
		err = xenbus_transaction_start(&xbt);
		if (err)
			return err;
		err = write_keys(sess, xbt, keys);
		end = xenbus_transaction_end(xbt, !!err);
	} while (end == -EAGAIN);
	if (err || end)
		return err ? err : end;

	if (new_root)
		sess->root[sess->nr_roots++] = keys->root;
	return 0;
}

/**
 * pciback_store_state - write the state of a device that has no new address
 * @sess: session; the caller holds its lock
 * @index: N of its keys
 * @state: for state-N
 * @drop: it has lost its address
 */
void pciback_store_state(struct pciback_session *sess, unsigned int index,
			 enum xenbus_state state, bool drop)
{
	struct pciback_keys keys = {
		.index = index, .state = state, .drop = drop, .root = -1,
	};

	pciback_store_write(sess, &keys);
}

/*
 * Only what the toolstack asks for: that it does not ask for permissive takes
 * nothing from a device that the administrator made so.
 */
static void read_options(struct pciback_session *sess, struct pciback_wish *wish)
{
	const char *dir = sess->xdev->nodename;
	unsigned int vdevfn;
	char key[KEY_SIZE];
	char *opts;

	snprintf(key, sizeof(key), "vdevfn-%u", wish->index);
	if (xenbus_scanf(XBT_NIL, dir, key, "%x", &vdevfn) == 1 && vdevfn < 0x100)
		wish->vdevfn = vdevfn;
	snprintf(key, sizeof(key), "opts-%u", wish->index);
	opts = xenbus_read(XBT_NIL, dir, key, NULL);
	if (IS_ERR(opts))
		return;
	wish->permissive = strstr(opts, "permissive=1");
	kfree(opts);
}

static void read_wish(struct pciback_session *sess, struct pciback_wish *wish,
		      unsigned int index)
{
	const char *dir = sess->xdev->nodename;
	char key[KEY_SIZE];
	char *name;

	wish->index = index;
	snprintf(key, sizeof(key), "dev-%u", index);
	name = xenbus_read(XBT_NIL, dir, key, NULL);
	if (!IS_ERR(name)) {
		wish->named = !pciback_parse_sbdf(name, &wish->sbdf);
		kfree(name);
	}
	snprintf(key, sizeof(key), "state-%u", index);
	wish->state = xenbus_read_unsigned(dir, key, XenbusStateUnknown);
	read_options(sess, wish);
}

/**
 * pciback_store_wishes - take a snapshot of what the toolstack asks for
 * @sess: session
 * @wishes: the snapshot, to be released by kvfree(); ->exported is not set
 * @nr: number of wishes
 *
 * Return: 0; -ENOENT: nothing is said yet; -ERANGE; -ENOMEM.
 */
int pciback_store_wishes(struct pciback_session *sess,
			 struct pciback_wish **wishes, unsigned int *nr)
{
	unsigned int i;
	int got;

	got = xenbus_scanf(XBT_NIL, sess->xdev->nodename, "num_devs", "%u", nr);
	if (got != 1)
		return -ENOENT;
	if (*nr > MAX_DEVICES) {
		xenbus_dev_error(sess->xdev, -ERANGE, "num_devs is %u", *nr);
		return -ERANGE;
	}
	*wishes = kvcalloc(*nr, sizeof(**wishes), GFP_KERNEL);
	if (!*wishes)
		return -ENOMEM;
	for (i = 0; i < *nr; i++)
		read_wish(sess, &(*wishes)[i], i);
	return 0;
}
