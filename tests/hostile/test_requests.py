# SPDX-License-Identifier: GPL-2.0
"""Attacks over a connection: requests, races, flags and events."""

import pytest

from granted import PM, capabilities, stolen


@pytest.fixture
def guarded(arena, front):
    """The attacker; afterwards its device is what it was, but for its rights."""
    before = arena.device_config()
    yield front
    # Interrupts off, power on: what is left is what the attack did.
    power = capabilities(before)[PM] + 4
    front.do("op cmd=3", "op cmd=5", f"op cmd=1 offset={power} size=2")
    assert stolen(before, arena.device_config()) == []


def good(out):
    """An attack's words, none of which tells of a bad answer."""
    assert "bad:" not in out and " 0 bad answers" in out, out
    print(out)


def test_requests_at_random(arena, guarded, long):
    count = 10_000_000 if long else 200_000
    with arena.attack("requests at random"):
        good(guarded.do(f"fuzz count={count} seed=7",
                        timeout=count // 200 + 60))


def test_every_sequence_of_interrupt_and_power_requests(arena, guarded, long):
    length = 6 if long else 4
    with arena.attack(f"sequences of {length}"):
        good(guarded.do(f"words length={length} pm=0x40",
                        timeout=8 ** length // 20))


def test_request_rewritten_while_it_is_served(arena, guarded, long):
    count = 1_000_000 if long else 10_000
    with arena.attack("double fetch"):
        good(guarded.do(f"race count={count} seed=7",
                        timeout=count // 20 + 60))


def test_flags_at_wrong_times(arena, guarded, long):
    count = 1_000_000 if long else 10_000
    with arena.attack("flags at wrong times"):
        good(guarded.do(f"games count={count} seed=7",
                        timeout=count // 20 + 60))


def test_events_without_a_request(arena, guarded, long):
    count = 10_000_000 if long else 1_000_000
    with arena.attack("event storm"):
        guarded.do(f"storm count={count}", timeout=count // 1000 + 60)


def test_next_guest_uses_the_card_after_all_of_it(arena, front):
    arena.destroy_attacker()
    arena.attacker().use_stock_frontend()
    arena.destroy_attacker()
