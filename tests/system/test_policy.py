# SPDX-License-Identifier: GPL-2.0
"""What a guest can change of a card's config space, seen from dom0."""

import re

import pytest

from rig import devices, policy
from rig.dom0 import DEVICES

PATTERNS = ["ones", "zeros", "4711", "815"]
# The others have the capabilities of these.
CARDS = devices.cards("igb0", "nvme", seldom=["e1000e", "e1000", "virtio"])


def raw_config(where, bdf):
    """All of a device's config space, as bytes."""
    text = where.sh(f"od -An -v -tx1 {DEVICES}/{bdf}/config")
    return bytes.fromhex(text)


def sweep(dom0, guest, card):
    """Write everything from the guest; what dom0 saw before and between."""
    bdf = dom0.bdf(card)
    path = f"{DEVICES}/{devices.address(guest, card)}/config"
    # A device without a reset is let onto its line when its guest turns it on.
    guest.sh(f"printf '\\3' | dd of={path} bs=1 seek=4 conv=notrunc")
    dom0.until("[ $((0x$(od -An -tx1 -j5 -N1 "
               f"{DEVICES}/{bdf}/config | tr -d ' ') & 4)) = 0 ]")
    states = [raw_config(dom0, bdf)]
    for pattern in PATTERNS:
        print(card, pattern, guest.sh(f"sweep {path} {pattern}", 300))
        states.append(raw_config(dom0, bdf))
    return states


def check(states, letters):
    """The bits that changed are those that the policy grants."""
    seen = policy.changed(*states)
    may = policy.granted(states[0], letters)
    print("changed:", " ".join(policy.listed(seen)))
    print("granted:", " ".join(policy.listed(may)))
    beyond = bytes(a & ~b for a, b in zip(seen, may, strict=True))
    assert policy.listed(beyond) == []
    # What hardware has of the granted bits is not nothing.
    assert seen[4] & 4, "bus mastering"


@pytest.mark.parametrize("card", CARDS)
def test_sweep_changes_what_is_granted(dom0, start, card):
    devices.claim(dom0, card)
    check(sweep(dom0, start(card), card), policy.GRANTED)


def test_sweep_of_a_virtual_function(dom0, start):
    devices.keep_second_igb(dom0)
    devices.make_vfs(dom0, 1)
    dom0.load()
    dom0.xl(f"pci-assignable-add {dom0.bdf('vf0')}")
    check(sweep(dom0, start("vf0"), "vf0"), policy.GRANTED)


def test_guest_sees_no_capability_that_is_hidden(dom0, start):
    dom0.load(hide=["igb0"])
    assert "[160 v1]" in dom0.sh(f"lspci -vv -s {dom0.bdf('igb0')}")
    guest = start("igb0")
    said = guest.sh("dmesg")
    assert "VF BAR" not in said, said
    shown = guest.sh("lspci -vvv")
    for name in ("SR-IOV", "Alternative Routing", "unknown"):
        assert name not in shown, shown


def test_stock_drivers_are_denied_nothing_that_matters(dom0, start):
    """Each driver works; the writes that it is denied are printed."""
    cards = ["igb0", "e1000e", "nvme"]
    dom0.load(hide=cards)
    guest = start(*cards)
    for card in ("igb0", "e1000e"):
        devices.network(guest, card)
    devices.disk(guest)
    assert guest.run("lspci -vvv").rc == 0
    for card in cards:
        folder = f"{DEVICES}/{dom0.bdf(card)}/pciback"
        print(card, dom0.sh(f"cat {folder}/denied").split())
    # Drivers go on without these, see the documentation of the policy.
    known = re.compile("|".join(EXPECTED_DENIALS))
    wrong = [f"{card} {line}" for card in cards for line in
             dom0.sh(f"cat {DEVICES}/{dom0.bdf(card)}/pciback/denied").split()
             if not known.match(f"{card} {line}")]
    assert wrong == []


# Card, offset and size of writes that stock drivers can do without.
EXPECTED_DENIALS = [
    # The latency timer, by the kernel when it enables an old card's DMA.
    r"\w+ 00d:1:",
]
