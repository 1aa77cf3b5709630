/* SPDX-License-Identifier: GPL-2.0 */
/* A guest with a scripted frontend, and the parts of Xen that it needs. */
#ifndef XPB_FAKE_XEN_H
#define XPB_FAKE_XEN_H

#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/pci.h>
#include <linux/wait.h>
#include <xen/interface/io/pciif.h>
#include <xen/xenbus.h>

#define FAKE_DOMID	7
#define FAKE_GREF	8
#define FAKE_PORT	9
#define FAKE_BACKEND	"/local/domain/0/backend/pci/7/0"
#define FAKE_FRONTEND	"/local/domain/7/device/pci/0"

/* The least that a guest is given to answer, in jiffies. */
#define FAKE_PATIENCE	(20 * HZ)

/**
 * struct fake_guest - a guest: its xenbus device, its page, its event channel
 * @xdev: what the driver is probed with
 * @page: shared with the driver
 * @lock: for the event channel
 * @handler: of the driver's end, or NULL
 * @data: for @handler
 * @event: runs @handler in an interrupt
 * @pending: an event waits for the EOI of the one before
 * @busy: an event waits for its EOI
 * @running: @handler runs
 * @bad_eois: EOIs without an event
 * @spurious: EOIs that say that the event was for nothing
 * @notified: events for the guest
 * @wait: for whatever the driver does
 */
struct fake_guest {
	struct xenbus_device xdev;
	struct xen_pci_sharedinfo *page;
	spinlock_t lock; /* protects what follows */
	irq_handler_t handler;
	void *data;
	struct irq_work event;
	bool pending;
	bool busy;
	bool running;
	unsigned int bad_eois;
	unsigned int spurious;
	unsigned int notified;
	wait_queue_head_t wait;
};

/* fake_xen.c */
extern bool fake_line_left;
extern int fake_map_err;
extern int fake_bind_err;
extern int fake_port_status;
extern int fake_guarded;
struct fake_guest *fake_guest_create(struct pci_dev *pdev);
void fake_guest_add(struct pci_dev *pdev);
int fake_guest_probe(struct fake_guest *guest);
void fake_guest_changed(void);
int fake_guest_connect(struct fake_guest *guest);
int fake_guest_publish(struct fake_guest *guest);
void fake_guest_publish_now(struct fake_guest *guest);
void fake_guest_replug(struct fake_guest *guest);
int fake_guest_detach(struct fake_guest *guest, unsigned int i);
void fake_guest_leave(struct fake_guest *guest);
int fake_guest_await(struct fake_guest *guest, enum xenbus_state state);
void fake_guest_event(struct fake_guest *guest);
void fake_guest_post(struct fake_guest *guest, const struct xen_pci_op *op);
int fake_guest_collect(struct fake_guest *guest, struct xen_pci_op *op,
		       unsigned long patience);
void fake_guest_destroy(struct fake_guest *guest);
void fake_guest_forget(void);

/* One request and its answer. */
static inline int fake_guest_op(struct fake_guest *guest, struct xen_pci_op *op)
{
	fake_guest_post(guest, op);
	return fake_guest_collect(guest, op, FAKE_PATIENCE);
}

/* fake_requests.c */
int fake_guest_cmd(struct fake_guest *guest, struct xen_pci_op *op, u32 cmd);
int fake_guest_read(struct fake_guest *guest, int offset, int size, u32 *val);
int fake_guest_write(struct fake_guest *guest, int offset, int size, u32 val);

/* fake_store.c */
extern const char *fake_store_broken;
extern enum xenbus_state fake_store_race;
void fake_store_write(const char *dir, const char *node, const char *fmt, ...)
	__printf(3, 4);
unsigned int fake_store_number(const char *dir, const char *node);
bool fake_store_has(const char *dir, const char *node);
int fake_store_await(const char *dir, const char *node, unsigned int number);
void fake_store_clear(void);
extern wait_queue_head_t fake_store_changed;

#endif /* XPB_FAKE_XEN_H */
