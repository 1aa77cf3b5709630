/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xen-pciback: the host side of Xen's PV PCI passthrough.
 *
 * Two objects carry the driver. A &struct pcistub is a PCI device that was
 * claimed from the host, a &struct pciback_session is a guest that is served.
 *
 * Lock order, outer to inner:
 *
 *	sess->lock	mutex	state of a session, its topology and its channel
 *	device_lock()		the driver core's, around bind, unbind and reset
 *	registry lock	mutex	which devices are claimed and whose they are
 *	stub->lock	mutex	resets, slow config accesses, what guests ask for
 *	irq.lock	mutex	interrupt mode, against recovery from an error
 *	stub->conf_lock	spin	the policy's shadows and the raw access
 *	chan->lock	spin	life of a channel, and its AER request
 *
 * What the PCI core calls with device_lock() held never takes sess->lock. Its
 * error callbacks run with pci_bus_sem held and never take stub->lock: the core
 * takes pci_bus_sem to reset a device or to change its power state, and we ask for
 * both with stub->lock held. Where we took device_lock() ourselves no power state
 * is changed, see pciback_wake(). VPD is read with neither stub->lock nor
 * device_lock() held: the core lets that read wait for a reset, which needs both.
 * The map of a session changes under sess->map_lock, a leaf inside of the
 * registry lock, and is read under RCU. The lock of the list of sessions is a leaf
 * too; the one by which bus resets take turns is outside of all.
 */
#ifndef XEN_PCIBACK_H
#define XEN_PCIBACK_H

#include <linux/interrupt.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <xen/interface/io/pciif.h>
#include <xen/xenbus.h>

#include "conf_space.h"
#include "parse.h"
#include "states.h"
#include "vpci.h"

#define DRV_NAME "xen-pciback"

/* Only x86 has PV guests: elsewhere (XEN_PCIDEV_STUB) no frontend comes. */
#define PCIBACK_SERVES_PV IS_ENABLED(CONFIG_X86)

struct pciback_op_policy;
struct pciback_session;
struct pciback_wish;

/**
 * enum pcistub_state - whose a claimed device is
 * @PCISTUB_CLEANING: a reset is under way or queued; soon FREE or DIRTY
 * @PCISTUB_FREE: reset and as at its claim
 * @PCISTUB_DIRTY: as FREE, but its last reset failed
 * @PCISTUB_ASSIGNED: a guest's
 * @PCISTUB_GONE: unbound or unplugged; references may be left, access is not
 */
enum pcistub_state {
	PCISTUB_CLEANING,
	PCISTUB_FREE,
	PCISTUB_DIRTY,
	PCISTUB_ASSIGNED,
	PCISTUB_GONE,
};

/**
 * enum pciback_irq_mode - how a device interrupts
 * @PCIBACK_IRQ_NONE: not at all, or by a line on which dom0 has no stand-in
 * @PCIBACK_IRQ_INTX: by its line, on which dom0 has a stand-in handler
 * @PCIBACK_IRQ_MSI: by MSI
 * @PCIBACK_IRQ_MSIX: by MSI-X
 */
enum pciback_irq_mode {
	PCIBACK_IRQ_NONE,
	PCIBACK_IRQ_INTX,
	PCIBACK_IRQ_MSI,
	PCIBACK_IRQ_MSIX,
};

/**
 * struct pciback_limit - bounds what a guest has go wrong for the host
 * @nr: how often it did, since the last quiet minute
 * @last: when the last time was, in jiffies
 */
struct pciback_limit {
	unsigned int nr;
	unsigned long last;
};

/**
 * enum pciback_may - what a guest may have tried again after it failed
 * @PCIBACK_MAY_MSI: start MSI or MSI-X
 * @PCIBACK_MAY_LINE: have a stand-in for its interrupt line
 * @PCIBACK_MAY_SLEEP: put the device into a power state that it does not take, or
 *	not soon
 * @PCIBACK_MAY_VPD: read VPD that the device does not give
 * @PCIBACK_MAY_FLR: reset the device
 * @PCIBACK_NR_MAY: number of them
 */
