// SPDX-License-Identifier: GPL-2.0
/*
 * A guest with a scripted frontend: grants, event channels and xenbus as the
 * driver sees them, without a hypervisor. One guest at a time.
 */
#include <linux/slab.h>
#include <xen/events.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/physdev.h>

#include "fake_xen.h"
#include "wrap.h"
#include "wrapped.h"

#define FAKE_IRQ	4711

/* What mapping a grant and binding an event channel come to. */
int fake_map_err;
int fake_bind_err;
/* EVTCHNSTAT_* of the guest's end of the event channel; below 0: as it is. */
int fake_port_status = -1;
/* Devices whose MSI-X table Xen guards. */
int fake_guarded;

static struct fake_guest *the_guest;
static struct xenbus_driver *driver;
static struct xenbus_watch *toolstack_watch;

/* ---- hypercalls ---- */

int fake_physdev_op(int cmd, void *arg)
{
	if (cmd == PHYSDEVOP_prepare_msix)
		fake_guarded++;
	else if (cmd == PHYSDEVOP_release_msix)
		fake_guarded--;
	return 0;
}

int fake_evtchn_op(int cmd, void *arg)
{
	struct evtchn_status *status = arg;

	if (fake_port_status >= 0)
		status->status = fake_port_status;
	else
		status->status = the_guest && the_guest->handler ?
				 EVTCHNSTAT_interdomain : EVTCHNSTAT_unbound;
	return 0;
}

/* ---- event channels ---- */

static irq_handler_t begin_event(struct fake_guest *guest)
{
	irq_handler_t handler = NULL;

	spin_lock(&guest->lock);
	if (guest->pending && !guest->busy && !guest->running)
		handler = guest->handler;
	if (handler) {
		guest->pending = false;
		guest->busy = true;
		guest->running = true;
	}
	spin_unlock(&guest->lock);
	return handler;
}

static void end_event(struct fake_guest *guest)
{
	spin_lock(&guest->lock);
	guest->running = false;
	spin_unlock(&guest->lock);
}

/* May run on both CPUs at once, where one is at its end. */
static void deliver(struct irq_work *work)
{
	struct fake_guest *guest = container_of(work, struct fake_guest, event);
	irq_handler_t handler;

	while ((handler = begin_event(guest))) {
		handler(FAKE_IRQ, guest->data);
		end_event(guest);
	}
}

/**
 * fake_guest_event - the guest notifies the driver
 * @guest: guest
 *
 * Context: any.
 */
void fake_guest_event(struct fake_guest *guest)
{
	unsigned long irqs;

	spin_lock_irqsave(&guest->lock, irqs);
	guest->pending = true;
	spin_unlock_irqrestore(&guest->lock, irqs);
	irq_work_queue(&guest->event);
}

void __wrap_xen_irq_lateeoi(unsigned int irq, unsigned int flags)
{
	struct fake_guest *guest = the_guest;
	unsigned long irqs;
	bool again;

	spin_lock_irqsave(&guest->lock, irqs);
	if (!guest->busy)
		guest->bad_eois++;
	if (flags & XEN_EOI_FLAG_SPURIOUS)
		guest->spurious++;
	guest->busy = false;
	again = guest->pending;
	spin_unlock_irqrestore(&guest->lock, irqs);
	if (again)
		irq_work_queue(&guest->event);
	wake_up_all(&guest->wait);
}

void __wrap_notify_remote_via_irq(int irq)
{
	the_guest->notified++;
	wake_up_all(&the_guest->wait);
}

int __wrap_bind_interdomain_evtchn_to_irqhandler_lateeoi(struct xenbus_device *xdev,
							 evtchn_port_t port,
							 irq_handler_t handler,
							 unsigned long flags,
							 const char *name,
							 void *data)
{
	struct fake_guest *guest = the_guest;

	if (fake_bind_err)
		return fake_bind_err;
	spin_lock_irq(&guest->lock);
	guest->handler = handler;
	guest->data = data;
	guest->busy = false;
	spin_unlock_irq(&guest->lock);
	/* As Xen does: what came before it was bound is not lost. */
	fake_guest_event(guest);
	return FAKE_IRQ;
}

void __wrap_unbind_from_irqhandler(unsigned int irq, void *data)
{
	struct fake_guest *guest = the_guest;

	spin_lock_irq(&guest->lock);
	guest->handler = NULL;
	spin_unlock_irq(&guest->lock);
	while (READ_ONCE(guest->running))
		cpu_relax();
	/* An event whose work was cancelled has no EOI. */
	WRITE_ONCE(guest->busy, false);
}

int __wrap_xen_pirq_from_irq(unsigned int irq)
{
	return irq + 1000;
}

bool fake_line_left;

/* As in the kernel, it is true if the line is not shared. */
int __wrap_xen_test_irq_shared(int irq)
{
	return fake_line_left;
}

