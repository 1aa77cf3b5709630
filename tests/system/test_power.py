# SPDX-License-Identifier: GPL-2.0
"""Power of claimed devices: D3hot when idle, and dom0's own sleep."""

import pytest

from rig import devices
from rig.dom0 import DEVICES


def hurry(dom0, card):
    """Have the card sleep soon when it is idle, not after ten seconds."""
    power = f"{DEVICES}/{dom0.bdf(card)}/power"
    assert dom0.sh(f"cat {power}/autosuspend_delay_ms") == "10000"
    dom0.sh(f"echo 200 >{power}/autosuspend_delay_ms")
    # From the next time that it becomes idle.
    assert dom0.poke("do_flr", dom0.bdf(card)) == ""


def reaches(dom0, card, state):
    dom0.until(f"[ $(cat {DEVICES}/{dom0.bdf(card)}/power_state) = {state} ]")


@pytest.mark.parametrize("card", devices.cards("igb0", seldom=["e1000e"]))
def test_idle_card_sleeps(dom0, start, card):
    dom0.load(hide=[card])
    hurry(dom0, card)
    reaches(dom0, card, "D3hot")
    guest = start(card)
    reaches(dom0, card, "D0")
    devices.network(guest, card)
    guest.destroy()
    reaches(dom0, card, "D3hot")
    # A reset of it, or a look at its config, does not keep it awake.
    dom0.poke("do_flr", dom0.bdf(card))
    dom0.sh(f"lspci -xxxx -s {dom0.bdf(card)}")
    reaches(dom0, card, "D3hot")
    devices.network(start(card), card)


def test_card_of_a_guest_without_a_session_stays_awake(dom0):
    """xenopsd gives it to Xen and QEMU, and writes no more than its name."""
    dom0.load(hide=["e1000e", "igb0"])
    hurry(dom0, "e1000e")
    reaches(dom0, "e1000e", "D3hot")
    bdf = dom0.bdf("e1000e")
    slept = f"cat {DEVICES}/{bdf}/power/runtime_suspended_time"
    dom0.sh(f"xenstore-write /local/domain/0/backend/pci/77/0/dev-0 {bdf}")
    assert dom0.poke("do_flr", bdf) == ""
    before = dom0.sh(slept)
    # It was awake for the reset, and others with its patience that became idle
    # after it go to sleep.
    hurry(dom0, "igb0")
    for _ in range(2):
        assert dom0.poke("do_flr", dom0.bdf("igb0")) == ""
        reaches(dom0, "igb0", "D3hot")
    reaches(dom0, "e1000e", "D0")
    dom0.sh("xenstore-rm /local/domain/0/backend/pci/77")
    assert dom0.sh(slept) == before
    assert dom0.poke("do_flr", bdf) == ""
    reaches(dom0, "e1000e", "D3hot")


def test_card_is_awake_after_unbind(dom0):
    dom0.load(hide=["igb0"])
    hurry(dom0, "igb0")
    reaches(dom0, "igb0", "D3hot")
    dom0.unload()
    reaches(dom0, "igb0", "D0")
    devices.network(dom0, "igb0")


def test_parameter_keeps_idle_cards_awake(dom0):
    dom0.load("disable_idle_d3=1", hide=["igb0"])
    path = f"{DEVICES}/{dom0.bdf('igb0')}"
    dom0.until(f"grep -q ^function {path}/pciback/last_reset")
    assert dom0.sh(f"cat {path}/power/control") == "on"
    reaches(dom0, "igb0", "D0")


def test_cards_work_after_sleep_of_dom0(dom0, start):
    """All of a sleep but its deepest point, which the bed does not have."""
    dom0.load(hide=["igb0", "e1000e"])
    hurry(dom0, "e1000e")
    guest = start("igb0")
    name = devices.network(guest, "igb0")
    reaches(dom0, "e1000e", "D3hot")
    dom0.sh("echo devices >/sys/power/pm_test; echo freeze >/sys/power/state",
            90)
    devices.ping(guest, name)
    guest.sh("rmmod igb")
    devices.network(guest, "igb0")
    other = start("e1000e", name="other")
    devices.network(other, "e1000e")