enum pciback_may {
	PCIBACK_MAY_MSI,
	PCIBACK_MAY_LINE,
	PCIBACK_MAY_SLEEP,
	PCIBACK_MAY_VPD,
	PCIBACK_MAY_FLR,
	PCIBACK_NR_MAY,
};

/* Vectors of MSI, PCI 3.0 section 6.8.1.3. */
#define PCIBACK_MAX_MSI 32

/**
 * struct pciback_irq - the interrupts of a device
 * @line: Linux irq of the interrupt pin, 0 if the device has none, or dom0 is no
 *	PV domain; set at the claim, as are @gsi and @name
 * @gsi: of the interrupt pin, or -errno
 * @name: of the stand-in handler, in /proc/interrupts
 * @ack: the stand-in claims the line's interrupts as its own; it looks at this
 *	without a lock
 * @handled: interrupts that it saw
 *
 * @lock: mutex for what follows; see the lock order
 * @mode: &enum pciback_irq_mode
 * @pirq: of MSI
 * @standin: the stand-in is there
 */
struct pciback_irq {
	int line;
	int gsi;
	char name[32];
	bool ack;
	unsigned long handled;

	struct mutex lock; /* see the lock order */
	enum pciback_irq_mode mode;
	int pirq;
	bool standin;
};

/* Registers whose denied writes are kept and logged, for each guest. */
#define PCIBACK_MAX_DENIED 16

/**
 * struct pciback_count - requests of a guest for one device
 * @reads: of config space
 * @writes: to config space
 * @denied: of @writes, with a bit that was not granted
 * @others: interrupts set up and torn down
 */
struct pciback_count {
	unsigned long reads;
	unsigned long writes;
	unsigned long denied;
	unsigned long others;
};

/**
 * enum pciback_chore - what a guest's write leaves to be done without a lock
 * @PCIBACK_CHORE_NONE: nothing
 * @PCIBACK_CHORE_FLR: a function level reset, which needs device_lock()
 * @PCIBACK_CHORE_VPD: a read of vital product data, which waits for config accesses
 *	that the core blocks while it resets the device, and for our locks
 */
enum pciback_chore {
	PCIBACK_CHORE_NONE,
	PCIBACK_CHORE_FLR,
	PCIBACK_CHORE_VPD,
};

/**
 * enum pciback_recovery - does somebody recover a device from an error?
 * @PCIBACK_RECOVERY_NONE: no
 * @PCIBACK_RECOVERY_HOST: the host does
 * @PCIBACK_RECOVERY_UNCLEAN: the same, and it is reset again before a guest gets it
 * @PCIBACK_RECOVERY_GUEST: the host does, and the guest's driver takes part
 */
enum pciback_recovery {
	PCIBACK_RECOVERY_NONE,
	PCIBACK_RECOVERY_HOST,
	PCIBACK_RECOVERY_UNCLEAN,
	PCIBACK_RECOVERY_GUEST,
};

