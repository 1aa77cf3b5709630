/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of a claimed device share: the driver, a host, its devices. */
#ifndef XPB_BED_H
#define XPB_BED_H

#include <kunit/test.h>

#include "fake_host.h"
#include "fake_xen.h"
#include "pciback.h"

/* A device with all kinds of interrupts, and without a reset. */
#define BED_NIC		(FAKE_MSI | FAKE_MSIX | FAKE_PCIE)

/* Ends a sweep over all N that does not end by itself. */
#define BED_SWEEP	2000

/* The driver's module_init() and module_exit(), by way of wrap.h. */
int pciback_init_module(void);
void pciback_cleanup_module(void);

extern struct kunit_suite aer_suite;
extern struct kunit_suite claim_suite;
extern struct kunit_suite fault_suite;
extern struct kunit_suite frontend_suite;
extern struct kunit_suite irq_suite;
extern struct kunit_suite limit_suite;
extern struct kunit_suite msi_suite;
extern struct kunit_suite owner_suite;
extern struct kunit_suite reset_suite;
extern struct kunit_suite guest_suite;
extern struct kunit_suite race_suite;
extern struct kunit_suite policy_suite;
extern struct kunit_suite vpd_suite;

int bed_load(struct kunit_suite *suite);
void bed_unload(struct kunit_suite *suite);
int bed_init(struct kunit *test);
void bed_exit(struct kunit *test);

void bed_settle(void);
struct fake_host *bed_host(struct kunit *test);
void bed_new_host(struct kunit *test);
void bed_start(struct kunit *test);
struct pci_dev *bed_pdev(struct kunit *test, unsigned int i);
struct pcistub *bed_claim(struct kunit *test, unsigned int i);
struct pcistub *bed_one_device(struct kunit *test, unsigned long has);
int bed_try_claim(struct pci_dev *pdev);
void bed_want(struct kunit *test, struct pci_dev *pdev);
void bed_release(struct pci_dev *pdev);
struct fake_guest *bed_new_guest(struct kunit *test, struct pci_dev *pdev);
struct fake_guest *bed_guest(struct kunit *test, struct pci_dev *pdev);
void bed_master(struct kunit *test, struct fake_guest *guest);
void bed_decode(struct kunit *test, struct fake_guest *guest);
void bed_begin_msix(struct kunit *test, struct fake_guest *guest);
void bed_give_line(struct kunit *test, struct pcistub *stub);
void bed_take_line(struct pcistub *stub);
void bed_end_guest(struct kunit *test);
void bed_wait_for_stop(void);
unsigned int bed_error(struct pci_dev *pdev, pci_ers_result_t *verdict);
unsigned int bed_mild_error(struct pci_dev *pdev, pci_ers_result_t *verdict);
unsigned int bed_failure(struct pci_dev *pdev, pci_ers_result_t *verdict);
void bed_resume(struct pci_dev *pdev);
unsigned int bed_recover(struct pci_dev *pdev, pci_ers_result_t *verdict);

#endif /* XPB_BED_H */
