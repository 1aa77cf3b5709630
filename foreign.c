// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that a guest has without a session. For an HVM guest a toolstack may
 * give a device to Xen and QEMU by itself, and write down no more than its name:
 * xenopsd makes backend/pci/DOMID/N/dev-M without a state, so there is no xenbus
 * device. To us such a device is free, but it is not idle.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/xenbus.h>

#include "pciback.h"

static bool store_is_up;

static int store_came_up(struct notifier_block *block, unsigned long event,
			 void *data)
{
	WRITE_ONCE(store_is_up, true);
	return NOTIFY_DONE;
}

static struct notifier_block store_notifier = { .notifier_call = store_came_up };

/* True if visit() is true for the path of any entry of a directory. */
static bool any_entry(const char *dir, u32 sbdf,
		      bool (*visit)(const char *path, u32 sbdf))
{
	unsigned int i, nr;
	bool found = false;
	char **names, *path;

	/* What cannot be read might name it. */
	names = xenbus_directory(XBT_NIL, dir, "", &nr);
	if (IS_ERR(names))
		return PTR_ERR(names) != -ENOENT;
	for (i = 0; !found && i < nr; i++) {
		path = kasprintf(GFP_KERNEL, "%s/%s", dir, names[i]);
		found = !path || visit(path, sbdf);
		kfree(path);
	}
	kfree(names);
	return found;
}

static bool names_device(const char *path, u32 sbdf)
{
	bool same;
	char *text;
	u32 named;

	if (!str_has_prefix(kbasename(path), "dev-"))
		return false;
	text = xenbus_read(XBT_NIL, path, "", NULL);
	if (IS_ERR(text))
		return PTR_ERR(text) != -ENOENT;
	same = !pciback_parse_sbdf(text, &named) && named == sbdf;
	kfree(text);
	return same;
}

/* A backend with a state is a session's. */
static bool names_in_backend(const char *path, u32 sbdf)
{
	return !xenbus_exists(XBT_NIL, path, "state") &&
	       any_entry(path, sbdf, names_device);
}

static bool names_in_domain(const char *path, u32 sbdf)
{
	return any_entry(path, sbdf, names_in_backend);
}

/**
 * pciback_foreign - has a guest a device without a session?
 * @stub: device
 *
 * Reads xenstore: called without a lock.
 *
 * Return: true if it has, or if that cannot be told.
 */
bool pciback_foreign(const struct pcistub *stub)
{
	/* Before that there are no guests. */
	return READ_ONCE(store_is_up) &&
	       any_entry("backend/pci", stub->sbdf, names_in_domain);
}

/**
 * pciback_foreign_init - learn when there is a xenstore to look into
 */
void __init pciback_foreign_init(void)
{
	register_xenstore_notifier(&store_notifier);
}

/**
 * pciback_foreign_exit - what pciback_foreign_init() began
 */
void pciback_foreign_exit(void)
{
	unregister_xenstore_notifier(&store_notifier);
}
