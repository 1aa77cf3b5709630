// SPDX-License-Identifier: GPL-2.0
/*
 * A session's frontend: what it published, and the connection made of that.
 *
 * All of it runs in the session's work item, with its lock held. A frontend
 * publishes by three keys of its own, all of which its guest may change at any
 * time: a page, an event channel, and the protocol that it speaks there.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "pciback.h"

/* How often a frontend's state is tried to be set while the guest writes too. */
#define RESET_TRIES 8

/* A guest's mistakes are told, but not without end. */
static void fail(struct pciback_session *sess, int err, const char *what)
{
	if (__ratelimit(&sess->errors))
		xenbus_dev_error(sess->xdev, err, "%s", what);
	xenbus_switch_state(sess->xdev, XenbusStateClosing);
}

static int read_publication(struct pciback_session *sess,
			    struct xenbus_transaction xbt, grant_ref_t *gref,
			    evtchn_port_t *port)
{
	char *magic;
	int err;

	err = xenbus_gather(xbt, sess->otherend, "pci-op-ref", "%u", gref,
			    "event-channel", "%u", port, "magic", NULL, &magic,
			    NULL);
	if (err)
		return err;
	err = strcmp(magic, XEN_PCI_MAGIC) ? -EPROTO : 0;
	kfree(magic);
	return err;
}

static bool is_known(const struct pciback_session *sess, grant_ref_t gref,
		     evtchn_port_t port)
{
	return gref == sess->chan.gref && port == sess->chan.port;
}

static bool published_anew(struct pciback_session *sess,
			   struct xenbus_transaction xbt)
{
	evtchn_port_t port;
	grant_ref_t gref;

	return !read_publication(sess, xbt, &gref, &port) &&
	       !is_known(sess, gref, port);
}

/**
 * pciback_frontend_is_new - is there another page or event channel than we know?
 * @sess: session; its lock is held
 *
 * Return: true if there is.
 */
bool pciback_frontend_is_new(struct pciback_session *sess)
{
	return published_anew(sess, XBT_NIL);
}

/**
 * pciback_frontend_forget - end the connection, if there is one
 * @sess: session; its lock is held
 *
 * The guest keeps its devices, but for MSI and bus mastering: a driver that is
 * gone turns them off nowhere else.
 */
void pciback_frontend_forget(struct pciback_session *sess)
{
	if (sess->chan.life == PCIBACK_CHAN_NONE)
		return;
	pciback_channel_close(sess);
	pciback_session_silence(sess);
}

static bool is_served(struct pciback_session *sess)
{
	return sess->chan.life == PCIBACK_CHAN_LIVE &&
	       !pciback_channel_abandoned(sess);
}

/**
 * pciback_frontend_is_served - are we connected to what the frontend published?
 * @sess: session; its lock is held
 *
 * Return: true if we are, and its end is still there.
 */
bool pciback_frontend_is_served(struct pciback_session *sess)
{
	return is_served(sess) && !published_anew(sess, XBT_NIL);
}

/*
 * A frontend that published and went away, as Linux 7.3 does when it takes its
 * own publication for a reset, is not looked for again by its kernel until its
 * state is Initialising: what toolstacks write when they make the device.
 */
static void reset_frontend(struct pciback_session *sess)
{
	const char *dir = sess->otherend;
	struct xenbus_transaction xbt;
	unsigned int tries = 0;
	int end;

	do {
		if (xenbus_transaction_start(&xbt))
			break;
		/* Not if it has just come back by itself. */
		if (xenbus_exists(xbt, dir, "state") &&
		    !published_anew(sess, xbt))
			xenbus_printf(xbt, dir, "state", "%d",
				      XenbusStateInitialising);
		end = xenbus_transaction_end(xbt, false);
		/* The guest can write there without end. */
	} while (end == -EAGAIN && ++tries < RESET_TRIES);
	pciback_frontend_forget(sess);
	xenbus_switch_state(sess->xdev, XenbusStateInitialised);
}

/**
 * pciback_frontend_connect - connect to what the frontend published
 * @sess: session; its lock is held
 *
 * Our state becomes Connected; Closing if what it published is of no use; or
 * Initialised, and the frontend's Initialising, if it published and went away.
 * One that published nonsense too often waits.
 */
void pciback_frontend_connect(struct pciback_session *sess)
{
	evtchn_port_t port;
	grant_ref_t gref;
	int err;

	err = read_publication(sess, XBT_NIL, &gref, &port);
	if (err) {
		fail(sess, err, err == -EPROTO ?
		     "frontend speaks another protocol (magic)" :
		     "frontend published no page");
		return;
	}
	if (is_known(sess, gref, port) && is_served(sess)) {
		xenbus_switch_state(sess->xdev, XenbusStateConnected);
		return;
	}
	pciback_frontend_forget(sess);
	/* Of a page that cannot be mapped the core logs a line. */
	if (!pciback_limit_allows(&sess->failures)) {
		pciback_session_kick_in(sess,
					pciback_limit_left(&sess->failures));
		return;
	}
	err = pciback_channel_open(sess, gref, port);
	if (err)
		pciback_limit_count(&sess->failures);
	if (!err)
		xenbus_switch_state(sess->xdev, XenbusStateConnected);
	else if (pciback_channel_abandoned(sess))
		reset_frontend(sess);
	else
		fail(sess, err, "frontend's page or event channel is of no use");
}

/**
 * pciback_frontend_check - is a frontend that is not Connected yet still there?
 * @sess: session, which is Connected; its lock is held
 *
 * Connects anew to one that published anew, and looks again in a second.
 */
void pciback_frontend_check(struct pciback_session *sess)
{
	if (published_anew(sess, XBT_NIL))
		pciback_frontend_connect(sess);
	else if (pciback_channel_abandoned(sess))
		reset_frontend(sess);
	else
		pciback_session_kick_in(sess, PCIBACK_CHECK_INTERVAL);
}
