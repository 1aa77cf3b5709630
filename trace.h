/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: each request of a guest, and what of a write was denied. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xen_pciback

#if !defined(XEN_PCIBACK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define XEN_PCIBACK_TRACE_H

#include <linux/tracepoint.h>
#include <xen/interface/io/pciif.h>

#include "conf_space.h"

TRACE_EVENT(pciback_op,
	TP_PROTO(unsigned int domid, const struct xen_pci_op *op),
	TP_ARGS(domid, op),
	TP_STRUCT__entry(
		__field(unsigned int, domid)
		__field(u32, cmd)
		__field(u32, domain)
		__field(u32, bus)
		__field(u32, devfn)
		__field(s32, offset)
		__field(s32, size)
		__field(u32, value)
		__field(s32, err)
	),
	TP_fast_assign(
		__entry->domid = domid;
		__entry->cmd = op->cmd;
		__entry->domain = op->domain;
		__entry->bus = op->bus;
		__entry->devfn = op->devfn;
		__entry->offset = op->offset;
		__entry->size = op->size;
		__entry->value = op->value;
		__entry->err = op->err;
	),
	TP_printk("domain %u: op %u for %x:%x:%x offset %#x size %d value %#x: %d",
		  __entry->domid, __entry->cmd, __entry->domain, __entry->bus,
		  __entry->devfn, __entry->offset, __entry->size,
		  __entry->value, __entry->err)
);

TRACE_EVENT(pciback_denied,
	TP_PROTO(u32 sbdf, const struct pciback_denied *denied),
	TP_ARGS(sbdf, denied),
	TP_STRUCT__entry(
		__field(u32, sbdf)
		__field(u32, offset)
		__field(u32, size)
		__field(u32, value)
		__field(u32, mask)
	),
	TP_fast_assign(
		__entry->sbdf = sbdf;
		__entry->offset = denied->offset;
		__entry->size = denied->size;
		__entry->value = denied->value;
		__entry->mask = denied->mask;
	),
	TP_printk("%04x:%02x:%02x.%x: write of %#x to %#x, %u bytes: bits %#x",
		  __entry->sbdf >> 16, __entry->sbdf >> 8 & 0xff,
		  __entry->sbdf >> 3 & 0x1f, __entry->sbdf & 7,
		  __entry->value, __entry->offset, __entry->size,
		  __entry->mask)
);

#endif /* XEN_PCIBACK_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
