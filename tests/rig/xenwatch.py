# SPDX-License-Identifier: GPL-2.0
"""How long xenwatch, one thread for all backends, is held by the module."""

from .channel import TRACING

# What it calls in the module under test, ours or Debian's.
OURS = {"frontend_changed", "session_probe", "session_remove",
        "toolstack_changed", "toolstack_will_handle"}
DEBIANS = {"xen_pcibk_frontend_changed", "xen_pcibk_be_watch",
           "xen_pcibk_xenbus_probe", "xen_pcibk_xenbus_remove"}

# Milliseconds that one call may take.
MAX_HELD = 50


class Xenwatch:
    """Times the callbacks of the module that is loaded in dom0."""

    def __init__(self, dom0):
        self.dom0 = dom0
        names = " ".join(f"{name}:mod:xen_pciback" for name in OURS | DEBIANS)
        dom0.mount_tracing()
        dom0.sh(f"cd {TRACING}; "
                f"for f in {names}; do echo $f >>set_ftrace_filter; done; "
                "echo 1 >max_graph_depth; "
                "echo function_graph >current_tracer")
        # One that is not there by this name would not be timed.
        timed = dom0.sh(f"cut -d ' ' -f 1 {TRACING}/set_ftrace_filter").split()
        assert set(timed) in (OURS, DEBIANS), timed

    def held(self):
        """Calls since the last time; milliseconds and name of the longest."""
        out = self.dom0.sh("sed -n 's/^.* \\([0-9.]*\\) us *| */\\1 /p' "
                           f"{TRACING}/trace; echo >{TRACING}/trace", 60)
        calls = [(float(us) / 1000, name) for us, _, name in
                 (line.partition(" ") for line in out.splitlines())]
        return len(calls), *max(calls, default=(0, "none"))

    def stop(self):
        self.dom0.sh(f"cd {TRACING}; echo nop >current_tracer; "
                     "echo >set_ftrace_filter; echo 0 >max_graph_depth")
