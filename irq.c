// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts of a claimed device: one mode, changed in one place.
 *
 * Xen injects a guest's interrupts into the guest; dom0 only arranges it. MSI
 * and MSI-X are enabled by dom0's PCI core, which maps the vectors to PIRQs of
 * the domain that is registered as the device's owner. A guest's INTx line is
 * bound by the guest itself. If dom0 has a device on the same line, it would
 * see interrupts that nobody claims, and in the end shut the line: so while a
 * guest's device interrupts by a shared line, a stand-in handler of dom0
 * claims them. It comes when the guest turns the device on and stays until the
 * device is reset; it claims none from when it finds that no guest has the line
 * any more until a guest turns the device on again.
 *
 * All of this is a PV dom0's, whose irqs of devices are PIRQs. A PVH dom0 has
 * them by hardware that Xen emulates: asked for their PIRQ, the kernel dies.
 */
#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <xen/events.h>
#include <xen/xen.h>

#include "conf_space_tables.h"
#include "pciback.h"

/* The stand-in looks this often, in interrupts, if it is still needed. */
#define STANDIN_CHECK 1000

static irqreturn_t standin(int irq, void *data)
{
	struct pcistub *stub = data;

	stub->irq.handled++;
	/* In spite of its name, that is true if nobody shares the line. */
	if (READ_ONCE(stub->irq.ack) && !(stub->irq.handled % STANDIN_CHECK) &&
	    xen_test_irq_shared(irq))
		WRITE_ONCE(stub->irq.ack, false);
	return READ_ONCE(stub->irq.ack) ? IRQ_HANDLED : IRQ_NONE;
}

static bool is_msi(enum pciback_irq_mode mode)
{
	return mode == PCIBACK_IRQ_MSI || mode == PCIBACK_IRQ_MSIX;
}

/* The only place where it changes; others look at it without the lock. */
static void note_mode(struct pcistub *stub, enum pciback_irq_mode mode)
{
	lockdep_assert_held(&stub->irq.lock);
	WRITE_ONCE(stub->irq.mode, mode);
}

static int start_intx(struct pcistub *stub)
{
	int err = 0;

	lockdep_assert_held(&stub->irq.lock);

	if (!stub->irq.line)
		return -ENODEV;
	WRITE_ONCE(stub->irq.ack, true);
	if (!stub->irq.standin)
		err = request_irq(stub->irq.line, standin, IRQF_SHARED,
				  stub->irq.name, stub);
	if (err)
		WRITE_ONCE(stub->irq.ack, false);
	else
		stub->irq.standin = true;
	return err;
}

static void dismiss_standin(struct pcistub *stub)
{
	lockdep_assert_held(&stub->irq.lock);

	if (stub->irq.standin)
		free_irq(stub->irq.line, stub);
	stub->irq.standin = false;
	WRITE_ONCE(stub->irq.ack, false);
}

static int start_msi(struct pcistub *stub, int nr)
{
	int err = pci_alloc_irq_vectors(stub->pdev, nr, nr, PCI_IRQ_MSI);

	if (err < 0)
		return err;
	stub->irq.pirq = xen_pirq_from_irq(stub->pdev->irq);
	return 0;
}

static int start_msix(struct pcistub *stub, struct msix_entry *entries, int nr)
{
	int i, err = pci_enable_msix_range(stub->pdev, entries, nr, nr);

	for (i = 0; i < err; i++)
		entries[i].vector = xen_pirq_from_irq(entries[i].vector);
	return min(err, 0);
}

static int start_mode(struct pcistub *stub, enum pciback_irq_mode mode,
		      struct msix_entry *entries, int nr)
{
	switch (mode) {
	case PCIBACK_IRQ_NONE:
		return 0;
	case PCIBACK_IRQ_INTX:
		return start_intx(stub);
	case PCIBACK_IRQ_MSI:
		return start_msi(stub, nr);
	case PCIBACK_IRQ_MSIX:
		return start_msix(stub, entries, nr);
	}
	return -EINVAL;
}

/*
 * The kernel logs a line where Xen has no vectors left for the guest, and a guest
 * can have that as often as it likes. The way back to no interrupts stays open.
 */
static int try_start(struct pcistub *stub, enum pciback_irq_mode mode,
		     struct msix_entry *entries, int nr)
{
	bool msi = is_msi(mode);
	int err;

	if (msi && !xen_pv_domain())
		return -EOPNOTSUPP;
	if (msi && !pciback_limit_allows(&stub->limit[PCIBACK_MAY_MSI]))
		return -EBUSY;
	err = start_mode(stub, mode, entries, nr);
	if (err && msi)
		pciback_limit_count(&stub->limit[PCIBACK_MAY_MSI]);
	return err;
}

