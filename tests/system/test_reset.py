# SPDX-License-Identifier: GPL-2.0
"""Resets between guests: each rung, its result, and who may ask for one."""

import pytest

from rig import devices
from rig.backend import settled
from rig.dom0 import DEVICES
from rig.xenwatch import MAX_HELD, Xenwatch

from test_sysfs import EBUSY, EINVAL, ENODEV, BAD_ADDRESSES

ENOTTY = "Inappropriate ioctl for device"

# PCI_COMMAND_MASTER
MASTER = 4

FLR = devices.cards("igb0", "e1000e", seldom=["nvme"])
NO_RESET = ["e1000", "edu"]


def last_reset(dom0, card):
    """Method and errno, once no reset is under way."""
    path = f"{DEVICES}/{dom0.bdf(card)}"
    dom0.until(f"[ $(cat {path}/pciback/state) != cleaning ]")
    return dom0.sh(f"cat {path}/pciback/last_reset")


@pytest.mark.parametrize("card", FLR)
def test_card_with_flr_is_reset(dom0, start, card):
    dom0.load(hide=[card])
    assert last_reset(dom0, card) == "function 0"
    assert dom0.poke("do_flr", dom0.bdf(card)) == ""
    assert dom0.poke("reset_device", dom0.bdf(card)) == ""
    guest = start(card)
    guest.sh(f"modprobe {card.rstrip('01')}")
    guest.destroy()
    assert last_reset(dom0, card) == "function 0"


@pytest.mark.parametrize("card", NO_RESET)
def test_card_without_reset_says_so(dom0, card):
    dom0.load(hide=[card])
    assert last_reset(dom0, card) == "none -25"
    assert dom0.poke("do_flr", dom0.bdf(card)) == ENOTTY
    assert dom0.poke("reset_device", dom0.bdf(card)) == ENOTTY


def test_bus_is_reset_when_all_on_it_is_free(dom0, start):
    dom0.load(hide=["pair0", "pair1"])
    for card in ("pair0", "pair1"):
        assert last_reset(dom0, card) == "bus 0"
        assert dom0.poke("reset_device", dom0.bdf(card)) == ""
    guest = start("pair0", "pair1")
    devices.network(guest, "pair0")
    guest.destroy()
    for card in ("pair0", "pair1"):
        assert last_reset(dom0, card) == "bus 0"
    # Config came back with the reset, of both.
    devices.network(start("pair1"), "pair1")


def test_bus_is_not_reset_under_another_guest(dom0, start):
    dom0.load(hide=["pair0", "pair1"])
    for card in ("pair0", "pair1"):
        last_reset(dom0, card)
    guest = start("pair1")
    name = devices.network(guest, "pair1")
    assert dom0.poke("reset_device", dom0.bdf("pair0")) == ENOTTY
    assert last_reset(dom0, "pair0") == "none -25"
    devices.ping(guest, name)
    guest.destroy()
    assert last_reset(dom0, "pair1") == "bus 0"
    # The reset of its neighbour has cleaned this one too.
    assert last_reset(dom0, "pair0") == "bus 0"


def test_bus_is_not_reset_with_a_function_of_dom0(dom0):
    dom0.load(hide=["pair0"])
    assert last_reset(dom0, "pair0") == "none -25"
    assert dom0.poke("do_flr", dom0.bdf("pair0")) == ENOTTY


@pytest.mark.parametrize("how", ["parameter", "attribute"])
def test_strict_reset_refuses_a_dirty_card(dom0, start, how):
    dom0.load("strict_reset=1" if how == "parameter" else "",
              hide=["edu", "e1000e"])
    folder = f"{DEVICES}/{dom0.bdf('edu')}/pciback"
    last_reset(dom0, "edu")
    if how == "attribute":
        assert dom0.sh(f"cat {folder}/strict_reset") == "0"
        dom0.sh(f"echo 1 >{folder}/strict_reset")
    guest = start("e1000e")
    dom0.take_dmesg()
    dom0.run(f"xl pci-attach guest {dom0.bdf('edu')}", 60)
    said = [line for line in dom0.take_dmesg().splitlines()
            if dom0.bdf("edu") in line and "refused" in line]
    assert len(said) == 1, said
    assert dom0.sh(f"cat {folder}/owner") == "none"
    # The other card is not concerned, nor when xl takes the edu back.
    devices.network(guest, "e1000e")
    guest.detach(dom0.bdf("edu"))
    settled(dom0, guest, 4)
    devices.ping(guest, "eth0")


def test_dirty_card_is_let_pass_with_a_word(dom0, start):
    dom0.load(hide=["edu"])
    last_reset(dom0, "edu")
    dom0.take_dmesg()
    start("edu")
    said = [line for line in dom0.take_dmesg().splitlines()
            if dom0.bdf("edu") in line and "reset failed" in line]
    assert len(said) == 1, said


def test_order_of_libxl(dom0, start):
    """do_flr while the guest runs, as libxl does before it detaches."""
    dom0.load(hide=["igb0"])
    bdf = dom0.bdf("igb0")
    guest = start("igb0")
    devices.network(guest, "igb0")
    command = f"setpci -s {bdf} COMMAND"
    assert int(dom0.sh(command), 16) & MASTER
    assert dom0.poke("do_flr", bdf) == ""
    # No DMA by a driver that does not know: the IOMMU is closed next.
    assert not int(dom0.sh(command), 16) & MASTER
    assert dom0.poke("reset_device", bdf) == EBUSY
    # The guest's config is still there; its driver has to start anew.
    guest.sh("rmmod igb")
    devices.network(guest, "igb0")
    guest.detach(bdf)
    assert last_reset(dom0, "igb0") == "function 0"


def test_reset_by_the_kernels_own_file(dom0, start):
    dom0.load(hide=["igb0"])
    reset = f"echo 1 >{DEVICES}/{dom0.bdf('igb0')}/reset"
    last_reset(dom0, "igb0")
    dom0.sh(reset)
    guest = start("igb0")
    devices.network(guest, "igb0")
    dom0.sh(reset)
    guest.sh("rmmod igb")
    devices.network(guest, "igb0")


def test_resets_do_not_hold_xenwatch(dom0, start):
    """A bus reset takes a second: nobody's backend waits for it."""
    dom0.load(hide=["pair0", "pair1", "igb0"])
    first, second = start(name="first"), start(name="second")
    xenwatch = Xenwatch(dom0)
    try:
        for guest in (first, second, first):
            guest.attach(dom0.bdf("pair0"))
            guest.detach(dom0.bdf("pair0"))
            # Under way now, while the other guest comes and goes.
            second.attach(dom0.bdf("igb0"))
            second.detach(dom0.bdf("igb0"))
        calls, longest, name = xenwatch.held()
    finally:
        xenwatch.stop()
    print(f"xenwatch: {calls} calls, the longest {longest:.1f} ms, {name}")
    assert calls >= 12
    assert longest < MAX_HELD


@pytest.mark.parametrize("name", ["do_flr", "reset_device", "restrictive"])
def test_malformed_writes_are_refused(dom0, name):
    dom0.load(hide=["igb0"])
    wrong = [(text, answer) for text, answer in
             zip(BAD_ADDRESSES, dom0.pokes(name, BAD_ADDRESSES), strict=True)
             if answer != EINVAL]
    assert wrong == []
    assert dom0.poke(name, "0000:77:00.0") == ENODEV
    assert dom0.poke(name, dom0.bdf("e1000e")) == ENODEV
