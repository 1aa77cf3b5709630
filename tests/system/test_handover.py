# SPDX-License-Identifier: GPL-2.0
"""Nothing that one guest did to a card is there for the next."""

import pytest

from rig import devices
from rig.dom0 import DEVICES

PATTERNS = ["ones", "zeros", "4711"]

# PCI_COMMAND_MASTER
MASTER = 4


def config(where, bdf):
    """All of a device's config space, as seen there."""
    return where.sh(f"lspci -xxxx -s {bdf}").splitlines()[1:]


def fresh(dom0, card):
    """The card as dom0 sees it while nobody has it."""
    path = f"{DEVICES}/{dom0.bdf(card)}/pciback"
    dom0.until(f"[ $(cat {path}/owner) = none ] && "
               f"[ $(cat {path}/state) != cleaning ]")
    return config(dom0, dom0.bdf(card))


def write_everything(dom0, guest, card):
    """Write all of the card's config space, in all ways that there are."""
    path = f"{DEVICES}/{devices.address(guest, card)}/config"
    command = f"setpci -s {dom0.bdf(card)} COMMAND"
    for pattern in PATTERNS:
        guest.sh(f"sweep {path} {pattern}", 300)
        # It does reach the card, or there would be nothing to undo.
        if pattern == "ones":
            assert int(dom0.sh(command), 16) & MASTER


@pytest.mark.parametrize("card", devices.cards(
    "igb0", "nvme", "e1000", seldom=["e1000e", "virtio"]))
def test_next_guest_gets_a_fresh_card(dom0, start, card):
    devices.claim(dom0, card)
    before = fresh(dom0, card)
    first = start(card)
    seen = config(first, devices.address(first, card))
    dom0.poke("allow_interrupt_control", dom0.bdf(card))
    write_everything(dom0, first, card)
    first.destroy()
    assert fresh(dom0, card) == before
    assert dom0.attribute("permissive") == ""
    assert dom0.attribute("allow_interrupt_control") == ""
    second = start(card)
    assert config(second, devices.address(second, card)) == seen
    if card != "nvme":
        devices.network(second, card)


@pytest.mark.parametrize("card", devices.cards("igb0", seldom=["nvme"]))
def test_permissive_ends_with_its_guest(dom0, start, card):
    """It and all that was written by it, where no table knows the registers."""
    dom0.load(hide=[card])
    before = fresh(dom0, card)
    first = start(card)
    assert dom0.poke("permissive", dom0.bdf(card)) == ""
    write_everything(dom0, first, card)
    assert config(dom0, dom0.bdf(card)) != before
    first.destroy()
    assert fresh(dom0, card) == before
    assert dom0.attribute("permissive") == ""
    if card == "igb0":
        devices.network(start(card), card)


@pytest.mark.parametrize("card", devices.cards("igb0", seldom=["e1000e"]))
def test_dom0_gets_its_card_back_ten_times(dom0, start, card):
    """With its driver and traffic, also after a guest wrote all it may."""
    devices.keep_second_igb(dom0)
    dom0.load()
    bdf = dom0.bdf(card)
    devices.network(dom0, card)
    guest = start()
    for cycle in range(10):
        dom0.xl(f"pci-assignable-add {bdf}")
        if cycle % 5 == 0:
            guest.attach(bdf)
            guest.until(f"[ -e {DEVICES}/0000:00:00.0 ]")
            write_everything(dom0, guest, card)
            guest.detach(bdf)
        dom0.xl(f"pci-assignable-remove -r {bdf}")
        assert dom0.driver(bdf) == devices.driver(card)
        name = devices.interface(dom0, bdf)
        devices.lease(dom0, name)
        devices.ping(dom0, name)
