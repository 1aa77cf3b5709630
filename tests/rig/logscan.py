# SPDX-License-Identifier: GPL-2.0
"""What is picked out of the logs of Linux and Xen.

Complaints, which no run may cause; and stacks, where one does not go on.
"""

import re

COMPLAINTS = re.compile(r"""
    WARNING: | BUG: | \bOops | Call\ Trace | refcount_t | Kernel\ panic
  | general\ protection | segfault\ at | \bunchecked\b
  | callbacks\ suppressed | messages\ suppressed
  | blocked\ for\ more\ than | soft\ lockup | hard\ LOCKUP | rcu:\ INFO
  | (circular|inconsistent|recursive)\ lock | suspicious\ RCU
  | BUG\ \S+\ \( | non-static\ key | lock\ held | (list_add|list_del)\ corr
  | sleeping\ function | scheduling\ while\ atomic | bad\ unlock
  | kmemleak:\ [1-9] | KASAN | KFENCE | UBSAN | ODEBUG
  | nobody\ cared | No\ irq\ handler
  | \(XEN\).*(\bBUG\b | Assertion | FATAL | [Pp]anic | \bfault\b | DMAR:)
""", re.VERBOSE)

# Stock pcifront 6.1 warns when its last device goes, whatever the backend:
# it unregisters the bridge after the bus below has been removed.
KNOWN = ("sysfs group 'power' not found for kobject",
         # A driver that turned its device off at an error, and then loses it.
         "disabling already-disabled device")

WARNING_BLOCK = re.compile(r"^.*-\[ cut here \]-.*?-\[ end trace .*?$",
                           re.MULTILINE | re.DOTALL)


def _drop_known(match):
    return "" if any(k in match.group() for k in KNOWN) else match.group()


def complaints(text, guest=False):
    """The lines of a log that are complaints; a guest's may have the known one."""
    if guest:
        text = WARNING_BLOCK.sub(_drop_known, text)
    return [line.strip() for line in text.splitlines()
            if COMPLAINTS.search(line)]


TASK = re.compile(r"task:(\S+) +state:(\S)")
# Programs whose state tells something also when they sleep.
CULPRITS = ("agent", "timeout", "sh", "xl", "insmod", "rmmod", "dd")


def stacks(text):
    """Stacks by SysRq-T and Xen: of who is blocked, runs, or is a culprit."""
    out, wanted = [], False
    for line in text.splitlines():
        task = TASK.search(line)
        if task:
            wanted = task[2] in "RD" or task[1] in CULPRITS
        frame = "+0x" in line
        if wanted and (task or frame) or frame and "(XEN)" in line:
            out.append("  | " + line)
    return out
