# SPDX-License-Identifier: GPL-2.0
"""Network cards in a guest: DMA, interrupts, MSI-X, driver reload."""

import pytest

from rig import devices
from rig.devices import only_msix, use


@pytest.mark.parametrize("kernel", [
    "6.1", pytest.param("6.12", marks=pytest.mark.long)])
def test_e1000e_works_in_guest(dom0, start, kernel):
    dom0.load(hide=["e1000e"])
    use(start("e1000e", kernel=kernel), "e1000e")


@pytest.mark.parametrize("kernel", [
    "6.1", pytest.param("6.12", marks=pytest.mark.long)])
def test_igb_has_several_msix_vectors(dom0, start, kernel):
    dom0.load(hide=["igb0"])
    interrupts = use(start("igb0", kernel=kernel), "igb0")
    assert only_msix(interrupts) and len(interrupts) > 1, interrupts


@pytest.mark.parametrize("card", devices.cards("igb0", seldom=["e1000e"]))
def test_driver_reload_gets_msix_each_time(dom0, start, card):
    dom0.load(hide=[card])
    guest = start(card)
    first = use(guest, card)
    assert only_msix(first), first
    for _ in range(3):
        guest.sh(f"rmmod {devices.driver(card)}")
        again = use(guest, card)
        assert only_msix(again), again
        assert len(again) == len(first), (first, again)