/* ---- grants ---- */

int __wrap_xenbus_map_ring_valloc(struct xenbus_device *xdev,
				  grant_ref_t *refs, unsigned int nr,
				  void **vaddr)
{
	*vaddr = fake_map_err ? NULL : the_guest->page;
	return fake_map_err;
}

int __wrap_xenbus_unmap_ring_vfree(struct xenbus_device *xdev, void *vaddr)
{
	/* Whoever still uses it is found out. */
	WARN_ON(the_guest->handler);
	return 0;
}

/* ---- xenbus ---- */

int __wrap___xenbus_register_backend(struct xenbus_driver *drv,
				     struct module *owner,
				     const char *mod_name)
{
	driver = drv;
	return 0;
}

void __wrap_xenbus_unregister_driver(struct xenbus_driver *drv)
{
	driver = NULL;
}

int __wrap_xenbus_watch_path(struct xenbus_device *xdev, const char *path,
			     struct xenbus_watch *watch,
			     bool (*will_handle)(struct xenbus_watch *watch,
						 const char *path,
						 const char *token),
			     void (*callback)(struct xenbus_watch *watch,
					      const char *path,
					      const char *token))
{
	watch->node = path;
	watch->callback = callback;
	toolstack_watch = watch;
	return 0;
}

void __wrap_unregister_xenbus_watch(struct xenbus_watch *watch)
{
	toolstack_watch = NULL;
}

/* ---- the guest ---- */

static void guest_release(struct device *dev)
{
	struct fake_guest *guest = container_of(dev, struct fake_guest,
						xdev.dev);

	irq_work_sync(&guest->event);
	free_page((unsigned long)guest->page);
	kfree(guest);
}

/**
 * fake_guest_add - the toolstack wants the guest to have a device
 * @pdev: device
 */
void fake_guest_add(struct pci_dev *pdev)
{
	unsigned int nr = fake_store_number(FAKE_BACKEND, "num_devs");
	char key[16];

	snprintf(key, sizeof(key), "dev-%u", nr);
	fake_store_write(FAKE_BACKEND, key, "%s", pci_name(pdev));
	snprintf(key, sizeof(key), "state-%u", nr);
	fake_store_write(FAKE_BACKEND, key, "%d", XenbusStateInitialising);
	fake_store_write(FAKE_BACKEND, "num_devs", "%u", nr + 1);
}

/**
 * fake_guest_create - a toolstack makes a guest
 * @pdev: a device for it, or NULL
 *
 * Return: the guest, or NULL.
 */
struct fake_guest *fake_guest_create(struct pci_dev *pdev)
{
	struct fake_guest *guest = kzalloc(sizeof(*guest), GFP_KERNEL);

	if (!guest)
		return NULL;
	guest->page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!guest->page) {
		kfree(guest);
		return NULL;
	}
	spin_lock_init(&guest->lock);
	init_waitqueue_head(&guest->wait);
	init_irq_work(&guest->event, deliver);
	guest->xdev.nodename = FAKE_BACKEND;
	guest->xdev.otherend = FAKE_FRONTEND;
	guest->xdev.otherend_id = FAKE_DOMID;
	guest->xdev.devicetype = "pci";
	guest->xdev.dev.release = guest_release;
	device_initialize(&guest->xdev.dev);
	dev_set_name(&guest->xdev.dev, "pci-%d-0", FAKE_DOMID);
	the_guest = guest;
	fake_store_write(FAKE_BACKEND, "online", "1");
	fake_store_write(FAKE_BACKEND, "num_devs", "0");
	fake_store_write(FAKE_BACKEND, "state", "%d", XenbusStateInitialising);
	fake_store_write(FAKE_FRONTEND, "state", "%d", XenbusStateInitialising);
	if (pdev)
		fake_guest_add(pdev);
	return guest;
}

/**
 * fake_guest_probe - xenbus finds the guest's backend directory
 * @guest: guest
 *
 * Return: what the driver says.
 */
int fake_guest_probe(struct fake_guest *guest)
{
	static const struct xenbus_device_id id = { "pci" };

	return driver->probe(&guest->xdev, &id);
}

/**
 * fake_guest_changed - what xenwatch does when somebody wrote to xenstore
 */
void fake_guest_changed(void)
{
	toolstack_watch->callback(toolstack_watch, FAKE_BACKEND "/state", "");
}

static bool await_state(enum xenbus_state state, unsigned long patience)
{
	return wait_event_timeout(fake_store_changed,
				  fake_store_number(FAKE_BACKEND, "state") ==
				  state, patience);
}

/**
 * fake_guest_await - wait until the driver says a state
 * @guest: guest
 * @state: of the backend
 *
 * Return: 0 or -ETIMEDOUT.
 */
