/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A frontend for xen-pciback that takes pcifront's place in a guest and breaks
 * the protocol's rules on request. Lines written to /dev/badfront are what it
 * does, reading that file tells what came of them. Attacks with a "seed" do the
 * same each time.
 */
#ifndef BADFRONT_H
#define BADFRONT_H

#include <linux/prandom.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <xen/grant_table.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/io/pciif.h>

#define FOLDER "device/pci/0"

/**
 * struct badfront - the one frontend
 * @backend: domain of the backend
 * @page: what was granted last, or NULL
 * @gref: its grant
 * @granted: the grant was not ended yet
 * @irq: of the event channel, 0 if there is none
 * @port: of the event channel
 * @wait: for an event
 */
struct badfront {
	domid_t backend;
	struct xen_pci_sharedinfo *page;
	grant_ref_t gref;
	bool granted;
	int irq;
	evtchn_port_t port;
	wait_queue_head_t wait;
};

extern struct badfront bf;

/* control.c */
extern unsigned long progress;
void say(const char *format, ...) __printf(1, 2);
u32 arg(const char *args, const char *name, u32 otherwise);
bool go_on(void);

/* channel.c: page and event channel */
int do_open(const char *args);
int do_close(const char *args);
int do_close_port(const char *args);
int do_revoke(const char *args);
int do_op(const char *args);
int do_notify(const char *args);
void channel_post(const struct xen_pci_op *op);
bool channel_answered(unsigned int ms);
int channel_ask(struct xen_pci_op *op);

/* store.c: the frontend's directory, and the backend's state */
int store_init(void);
void store_exit(void);
int do_write(const char *args);
int do_remove(const char *args);
int do_publish(const char *args);
int do_state(const char *args);
int do_await(const char *args);
int do_seen(const char *args);
int do_connect(const char *args);
int do_cycles(const char *args);
int do_flips(const char *args);
int do_walk(const char *args);

/* judge.c: which answers are right */
const char *judge(const struct xen_pci_op *asked, const struct xen_pci_op *got);
bool page_is_sound(void);
void complain(const char *what, const struct xen_pci_op *asked,
	      const struct xen_pci_op *got);

/* fuzz.c: requests at random */
u32 below(struct rnd_state *rnd, u32 limit);
u32 wild(struct rnd_state *rnd);
void make_op(struct rnd_state *rnd, struct xen_pci_op *op);
int do_fuzz(const char *args);

/* words.c: all sequences of a length */
int walk_words(unsigned int letters, unsigned int length,
	       int (*step)(unsigned int letter, const char *args),
	       const char *args);
int do_words(const char *args);

/* races.c: what the backend must not look at twice or wait for */
int do_race(const char *args);
int do_games(const char *args);
int do_storm(const char *args);

/* aer.c: answers to the backend's error requests */
void aer_asked(void);
void aer_exit(void);
int do_aer(const char *args);

#endif /* BADFRONT_H */