/**
 * struct pcistub - a device claimed from the host
 * @ref: the registry, the owner's map and queued work hold references
 * @pdev: the device; a reference is held
 * @sbdf: its address
 *
 * @state: under the registry lock
 * @held_by: whose bus reset made it CLEANING, or NULL; under the registry lock
 * @clean_later: meanwhile a reset was asked for; likewise
 * @bus_cleaned: a bus reset hit it after its own was queued; likewise
 * @sess: the guest that owns it, or NULL; under the registry lock, and from
 *	PCISTUB_ASSIGNED to its end the same
 * @out: of who took it out of the guest's map, for pcistub_return()
 * @reset_err: result of the last reset, 0 or -errno; under the registry lock
 * @reset_bus: the last reset was one of the whole bus; likewise
 * @strict_reset: set by the administrator: no guest gets it PCISTUB_DIRTY
 *
 * @lock: mutex, see the lock order
 * @irq: &struct pciback_irq
 * @boot: config before the claim, for the way back to the host
 * @fresh: config that a guest gets
 * @decode: COMMAND's decode bits in it, which a guest is never without (XSA-120)
 * @pm_idle: idle, and left to runtime power management; under @lock
 * @limit: of what the guest may have tried, by &enum pciback_may; under @lock,
 *	but for the end of the guest
 * @quirk_list: rows that the administrator added; under @lock
 *
 * @conf_lock: irq-safe spinlock for what follows, to @count
 * @conf_busy: that is in use by the holder of @lock; nobody else touches it
 * @conf: policy and shadows
 * @slow: accesses that kept an interrupt handler long
 * @chore: &enum pciback_chore, of the access that is being served
 * @vpd_pos: where the guest asked for VPD, for PCIBACK_CHORE_VPD; 0 after a reset
 * @vpd_addr: what it asked for
 * @denied: the first write that was denied to each of so many registers
 * @nr_denied: number of @denied
 * @count: what the present guest did
 * @evict: &enum pciback_evict, of the last guest until there is another. Set
 *	under device_lock(), without which the device does not come to be free;
 *	cleared under the registry lock as it is assigned
 * @permissive: set by the administrator, for the present guest
 * @intx_control: likewise: the guest may set INTx and MSI bits itself
 *
 * @recovery: from an error, in which the host may reset the device; changed
 *	under device_lock()
 * @recovery_end: when it has to be over, in jiffies; likewise
 * @recover_work: ends a recovery that nobody went on with, see recovery.c
 *
 * @clean_work: resets the device
 * @line_work: lets the device interrupt by its line, see irq.c
 * @idle_work: lets it sleep, see power.c
 */
struct pcistub {
	struct kref ref;
	struct pci_dev *pdev;
	u32 sbdf;

	enum pcistub_state state;
	const struct pcistub *held_by;
	bool clean_later;
	bool bus_cleaned;
	struct pciback_session *sess;
	struct list_head out;
	int reset_err;
	bool reset_bus;
	bool strict_reset;

	struct mutex lock; /* see the lock order */
	struct pciback_irq irq;
	struct pci_saved_state *boot;
	struct pci_saved_state *fresh;
	u16 decode;
	bool pm_idle;
	struct pciback_limit limit[PCIBACK_NR_MAY];
	struct list_head quirk_list;

	spinlock_t conf_lock; /* see the lock order */
	bool conf_busy;
	struct pciback_conf *conf;
	struct pciback_limit slow;
	enum pciback_chore chore;
	u16 vpd_pos;
	u16 vpd_addr;
	struct pciback_denied denied[PCIBACK_MAX_DENIED];
	unsigned int nr_denied;
	struct pciback_count count;
	enum pciback_evict evict;
	bool permissive;
	bool intx_control;

	enum pciback_recovery recovery;
	unsigned long recovery_end;
	struct delayed_work recover_work;

	struct delayed_work clean_work;
	struct delayed_work line_work;
	struct delayed_work idle_work;
};

/**
 * enum pciback_life - of a channel
 * @PCIBACK_CHAN_NONE: no page is mapped
 * @PCIBACK_CHAN_LIVE: requests are answered
 * @PCIBACK_CHAN_DYING: the page is still there, requests are not looked at
 */
enum pciback_life {
	PCIBACK_CHAN_NONE,
	PCIBACK_CHAN_LIVE,
	PCIBACK_CHAN_DYING,
};

/**
 * enum pciback_aer - of a channel's error request
 * @PCIBACK_AER_IDLE: there is none
 * @PCIBACK_AER_POSTED: the guest has not answered yet
 * @PCIBACK_AER_ANSWERED: it has
 * @PCIBACK_AER_CANCELLED: it never will
 */
enum pciback_aer {
	PCIBACK_AER_IDLE,
	PCIBACK_AER_POSTED,
	PCIBACK_AER_ANSWERED,
	PCIBACK_AER_CANCELLED,
};