int fake_guest_await(struct fake_guest *guest, enum xenbus_state state)
{
	return await_state(state, FAKE_PATIENCE) ? 0 : -ETIMEDOUT;
}

/**
 * fake_guest_publish_now - the frontend's driver publishes its page
 * @guest: guest
 */
void fake_guest_publish_now(struct fake_guest *guest)
{
	set_bit(_XEN_PCIB_AERHANDLER, (unsigned long *)&guest->page->flags);
	fake_store_write(FAKE_FRONTEND, "pci-op-ref", "%u", FAKE_GREF);
	fake_store_write(FAKE_FRONTEND, "event-channel", "%u", FAKE_PORT);
	fake_store_write(FAKE_FRONTEND, "magic", XEN_PCI_MAGIC);
	fake_store_write(FAKE_FRONTEND, "state", "%d", XenbusStateInitialised);
	fake_guest_changed();
}

/**
 * fake_guest_publish - the same, once the driver has looked for devices
 * @guest: guest
 *
 * Return: 0 or -ETIMEDOUT.
 */
int fake_guest_publish(struct fake_guest *guest)
{
	int err = fake_guest_await(guest, XenbusStateInitialised);

	if (!err)
		fake_guest_publish_now(guest);
	return err;
}

/**
 * fake_guest_connect - publish, and see it taken
 * @guest: guest
 *
 * Return: 0 or -ETIMEDOUT.
 */
int fake_guest_connect(struct fake_guest *guest)
{
	int err = fake_guest_publish(guest);

	if (!err)
		err = fake_guest_await(guest, XenbusStateConnected);
	if (!err) {
		fake_store_write(FAKE_FRONTEND, "state", "%d", XenbusStateConnected);
		fake_guest_changed();
	}
	return err;
}

/**
 * fake_guest_replug - the toolstack gives the guest its device once more
 * @guest: guest, whose frontend goes along if it can
 */
void fake_guest_replug(struct fake_guest *guest)
{
	fake_store_write(FAKE_BACKEND, "state-0", "%d", XenbusStateInitialising);
	fake_store_write(FAKE_BACKEND, "state", "%d", XenbusStateReconfiguring);
	fake_guest_changed();
	await_state(XenbusStateConnected, HZ / 4);
}

/**
 * fake_guest_detach - the toolstack takes a device from the guest
 * @guest: connected guest
 * @i: number of the device
 *
 * Return: 0 or -ETIMEDOUT.
 */
int fake_guest_detach(struct fake_guest *guest, unsigned int i)
{
	char key[16];

	snprintf(key, sizeof(key), "state-%u", i);
	fake_store_write(FAKE_BACKEND, key, "%d", XenbusStateClosing);
	fake_store_write(FAKE_BACKEND, "state", "%d", XenbusStateReconfiguring);
	fake_guest_changed();
	return fake_guest_await(guest, XenbusStateConnected);
}

/**
 * fake_guest_leave - the frontend's driver goes away, without a word
 * @guest: guest
 */
void fake_guest_leave(struct fake_guest *guest)
{
	fake_store_write(FAKE_FRONTEND, "state", "%d", XenbusStateInitialising);
	fake_guest_changed();
}

static bool answered(const struct fake_guest *guest)
{
	return !(READ_ONCE(guest->page->flags) & XEN_PCIF_active);
}

/**
 * fake_guest_post - the frontend makes a request
 * @guest: connected guest
 * @op: the request
 */
void fake_guest_post(struct fake_guest *guest, const struct xen_pci_op *op)
{
	guest->page->op = *op;
	/* The request is there when the flag is. */
	virt_wmb();
	set_bit(_XEN_PCIF_active, (unsigned long *)&guest->page->flags);
	fake_guest_event(guest);
}

/**
 * fake_guest_collect - and waits for the answer
 * @guest: connected guest
 * @op: the answer
 * @patience: how long to wait for it
 *
 * Return: 0; -ETIMEDOUT: there was no answer, the request is taken back.
 */
int fake_guest_collect(struct fake_guest *guest, struct xen_pci_op *op,
		       unsigned long patience)
{
	bool done = wait_event_timeout(guest->wait, answered(guest), patience);

	clear_bit(_XEN_PCIF_active, (unsigned long *)&guest->page->flags);
	/* The answer is there if the flag is gone. */
	virt_rmb();
	*op = guest->page->op;
	return done ? 0 : -ETIMEDOUT;
}

/**
 * fake_guest_destroy - the guest is no more
 * @guest: guest; the caller's reference stays
 */
void fake_guest_destroy(struct fake_guest *guest)
{
	driver->remove(&guest->xdev);
}

/**
 * fake_guest_forget - after the session's last work is done
 */
void fake_guest_forget(void)
{
	the_guest = NULL;
	fake_store_clear();
}
