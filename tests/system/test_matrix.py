# SPDX-License-Identifier: GPL-2.0
"""A card's life with guests of each kernel; make matrix has all dom0s do it."""

import pytest

from rig import devices
from rig.devices import busy, gone_from, only_msix, use
from rig.dom0 import DRIVER
from rig.stacks import GUESTS

pytestmark = pytest.mark.long


def hot_plug(dom0, guest, card):
    guest.attach(dom0.bdf(card))
    guest.until(f"grep -q {devices.CARDS[card][1]} /proc/bus/pci/devices")


@pytest.mark.parametrize("kernel", GUESTS)
def test_guest_with(dom0, start, kernel):
    dom0.load(hide=["igb0", "e1000e"])
    guest = start("igb0", kernel=kernel)
    first = use(guest, "igb0")
    assert only_msix(first) and len(first) > 1, first
    guest.sh("rmmod igb")
    again = use(guest, "igb0")
    assert only_msix(again) and len(again) == len(first), (first, again)

    hot_plug(dom0, guest, "e1000e")
    devices.network(guest, "e1000e")
    guest.detach(dom0.bdf("e1000e"))
    gone_from(guest, "e1000e")

    hot_plug(dom0, guest, "e1000e")
    # None is left running: QEMU's model asserts that nothing comes as MSI-X is
    # switched.
    devices.network(guest, "e1000e")
    dom0.sh(f"echo {dom0.bdf('e1000e')} >{DRIVER}/unbind")
    gone_from(guest, "e1000e")
    # To Xen it is the guest's still, until the toolstack says so too.
    guest.detach(dom0.bdf("e1000e"))

    busy(guest, "igb0")
    guest.destroy()
    use(start("igb0", kernel=kernel), "igb0")