/**
 * struct pciback_request - private copy of a guest's request
 * @op: as the guest wrote it, and then the answer
 * @policy: how it is served; NULL: not at all
 * @vectors: number of &xen_pci_op.msix_entries that belong to the answer
 * @chore: it has been served, and leaves this to be done
 * @denied: what was not granted of it, to be reported
 */
struct pciback_request {
	struct xen_pci_op op;
	const struct pciback_op_policy *policy;
	unsigned int vectors;
	enum pciback_chore chore;
	struct pciback_denied denied;
};

/**
 * struct pciback_channel - a guest's page and event channel
 * @lock: irq-safe spinlock for @life and @aer
 * @life: &enum pciback_life
 * @page: the shared page; mapped unless @life is NONE
 * @irq: of the event channel
 * @gref: grant of @page, to notice another
 * @port: of the guest's end of the event channel, to notice another
 * @req: the request that is being served; the event's until its EOI
 * @work: serves what may sleep; owes the event channel its EOI
 * @aer: &enum pciback_aer
 * @verdict: the guest's answer to the error request
 * @aer_wait: who posted the error request
 * @aer_left: how long the guest may take for what comes of the last error, in
 *	jiffies; written by who has posted a request, or ends a recovery
 * @aer_last: when it was asked the last time, in jiffies; likewise
 */
struct pciback_channel {
	spinlock_t lock; /* see the lock order */
	enum pciback_life life;
	struct xen_pci_sharedinfo *page;
	int irq;
	grant_ref_t gref;
	evtchn_port_t port;
	struct pciback_request req;
	struct work_struct work;
	enum pciback_aer aer;
	u32 verdict;
	wait_queue_head_t aer_wait;
	long aer_left;
	unsigned long aer_last;
};

/* A guest's buses: with passthrough=1 as many as its devices are on. */
#define PCIBACK_MAX_ROOTS 64

/* How often we look if a frontend that published is still there. */
#define PCIBACK_CHECK_INTERVAL (1 * HZ)

/**
 * struct pciback_session - a guest, from its backend directory's birth to death
 * @ref: the xenbus device, its devices and the work item hold references
 * @item: in the list of sessions
 * @xdev: the xenbus device; a reference is held
 * @otherend: path of the frontend's directory; a copy, since the core may free its
 *	own while our work item runs
 * @watch: on the backend's directory
 * @work: brings the session forward; all of it runs there
 * @gone: the xenbus device was removed
 * @lost: a device was taken from the guest, which is to be told
 *
 * @lock: mutex for what follows
 * @errors: bounds what a guest can have logged
 * @action: &enum pciback_action, what was done last
 * @since: when the first such action in a row was, in jiffies
 * @hung: until then, in jiffies, the frontend is not waited for
 * @late: a reconfiguration was made while it was not Connected yet
 * @moved: we changed our state, and did not look what the toolstack asks for since
 * @due: when the next step is due, in jiffies, if none comes early
 * @failures: to connect
 * @root: domain << 8 | bus of the buses that were published
 * @nr_roots: number of @root
 * @chan: to the guest
 *
 * @map_lock: mutex, who changes @map
 * @map: devices, or NULL; read under RCU
 */
struct pciback_session {
	struct kref ref;
	struct list_head item;
	struct xenbus_device *xdev;
	char *otherend;
	struct xenbus_watch watch;
	struct delayed_work work;
	bool gone;
	bool lost;

	struct mutex lock; /* see the lock order */
	struct ratelimit_state errors;
	enum pciback_action action;
	unsigned long since;
	unsigned long hung;
	bool late;
	bool moved;
	unsigned long due;
	struct pciback_limit failures;
	u32 root[PCIBACK_MAX_ROOTS];
	unsigned int nr_roots;
	struct pciback_channel chan;

	struct mutex map_lock; /* a leaf */
	struct pciback_vmap __rcu *map;
};

/* pci_stub.c */
extern struct workqueue_struct *pciback_wq;
extern const struct pciback_topology *pciback_topology;

