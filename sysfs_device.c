// SPDX-License-Identifier: GPL-2.0
/*
 * Files of a claimed device, in pciback/ of its own directory in sysfs; see
 * Documentation/ABI/testing/sysfs-driver-pciback. They are there as long as the
 * device is bound.
 */
#include <linux/kstrtox.h>
#include <linux/sysfs.h>

#include "pciback.h"

static struct pcistub *stub_of(struct device *dev)
{
	return pcistub_of(to_pci_dev(dev));
}

static ssize_t owner_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	struct pciback_session *sess = pcistub_owner(stub_of(dev));
	ssize_t done;

	if (!sess)
		return sysfs_emit(buf, "none\n");
	done = sysfs_emit(buf, "%d\n", pciback_session_domid(sess));
	pciback_session_put(sess);
	return done;
}
static DEVICE_ATTR_RO(owner);

static ssize_t state_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	static const char * const name[] = {
		[PCISTUB_CLEANING] = "cleaning",
		[PCISTUB_FREE] = "free",
		[PCISTUB_DIRTY] = "dirty",
		[PCISTUB_ASSIGNED] = "assigned",
		[PCISTUB_GONE] = "gone",
	};

	return sysfs_emit(buf, "%s\n", name[READ_ONCE(stub_of(dev)->state)]);
}
static DEVICE_ATTR_RO(state);

static ssize_t address_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	struct pcistub *stub = stub_of(dev);
	struct pciback_session *sess = pcistub_owner(stub);
	struct pciback_vdev vdev;
	bool found;

	if (!sess)
		return sysfs_emit(buf, "none\n");
	found = pciback_map_look(sess, stub->sbdf, &vdev);
	pciback_session_put(sess);
	return sysfs_emit(buf, "%s\n",
			  found ? pciback_name(vdev.vaddr).s : "none");
}
static DEVICE_ATTR_RO(address);

static ssize_t irq_mode_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	static const char * const name[] = {
		[PCIBACK_IRQ_NONE] = "none",
		[PCIBACK_IRQ_INTX] = "intx",
		[PCIBACK_IRQ_MSI] = "msi",
		[PCIBACK_IRQ_MSIX] = "msix",
	};

	return sysfs_emit(buf, "%s\n", name[READ_ONCE(stub_of(dev)->irq.mode)]);
}
static DEVICE_ATTR_RO(irq_mode);

static ssize_t permissive_show(struct device *dev, struct device_attribute *attr,
			       char *buf)
{
	return sysfs_emit(buf, "%d\n", pcistub_permissive(stub_of(dev)));
}
static DEVICE_ATTR_RO(permissive);

/* Method and errno of the last reset. */
static ssize_t last_reset_show(struct device *dev, struct device_attribute *attr,
			       char *buf)
{
	struct pcistub *stub = stub_of(dev);
	int err = READ_ONCE(stub->reset_err);

	return sysfs_emit(buf, "%s %d\n", err == -ENOTTY ? "none" :
			  READ_ONCE(stub->reset_bus) ? "bus" : "function", err);
}
static DEVICE_ATTR_RO(last_reset);

static ssize_t strict_reset_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(stub_of(dev)->strict_reset));
}

static ssize_t strict_reset_store(struct device *dev,
				  struct device_attribute *attr,
				  const char *buf, size_t count)
{
	bool on;

	if (kstrtobool(buf, &on)) {
		dev_err(dev, "strict_reset: neither 0 nor 1\n");
		return -EINVAL;
	}
	WRITE_ONCE(stub_of(dev)->strict_reset, on);
	return count;
}
static DEVICE_ATTR_RW(strict_reset);

static ssize_t denied_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct pcistub *stub = stub_of(dev);
	unsigned int i;
	int len = 0;

	spin_lock_irq(&stub->conf_lock);
	for (i = 0; i < stub->nr_denied; i++)
		len += sysfs_emit_at(buf, len, "%03x:%d:%08x:%08x\n",
				     stub->denied[i].offset,
				     stub->denied[i].size,
				     stub->denied[i].value,
				     stub->denied[i].mask);
	spin_unlock_irq(&stub->conf_lock);
	return len;
}
static DEVICE_ATTR_RO(denied);

#define COUNT_ATTR(name, field)						\
static ssize_t name##_show(struct device *dev,				\
			   struct device_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "%lu\n",					\
			  READ_ONCE(stub_of(dev)->count.field));	\
}									\
static DEVICE_ATTR_RO(name)

COUNT_ATTR(config_reads, reads);
COUNT_ATTR(config_writes, writes);
COUNT_ATTR(config_denied, denied);
COUNT_ATTR(irq_requests, others);

static struct attribute *device_attrs[] = {
	&dev_attr_state.attr,
	&dev_attr_owner.attr,
	&dev_attr_address.attr,
	&dev_attr_irq_mode.attr,
	&dev_attr_permissive.attr,
	&dev_attr_last_reset.attr,
	&dev_attr_strict_reset.attr,
	&dev_attr_denied.attr,
	&dev_attr_config_reads.attr,
	&dev_attr_config_writes.attr,
	&dev_attr_config_denied.attr,
	&dev_attr_irq_requests.attr,
	NULL
};

static const struct attribute_group device_group = {
	.name = "pciback",
	.attrs = device_attrs,
};

const struct attribute_group *pciback_device_groups[] = {
	&device_group,
	NULL
};
