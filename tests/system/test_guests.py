# SPDX-License-Identifier: GPL-2.0
"""Several devices, several guests, and guests that end in every way."""

import pytest

from rig import devices
from rig.devices import TRAFFIC, busy


def test_two_cards_in_one_guest(dom0, start):
    dom0.load(hide=["igb0", "e1000e"])
    guest = start("igb0", "e1000e")
    for card in ("igb0", "e1000e"):
        devices.network(guest, card)


def test_one_card_in_each_of_two_guests(dom0, start):
    dom0.load(hide=["igb0", "igb1"])
    guests = [(start("igb0", name="first"), "igb0"),
              (start("igb1", name="second"), "igb1")]
    names = [(guest, devices.network(guest, card)) for guest, card in guests]
    for guest, name in names:
        guest.sh(TRAFFIC.format(name))
    for guest, name in names:
        devices.ping(guest, name)


@pytest.mark.parametrize("card", devices.cards("igb0", seldom=["e1000"]))
def test_passthrough_mode_shows_the_hosts_address(dom0, start, card):
    dom0.load("passthrough=1", hide=[card])
    guest = start(card)
    assert devices.address(guest, card) == dom0.bdf(card)
    devices.network(guest, card)


def test_default_mode_hides_the_hosts_address(dom0, start):
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    assert devices.address(guest, "igb0") == "0000:00:00.0"


def test_card_works_after_destroy_in_use(dom0, start):
    dom0.load(hide=["igb0"])
    for kernel in ("6.1", "6.12"):
        guest = start("igb0", kernel=kernel)
        busy(guest, "igb0")
        guest.destroy()
        assert dom0.assignable() == [dom0.bdf("igb0")]
    devices.network(start("igb0"), "igb0")


def test_card_works_after_reboot_in_use(dom0, start):
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    for _ in range(2):
        busy(guest, "igb0")
        guest.reboot()
    devices.network(guest, "igb0")


def test_card_works_after_shutdown(dom0, start):
    dom0.load(hide=["e1000e"])
    guest = start("e1000e")
    busy(guest, "e1000e")
    guest.shutdown()
    devices.network(start("e1000e"), "e1000e")


def test_card_works_after_guest_crash(dom0, start):
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    busy(guest, "igb0")
    guest.crash()
    devices.network(start("igb0"), "igb0")


def test_destroyed_guest_leaves_nothing_in_xenstore(dom0, start):
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    folder = f"/local/domain/0/backend/pci/{guest.id}"
    assert dom0.xenstore(f"{folder}/0/state") == "4"
    guest.destroy()
    assert dom0.run(f"xenstore-ls {folder}").rc != 0
