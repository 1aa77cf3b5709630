# SPDX-License-Identifier: GPL-2.0
"""A PVH dom0: make check STACK=13-7.3-pvh TIER=system T=test_pvh."""

import pytest

from rig import devices
from rig.dom0 import DEVICES


@pytest.fixture(autouse=True)
def pvh(bed):
    if not bed.images.stack.pvh:
        pytest.skip("dom0 is PV")


@pytest.mark.parametrize("card", ["igb0", "e1000e", "e1000"])
def test_pv_guest_gets_a_card_but_no_interrupts(dom0, start, card):
    """libxl gives it away, for it learns the GSI; Xen binds no line to it."""
    dom0.load(hide=[card])
    bdf = dom0.bdf(card)
    for _ in range(2):
        guest = start(card)
        guest.sh(f"modprobe {devices.driver(card)}")
        name = devices.interface(guest, devices.address(guest, card))
        guest.run(f"ip link set {name} up")
        assert "Failed to obtain physical IRQ" in guest.sh("dmesg")
        guest.destroy()
        dom0.until(f"grep -q none {DEVICES}/{bdf}/pciback/owner")
    dom0.xl(f"pci-assignable-remove {bdf}")
    dom0.unload()
    # Xen binds no line to dom0 once PHYSDEVOP_setup_gsi has named it, as it is
    # at a claim, by Debian's module too. e1000 has nothing else.
    if card != "e1000":
        devices.network(dom0, card)


def test_card_is_reset_and_works_in_dom0(dom0):
    dom0.load(hide=["igb0"])
    bdf = dom0.bdf("igb0")
    assert dom0.poke("do_flr", bdf) == ""
    dom0.sh(f"echo 1 >{DEVICES}/{bdf}/reset")
    dom0.unload()
    devices.network(dom0, "igb0")
