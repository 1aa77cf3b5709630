// SPDX-License-Identifier: GPL-2.0
/* Sequences: every one of a length, each as a part of one long walk. */
#include <linux/bitmap.h>
#include <linux/pci_regs.h>
#include <linux/slab.h>

#include "badfront.h"

/**
 * walk_words - take steps so that every word of some length comes once
 * @letters: how many different steps there are
 * @length: of the words
 * @step: takes one; an error ends the walk
 * @args: for @step
 *
 * A sequence of de Bruijn, by the rule to take the highest letter that makes a
 * word which was not there yet. Shorter words are parts of the longer ones.
 */
int walk_words(unsigned int letters, unsigned int length,
	       int (*step)(unsigned int letter, const char *args),
	       const char *args)
{
	unsigned int i, letter, next = 0, word = 0, words = 1;
	unsigned long *seen;
	int err = 0;

	for (i = 0; i < length; i++)
		words *= letters;
	seen = bitmap_zalloc(words, GFP_KERNEL);
	if (!seen)
		return -ENOMEM;
	for (i = 0; !err && i < words; i++) {
		for (letter = letters; letter--;) {
			next = (word * letters + letter) % words;
			if (!test_bit(next, seen))
				break;
		}
		__set_bit(next, seen);
		word = next;
		err = step(letter, args);
	}
	bitmap_free(seen);
	return err;
}

enum letter {
	ENABLE_MSI, DISABLE_MSI, ENABLE_MSIX, DISABLE_MSIX, DECODE_OFF,
	DECODE_ON, TO_D3, TO_D0, LETTERS,
};

static void spell(enum letter letter, u32 pm, struct xen_pci_op *op)
{
	*op = (struct xen_pci_op){ .cmd = XEN_PCI_OP_conf_write, .size = 2 };
	op->msix_entries[1].entry = 1;
	switch (letter) {
	case ENABLE_MSI:
		op->cmd = XEN_PCI_OP_enable_msi;
		break;
	case DISABLE_MSI:
		op->cmd = XEN_PCI_OP_disable_msi;
		break;
	case ENABLE_MSIX:
		op->cmd = XEN_PCI_OP_enable_msix;
		op->value = 2;
		break;
	case DISABLE_MSIX:
		op->cmd = XEN_PCI_OP_disable_msix;
		break;
	case DECODE_OFF:
		op->offset = PCI_COMMAND;
		break;
	case DECODE_ON:
		op->offset = PCI_COMMAND;
		op->value = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
		break;
	case TO_D3:
		op->offset = pm + PCI_PM_CTRL;
		op->value = 3;
		break;
	default:
		op->offset = pm + PCI_PM_CTRL;
	}
}

static u32 bad_letters;

static int say_letter(unsigned int letter, const char *args)
{
	static struct xen_pci_op asked, got;
	const char *what;
	int err;

	spell(letter, arg(args, "pm", 0x40), &asked);
	got = asked;
	err = channel_ask(&got);
	what = err ? "no answer" : judge(&asked, &got);
	if (!what && asked.cmd == XEN_PCI_OP_enable_msi && !got.err &&
	    !got.value)
		what = "no vector";
	if (what) {
		complain(what, &asked, &got);
		bad_letters++;
	}
	if (!go_on())
		return -EINTR;
	return err;
}

/**
 * do_words - every sequence of interrupt, COMMAND and power requests
 * @args: length; pm: where the power management capability is
 */
int do_words(const char *args)
{
	int err;

	bad_letters = 0;
	err = walk_words(LETTERS, arg(args, "length", 2), say_letter, args);
	say("%lu requests, %u bad answers\n", progress, bad_letters);
	return err;
}
