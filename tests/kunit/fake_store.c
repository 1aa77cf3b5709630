// SPDX-License-Identifier: GPL-2.0
/*
 * xenstore: a list of keys. The linker has the driver call these, which sleep as
 * the kernel's do; the tests' own look in conditions of waits, and do not.
 */
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <xen/xenbus.h>

#include "fake_xen.h"
#include "wrapped.h"

/* Of one directory. */
#define FAKE_MAX_NAMES 8

struct entry {
	struct list_head item;
	char path[96];
	char value[64];
};

/* Name of a key that the driver cannot read. */
const char *fake_store_broken;

/*
 * When the driver goes to this state, the toolstack detaches the guest's first
 * device a moment before.
 */
enum xenbus_state fake_store_race;

static DEFINE_SPINLOCK(store_lock);
static LIST_HEAD(store);
DECLARE_WAIT_QUEUE_HEAD(fake_store_changed);

static struct entry *find(const char *dir, const char *node)
{
	char path[sizeof_field(struct entry, path)];
	struct entry *entry;

	lockdep_assert_held(&store_lock);
	snprintf(path, sizeof(path), "%s%s%s", dir, *node ? "/" : "", node);
	list_for_each_entry(entry, &store, item)
		if (!strcmp(entry->path, path))
			return entry;
	return NULL;
}

static int __printf(3, 0)
store_vprintf(const char *dir, const char *node, const char *fmt, va_list ap)
{
	struct entry *new = kzalloc(sizeof(*new), GFP_KERNEL);
	struct entry *old;

	if (!new)
		return -ENOMEM;
	snprintf(new->path, sizeof(new->path), "%s/%s", dir, node);
	vsnprintf(new->value, sizeof(new->value), fmt, ap);
	spin_lock(&store_lock);
	old = find(dir, node);
	if (old)
		list_replace(&old->item, &new->item);
	else
		list_add_tail(&new->item, &store);
	spin_unlock(&store_lock);
	kfree(old);
	wake_up_all(&fake_store_changed);
	return 0;
}

/* The value, cut to the size of @value; -ENOENT if there is none. */
static int store_read(const char *dir, const char *node, char *value,
		      size_t size)
{
	struct entry *entry;

	spin_lock(&store_lock);
	entry = find(dir, node);
	if (entry)
		strscpy(value, entry->value, size);
	spin_unlock(&store_lock);
	return entry ? 0 : -ENOENT;
}

static unsigned int store_number(const char *dir, const char *node,
				 unsigned int none)
{
	char value[sizeof_field(struct entry, value)];
	unsigned int number;

	if (store_read(dir, node, value, sizeof(value)) ||
	    kstrtouint(value, 0, &number))
		return none;
	return number;
}

/* ---- for tests ---- */

/**
 * fake_store_write - write a key, as a toolstack or frontend
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
	return store_number(dir, node, 0);
}

/**
 * fake_store_has - is there a key?
 * @dir: directory
 * @node: name in it
 *
 * Return: true if there is.
 */
bool fake_store_has(const char *dir, const char *node)
{
	char value[sizeof_field(struct entry, value)];

	return !store_read(dir, node, value, sizeof(value));
}

/**
 * fake_store_await - wait until a key has a value
 * @dir: directory
 * @node: name in it
 * @number: the value
 *
 * Return: 0 or -ETIMEDOUT.
 */
int fake_store_await(const char *dir, const char *node, unsigned int number)
{
	bool seen = wait_event_timeout(fake_store_changed,
				       fake_store_number(dir, node) == number,
				       FAKE_PATIENCE);

	return seen ? 0 : -ETIMEDOUT;
}

/**
 * fake_store_clear - remove all keys
 */
void fake_store_clear(void)
{
	struct entry *entry, *next;

	fake_store_broken = NULL;
	fake_store_race = XenbusStateUnknown;
	spin_lock(&store_lock);
	list_for_each_entry_safe(entry, next, &store, item) {
		list_del(&entry->item);
		kfree(entry);
	}
	spin_unlock(&store_lock);
}

/* ---- for the driver ---- */

static bool is_broken(const char *node)
{
	const char *broken = READ_ONCE(fake_store_broken);

	return broken && !strcmp(node, broken);
}

void *__wrap_xenbus_read(struct xenbus_transaction t, const char *dir,
			 const char *node, unsigned int *len)
{
	char value[sizeof_field(struct entry, value)];
	char *copy;

	if (is_broken(node))
		return ERR_PTR(-ENOMEM);
	if (store_read(dir, node, value, sizeof(value)))
		return ERR_PTR(-ENOENT);
	copy = kstrdup(value, GFP_KERNEL);
	return copy ?: ERR_PTR(-ENOMEM);
}

unsigned int __wrap_xenbus_read_unsigned(const char *dir, const char *node,
					 unsigned int default_val)
{
	might_sleep();
	return store_number(dir, node, default_val);
}

int __wrap_xenbus_exists(struct xenbus_transaction t, const char *dir,
			 const char *node)
{
	char value[sizeof_field(struct entry, value)];

	might_sleep();
	return !store_read(dir, node, value, sizeof(value));
}

/* Adds the name that a path has in a directory, unless it is listed. */
static unsigned int add_name(char **names, unsigned int nr, const char *path,
			     const char *dir)
{
	const size_t size = sizeof_field(struct entry, path);
	size_t len = strlen(dir);
	unsigned int i;
	char *to;

	if (nr == FAKE_MAX_NAMES || strncmp(path, dir, len) || path[len] != '/')
		return nr;
	to = (char *)(names + FAKE_MAX_NAMES) + nr * size;
	strscpy(to, path + len + 1, size);
	strchrnul(to, '/')[0] = 0;
	for (i = 0; i < nr; i++)
		if (!strcmp(names[i], to))
			return nr;
	names[nr] = to;
	return nr + 1;
}

char **__wrap_xenbus_directory(struct xenbus_transaction t, const char *dir,
			       const char *node, unsigned int *num)
{
	unsigned int nr = 0;
	struct entry *entry;
	char **names;

	names = kcalloc(FAKE_MAX_NAMES, sizeof(*names) + sizeof(entry->path),
			GFP_KERNEL);
	if (!names)
		return ERR_PTR(-ENOMEM);
	spin_lock(&store_lock);
	list_for_each_entry(entry, &store, item)
		nr = add_name(names, nr, entry->path, dir);
	spin_unlock(&store_lock);
	*num = nr;
	if (nr)
		return names;
	kfree(names);
	return ERR_PTR(-ENOENT);
}

int __wrap_register_xenstore_notifier(struct notifier_block *nb)
{
	return nb->notifier_call(nb, 0, NULL);
}

void __wrap_unregister_xenstore_notifier(struct notifier_block *nb)
{
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

	might_sleep();
	if (is_broken(node))
		return -ENOMEM;
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
	if (state == fake_store_race) {
		fake_store_race = XenbusStateUnknown;
		fake_store_write(FAKE_BACKEND, "state-0", "%d",
				 XenbusStateClosing);
		fake_store_write(FAKE_BACKEND, "state", "%d",
				 XenbusStateReconfiguring);
	}
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
