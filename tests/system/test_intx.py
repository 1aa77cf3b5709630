# SPDX-License-Identifier: GPL-2.0
"""Devices that interrupt by a line: old cards, guests without MSI."""

import pytest

from rig import devices


def line_interrupts(guest, card):
    """Use the card; its interrupts, which must come by a line."""
    name = devices.network(guest, card)
    before = devices.interrupts(guest, name)
    devices.ping(guest, name, 10, interval=0.2)
    after = devices.interrupts(guest, name)
    assert len(after) == 1, after
    (count, kind), = after.values()
    assert "msi" not in kind, after
    # One for each echo request and answer, but they may be coalesced.
    assert count >= before[name][0] + 10, (before, after)


def test_conventional_card_by_intx(dom0, start):
    dom0.load(hide=["e1000"])
    line_interrupts(start("e1000"), "e1000")


@pytest.mark.parametrize("card", devices.cards("igb0", seldom=["e1000e"]))
def test_express_card_by_intx(dom0, start, card):
    dom0.load(hide=[card])
    line_interrupts(start(card, arguments="pci=nomsi"), card)


@pytest.mark.long
def test_standin_acks_as_long_as_the_guest_has_the_line(dom0, start):
    dom0.load(hide=["e1000"])
    guest = start("e1000")
    name = devices.network(guest, "e1000")
    # It looks every 1000 interrupts, of which two may become one.
    guest.sh(f"ping -q -c 2000 -i 0.005 -I {name} {devices.GATEWAY}", 120)
    line, = dom0.attribute("irq_handlers").splitlines()
    _, state, acking, handled = line.rsplit(":", 3)
    assert (state, acking) == ("on", "acking"), line
    assert int(handled) > 1000, line


def test_intx_again_after_driver_reload(dom0, start):
    dom0.load(hide=["e1000"])
    guest = start("e1000")
    for _ in range(3):
        line_interrupts(guest, "e1000")
        guest.sh("rmmod e1000")
