# SPDX-License-Identifier: GPL-2.0
"""What xl does with devices: assignable or not, attach, detach."""

import pytest

from rig import devices

CYCLES = 10


def test_assignable_add_and_remove_ten_cycles(dom0):
    dom0.load()
    bdf = dom0.bdf("e1000e")
    dom0.sh("modprobe e1000e")
    devices.network(dom0, "e1000e")
    for _ in range(CYCLES):
        dom0.xl(f"pci-assignable-add {bdf}")
        assert dom0.assignable() == [bdf]
        assert dom0.driver(bdf) == "pciback"
        dom0.xl(f"pci-assignable-remove -r {bdf}")
        assert dom0.assignable() == []
        assert dom0.driver(bdf) == "e1000e"
    devices.network(dom0, "e1000e")


@pytest.mark.long
def test_dom0_driver_works_after_a_guest_had_the_card(dom0, start):
    dom0.load()
    bdf = dom0.bdf("igb0")
    devices.keep_second_igb(dom0)
    devices.network(dom0, "igb0")
    dom0.xl(f"pci-assignable-add {bdf}")
    guest = start("igb0")
    devices.network(guest, "igb0")
    guest.detach(bdf)
    dom0.xl(f"pci-assignable-remove -r {bdf}")
    assert dom0.driver(bdf) == "igb"
    devices.network(dom0, "igb0")


def test_attach_and_detach_ten_cycles(dom0, start):
    dom0.load(hide=["e1000e"])
    bdf = dom0.bdf("e1000e")
    guest = start()
    guest.sh("modprobe e1000e")
    for cycle in range(CYCLES):
        guest.attach(bdf)
        assert bdf not in dom0.assignable()
        guest.until("grep -q 10d3 /proc/bus/pci/devices")
        if cycle in (0, CYCLES - 1):
            devices.network(guest, "e1000e")
        guest.detach(bdf)
        guest.until("! grep -q 10d3 /proc/bus/pci/devices")
        assert dom0.assignable() == [bdf]


def test_detached_card_goes_to_the_next_guest(dom0, start):
    dom0.load(hide=["igb0"])
    first, second = start(name="first"), start(name="second")
    for guest in (first, second, first):
        guest.attach(dom0.bdf("igb0"))
        guest.until("grep -q 10c9 /proc/bus/pci/devices")
        devices.network(guest, "igb0")
        guest.detach(dom0.bdf("igb0"))


def test_second_card_is_hot_plugged_beside_the_first(dom0, start):
    dom0.load(hide=["igb0", "e1000e"])
    guest = start("igb0")
    devices.network(guest, "igb0")
    guest.attach(dom0.bdf("e1000e"))
    guest.until("grep -q 10d3 /proc/bus/pci/devices")
    devices.network(guest, "e1000e")
    guest.detach(dom0.bdf("igb0"))
    guest.until("! grep -q 10c9 /proc/bus/pci/devices")
    name = devices.interface(guest, devices.address(guest, "e1000e"))
    devices.ping(guest, name)


def test_cards_are_hot_plugged_in_one_breath(dom0, start):
    """xl waits for the backend alone: the guest still probes the last one."""
    dom0.load(hide=["igb0", "e1000e", "nvme"])
    guest = start()
    guest.sh("modprobe igb; modprobe e1000e; modprobe nvme")
    dom0.sh(" && ".join(f"xl pci-attach guest {dom0.bdf(card)}"
                        for card in ("igb0", "e1000e", "nvme")), 60)
    for card in ("igb0", "e1000e"):
        devices.settle(guest, card)
        devices.network(guest, card)
    devices.disk(guest)
