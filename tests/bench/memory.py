# SPDX-License-Identifier: GPL-2.0
"""How much memory of dom0 something takes."""

import re

from rig.channel import TRACING


def slab(dom0):
    """Bytes in use in the kernel's own allocator."""
    rows = [line.split()
            for line in dom0.sh("cat /proc/slabinfo").splitlines()[2:]]
    return sum(int(row[1]) * int(row[3]) for row in rows)


def _loaded(dom0):
    """Size and address of the module under test."""
    words = dom0.sh("grep ^xen_pciback /proc/modules").split()
    return int(words[1]), int(words[5], 16)


def module(dom0):
    """Bytes of the module's code and data."""
    return _loaded(dom0)[0]


class Session:
    """What the module allocates meanwhile and does not free."""

    def __init__(self, dom0):
        self.dom0 = dom0
        self.bytes = 0

    def __enter__(self):
        size, start = _loaded(self.dom0)
        ours = f"call_site >= {start} && call_site < {start + size}"
        self.dom0.sh(f"cd {TRACING}; echo >trace; for e in kmalloc kfree; do "
                     f"echo '{ours}' >events/kmem/$e/filter; "
                     "echo 1 >events/kmem/$e/enable; done")
        return self

    def __exit__(self, *_):
        out = self.dom0.sh(f"cd {TRACING}; for e in kmalloc kfree; do "
                           "echo 0 >events/kmem/$e/enable; done; cat trace")
        live = {}
        for event, pointer, rest in re.findall(
                r"(kmalloc|kfree): .*? ?ptr=(\S+)(.*)", out):
            if event == "kfree":
                live.pop(pointer, None)
            else:
                live[pointer] = int(re.search(r"alloc=(\d+)", rest).group(1))
        self.bytes = sum(live.values())
