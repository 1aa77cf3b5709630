# SPDX-License-Identifier: GPL-2.0
"""Attacks by what a frontend publishes, and by its states."""

import pytest

from arena import CARD, SECONDS
from rig.dom0 import DRIVER

# How badfront says what is at the start of an igb's config space.
CARDS_ID = "err 0 value 0x10c98086"

# Kilobytes that one connection may leave: less than a page of any.
MAX_LEFT = 1

# A frontend at its start, which the backend waits for.
FRESH = ("state be=6", "await states=0x44", "close", "state be=1",
         "await states=0xc")

# Names of publications, and how they are made; {} is the bystander's domain.
BAD = {
    "wild grant": ["open", "publish gref=4000000"],
    "grant of the console": ["open", "publish gref=1"],
    "revoked grant": ["open", "revoke", "publish"],
    "grant to another domain": ["open page={}", "publish"],
    "read-only grant": ["open readonly=1", "publish"],
    "wild port": ["open", "publish port=4000"],
    "port beyond all": ["open", "publish port=0xffffffff"],
    "port of the console": ["open", "publish port=2"],
    "port for another domain": ["open port={}", "publish"],
    "closed port": ["open", "close_port", "publish"],
    "no magic": ["open", "remove magic", "state be=3"],
    "other magic": ["open", "publish magic=8"],
    "huge magic": ["open", "publish magic=4000000000"],
    "no grant": ["open", "remove pci-op-ref", "state be=3"],
    "text for a grant": ["open", "write pci-op-ref eight", "state be=3"],
    "empty grant": ["open", "write pci-op-ref", "state be=3"],
    "negative port": ["open", "write event-channel -1", "state be=3"],
    "long number": ["open", "write pci-op-ref fill=2000", "state be=3"],
    "long magic": ["open", "write magic fill=2000", "state be=3"],
    "long state": ["open", "write state fill=1000"],
    "text for a state": ["open", "write state Connected"],
}

# What NetBSD's frontend reads and writes: four bytes at a time, always.
NETBSD = ("op offset=0x00", "op offset=0x04", "op offset=0x08",
          "op offset=0x0c", "op offset=0x3c",
          "op offset=0x10", "op cmd=1 offset=0x10 value=0xffffffff",
          "op offset=0x10", "op cmd=1 offset=0x04 value=0x7",
          "op offset=0x04")


@pytest.mark.parametrize("name", BAD)
def test_bad_publication(arena, front, name):
    lines = [line.format(arena.bystander.id) for line in BAD[name]]
    with arena.attack(name):
        front.do(*FRESH, *lines)
        front.run("await states=0x60 ms=1000")
        assert "held" not in front.do("close")
        front.connect()


@pytest.mark.parametrize("name, lines", {
    "port closed while connected": ["close_port"],
    "port closed and reused": ["close_port", "open port={} page={}"],
    "page revoked while connected": ["revoke"],
}.items())
def test_channel_pulled_away(arena, front, name, lines):
    lines = [line.format(*2 * [arena.bystander.id]) for line in lines]
    with arena.attack(name):
        front.run(*lines)
        front.run("await states=0x68 ms=1000")
        front.connect()


def test_another_page_and_port_serve(arena, front):
    with arena.attack("another page and port"):
        front.do("open", "publish")
        assert front.do("op offset=0x00").endswith(CARDS_ID)
        front.do("state be=4", "op offset=0x04")
        front.connect()


@pytest.mark.parametrize("name, lines", {
    "port closed before it is bound": ["open", "close_port", "publish"],
    "port closed after it was bound": ["open", "publish", "await states=0x10",
                                       "close_port"],
}.items())
def test_publication_left_behind_is_undone(arena, front, name, lines):
    """As by Linux 7.3, whose kernel looks again at a frontend in state 1."""
    keys = (f"/local/domain/{front.guest.id}/device/pci/0/state "
            f"/local/domain/0/backend/pci/{front.guest.id}/0/state")
    with arena.attack(name):
        front.do(*FRESH, *lines)
        arena.dom0.until(f"[ \"$(echo $(xenstore-read {keys}))\" = '1 3' ]",
                         SECONDS)
        front.do("open", "publish", "await states=0x10")
        assert front.do("op offset=0x00").endswith(CARDS_ID)
        front.connect()


def test_every_state_after_every_other(arena, front, long):
    with arena.attack("states in every order"):
        front.do(*FRESH, "open", "publish")
        front.do(f"walk length={4 if long else 3} ms=8", timeout=900)
        front.do(*FRESH, "open", "publish")
        front.do("walk length=3")
        front.connect()


def test_thousand_state_flips(arena, front):
    with arena.attack("1000 state flips"):
        front.do(*FRESH, "open", "publish")
        front.do("flips count=1000 seed=7", timeout=300)
        front.connect()


def test_connections_closed_as_mini_os_does(arena, front):
    """A leak is what there is more of after more of them."""
    grown = {}
    for count in (100, 300):
        before = arena.slab()
        with arena.attack(f"{count} connections"):
            out = front.do(f"cycles count={count}", timeout=300)
        assert f"{count} cycles" in out and "held" not in out, out
        grown[count] = arena.slab() - before
    print("kilobytes:", grown)
    assert grown[300] - max(grown[100], 0) <= 200 * MAX_LEFT, grown


def test_netbsd_connects_and_reads_by_four_bytes(arena, front):
    front.do(*FRESH)
    front.do("seen")
    out = front.do("open", "publish", "await states=0x10", "state be=4",
                   *NETBSD, "seen")
    *answers, seen = out.splitlines()
    assert all(" 0 value" in answer for answer in answers[1:]), out
    assert answers[1] == CARDS_ID, out
    # It panics when it sees a state beyond Closing.
    assert int(seen.split()[-1], 16) < 1 << 6, seen
    front.do("state be=6", "await states=0x44")


def test_netbsd_loses_its_device_and_lives(arena, front):
    dom0 = arena.dom0
    bdf = dom0.bdf(CARD)
    front.do(*FRESH)
    front.do("seen")
    front.do("open deaf=1", "publish", "await states=0x10", "state be=4",
             "op offset=0x00")
    dom0.sh(f"echo {bdf} >{DRIVER}/unbind")
    answer, seen = front.do("op offset=0x00", "seen").splitlines()
    assert answer.startswith("err -1 "), answer
    assert int(seen.split()[-1], 16) < 1 << 6, seen
    arena.destroy_attacker()
    dom0.sh(f"echo {bdf} >{DRIVER}/bind")