/* MSI turned the line off, in a copy of the device's config too. */
static void allow_line_in_copy(struct pci_dev *pdev)
{
	u32 *cmd = &pdev->saved_config_space[PCI_COMMAND / 4];

	if (!PCI_POSSIBLE_ERROR(*cmd))
		*cmd &= ~PCI_COMMAND_INTX_DISABLE;
}

static void stop(struct pcistub *stub)
{
	if (is_msi(stub->irq.mode)) {
		pci_free_irq_vectors(stub->pdev);
		allow_line_in_copy(stub->pdev);
	}
	note_mode(stub, PCIBACK_IRQ_NONE);
}

/*
 * MSI-X lives in a BAR: with decode off an access to it ends in a master abort
 * (XSA-157). A VF decodes if its PF does.
 */
static bool memory_decodes(struct pci_dev *pdev)
{
	u16 cmd;

	return !pci_read_config_word(pci_physfn(pdev), PCI_COMMAND, &cmd) &&
	       !PCI_POSSIBLE_ERROR(cmd) && cmd & PCI_COMMAND_MEMORY;
}

static int check_msix(struct pci_dev *pdev, const struct msix_entry *entries,
		      int nr)
{
	DECLARE_BITMAP(taken, PCI_MSIX_FLAGS_QSIZE + 1) = {};
	int i, size = pci_msix_vec_count(pdev);

	if (size < 0 || nr < 1 || nr > min(size, SH_INFO_MAX_VEC))
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		unsigned int entry = entries[i].entry;

		if (entry >= size)
			return -EINVAL;
		entry = array_index_nospec(entry, size);
		if (__test_and_set_bit(entry, taken))
			return -EINVAL;
	}
	return memory_decodes(pdev) ? 0 : -ENXIO;
}

static void end_msi(struct pcistub *stub)
{
	stop(stub);
	if (stub->irq.standin && !start_intx(stub))
		note_mode(stub, PCIBACK_IRQ_INTX);
}

static bool end_msix(struct pcistub *stub)
{
	bool on = stub->irq.mode == PCIBACK_IRQ_MSIX;

	if (on)
		end_msi(stub);
	return on;
}

static int set_mode(struct pcistub *stub, enum pciback_irq_mode mode,
		    struct msix_entry *entries, int nr)
{
	int err;

	stop(stub);
	if (mode == PCIBACK_IRQ_NONE)
		dismiss_standin(stub);
	err = try_start(stub, mode, entries, nr);
	if (err) {
		end_msi(stub);
		return err;
	}
	note_mode(stub, mode);
	/* A device that uses MSI is not who interrupts by the line. */
	if (is_msi(mode))
		WRITE_ONCE(stub->irq.ack, false);
	return 0;
}

/**
 * pciback_irq_set_mode - change how a device interrupts
 * @stub: device; the caller holds its lock
 * @mode: the new mode
 * @entries: for PCIBACK_IRQ_MSIX, the vectors; their PIRQs are filled in
 * @nr: number of vectors, for MSI-X of @entries
 *
 * A live MSI mode is ended first, also by a request for the same mode: a
 * frontend may have torn its vectors down without saying so. What can be
 * checked is checked before that. PCIBACK_IRQ_NONE ends the stand-in too. If the
 * new mode cannot be started, the line is back.
 *
 * Return: 0 or -errno; -EINVAL: the device does not have these vectors; -ENXIO:
 * MSI-X while the device decodes no memory; -EBUSY: it failed too often;
 * -EOPNOTSUPP: MSI or MSI-X where dom0 is no PV domain.
 */
int pciback_irq_set_mode(struct pcistub *stub, enum pciback_irq_mode mode,
			 struct msix_entry *entries, int nr)
{
	int err;

	lockdep_assert_held(&stub->lock);

	if (mode == PCIBACK_IRQ_MSI &&
	    (nr < 1 || nr > pci_msi_vec_count(stub->pdev)))
		return -EINVAL;
	if (mode == PCIBACK_IRQ_MSIX) {
		err = check_msix(stub->pdev, entries, nr);
		if (err)
			return err;
	}
	mutex_lock(&stub->irq.lock);
	err = set_mode(stub, mode, entries, nr);
	mutex_unlock(&stub->irq.lock);
	return err;
}

/**
 * pciback_irq_end_msi - go back to the line
 * @stub: device; needs no lock of it
 *
 * A driver that falls back to it does not turn the device on once more, which
 * is what brings the stand-in.
 */
void pciback_irq_end_msi(struct pcistub *stub)
{
	mutex_lock(&stub->irq.lock);
	end_msi(stub);
	mutex_unlock(&stub->irq.lock);
}

/**
 * pciback_irq_save - keep a device's config, for pciback_irq_restore()
 * @stub: device; the caller holds its lock, or device_lock()
 */
