// SPDX-License-Identifier: GPL-2.0
/*
 * Files in /sys/bus/pci/drivers/pciback, as toolstacks know them; see
 * Documentation/ABI/testing/sysfs-driver-pciback.
 *
 * Lists can be longer than a page, so they are binary attributes: those are
 * read in as many pieces as it takes.
 */
#include <linux/mm.h>
#include <linux/seq_buf.h>
#include <linux/string.h>
#include <linux/string_helpers.h>
#include <linux/sysfs.h>

#include "compat.h"
#include "pciback.h"

#undef pr_fmt
#define pr_fmt(fmt) DRV_NAME ": " fmt

/* ---- what is written ---- */

/*
 * A write is one line, which C programs may send with its NUL; text behind that
 * would be taken unread.
 */
static bool is_text(const char *buf, size_t count)
{
	return !memchr_inv(buf + strlen(buf), 0, count - strlen(buf));
}

static int bad_input(const char *file, const char *buf, const char *syntax)
{
	int len = strcspn(buf, "\n");

	pr_err("%s: '%.*s' is not %s\n", file, min(len, 64), buf, syntax);
	return -EINVAL;
}

#define SYNTAX_SBDF	"[dddd:]bb:ss.f"
#define SYNTAX_PATTERN	SYNTAX_SBDF ", bb:ss.* or bb:*.*"
#define SYNTAX_QUIRK	SYNTAX_SBDF "-reg:size:mask"

/* The claimed device that a line names, with a reference. */
static struct pcistub *named_device(const char *file, const char *buf,
				    size_t count, int absent)
{
	struct pcistub *stub;
	u32 sbdf;

	if (!is_text(buf, count) || pciback_parse_sbdf(buf, &sbdf))
		return ERR_PTR(bad_input(file, buf, SYNTAX_SBDF));
	stub = pcistub_find(sbdf);
	if (stub)
		return stub;
	pr_err("%s: %s is not claimed\n", file, pciback_name(sbdf).s);
	return ERR_PTR(absent);
}

static ssize_t new_slot_store(struct device_driver *drv, const char *buf,
			      size_t count)
{
	struct pciback_pattern pattern;

	if (!is_text(buf, count) || pciback_parse_pattern(buf, &pattern))
		return bad_input("new_slot", buf, SYNTAX_PATTERN);
	return pciback_slots_add(&pattern) ?: count;
}
static DRIVER_ATTR_WO(new_slot);

static ssize_t remove_slot_store(struct device_driver *drv, const char *buf,
				 size_t count)
{
	struct pciback_pattern pattern;
	int err;

	if (!is_text(buf, count) || pciback_parse_pattern(buf, &pattern))
		return bad_input("remove_slot", buf, SYNTAX_PATTERN);
	err = pciback_slots_remove(&pattern);
	if (err)
		pr_err("remove_slot: '%.*s' %s\n", (int)strcspn(buf, "\n"), buf,
		       err == -EBUSY ? "has a device in a guest's use" :
				       "is not listed");
	return err ?: count;
}
static DRIVER_ATTR_WO(remove_slot);

static ssize_t irq_handler_state_store(struct device_driver *drv,
				       const char *buf, size_t count)
{
	struct pcistub *stub = named_device("irq_handler_state", buf, count,
					    -ENOENT);
	int err;

	if (IS_ERR(stub))
		return PTR_ERR(stub);
	err = pciback_irq_toggle_standin(stub);
	if (err)
		dev_err(&stub->pdev->dev, "irq_handler_state: %s (%d)\n",
			err == -ENODEV ? "no interrupt line" :
			err == -EBUSY ? "MSI is on, or dom0 does not share the line" :
					"no handler", err);
	pcistub_put(stub);
	return err ?: count;
}
static DRIVER_ATTR_WO(irq_handler_state);