/* registry.c: claimed devices */
u32 pcistub_sbdf(const struct pci_dev *pdev);
struct pcistub *pcistub_register(struct pci_dev *pdev);
bool pcistub_unregister(struct pcistub *stub);
struct pcistub *pcistub_of(struct pci_dev *pdev);
struct pcistub *pcistub_find(u32 sbdf);
int pcistub_gsi(u32 sbdf);
void pcistub_get(struct pcistub *stub);
void pcistub_put(struct pcistub *stub);
void pcistub_queue(struct pcistub *stub, struct delayed_work *work,
		   unsigned long delay);
void pcistub_cancel(struct pcistub *stub, struct delayed_work *work);
int pcistub_for_each(int (*fn)(struct pcistub *stub, void *data), void *data);
bool pcistub_any_assigned(const struct pciback_pattern *pattern);

/* owner.c: who has them */
void pcistub_ready(struct pcistub *stub);
int pcistub_assign(u32 sbdf, struct pciback_session *sess,
		   struct pcistub **found);
void pcistub_return(struct list_head *stubs);
void pcistub_disown(struct pcistub *stub);
struct pciback_session *pcistub_owner(struct pcistub *stub);
bool pcistub_permissive(const struct pcistub *stub);
bool pcistub_serves(const struct pcistub *stub,
		    const struct pciback_session *sess);
int pcistub_clean_again(struct pcistub *stub);
void pcistub_cleaned(struct pcistub *stub, int err);

/* bus.c: what a bus reset hits */
int pcistub_hold_bus(struct pcistub *stub);
void pcistub_unhold_bus(struct pcistub *stub, int err);
void pcistub_wait_bus(struct pcistub *stub);

/* slots.c: addresses to be claimed */
int pciback_slots_add(const struct pciback_pattern *pattern);
int pciback_slots_remove(const struct pciback_pattern *pattern);
bool pciback_slots_next(unsigned long *sbdf);
bool pciback_slots_cover(const struct pci_dev *pdev);
void pciback_slots_clear(void);

/* conf_space_quirks.c */
int pciback_quirk_add(struct pcistub *stub, const struct pciback_quirk *quirk);
void pciback_quirks_free(struct pcistub *stub);

/* limit.c */
bool pciback_limit_allows(const struct pciback_limit *limit);
unsigned long pciback_limit_left(const struct pciback_limit *limit);
bool pciback_limit_is_long(unsigned long begun);
void pciback_limit_count(struct pciback_limit *limit);

/* irq.c */
int pciback_irq_set_mode(struct pcistub *stub, enum pciback_irq_mode mode,
			 struct msix_entry *entries, int nr);
void pciback_irq_end_msi(struct pcistub *stub);
void pciback_irq_end_msix(struct pcistub *stub);
void pciback_irq_save(struct pcistub *stub);
bool pciback_irq_restore(struct pcistub *stub);
void pciback_silence(struct pcistub *stub);
int pciback_irq_toggle_standin(struct pcistub *stub);
void pciback_line_work(struct work_struct *work);

/* gsi.c: the line's name */
void pciback_gsi_find(struct pcistub *stub);
u32 pciback_gsi(const struct pcistub *stub);
void pciback_gsi_serve(bool serve);

/* reset.c */
struct pci_dev *pciback_lock_for_reset(struct pci_dev *pdev);
void pciback_unlock_after_reset(struct pci_dev *pdev, struct pci_dev *bridge);
int pciback_wake(struct pcistub *stub);
int pciback_reset(struct pcistub *stub);
int pciback_reset_by_admin(struct pcistub *stub, bool in_use);
void pciback_clean_work(struct work_struct *work);
void pciback_reset_for_guest(struct pcistub *stub,
			     const struct pciback_session *sess);
int pciback_reset_in_recovery(struct pcistub *stub);
void pciback_reset_prepare(struct pci_dev *pdev);
void pciback_reset_done(struct pci_dev *pdev);

