# SPDX-License-Identifier: GPL-2.0
"""A PVH dom0: make check STACK=13-7.3-pvh TIER=system T=test_pvh."""

import pytest

from rig import devices
from rig.dom0 import DEVICES


@pytest.fixture(autouse=True)
def pvh(bed):
    if not bed.images.stack.pvh:
        pytest.skip("dom0 is PV")


def used_by_line(guest, card):
    """Use a card in a guest, which has only its line to interrupt by."""
    name = devices.network(guest, card)
    found = devices.interrupts(guest, name)
    assert len(found) == 1, found
    (count, kind), = found.values()
    assert count and "msi" not in kind, found


@pytest.mark.parametrize("card", ["igb0", "e1000e", "e1000"])
def test_pv_guest_uses_a_card_by_its_line(dom0, start, card):
    dom0.load(hide=[card])
    bdf = dom0.bdf(card)
    for _ in range(2):
        guest = start(card)
        used_by_line(guest, card)
        guest.destroy()
        dom0.until(f"[ ! -e {DEVICES}/{bdf}/pciback/owner ] || "
                   f"[ $(cat {DEVICES}/{bdf}/pciback/owner) = none ]")
    dom0.xl(f"pci-assignable-remove {bdf}")
    dom0.unload()
    devices.network(dom0, card)


def test_card_without_a_line_can_be_given_away(dom0, start):
    """A VF has none; a guest sees it, and what it lacks is interrupts."""
    dom0.load()
    devices.make_vfs(dom0, 1)
    dom0.xl(f"pci-assignable-add {dom0.bdf('vf0')}")
    guest = start("vf0")
    guest.until("grep -q 808610ca /proc/bus/pci/devices")


def test_card_is_reset_and_works_in_dom0(dom0):
    dom0.load(hide=["igb0"])
    bdf = dom0.bdf("igb0")
    assert dom0.poke("do_flr", bdf) == ""
    dom0.sh(f"echo 1 >{DEVICES}/{bdf}/reset")
    dom0.unload()
    devices.network(dom0, "igb0")
