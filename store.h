/* SPDX-License-Identifier: GPL-2.0 */
/* A backend's directory in xenstore, as far as it is about devices. */
#ifndef XEN_PCIBACK_STORE_H
#define XEN_PCIBACK_STORE_H

#include "pciback.h"
#include "plan.h"

/* When xenstore could not be asked: how soon it is tried again. */
#define PCIBACK_STORE_RETRY (1 * HZ)

/**
 * struct pciback_keys - what is to be written about one device
 * @wish: the device, or NULL: only @root and @aer_failed are meant
 * @state: for state-N
 * @vdev: its address, for vdev-N, or NULL
 * @root: its bus, or -1
 * @aer_failed: the guest lost it to an error, which aerState is to say
 */
struct pciback_keys {
	const struct pciback_wish *wish;
	enum xenbus_state state;
	const struct pciback_vdev *vdev;
	s64 root;
	bool aer_failed;
};

int pciback_store_number(struct xenbus_transaction xbt, const char *dir,
			 const char *key, unsigned int *val);
int pciback_store_write(struct pciback_session *sess,
			const struct pciback_keys *keys);
int pciback_store_state(struct pciback_session *sess,
			const struct pciback_wish *wish,
			enum xenbus_state state);
void pciback_store_aer_failed(struct pciback_session *sess);
int pciback_store_wishes(struct pciback_session *sess,
			 struct pciback_wish **wishes, unsigned int *nr);

#endif /* XEN_PCIBACK_STORE_H */
