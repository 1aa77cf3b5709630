/* SPDX-License-Identifier: GPL-2.0 */
/* The driver in a guest that is connected: it does as it is told. */
#ifndef XPB_FAKE_FRONTEND_H
#define XPB_FAKE_FRONTEND_H

#include "fake_xen.h"

/**
 * struct fake_frontend - the driver, a thread
 * @guest: whose it is
 * @verdict: what it answers to each error request
 * @mute: its answers come without an event
 * @told: called for each request before it is answered, or NULL
 * @seen: number of those
 * @cmds: the first of them
 * @task: the thread
 */
struct fake_frontend {
	struct fake_guest *guest;
	u32 verdict;
	bool mute;
	void (*told)(struct fake_frontend *frontend, u32 cmd);
	unsigned int seen;
	u32 cmds[8];
	struct task_struct *task;
};

int fake_frontend_start(struct fake_frontend *frontend);
void fake_frontend_stop(struct fake_frontend *frontend);

#endif /* XPB_FAKE_FRONTEND_H */
