# SPDX-License-Identifier: GPL-2.0
"""SR-IOV: functions of a card that dom0's driver has, given to guests."""

import pytest

from rig import devices
from rig.dom0 import DEVICES

NUMBER = 7
GUEST_SEES = "/proc/bus/pci/devices"


@pytest.fixture
def vfs(dom0):
    """The card's functions, claimed by the module under test."""
    devices.keep_second_igb(dom0)
    devices.make_vfs(dom0, NUMBER)
    dom0.load()
    cards = [f"vf{i}" for i in range(NUMBER)]
    for card in cards:
        dom0.xl(f"pci-assignable-add {dom0.bdf(card)}")
    return cards


def driven(guest):
    """Wait until the guest's driver has made an interface of the function.

    It gets as far by its mailbox to the card's driver, and interrupts. The bed
    does not give such an interface a link.
    """
    guest.sh("modprobe igbvf")
    return devices.interface(guest, devices.address(guest, "vf0"))


def numvfs(dom0):
    return f"{DEVICES}/{dom0.bdf('igb0')}/sriov_numvfs"


def no_vf_left(dom0):
    dom0.until("! lspci -n | grep -q 10ca", 10)


def test_each_function_goes_to_a_guest_and_back(dom0, start, vfs):
    guest = start()
    guest.sh("modprobe igbvf")
    for card in vfs:
        bdf = dom0.bdf(card)
        guest.attach(bdf)
        guest.until(f"grep -q 808610ca {GUEST_SEES}")
        # Where a scan finds it: it looks at function 0 of a slot first.
        assert devices.address(guest, card) == "0000:00:00.0"
        devices.interface(guest, "0000:00:00.0")
        guest.detach(bdf)
        guest.until(f"! grep -q 808610ca {GUEST_SEES}")


@pytest.mark.long
def test_two_functions_in_two_guests(dom0, start, vfs):
    first, second = start("vf0", name="first"), start("vf1", name="second")
    for guest in (first, second):
        driven(guest)


def test_free_functions_do_not_keep_the_card(dom0, vfs):
    dom0.sh(f"echo 0 >{numvfs(dom0)}", 60)
    no_vf_left(dom0)
    devices.network(dom0, "igb0")


@pytest.mark.parametrize("how", ["disabled", pytest.param(
    "driver unbound", marks=pytest.mark.long)])
def test_functions_that_go_in_use_are_taken_from_the_guest(dom0, start, vfs,
                                                           how):
    guest = start("vf0", "vf1")
    driven(guest)
    if how == "disabled":
        dom0.sh(f"echo 0 >{numvfs(dom0)}", 60)
    else:
        dom0.sh(f"echo {dom0.bdf('igb0')} >/sys/bus/pci/drivers/igb/unbind",
                60)
    no_vf_left(dom0)
    guest.until(f"! grep -q 808610ca {GUEST_SEES}", 10)
    # And nothing is left of them: the card can make them again.
    guest.destroy()
    if how != "disabled":
        dom0.sh(f"echo {dom0.bdf('igb0')} >/sys/bus/pci/drivers/igb/bind")
    devices.make_vfs(dom0, 1)
    dom0.xl(f"pci-assignable-add {dom0.bdf('vf0')}")
    driven(start("vf0", name="next"))