void pciback_irq_save(struct pcistub *stub)
{
	mutex_lock(&stub->irq.lock);
	pci_save_state(stub->pdev);
	mutex_unlock(&stub->irq.lock);
}

/*
 * The copy is used up by a restore; and it may have been made of a device that did
 * not answer, or had just forgotten its config.
 */
static bool has_good_copy(const struct pcistub *stub)
{
	u32 cmd = stub->pdev->saved_config_space[PCI_COMMAND / 4];

	return stub->pdev->state_saved && !PCI_POSSIBLE_ERROR(cmd) &&
	       !(stub->decode & ~cmd);
}

/*
 * A guest that has a device's memory can reach for it at any time: what that comes
 * to while the device does not decode is an error of the host's (XSA-120). The
 * policy is the caller's, so no guest writes to COMMAND meanwhile.
 */
static void keep_decode(struct pcistub *stub)
{
	u16 cmd;

	if (!pci_read_config_word(stub->pdev, PCI_COMMAND, &cmd) &&
	    stub->decode & ~cmd)
		pci_write_config_word(stub->pdev, PCI_COMMAND,
				      cmd | stub->decode);
}

/**
 * pciback_irq_end_msix - end MSI-X before a device's config is to be restored
 * @stub: device, which decodes if it can; the caller holds its lock
 *
 * Xen would write the vectors then, and bug where the device ceases to decode
 * between two of them, which a guest may bring about.
 */
void pciback_irq_end_msix(struct pcistub *stub)
{
	mutex_lock(&stub->irq.lock);
	end_msix(stub);
	mutex_unlock(&stub->irq.lock);
}

/**
 * pciback_irq_restore - bring back a device's config, with the MSI that it uses
 * @stub: device; the caller holds its lock, or device_lock()
 *
 * As pciback_irq_save() kept it, or if there is no such copy, as at the claim.
 * The guest may begin MSI meanwhile, or an error end it; and a guest may write to
 * COMMAND, bit by bit, what the device had before.
 *
 * Return: true if MSI-X was on, which has ended, see pciback_irq_end_msix().
 */
bool pciback_irq_restore(struct pcistub *stub)
{
	bool msix;

	mutex_lock(&stub->irq.lock);
	msix = end_msix(stub);
	if (!has_good_copy(stub))
		pci_load_saved_state(stub->pdev, stub->fresh);
	pci_restore_state(stub->pdev);
	spin_lock_irq(&stub->conf_lock);
	keep_decode(stub);
	stub->vpd_pos = 0;
	spin_unlock_irq(&stub->conf_lock);
	mutex_unlock(&stub->irq.lock);
	return msix;
}

/**
 * pciback_silence - a device's driver is gone: no MSI, no DMA
 * @stub: device
 */
void pciback_silence(struct pcistub *stub)
{
	mutex_lock(&stub->lock);
	if (READ_ONCE(stub->state) == PCISTUB_ASSIGNED) {
		pciback_irq_end_msi(stub);
		pci_clear_master(stub->pdev);
	}
	mutex_unlock(&stub->lock);
}

/**
 * pciback_irq_toggle_standin - take the stand-in away, or bring it
 * @stub: device
 *
 * Return: 0; -EBUSY while the device uses MSI or MSI-X; -ENODEV if it has no
 * interrupt line, or is not claimed yet, or gone; or what request_irq() says.
 */
int pciback_irq_toggle_standin(struct pcistub *stub)
{
	enum pciback_irq_mode mode;
	int err = -EBUSY;

	mutex_lock(&stub->lock);
	mode = READ_ONCE(stub->irq.mode);
	/* Its claim may still fail, or it has ended. */
	if (!stub->conf || READ_ONCE(stub->state) == PCISTUB_GONE)
		err = -ENODEV;
	else if (!is_msi(mode))
		err = pciback_irq_set_mode(stub, mode == PCIBACK_IRQ_NONE ?
					   PCIBACK_IRQ_INTX : PCIBACK_IRQ_NONE,
					   NULL, 0);
	mutex_unlock(&stub->lock);
	return err;
}

static void bring_standin(struct pcistub *stub)
{
	struct pciback_limit *limit = &stub->limit[PCIBACK_MAY_LINE];
	int err;

	if (!pciback_limit_allows(limit))
		return;
	err = pciback_irq_set_mode(stub, PCIBACK_IRQ_INTX, NULL, 0);
	if (!err)
		return;
	pciback_limit_count(limit);
	dev_warn(&stub->pdev->dev,
		 "no stand-in for irq %d: dom0 may shut it (%d%s)\n",
		 stub->irq.line, err,
		 err == -EBUSY ? ", dom0's handler does not share it" : "");
}

