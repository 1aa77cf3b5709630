/* SPDX-License-Identifier: GPL-2.0 */
/* What a session does next, by the states that its ends have in xenstore. */
#ifndef XEN_PCIBACK_STATES_H
#define XEN_PCIBACK_STATES_H

#include <linux/types.h>
#include <xen/interface/io/xenbus.h>

#define PCIBACK_NR_STATES (XenbusStateReconfigured + 1)

/**
 * enum pciback_action - what a session does next
 * @PCIBACK_NOTHING: waits for somebody else
 * @PCIBACK_BEGIN: becomes InitWait
 * @PCIBACK_SETUP: exports the devices and becomes Initialised
 * @PCIBACK_UPDATE: exports devices that came, takes those back that are to go
 * @PCIBACK_CONNECT: UPDATE, then maps the frontend's page and becomes Connected
 * @PCIBACK_RESUME: becomes Connected again after a reconfiguration
 * @PCIBACK_RECONFIGURE: UPDATE, for a frontend that waits for Reconfigured
 * @PCIBACK_REPLUG: UPDATE that nobody waits for, and becomes Initialised
 * @PCIBACK_RECONNECT: follows a frontend that published another page
 * @PCIBACK_RETRY: becomes Initialised if the frontend published anew after a
 *	failure
 * @PCIBACK_DETACH: has the frontend let go of devices that were lost, or look for
 *	what it was too late for
 * @PCIBACK_AWAIT: gives a frontend time to let go, and then goes on without
 * @PCIBACK_ATTEND: gives a frontend time to be Connected, and then is REPLUG
 * @PCIBACK_REOPEN: forgets the frontend and becomes InitWait, for its next driver
 * @PCIBACK_LINGER: stays Closed for a while, and then becomes InitWait
 * @PCIBACK_RESTART: forgets the frontend and becomes Initialised
 * @PCIBACK_DISCONNECT: forgets the frontend and becomes Closing
 * @PCIBACK_CLOSE: forgets the frontend and becomes Closed
 * @PCIBACK_RELEASE: CLOSE, and takes all devices back
 */
enum pciback_action {
	PCIBACK_NOTHING,
	PCIBACK_BEGIN,
	PCIBACK_SETUP,
	PCIBACK_UPDATE,
	PCIBACK_CONNECT,
	PCIBACK_RESUME,
	PCIBACK_RECONFIGURE,
	PCIBACK_REPLUG,
	PCIBACK_RECONNECT,
	PCIBACK_RETRY,
	PCIBACK_DETACH,
	PCIBACK_AWAIT,
	PCIBACK_ATTEND,
	PCIBACK_REOPEN,
	PCIBACK_LINGER,
	PCIBACK_RESTART,
	PCIBACK_DISCONNECT,
	PCIBACK_CLOSE,
	PCIBACK_RELEASE,
};

enum pciback_action pciback_next(unsigned int backend, unsigned int frontend,
				 bool online);

#endif /* XEN_PCIBACK_STATES_H */