static ssize_t write_reset(const char *file, const char *buf, size_t count,
			   bool in_use)
{
	struct pcistub *stub = named_device(file, buf, count, -ENODEV);
	int err;

	if (IS_ERR(stub))
		return PTR_ERR(stub);
	err = pciback_reset_by_admin(stub, in_use);
	if (err)
		dev_err(&stub->pdev->dev, "%s: %s (%d)\n", file,
			err == -EBUSY ? "a guest has the device" :
			err == -ENOTTY ? "the device has no reset" :
					 "reset failed", err);
	pcistub_put(stub);
	return err ?: count;
}

/* The toolstack's: libxl writes here also before it takes a device back. */
static ssize_t do_flr_store(struct device_driver *drv, const char *buf,
			    size_t count)
{
	return write_reset("do_flr", buf, count, true);
}
static DRIVER_ATTR_WO(do_flr);

static ssize_t reset_device_store(struct device_driver *drv, const char *buf,
				  size_t count)
{
	return write_reset("reset_device", buf, count, false);
}
static DRIVER_ATTR_WO(reset_device);

static ssize_t write_permissive(const char *file, const char *buf, size_t count,
				bool on)
{
	struct pcistub *stub = named_device(file, buf, count, -ENODEV);

	if (IS_ERR(stub))
		return PTR_ERR(stub);
	if (on)
		dev_warn(&stub->pdev->dev,
			 "permissive: its guest may write registers that nobody knows\n");
	WRITE_ONCE(stub->permissive, on);
	pcistub_put(stub);
	return count;
}

static ssize_t restrictive_store(struct device_driver *drv, const char *buf,
				 size_t count)
{
	return write_permissive("restrictive", buf, count, false);
}
static DRIVER_ATTR_WO(restrictive);

/* A minus in front revokes. */
static ssize_t permissive_write(struct file *file, struct kobject *kobj,
				pciback_bin_attr_t attr, char *buf, loff_t off,
				size_t count)
{
	bool on = *buf != '-';
	ssize_t done;

	done = write_permissive("permissive", on ? buf : buf + 1,
				on ? count : count - 1, on);
	return done < 0 ? done : count;
}

static ssize_t allow_interrupt_control_write(struct file *file,
					     struct kobject *kobj,
					     pciback_bin_attr_t attr, char *buf,
					     loff_t off, size_t count)
{
	struct pcistub *stub = named_device("allow_interrupt_control", buf,
					    count, -ENODEV);

	if (IS_ERR(stub))
		return PTR_ERR(stub);
	WRITE_ONCE(stub->intx_control, true);
	pcistub_put(stub);
	return count;
}

static ssize_t quirks_write(struct file *file, struct kobject *kobj,
			    pciback_bin_attr_t attr, char *buf, loff_t off,
			    size_t count)
{
	struct pciback_quirk quirk;
	struct pcistub *stub;
	int err;

	if (!is_text(buf, count) || pciback_parse_quirk(buf, &quirk))
		return bad_input("quirks", buf, SYNTAX_QUIRK);
	stub = pcistub_find(quirk.sbdf);
	if (!stub) {
		pr_err("quirks: %s is not claimed\n",
		       pciback_name(quirk.sbdf).s);
		return -ENODEV;
	}
	err = pciback_quirk_add(stub, &quirk);
	if (err)
		dev_err(&stub->pdev->dev, "quirks: register %#x: %s (%d)\n",
			quirk.reg, err == -EEXIST ? "policy covers it" :
						    "cannot be opened", err);
	pcistub_put(stub);
	return err ?: count;
}

/* ---- what is read ---- */

static void render_slots(struct seq_buf *s)
{
	unsigned long sbdf;

	for (sbdf = 0; pciback_slots_next(&sbdf); sbdf++)
		seq_buf_printf(s, "%s\n", pciback_name((u32)sbdf).s);
}

static void render_regs(struct seq_buf *s, const struct pciback_conf *conf)
{
	unsigned int i;

	for (i = 0; i < conf->nr; i++)
		seq_buf_printf(s, "\t\t%08x:%01x:%08x\n", conf->inst[i].pos,
			       conf->inst[i].reg->size,
			       conf->inst[i].reg->rw | conf->inst[i].reg->w1c);
}

