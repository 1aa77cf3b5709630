// SPDX-License-Identifier: GPL-2.0
/*
 * The table that drives a session. Documentation/xen-pciback-states.rst shows it
 * drawn and says why; tests/host compares the two. Pure.
 */
#include "states.h"

/* By the state of the backend and of the frontend. */
static const u8 next[PCIBACK_NR_STATES][PCIBACK_NR_STATES] = {
	[XenbusStateInitialising] = {
		[XenbusStateUnknown ... XenbusStateReconfigured] = PCIBACK_BEGIN,
	},
	[XenbusStateInitWait] = {
		[XenbusStateUnknown ... XenbusStateClosing] = PCIBACK_SETUP,
		[XenbusStateReconfiguring ... XenbusStateReconfigured] = PCIBACK_SETUP,
	},
	[XenbusStateInitialised] = {
		[XenbusStateUnknown] = PCIBACK_UPDATE,
		[XenbusStateInitialising] = PCIBACK_UPDATE,
		[XenbusStateInitWait] = PCIBACK_UPDATE,
		[XenbusStateInitialised] = PCIBACK_CONNECT,
		[XenbusStateConnected] = PCIBACK_CONNECT,
		[XenbusStateClosing] = PCIBACK_DISCONNECT,
		[XenbusStateClosed] = PCIBACK_REOPEN,
		/* It published, and saw the toolstack's state before ours. */
		[XenbusStateReconfiguring] = PCIBACK_CONNECT,
	},
	[XenbusStateConnected] = {
		[XenbusStateInitialising] = PCIBACK_RESTART,
		[XenbusStateInitialised] = PCIBACK_RECONNECT,
		[XenbusStateConnected] = PCIBACK_DETACH,
		[XenbusStateClosing] = PCIBACK_DISCONNECT,
		[XenbusStateClosed] = PCIBACK_REOPEN,
		/* It let go after we had lost patience. */
		[XenbusStateReconfiguring] = PCIBACK_RECONFIGURE,
	},
	[XenbusStateClosing] = {
		[XenbusStateUnknown] = PCIBACK_CLOSE,
		[XenbusStateInitialising] = PCIBACK_CLOSE,
		[XenbusStateInitWait] = PCIBACK_CLOSE,
		[XenbusStateInitialised] = PCIBACK_RETRY,
		[XenbusStateClosed] = PCIBACK_CLOSE,
	},
	[XenbusStateClosed] = {
		[XenbusStateInitialising] = PCIBACK_RESTART,
		[XenbusStateInitialised] = PCIBACK_RESTART,
		[XenbusStateClosed] = PCIBACK_LINGER,
	},
	[XenbusStateReconfiguring] = {
		[XenbusStateUnknown] = PCIBACK_REPLUG,
		[XenbusStateInitialising] = PCIBACK_REPLUG,
		[XenbusStateInitWait] = PCIBACK_REPLUG,
		[XenbusStateInitialised] = PCIBACK_ATTEND,
		[XenbusStateConnected] = PCIBACK_AWAIT,
		[XenbusStateReconfiguring] = PCIBACK_RECONFIGURE,
		[XenbusStateReconfigured] = PCIBACK_AWAIT,
		[XenbusStateClosing] = PCIBACK_DISCONNECT,
		[XenbusStateClosed] = PCIBACK_REOPEN,
	},
	[XenbusStateReconfigured] = {
		[XenbusStateUnknown] = PCIBACK_RESUME,
		[XenbusStateInitialising] = PCIBACK_RESTART,
		[XenbusStateInitWait] = PCIBACK_RESUME,
		[XenbusStateInitialised] = PCIBACK_RESTART,
		[XenbusStateConnected] = PCIBACK_RESUME,
		[XenbusStateReconfigured] = PCIBACK_RESUME,
		[XenbusStateClosing] = PCIBACK_DISCONNECT,
		[XenbusStateClosed] = PCIBACK_REOPEN,
	},
};

/**
 * pciback_next - what a session does next
 * @backend: state of the backend in xenstore, where toolstacks write it too
 * @frontend: state of the frontend there, which may be anything
 * @online: the toolstack wants the session to go on
 *
 * A state that is missing or unknown is XenbusStateUnknown. For a frontend it
 * does not end a session that is online: the guest still has the device's memory
 * and interrupts.
 *
 * Return: the one step to take.
 */
enum pciback_action pciback_next(unsigned int backend, unsigned int frontend,
				 bool online)
{
	if (backend >= PCIBACK_NR_STATES || backend == XenbusStateUnknown)
		return PCIBACK_NOTHING;
	if (frontend >= PCIBACK_NR_STATES)
		frontend = XenbusStateUnknown;
	/* The toolstack is done with the guest, and the guest with us. */
	if (!online && (frontend == XenbusStateUnknown ||
			frontend == XenbusStateClosed ||
			backend == XenbusStateClosed))
		return PCIBACK_RELEASE;
	return next[backend][frontend];
}
