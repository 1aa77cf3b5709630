# SPDX-License-Identifier: GPL-2.0
"""Where requests are served: what costs a guest most is a worker's turn."""

import pytest

from rig import devices
from rig.channel import TRACING
from rig.dom0 import DEVICES

# What serves a request later, in our module and in upstream's.
SERVERS = "channel_work|xen_pcibk_do_op"


class Workers:
    """Counts the requests that the module under test serves in a worker."""

    def __init__(self, dom0):
        self.dom0 = dom0
        server = dom0.sh(f"grep -E ' ({SERVERS})[[:space:]].xen_pciback' "
                         "/proc/kallsyms").split()[0]
        self.event = (f"{TRACING}/events/workqueue/"
                      "workqueue_execute_start")
        dom0.mount_tracing()
        dom0.sh(f"echo 'function == 0x{server}' >{self.event}/filter; "
                f"echo 1 >{self.event}/enable")

    def during(self, guest, command):
        """Number of turns while the guest runs a command."""
        self.dom0.sh(f"echo >{TRACING}/trace")
        guest.sh(command)
        return int(self.dom0.run(f"grep -c workqueue_execute_start: "
                                 f"{TRACING}/trace").out)

    def stop(self):
        self.dom0.sh(f"echo 0 >{self.event}/enable; echo 0 >{self.event}/filter")


@pytest.fixture
def served(dom0, start):
    """A guest, its card's address, and the workers' count."""
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    workers = Workers(dom0)
    yield guest, devices.address(guest, "igb0"), workers
    workers.stop()


def test_reads_and_plain_writes_wait_for_no_worker(served):
    guest, bdf, workers = served
    reads = f"cat {DEVICES}/{bdf}/config >/dev/null"
    assert workers.during(guest, reads) == 0
    writes = "; ".join(f"setpci -s {bdf} {register}" for register in (
        "VENDOR_ID=0", "CACHE_LINE_SIZE=10", "STATUS=ffff", "COMMAND=6",
        "BASE_ADDRESS_0=ffffffff", "CAP_EXP+8.w=10"))
    assert workers.during(guest, writes) == 0


def test_a_write_that_sleeps_has_a_worker(served):
    guest, bdf, workers = served
    assert workers.during(guest, f"setpci -s {bdf} CAP_PM+4.w=0") == 1