static int render_quirks(struct pcistub *stub, void *s)
{
	const struct pci_dev *pdev = stub->pdev;

	seq_buf_printf(s, "%02x:%02x.%01x\n\t%04x:%04x:%04x:%04x\n",
		       pdev->bus->number, PCI_SLOT(pdev->devfn),
		       PCI_FUNC(pdev->devfn), pdev->vendor, pdev->device,
		       pdev->subsystem_vendor, pdev->subsystem_device);
	mutex_lock(&stub->lock);
	if (stub->conf)
		render_regs(s, stub->conf);
	mutex_unlock(&stub->lock);
	return 0;
}

static int render_permissive(struct pcistub *stub, void *s)
{
	if (READ_ONCE(stub->permissive))
		seq_buf_printf(s, "%s\n", pci_name(stub->pdev));
	return 0;
}

static int render_control(struct pcistub *stub, void *s)
{
	if (READ_ONCE(stub->intx_control))
		seq_buf_printf(s, "%s\n", pci_name(stub->pdev));
	return 0;
}

static int render_handler(struct pcistub *stub, void *s)
{
	seq_buf_printf(s, "%s:%s:%sing:%lu\n", pci_name(stub->pdev),
		       str_on_off(READ_ONCE(stub->irq.standin)),
		       READ_ONCE(stub->irq.ack) ? "ack" : "not ack",
		       READ_ONCE(stub->irq.handled));
	return 0;
}

/*
 * A list is rendered whole for each piece of it that is read: of what is wanted,
 * or of what is claimed by a function for each device.
 */
static ssize_t list_read(struct file *file, struct kobject *kobj,
			 pciback_bin_attr_t attr, char *to, loff_t off,
			 size_t count)
{
	int (*render)(struct pcistub *stub, void *s) = attr->private;
	size_t size = PAGE_SIZE;
	struct seq_buf s;
	ssize_t done;
	char *buf;

	for (;;) {
		buf = kvmalloc(size, GFP_KERNEL);
		if (!buf)
			return -ENOMEM;
		seq_buf_init(&s, buf, size);
		if (render)
			pcistub_for_each(render, &s);
		else
			render_slots(&s);
		if (!seq_buf_has_overflowed(&s))
			break;
		kvfree(buf);
		size *= 2;
	}
	done = memory_read_from_buffer(to, count, &off, buf, s.len);
	kvfree(buf);
	return done;
}

#define LIST_ATTR_RO(file, fn)						\
	static struct bin_attribute file##_attr = {			\
		.attr = { .name = #file, .mode = 0444 },		\
		.private = (fn), .read = list_read,			\
	}
#define LIST_ATTR_RW(file, fn)						\
	static struct bin_attribute file##_attr = {			\
		.attr = { .name = #file, .mode = 0644 },		\
		.private = (fn), .read = list_read, .write = file##_write, \
	}

LIST_ATTR_RO(slots, NULL);
LIST_ATTR_RW(quirks, render_quirks);
LIST_ATTR_RW(permissive, render_permissive);
LIST_ATTR_RW(allow_interrupt_control, render_control);
LIST_ATTR_RO(irq_handlers, render_handler);

static struct attribute *driver_attrs[] = {
	&driver_attr_new_slot.attr,
	&driver_attr_remove_slot.attr,
	&driver_attr_irq_handler_state.attr,
	&driver_attr_do_flr.attr,
	&driver_attr_reset_device.attr,
	&driver_attr_restrictive.attr,
	NULL
};

static pciback_bin_attr_t driver_lists[] = {
	&slots_attr,
	&quirks_attr,
	&permissive_attr,
	&allow_interrupt_control_attr,
	&irq_handlers_attr,
	NULL
};

static const struct attribute_group driver_group = {
	.attrs = driver_attrs,
	.bin_attrs = driver_lists,
};

const struct attribute_group *pciback_driver_groups[] = {
	&driver_group,
	NULL
};
