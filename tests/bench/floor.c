// SPDX-License-Identifier: GPL-2.0
/*
 * The floor under every backend: takes xen-pciback's place, and answers each
 * request with a constant, in the hard interrupt handler of the event channel.
 * What a guest waits here is event, two switches between domains, and answer.
 *
 * Behind it is one device, 0000:00:00.0, whose config space reads the same
 * everywhere: with this value, one without BARs, capabilities or interrupts.
 * Before it answers for the status register it reads the real one of the host's
 * own 0000:00:00.0: the floor under each answer that only hardware knows.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <asm/sync_bitops.h>
#include <xen/events.h>
#include <xen/interface/io/pciif.h>
#include <xen/xenbus.h>

#define CONSTANT 0x00011200

struct floor {
	struct xen_pci_sharedinfo *page;
	int irq;
};

static struct pci_dev *host_bridge;

static irqreturn_t floor_event(int irq, void *data)
{
	struct floor *floor = data;
	struct xen_pci_sharedinfo *page = floor->page;
	bool asked = READ_ONCE(page->flags) & XEN_PCIF_active;
	u16 status;

	if (asked) {
		if (READ_ONCE(page->op.offset) == PCI_STATUS)
			pci_read_config_word(host_bridge, PCI_STATUS, &status);
		page->op.err = READ_ONCE(page->op.devfn) ?
			XEN_PCI_ERR_dev_not_found : XEN_PCI_ERR_success;
		page->op.value = CONSTANT;
		/* The answer is there when the flag is gone. */
		virt_wmb();
		sync_clear_bit(_XEN_PCIF_active, (unsigned long *)&page->flags);
		notify_remote_via_irq(irq);
	}
	xen_irq_lateeoi(irq, asked ? 0 : XEN_EOI_FLAG_SPURIOUS);
	return IRQ_HANDLED;
}

static int floor_connect(struct xenbus_device *xdev, struct floor *floor)
{
	unsigned int gref, port;
	void *page;
	int err;

	err = xenbus_gather(XBT_NIL, xdev->otherend, "pci-op-ref", "%u", &gref,
			    "event-channel", "%u", &port, NULL);
	if (err)
		return err;
	err = xenbus_map_ring_valloc(xdev, &gref, 1, &page);
	if (err)
		return err;
	floor->page = page;
	err = bind_interdomain_evtchn_to_irqhandler_lateeoi(xdev, port,
							    floor_event, 0,
							    "floor", floor);
	if (err < 0) {
		floor->page = NULL;
		xenbus_unmap_ring_vfree(xdev, page);
		return err;
	}
	floor->irq = err;
	return xenbus_switch_state(xdev, XenbusStateConnected);
}

static void floor_disconnect(struct xenbus_device *xdev, struct floor *floor)
{
	if (!floor->page)
		return;
	unbind_from_irqhandler(floor->irq, floor);
	xenbus_unmap_ring_vfree(xdev, floor->page);
	floor->page = NULL;
}

static void floor_changed(struct xenbus_device *xdev, enum xenbus_state state)
{
	struct floor *floor = dev_get_drvdata(&xdev->dev);
	int err;

	switch (state) {
	case XenbusStateInitialised:
		err = floor->page ? 0 : floor_connect(xdev, floor);
		if (err)
			xenbus_dev_fatal(xdev, err, "connecting");
		break;
	case XenbusStateClosing:
	case XenbusStateClosed:
		floor_disconnect(xdev, floor);
		xenbus_switch_state(xdev, state);
		break;
	default:
		break;
	}
}

static int floor_probe(struct xenbus_device *xdev,
		       const struct xenbus_device_id *id)
{
	struct floor *floor = kzalloc(sizeof(*floor), GFP_KERNEL);
	int err;

	if (!floor)
		return -ENOMEM;
	dev_set_drvdata(&xdev->dev, floor);
	err = xenbus_printf(XBT_NIL, xdev->nodename, "root_num", "1");
	if (!err)
		err = xenbus_printf(XBT_NIL, xdev->nodename, "root-0", "0000:00");
	if (!err)
		err = xenbus_switch_state(xdev, XenbusStateInitWait);
	if (err)
		kfree(floor);
	return err;
}

static void floor_remove(struct xenbus_device *xdev)
{
	struct floor *floor = dev_get_drvdata(&xdev->dev);

	floor_disconnect(xdev, floor);
	kfree(floor);
}

static const struct xenbus_device_id floor_ids[] = {
	{ "pci" },
	{ "" }
};

static struct xenbus_driver floor_driver = {
	.name = "floor",
	.ids = floor_ids,
	.probe = floor_probe,
	.remove = floor_remove,
	.otherend_changed = floor_changed,
};

static int __init floor_init(void)
{
	int err;

	host_bridge = pci_get_domain_bus_and_slot(0, 0, PCI_DEVFN(0, 0));
	if (!host_bridge)
		return -ENODEV;
	err = xenbus_register_backend(&floor_driver);
	if (err)
		pci_dev_put(host_bridge);
	return err;
}
module_init(floor_init);

static void __exit floor_exit(void)
{
	xenbus_unregister_driver(&floor_driver);
	pci_dev_put(host_bridge);
}
module_exit(floor_exit);

MODULE_DESCRIPTION("The least that a PCI backend can do");
MODULE_LICENSE("GPL");
