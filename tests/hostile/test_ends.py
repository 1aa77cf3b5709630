# SPDX-License-Identifier: GPL-2.0
"""The attacker is destroyed in the middle of each attack."""

import pytest

from arena import CARD, SECONDS
from rig.dom0 import DEVICES

FOREVER = "count=4000000000 seed=7"

ATTACKS = {
    "requests": f"fuzz {FOREVER}",
    "sequences": "words length=6",
    "double fetch": f"race {FOREVER}",
    "flags": f"games {FOREVER}",
    "events": f"storm {FOREVER}",
    # Fails: libxl removes the frontend's directory in a transaction before it pauses
    # the guest, and each write there has it begin anew. With Debian's module, which
    # does not come back to Connected, it does not get that far.
    "states": f"flips {FOREVER} ms=1",
    "connections": f"cycles {FOREVER}",
}
# One of each kind, for a run of minutes.
SHORT = ("sequences", "double fetch", "connections")


@pytest.mark.parametrize("name", ATTACKS)
def test_destroyed(arena, long, name):
    if name not in SHORT and not long:
        pytest.skip("takes part with --long")
    beside = arena.measure_end()
    front = arena.attacker()
    with arena.attack(f"destroyed: {name}", beside):
        front.begin(ATTACKS[name], progress=20)
        took = arena.destroy_attacker()
        owner = f"{DEVICES}/{arena.dom0.bdf(CARD)}/pciback/owner"
        arena.dom0.until(f"[ ! -e {owner} ] || [ $(cat {owner}) = none ]",
                         SECONDS)
    assert took < SECONDS * arena.slowness, took
    arena.attacker()