/* foreign.c */
bool pciback_foreign(const struct pcistub *stub);
void pciback_foreign_init(void);
void pciback_foreign_exit(void);

/* power.c */
extern const struct dev_pm_ops pciback_pm_ops;
void pciback_power_init(struct pcistub *stub);
void pciback_power_exit(struct pcistub *stub);
int pciback_pm_busy(struct pcistub *stub);
void pciback_pm_idle(struct pcistub *stub);
void pciback_idle_work(struct work_struct *work);

/* pciback_ops.c: requests of a guest */
void pcistub_conf_begin(struct pcistub *stub);
void pcistub_conf_end(struct pcistub *stub);
bool pciback_request_try(struct pciback_session *sess,
			 struct pciback_request *req);
void pciback_request_serve(struct pciback_session *sess,
			   struct pciback_request *req);

/* channel.c: where they come from */
void pciback_channel_init(struct pciback_channel *chan);
int pciback_channel_open(struct pciback_session *sess, grant_ref_t gref,
			 evtchn_port_t port);
void pciback_channel_close(struct pciback_session *sess);
bool pciback_channel_deaf(struct pciback_session *sess);
bool pciback_channel_abandoned(struct pciback_session *sess);

/* map.c: which devices a guest has, and where */
int pciback_map_add(struct pciback_session *sess, struct pciback_vdev *dev);
struct pcistub *pciback_map_remove(struct pciback_session *sess, u32 sbdf,
				   enum pciback_evict how);
void pciback_map_late(struct pciback_session *sess, u32 sbdf);
bool pciback_map_look(struct pciback_session *sess, u32 sbdf,
		      struct pciback_vdev *dev);
bool pciback_map_get(struct pciback_session *sess, unsigned int i,
		     struct pcistub **stub);
bool pciback_map_unwanted(struct pciback_session *sess,
			  const struct pciback_wish *wish, unsigned int nr,
			  u32 *sbdf);

/* session.c: a guest and its devices */
struct pciback_session *pciback_session_alloc(struct xenbus_device *xdev,
					      work_func_t work);
void pciback_session_get(struct pciback_session *sess);
void pciback_session_put(struct pciback_session *sess);
void pciback_session_kick(struct pciback_session *sess);
void pciback_session_kick_in(struct pciback_session *sess, unsigned long delay);
domid_t pciback_session_domid(const struct pciback_session *sess);
int pciback_session_update(struct pciback_session *sess, bool setup);
bool pciback_session_shed(struct pciback_session *sess, bool connected);
int pciback_session_cut(struct pciback_session *sess);
bool pciback_session_is_behind(struct pciback_session *sess);
void pciback_session_silence(struct pciback_session *sess);
void pciback_session_release(struct pciback_session *sess);
void pciback_session_evict(struct pciback_session *sess);
void pciback_session_lost(struct pciback_session *sess, struct pcistub *stub);

/* frontend.c: what its other end published */
bool pciback_frontend_is_new(struct pciback_session *sess);
void pciback_frontend_connect(struct pciback_session *sess);
void pciback_frontend_check(struct pciback_session *sess);
void pciback_frontend_forget(struct pciback_session *sess);
bool pciback_frontend_is_served(struct pciback_session *sess);

/* xenbus.c: its states */
int pciback_xenbus_init(void);
void pciback_xenbus_exit(void);
void pciback_sessions_kick(void);

/* sysfs.c, sysfs_device.c */
extern const struct attribute_group *pciback_driver_groups[];
extern const struct attribute_group *pciback_device_groups[];

/* aer.c: what its guest is asked about an error */
bool pciback_aer_event(struct pciback_channel *chan);
int pciback_aer_ask(struct pciback_channel *chan, u32 cmd, u32 vaddr,
		    u32 *verdict);

/* recovery.c: the host's recovery of a device from an error */
extern const struct pci_error_handlers pciback_err_handler;
void pciback_recover_work(struct work_struct *work);
void pciback_recovery_over(struct pcistub *stub);

#endif /* XEN_PCIBACK_H */
