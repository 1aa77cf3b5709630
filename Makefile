# SPDX-License-Identifier: GPL-2.0
#
# Serves a kernel tree, where this directory is drivers/xen/xen-pciback, and
# installed kernel headers, where "make" builds the module for the running
# kernel or for KDIR.

ifneq ($(KERNELRELEASE),)

obj-$(CONFIG_XEN_PCIDEV_BACKEND) += xen-pciback.o
obj-$(CONFIG_XEN_PCIDEV_STUB) += xen-pciback.o

xen-pciback-y := pci_stub.o registry.o owner.o bus.o slots.o
xen-pciback-y += sysfs.o sysfs_device.o parse.o
xen-pciback-y += reset.o power.o irq.o gsi.o limit.o aer.o recovery.o
xen-pciback-y += conf_space.o conf_space_gaps.o conf_space_rows.o
xen-pciback-y += conf_space_chain.o conf_space_header.o conf_space_capability.o
xen-pciback-y += conf_space_quirks.o
xen-pciback-y += xenbus.o states.o frontend.o session.o map.o store.o plan.o
xen-pciback-y += foreign.o vmap.o vpci.o passthrough.o channel.o pciback_ops.o

# trace.h is included by the kernel's trace headers, which look for it here.
CFLAGS_pciback_ops.o := -I$(src)

else

KDIR ?= /lib/modules/$(shell uname -r)/build

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) CONFIG_XEN_PCIDEV_BACKEND=m modules

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean

.PHONY: modules clean

-include tests/Makefile

endif