/*
 * A device that could not be reset was kept off its line, of which the guest's
 * own INTx disable bit knows nothing.
 */
static void allow_line(struct pcistub *stub)
{
	bool off;

	pcistub_conf_begin(stub);
	off = pciback_conf_find(stub->conf, PCI_COMMAND)->shadow &
	      PCI_COMMAND_INTX_DISABLE;
	if (!off || !READ_ONCE(stub->intx_control))
		pci_intx(stub->pdev, true);
	pcistub_conf_end(stub);
}

/**
 * pciback_line_work - let a device interrupt after a guest turned decode on
 * @work: &pcistub.line_work; owns a reference to the device
 */
void pciback_line_work(struct work_struct *work)
{
	struct pcistub *stub = container_of(work, struct pcistub,
					    line_work.work);

	mutex_lock(&stub->lock);
	if (READ_ONCE(stub->state) == PCISTUB_ASSIGNED &&
	    !is_msi(READ_ONCE(stub->irq.mode))) {
		if (stub->irq.line && !READ_ONCE(stub->irq.ack))
			bring_standin(stub);
		allow_line(stub);
		/* It may have read COMMAND before an error cut the device off. */
		if (READ_ONCE(stub->evict) != PCIBACK_EVICT_NONE)
			pci_clear_master(stub->pdev);
	}
	mutex_unlock(&stub->lock);
	pcistub_put(stub);
}

/**
 * pciback_guest_decodes - a guest wrote COMMAND, with a decode bit set
 * @conf: policy of the device; its lock is held
 * @anew: none was set before
 *
 * Some devices turn decode off in a reset that their driver makes, which then
 * writes what it wrote before. Never sleeps: nothing in the guest waits for
 * dom0's stand-in.
 */
void pciback_guest_decodes(struct pciback_conf *conf, bool anew)
{
	struct pcistub *stub = pcistub_of(conf->pdev);

	keep_decode(stub);
	if (!anew || is_msi(READ_ONCE(stub->irq.mode)))
		return;
	pcistub_queue(stub, &stub->line_work, 0);
}

/**
 * pciback_guest_intx - a guest wrote COMMAND's INTx disable bit
 * @conf: policy of the device; its lock is held
 * @on: INTx is wanted
 *
 * Virtual, unless the administrator gave the guest control.
 */
void pciback_guest_intx(struct pciback_conf *conf, bool on)
{
	if (READ_ONCE(pcistub_of(conf->pdev)->intx_control))
		pci_intx(conf->pdev, on);
}

/**
 * pciback_guest_save - a guest is about to put a device to sleep
 * @conf: policy of the device; its lock is held, in process context
 * @forgets: its config is to be restored when it wakes
 */
void pciback_guest_save(struct pciback_conf *conf, bool forgets)
{
	struct pcistub *stub = pcistub_of(conf->pdev);

	if (forgets)
		pciback_irq_end_msix(stub);
	pciback_irq_save(stub);
}

/**
 * pciback_guest_restore - a guest woke a device that has forgotten its config
 * @conf: policy of the device; its lock is held, in process context
 */
void pciback_guest_restore(struct pciback_conf *conf)
{
	pciback_irq_restore(pcistub_of(conf->pdev));
}

static u16 enable_bit(bool msi)
{
	return msi ? PCI_MSI_FLAGS_ENABLE : PCI_MSIX_FLAGS_ENABLE;
}

/**
 * pciback_guest_msi_bits - a guest wrote MSI or MSI-X control bits
 * @conf: policy of the device; its lock is held
 * @pos: offset of the control word
 * @val: its value with the guest's bits
 *
 * For a device model, which has the device's PIRQs mapped by other means and
 * only wants the bits; libxl makes its device permissive, or opens these bits
 * alone. One kind of MSI is enabled at a time (XSA-157).
 *
 * Return: 0, -EACCES, or -ENODEV if the device cannot be reached.
 */
int pciback_guest_msi_bits(struct pciback_conf *conf, u16 pos, u32 val)
{
	struct pci_dev *pdev = conf->pdev;
	struct pcistub *stub = pcistub_of(pdev);
	bool msi = pos == pdev->msi_cap + PCI_MSI_FLAGS;
	u16 flags = 0, cap = msi ? pdev->msix_cap : pdev->msi_cap;

	if (!READ_ONCE(stub->intx_control) && !pcistub_permissive(stub))
		return -EACCES;
	if (cap && val & enable_bit(msi)) {
		if (pci_read_config_word(pdev, cap + PCI_MSI_FLAGS, &flags))
			return -ENODEV;
		if (flags & enable_bit(!msi))
			return -EACCES;
	}
	return pci_write_config_word(pdev, pos, val) ? -ENODEV : 0;
}
