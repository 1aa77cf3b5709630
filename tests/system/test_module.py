# SPDX-License-Identifier: GPL-2.0
"""Loading and unloading the module."""

import re

import pytest

from rig import devices
from rig.dom0 import INSMOD, Dom0
from rig.machine import Machine

HIDABLE = ("igb0", "e1000e", "nvme", "e1000", "edu")


def test_hide_takes_addresses_and_wildcards(dom0):
    short = dom0.bdf("igb0").removeprefix("0000:")
    whole = dom0.bdf("e1000e").rsplit(":", 1)[0]
    function = dom0.bdf("nvme").rsplit(".", 1)[0]
    dom0.load(f"'hide=\" ({short}) ({whole}:*.*)({function}.*) \"'")
    for card in ("igb0", "e1000e", "nvme"):
        assert dom0.driver(dom0.bdf(card)) == "pciback", card
    assert dom0.driver(dom0.bdf("igb1")) is None


def test_hide_of_a_bridge_takes_what_is_below(dom0):
    port = dom0.sh(f"basename $(dirname $(readlink -f "
                   f"/sys/bus/pci/devices/{dom0.bdf('igb0')}))")
    dom0.load(f"'hide=({port})'")
    assert dom0.driver(dom0.bdf("igb0")) == "pciback"
    assert dom0.driver(dom0.bdf("e1000e")) is None


@pytest.mark.parametrize("bad", ["(zz:00.0)", "(0000:01:00.8)", "(01:00.0x)",
                                 "01:00.0", "()", "(0000:77:00.0)"])
def test_hide_reports_and_skips_a_bad_entry(dom0, bad):
    first, last = dom0.bdf("e1000e"), dom0.bdf("nvme")
    dom0.take_dmesg()
    dom0.load(f"'hide=({first}){bad}({last})'")
    assert dom0.driver(first) == "pciback"
    assert dom0.driver(last) == "pciback"
    assert dom0.driver(dom0.bdf("igb0")) is None
    said = [line for line in dom0.take_dmesg().splitlines()
            if f"'{bad}'" in line and "pciback" in line]
    assert said


def test_hide_reports_an_unclosed_entry_at_the_end(dom0):
    dom0.take_dmesg()
    dom0.load(f"'hide=({dom0.bdf('e1000e')})({dom0.bdf('nvme')}'")
    assert dom0.driver(dom0.bdf("e1000e")) == "pciback"
    assert dom0.driver(dom0.bdf("nvme")) is None
    assert re.search(rf"pciback.*{dom0.bdf('nvme')}", dom0.take_dmesg())


def test_bridge_is_refused(dom0):
    dom0.load()
    port = dom0.sh(f"basename $(dirname $(readlink -f "
                   f"/sys/bus/pci/devices/{dom0.bdf('igb0')}))")
    assert dom0.poke("new_slot", port) == ""
    owner = dom0.driver(port)
    dom0.run(f"echo {port} >/sys/bus/pci/devices/{port}/driver/unbind")
    assert dom0.poke("bind", port) != ""
    assert dom0.driver(port) is None
    dom0.sh(f"echo {port} >/sys/bus/pci/drivers/{owner}/bind")


def test_driver_override_binds(dom0):
    dom0.load()
    bdf = dom0.bdf("e1000e")
    dom0.sh(f"echo pciback >/sys/bus/pci/devices/{bdf}/driver_override; "
            f"echo {bdf} >/sys/bus/pci/drivers_probe")
    assert dom0.driver(bdf) == "pciback"
    assert dom0.attribute("slots").split() == [bdf]
    dom0.sh(f"echo >/sys/bus/pci/devices/{bdf}/driver_override")


def test_unload_is_refused_while_a_guest_uses_a_device(dom0, start):
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    name = devices.network(guest, "igb0")
    assert dom0.run("rmmod xen_pciback", 60).rc != 0
    assert dom0.loaded()
    assert dom0.driver(dom0.bdf("igb0")) == "pciback"
    devices.ping(guest, name)


def config(dom0):
    """All of the cards' config space."""
    return {card: dom0.sh(f"lspci -xxxx -s {dom0.bdf(card)}")
            for card in HIDABLE}


def test_unload_leaves_devices_as_before(dom0):
    before = config(dom0)
    for _ in range(2):
        dom0.load(hide=HIDABLE)
        dom0.unload()
    after = config(dom0)
    for card in HIDABLE:
        assert after[card] == before[card], card


def test_unload_after_use_leaves_devices_as_before(dom0, start):
    before = config(dom0)
    dom0.load(hide=["igb0", "e1000e"])
    guest = start("igb0", "e1000e")
    devices.network(guest, "igb0")
    devices.network(guest, "e1000e")
    guest.destroy()
    dom0.unload()
    after = config(dom0)
    for card in HIDABLE:
        assert after[card] == before[card], card


def test_aliases(dom0):
    aliases = dom0.sh("modinfo -F alias /xen-pciback.ko").split()
    assert "xen-backend:pci" in aliases
    assert "pciback" in aliases


@pytest.fixture
def outside_xen(images, ko, bed):
    """Linux on the bare machine, alone: one emulator at a time."""
    assert bed.discard() == []
    machine = Machine(images, ko, "outside-xen", xen=False)
    try:
        yield Dom0(machine)
    finally:
        print(f"logs: {machine.logs}")
        machine.stop()


def test_fails_outside_xen_with_one_message(outside_xen):
    linux = outside_xen
    linux.take_dmesg()
    done = linux.run(INSMOD)
    assert done.rc != 0
    assert "No such device" in done.out, done.out
    # That a module taints, and that it counts (gcov), is the kernel's to say.
    said = [line for line in linux.take_dmesg().splitlines()
            if not re.search("taint|version magic", line)]
    assert len(said) == 1 and "pciback" in said[0], said
    assert not linux.loaded()
