// SPDX-License-Identifier: GPL-2.0
/* What a session reads and writes about its devices in xenstore. */
#include <linux/slab.h>
#include <xen/xenbus.h>

#include "pciback.h"
#include "plan.h"
#include "store.h"

/* More in one guest is no request but a mistake. */
#define MAX_DEVICES 4096

/* A key with a number, such as vdev-N. */
struct pciback_key {
	char s[sizeof("vdevfn-4294967295")];
};

static struct pciback_key numbered(const char *name, unsigned int n)
{
	struct pciback_key key;

	snprintf(key.s, sizeof(key.s), "%s-%u", name, n);
	return key;
}

/**
 * pciback_store_number - read a key
 * @xbt: transaction, or XBT_NIL
 * @dir: directory
 * @key: name in it
 * @val: its value; 0 if it is missing or no number
 *
 * Return: 0; or -errno if it cannot be read, which says nothing of what it is.
 */
int pciback_store_number(struct xenbus_transaction xbt, const char *dir,
			 const char *key, unsigned int *val)
{
	int err = xenbus_scanf(xbt, dir, key, "%u", val);

	if (err == 1)
		return 0;
	*val = 0;
	return err == -ENOENT || err == -ERANGE ? 0 : err;
}

static int write_root(struct pciback_session *sess, struct xenbus_transaction xbt,
		      u32 root)
{
	const char *dir = sess->xdev->nodename;
	int err;

	err = xenbus_printf(xbt, dir, numbered("root", sess->nr_roots).s,
			    "%04x:%02x", root >> 8, root & 0xff);
	if (err)
		return err;
	return xenbus_printf(xbt, dir, "root_num", "%d", sess->nr_roots + 1);
}

static bool root_known(const struct pciback_session *sess, u32 root)
{
	unsigned int i;

	for (i = 0; i < sess->nr_roots; i++) {
		if (sess->root[i] == root)
			return true;
	}
	return false;
}

static int write_vdev(struct xenbus_transaction xbt, const char *dir,
		      const struct pciback_keys *keys)
{
	u32 vaddr;

	if (!keys->vdev)
		return 0;
	vaddr = keys->vdev->vaddr;
	return xenbus_printf(xbt, dir, numbered("vdev", keys->wish->index).s,
			     "%04x:%02x:%02x.%02x", vaddr >> 16,
			     vaddr >> 8 & 0xff, PCI_SLOT(vaddr & 0xff),
			     PCI_FUNC(vaddr & 0xff));
}

/* What dev-N says, if that can be understood; -ENOENT if it is not there. */
static int read_name(struct xenbus_transaction xbt, const char *dir,
		     struct pciback_wish *wish)
{
	char *name = xenbus_read(xbt, dir, numbered("dev", wish->index).s, NULL);

	if (IS_ERR(name))
		return PTR_ERR(name);
	wish->named = !pciback_parse_sbdf(name, &wish->sbdf);
	kfree(name);
	return 0;
}

/*
 * A toolstack that removes a device moves those behind it up, and does not wait
 * for us where no frontend is served: N may mean another one by now.
 */
static bool still_meant(struct xenbus_transaction xbt, const char *dir,
			const struct pciback_wish *wish)
{
	struct pciback_wish now = { .index = wish->index };

	return !read_name(xbt, dir, &now) && now.named == wish->named &&
	       (!now.named || now.sbdf == wish->sbdf);
}

