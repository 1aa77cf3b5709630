// SPDX-License-Identifier: GPL-2.0
/* Requests with all fields at random, most of them nearly right. */
#include <linux/kernel.h>

#include "badfront.h"

/**
 * below - a random number
 * @rnd: source
 * @limit: it is less than this
 */
u32 below(struct rnd_state *rnd, u32 limit)
{
	return prandom_u32_state(rnd) % limit;
}

/**
 * wild - a random number that is an odd one
 * @rnd: source
 */
u32 wild(struct rnd_state *rnd)
{
	static const u32 edges[] = {
		0, 1, 2, 3, 4, 8, 0x7f, 0x80, 0xff, 0x100, 0xffc, 0xfff, 0x1000,
		0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff,
	};

	if (below(rnd, 2))
		return prandom_u32_state(rnd);
	return edges[below(rnd, ARRAY_SIZE(edges))];
}

static u32 any_cmd(struct rnd_state *rnd)
{
	u32 dice = below(rnd, 1000);

	if (dice < 600)
		return XEN_PCI_OP_conf_read;
	if (dice < 960)
		return XEN_PCI_OP_conf_write;
	return dice < 990 ? below(rnd, 12) : wild(rnd);
}

/* Mostly an access that there is, half of them in the first 256 bytes. */
static void any_access(struct rnd_state *rnd, struct xen_pci_op *op)
{
	u32 size = 1 << below(rnd, 3);

	op->size = below(rnd, 32) ? size : wild(rnd);
	op->offset = below(rnd, below(rnd, 2) ? 0x100 : 0x1008);
	if (below(rnd, 32))
		op->offset &= ~(size - 1);
	if (!below(rnd, 32))
		op->offset = wild(rnd);
}

static void any_entries(struct rnd_state *rnd, struct xen_pci_op *op)
{
	unsigned int i;

	op->value = below(rnd, 8) ? below(rnd, 16) : wild(rnd);
	for (i = 0; i < SH_INFO_MAX_VEC; i++)
		op->msix_entries[i].entry = below(rnd, 64) ? i : wild(rnd);
}

/**
 * make_op - a request
 * @rnd: source
 * @op: request; what is in its entries stays there unless they are meant
 */
void make_op(struct rnd_state *rnd, struct xen_pci_op *op)
{
	op->cmd = any_cmd(rnd);
	op->err = prandom_u32_state(rnd);
	op->domain = below(rnd, 64) ? 0 : wild(rnd);
	op->bus = below(rnd, 64) ? 0 : wild(rnd);
	op->devfn = below(rnd, 64) ? 0 : wild(rnd);
	any_access(rnd, op);
	op->value = wild(rnd);
	op->info = below(rnd, 2) ? below(rnd, 34) : wild(rnd);
	if (op->cmd == XEN_PCI_OP_enable_msix)
		any_entries(rnd, op);
}

/**
 * do_fuzz - requests at random, each answer judged
 * @args: count, seed
 */
int do_fuzz(const char *args)
{
	static struct xen_pci_op asked, got;
	u32 bad = 0, i, count = arg(args, "count", 1);
	struct rnd_state rnd;
	const char *what;
	int err = 0;

	prandom_seed_state(&rnd, arg(args, "seed", 1));
	for (i = 0; !err && i < count && go_on(); i++) {
		make_op(&rnd, &asked);
		got = asked;
		err = channel_ask(&got);
		what = err ? "no answer" : judge(&asked, &got);
		if (!what && !page_is_sound())
			what = "the page was written to";
		if (what) {
			complain(what, &asked, &got);
			bad++;
		}
	}
	say("%u requests, %u bad answers\n", i, bad);
	return err;
}
