/* SPDX-License-Identifier: GPL-2.0 */
/* Functions that the linker has the driver call in place of the kernel's. */
#ifndef XPB_WRAPPED_H
#define XPB_WRAPPED_H

#include <linux/interrupt.h>
#include <xen/xenbus.h>

void *__wrap_xenbus_read(struct xenbus_transaction t, const char *dir,
			 const char *node, unsigned int *len);
unsigned int __wrap_xenbus_read_unsigned(const char *dir, const char *node,
					 unsigned int default_val);
int __wrap_xenbus_exists(struct xenbus_transaction t, const char *dir,
			 const char *node);
char **__wrap_xenbus_directory(struct xenbus_transaction t, const char *dir,
			       const char *node, unsigned int *num);
int __wrap_register_xenstore_notifier(struct notifier_block *nb);
void __wrap_unregister_xenstore_notifier(struct notifier_block *nb);
int __wrap_xenbus_printf(struct xenbus_transaction t, const char *dir,
			 const char *node, const char *fmt, ...)
	__printf(4, 5);
int __wrap_xenbus_scanf(struct xenbus_transaction t, const char *dir,
			const char *node, const char *fmt, ...)
	__scanf(4, 5);
int __wrap_xenbus_gather(struct xenbus_transaction t, const char *dir, ...);
int __wrap_xenbus_transaction_start(struct xenbus_transaction *t);
int __wrap_xenbus_transaction_end(struct xenbus_transaction t, int abort);
int __wrap_xenbus_switch_state(struct xenbus_device *xdev,
			       enum xenbus_state state);
int __wrap_xenbus_dev_is_online(struct xenbus_device *xdev);
void __wrap_xenbus_dev_error(struct xenbus_device *xdev, int err,
			     const char *fmt, ...) __printf(3, 4);
int __wrap_xenbus_watch_path(struct xenbus_device *xdev, const char *path,
			     struct xenbus_watch *watch,
			     bool (*will_handle)(struct xenbus_watch *watch,
						 const char *path,
						 const char *token),
			     void (*callback)(struct xenbus_watch *watch,
					      const char *path,
					      const char *token));
void __wrap_unregister_xenbus_watch(struct xenbus_watch *watch);
int __wrap___xenbus_register_backend(struct xenbus_driver *drv,
				     struct module *owner,
				     const char *mod_name);
void __wrap_xenbus_unregister_driver(struct xenbus_driver *drv);
int __wrap_xenbus_map_ring_valloc(struct xenbus_device *xdev,
				  grant_ref_t *refs, unsigned int nr,
				  void **vaddr);
int __wrap_xenbus_unmap_ring_vfree(struct xenbus_device *xdev, void *vaddr);
int __wrap_bind_interdomain_evtchn_to_irqhandler_lateeoi(struct xenbus_device *xdev,
							 evtchn_port_t port,
							 irq_handler_t handler,
							 unsigned long flags,
							 const char *name,
							 void *data);
void __wrap_unbind_from_irqhandler(unsigned int irq, void *data);
void __wrap_notify_remote_via_irq(int irq);
void __wrap_xen_irq_lateeoi(unsigned int irq, unsigned int flags);
int __wrap_xen_pirq_from_irq(unsigned int irq);
int __wrap_xen_test_irq_shared(int irq);

#endif /* XPB_WRAPPED_H */