static int write_keys(struct pciback_session *sess, struct xenbus_transaction xbt,
		      const struct pciback_keys *keys, bool new_root)
{
	const char *dir = sess->xdev->nodename;
	int err = 0;

	/* Nothing is written where the toolstack removed what we write about. */
	if (!xenbus_exists(xbt, dir, "state") ||
	    (keys->wish && !still_meant(xbt, dir, keys->wish)))
		return -ENOENT;
	if (new_root)
		err = write_root(sess, xbt, keys->root);
	if (!err && keys->aer_failed)
		err = xenbus_printf(xbt, dir, "aerState", "aerfail");
	if (err || !keys->wish)
		return err;
	err = write_vdev(xbt, dir, keys);
	if (err)
		return err;
	return xenbus_printf(xbt, dir, numbered("state", keys->wish->index).s,
			     "%d", keys->state);
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
		err = write_keys(sess, xbt, keys, new_root);
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
 * @wish: the device
 * @state: for state-N
 *
 * Return: as of pciback_store_write().
 */
int pciback_store_state(struct pciback_session *sess,
			const struct pciback_wish *wish,
			enum xenbus_state state)
{
	struct pciback_keys keys = {
		.wish = wish, .state = state, .root = -1,
	};

	return pciback_store_write(sess, &keys);
}

/**
 * pciback_store_aer_failed - say that a guest lost a device to an error
 * @sess: session; the caller holds its lock
 */
void pciback_store_aer_failed(struct pciback_session *sess)
{
	struct pciback_keys keys = { .root = -1, .aer_failed = true };

	pciback_store_write(sess, &keys);
}

/*
 * Only what the toolstack asks for: that it does not ask for permissive takes
 * nothing from a device that the administrator made so.
 */
static void read_options(struct xenbus_transaction xbt, const char *dir,
			 struct pciback_wish *wish)
{
	unsigned int vdevfn;
	char *opts;

	if (xenbus_scanf(xbt, dir, numbered("vdevfn", wish->index).s, "%x",
			 &vdevfn) == 1 && vdevfn < 0x100)
		wish->vdevfn = vdevfn;
	opts = xenbus_read(xbt, dir, numbered("opts", wish->index).s, NULL);
	if (IS_ERR(opts))
		return;
	wish->permissive = strstr(opts, "permissive=1");
	kfree(opts);
}

/* A key that cannot be read is not one that the toolstack removed. */
static int read_wish(struct xenbus_transaction xbt, const char *dir,
		     struct pciback_wish *wish)
{
	unsigned int state;
	int err = read_name(xbt, dir, wish);

	if (err && err != -ENOENT)
		return err;
	err = pciback_store_number(xbt, dir, numbered("state", wish->index).s,
				   &state);
	if (err)
		return err;
	wish->state = state;
	read_options(xbt, dir, wish);
	return 0;
}

static int read_wishes(struct xenbus_device *xdev,
		       struct xenbus_transaction xbt,
		       struct pciback_wish **wishes, unsigned int *nr)
{
	const char *dir = xdev->nodename;
	unsigned int i;
	int err;

	err = xenbus_scanf(xbt, dir, "num_devs", "%u", nr);
	if (err < 0 && err != -ERANGE)
		return err;
	if (err != 1)
		return -ENOENT;
	if (*nr > MAX_DEVICES)
		return -ERANGE;
	*wishes = kvcalloc(*nr, sizeof(**wishes), GFP_KERNEL);
	if (!*wishes)
		return -ENOMEM;
	for (i = 0, err = 0; i < *nr && !err; i++) {
		(*wishes)[i].index = i;
		err = read_wish(xbt, dir, &(*wishes)[i]);
	}
	return err;
}

/**
 * pciback_store_wishes - take a snapshot of what the toolstack asks for
 * @sess: session
 * @wishes: the snapshot, to be released by kvfree(); ->exported is not set
 * @nr: number of wishes
 *
 * Return: 0; -ENOENT: nothing is said yet; -ERANGE; -ENOMEM; or another -errno.
 */
int pciback_store_wishes(struct pciback_session *sess,
			 struct pciback_wish **wishes, unsigned int *nr)
{
	struct xenbus_transaction xbt;
	int err, end;

	do {
		*wishes = NULL;
		err = xenbus_transaction_start(&xbt);
		if (err)
			return err;
		err = read_wishes(sess->xdev, xbt, wishes, nr);
		/* Fails with -EAGAIN if something changed meanwhile. */
		end = xenbus_transaction_end(xbt, false);
		if (err || end)
			kvfree(*wishes);
	} while (end == -EAGAIN);
	/* Limited: each change of the frontend's state has us look. */
	if (err == -ERANGE && __ratelimit(&sess->errors))
		xenbus_dev_error(sess->xdev, err, "num_devs is %u", *nr);
	return err ? err : end;
}
