# SPDX-License-Identifier: GPL-2.0
"""Attacks over a connection: requests, races, flags and events."""

import pytest

from arena import SECONDS
from granted import PM, capabilities, stolen


class Guarded:
    """The attacker, and how it leaves its device."""

    def __init__(self, front, config):
        self.front = front
        power = capabilities(config)[PM] + 4
        # Interrupts off, power on: what is left is what the attack did.
        self.off = ("op cmd=3", "op cmd=5",
                    f"op cmd=1 offset={power} size=2")
        # Turned on, it has its stand-in in dom0 before an attack turns it on.
        self.front.do("op cmd=1 offset=0x04 size=2 value=2", *self.off)

    def attacks(self, line, timeout):
        """An attack that ends with the device as it was."""
        out = self.front.do(line, *self.off, timeout=timeout)
        assert "bad:" not in out and " 0 bad answers" in out, out
        print(out)


@pytest.fixture
def guarded(arena, front):
    """The attacker; afterwards its device is what it was, but for its rights."""
    guarded = Guarded(front, arena.device_config())
    before = arena.device_config()
    arena.dom0.until("grep -q pciback /proc/interrupts", SECONDS)
    yield guarded
    assert stolen(before, arena.device_config()) == []


def test_requests_at_random(arena, guarded, long):
    """Seed by seed: so the agent's log shows how far a long one is."""
    count = 200_000
    with arena.attack("requests at random"):
        for seed in range(7, 57 if long else 8):
            guarded.attacks(f"fuzz count={count} seed={seed}", count // 200)


@pytest.mark.one_processor
def test_every_sequence_of_interrupt_and_power_requests(arena, guarded, long):
    length = 6 if long else 4
    beside = arena.measure_switches()
    with arena.attack(f"sequences of {length}", beside):
        guarded.attacks(f"words length={length} pm=0x40", 8 ** length // 20)


def test_request_rewritten_while_it_is_served(arena, guarded, long):
    count = 50_000 if long else 10_000
    with arena.attack("double fetch"):
        guarded.attacks(f"race count={count} seed=7", count // 20 + 60)


def test_flags_at_wrong_times(arena, guarded, long):
    count = 300_000 if long else 10_000
    with arena.attack("flags at wrong times"):
        guarded.attacks(f"games count={count} seed=7", count // 20 + 60)


def test_events_without_a_request(arena, guarded, long):
    count = 10_000_000 if long else 1_000_000
    with arena.attack("event storm"):
        guarded.front.do(f"storm count={count}", timeout=count // 1000 + 60)


@pytest.mark.parametrize("processors", [
    "two", pytest.param("one", marks=pytest.mark.one_processor)])
def test_next_guest_uses_the_card_after_all_of_it(arena, front, processors):
    arena.destroy_attacker()
    arena.arrive().use_stock_frontend()
    arena.destroy_attacker()
