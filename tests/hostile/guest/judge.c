// SPDX-License-Identifier: GPL-2.0
/* Is an answer one that pciif.h allows? */
#include <linux/mm.h>
#include <linux/string.h>

#include "badfront.h"

/* Of the page, and what is told of bad answers. */
#define FILLER 0xa5
#define MAX_COMPLAINTS 5

/* Xen's io/pciif.h has it, Linux's copy does not. */
#define LAST_CMD 10

/* Config space of a PCI Express device. */
#define CONFIG_SIZE 4096

static bool is_access(const struct xen_pci_op *op)
{
	return (op->size == 1 || op->size == 2 || op->size == 4) &&
	       op->offset >= 0 && op->offset <= CONFIG_SIZE - op->size &&
	       !(op->offset & (op->size - 1));
}

static const char *judge_config(const struct xen_pci_op *asked,
				const struct xen_pci_op *got)
{
	if (!is_access(asked))
		return got->err == XEN_PCI_ERR_invalid_offset ? NULL :
		       "no access is this, and it was none of invalid_offset";
	if (asked->cmd == XEN_PCI_OP_conf_write)
		return !got->err || got->err == XEN_PCI_ERR_access_denied ?
		       NULL : "a write failed";
	if (got->err)
		return "a read failed";
	return got->value >> (asked->size * 8 - 1) >> 1 ?
	       "more was read than asked for" : NULL;
}

static bool same_request(const struct xen_pci_op *asked,
			 const struct xen_pci_op *got)
{
	return asked->cmd == got->cmd && asked->domain == got->domain &&
	       asked->bus == got->bus && asked->devfn == got->devfn &&
	       asked->offset == got->offset && asked->size == got->size;
}

/**
 * judge - what is wrong with an answer
 * @asked: request for the device at 0000:00:00.0 or for none
 * @got: what stands in the page now
 *
 * Return: NULL if nothing is.
 */
const char *judge(const struct xen_pci_op *asked, const struct xen_pci_op *got)
{
	bool vectors = asked->cmd == XEN_PCI_OP_enable_msix && !got->err;

	if (!same_request(asked, got))
		return "the request was written to";
	if (!vectors && memcmp(asked->msix_entries, got->msix_entries,
			       sizeof(got->msix_entries)))
		return "the entries were written to";
	if (got->err > 0 || got->err < XEN_PCI_ERR_op_failed)
		return "no error of the protocol";
	if (asked->domain || asked->bus || asked->devfn)
		return got->err == XEN_PCI_ERR_dev_not_found ? NULL :
		       "there is no such device";
	if (asked->cmd > LAST_CMD)
		return got->err == XEN_PCI_ERR_not_implemented ? NULL :
		       "there is no such request";
	if (asked->cmd <= XEN_PCI_OP_conf_write)
		return judge_config(asked, got);
	return NULL;
}

/**
 * page_is_sound - did the backend write where nothing of its own is?
 */
bool page_is_sound(void)
{
	size_t len = PAGE_SIZE - sizeof(*bf.page);

	return !memchr_inv(bf.page + 1, FILLER, len);
}

/**
 * complain - tell of a bad answer; of the first ones only
 * @what: is wrong
 * @asked: request
 * @got: answer
 */
void complain(const char *what, const struct xen_pci_op *asked,
	      const struct xen_pci_op *got)
{
	static unsigned int count;

	if (count++ % 1000 >= MAX_COMPLAINTS)
		return;
	say("bad: %s: step %lu cmd %u %x:%x:%x offset %#x size %d value %#x: err %d value %#x\n",
	    what, progress, asked->cmd, asked->domain, asked->bus, asked->devfn,
	    asked->offset, asked->size, asked->value, got->err, got->value);
}
