// SPDX-License-Identifier: GPL-2.0
/* xenstore: a list of keys. The linker has the driver call these. */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <xen/xenbus.h>

#include "fake_xen.h"
#include "wrapped.h"

struct entry {
	struct list_head item;
	char path[96];
	char value[64];
};

static DEFINE_MUTEX(store_lock);
static LIST_HEAD(store);
DECLARE_WAIT_QUEUE_HEAD(fake_store_changed);

static struct entry *find(const char *dir, const char *node)
{
	char path[sizeof_field(struct entry, path)];
	struct entry *entry;

	lockdep_assert_held(&store_lock);
	snprintf(path, sizeof(path), "%s/%s", dir, node);
	list_for_each_entry(entry, &store, item)
		if (!strcmp(entry->path, path))
			return entry;
	return NULL;
}

static int __printf(3, 0)
store_vprintf(const char *dir, const char *node, const char *fmt, va_list ap)
{
	struct entry *entry;

	mutex_lock(&store_lock);
	entry = find(dir, node);
	if (!entry) {
		entry = kzalloc(sizeof(*entry), GFP_KERNEL);
		if (entry) {
			snprintf(entry->path, sizeof(entry->path), "%s/%s", dir,
				 node);
			list_add_tail(&entry->item, &store);
		}
	}
	if (entry)
		vsnprintf(entry->value, sizeof(entry->value), fmt, ap);
	mutex_unlock(&store_lock);
	wake_up_all(&fake_store_changed);
	return entry ? 0 : -ENOMEM;
}

/* The value, cut to the size of @value; -ENOENT if there is none. */
static int store_read(const char *dir, const char *node, char *value,
		      size_t size)
{
	struct entry *entry;

	mutex_lock(&store_lock);
	entry = find(dir, node);
	if (entry)
		strscpy(value, entry->value, size);
	mutex_unlock(&store_lock);
	return entry ? 0 : -ENOENT;
}

/* ---- for tests ---- */

/**
 * fake_store_write - write a entry, as a toolstack or frontend
 * @dir: directory
 * @node: name in it
 * @fmt: value
 */
void fake_store_write(const char *dir, const char *node, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	store_vprintf(dir, node, fmt, ap);
	va_end(ap);
}

/**
 * fake_store_number - read a key
 * @dir: directory
 * @node: name in it
 *
 * Return: its value, 0 if there is none.
 */
unsigned int fake_store_number(const char *dir, const char *node)
{
	return __wrap_xenbus_read_unsigned(dir, node, 0);
}

/**
 * fake_store_clear - remove all keys
 */
void fake_store_clear(void)
{
	struct entry *entry, *next;

	mutex_lock(&store_lock);
	list_for_each_entry_safe(entry, next, &store, item) {
		list_del(&entry->item);
		kfree(entry);
	}
	mutex_unlock(&store_lock);
}

/* ---- for the driver ---- */

void *__wrap_xenbus_read(struct xenbus_transaction t, const char *dir,
			 const char *node, unsigned int *len)
{
	char value[sizeof_field(struct entry, value)];
	char *copy;

	if (store_read(dir, node, value, sizeof(value)))
		return ERR_PTR(-ENOENT);
	copy = kstrdup(value, GFP_KERNEL);
	return copy ?: ERR_PTR(-ENOMEM);
}

unsigned int __wrap_xenbus_read_unsigned(const char *dir, const char *node,
					 unsigned int default_val)
{
	char value[sizeof_field(struct entry, value)];
	unsigned int number;

	if (store_read(dir, node, value, sizeof(value)) ||
	    kstrtouint(value, 0, &number))
		return default_val;
	return number;
}

int __wrap_xenbus_exists(struct xenbus_transaction t, const char *dir,
			 const char *node)
{
	char value[sizeof_field(struct entry, value)];

	return !store_read(dir, node, value, sizeof(value));
}

int __wrap_xenbus_rm(struct xenbus_transaction t, const char *dir,
		     const char *node)
{
	struct entry *entry;

	mutex_lock(&store_lock);
	entry = find(dir, node);
	if (entry)
		list_del(&entry->item);
	mutex_unlock(&store_lock);
	kfree(entry);
	return entry ? 0 : -ENOENT;
}

int __wrap_xenbus_printf(struct xenbus_transaction t, const char *dir,
			 const char *node, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = store_vprintf(dir, node, fmt, ap);
	va_end(ap);
	return err;
}

int __wrap_xenbus_scanf(struct xenbus_transaction t, const char *dir,
			const char *node, const char *fmt, ...)
{
	char value[sizeof_field(struct entry, value)];
	va_list ap;
	int got;

	if (store_read(dir, node, value, sizeof(value)))
		return -ENOENT;
	va_start(ap, fmt);
	got = vsscanf(value, fmt, ap);
	va_end(ap);
	return got ?: -ERANGE;
}

static int gather_one(const char *dir, const char *node, const char *fmt,
		      void *to)
{
	char value[sizeof_field(struct entry, value)];
	int err = store_read(dir, node, value, sizeof(value));

	if (err)
		return err;
	if (fmt)
		return sscanf(value, fmt, to) == 1 ? 0 : -EINVAL;
	*(char **)to = kstrdup(value, GFP_KERNEL);
	return *(char **)to ? 0 : -ENOMEM;
}

int __wrap_xenbus_gather(struct xenbus_transaction t, const char *dir, ...)
{
	const char *node;
	va_list ap;
	int err = 0;

	va_start(ap, dir);
	while (!err && (node = va_arg(ap, char *))) {
		const char *fmt = va_arg(ap, char *);

		err = gather_one(dir, node, fmt, va_arg(ap, void *));
	}
	va_end(ap);
	return err;
}

int __wrap_xenbus_transaction_start(struct xenbus_transaction *t)
{
	t->id = 1;
	return 0;
}

int __wrap_xenbus_transaction_end(struct xenbus_transaction t, int abort)
{
	return 0;
}

int __wrap_xenbus_switch_state(struct xenbus_device *xdev,
			       enum xenbus_state state)
{
	xdev->state = state;
	return __wrap_xenbus_printf(XBT_NIL, xdev->nodename, "state", "%d",
				    state);
}

int __wrap_xenbus_dev_is_online(struct xenbus_device *xdev)
{
	return __wrap_xenbus_read_unsigned(xdev->nodename, "online", 0);
}

void __wrap_xenbus_dev_error(struct xenbus_device *xdev, int err,
			     const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list ap;

	va_start(ap, fmt);
	vaf.va = &ap;
	pr_info("%s: %d %pV\n", xdev->nodename, err, &vaf);
	va_end(ap);
}
