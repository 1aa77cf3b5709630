# SPDX-License-Identifier: GPL-2.0
"""What befalls a guest with stock pcifront is not felt by the bystander."""

import pytest

from arena import AT_AN_END, CARD, SECONDS
from rig import devices
from rig.dom0 import DRIVER
from rig.errors import COMPLETION_TIMEOUT, DATA_LINK_PROTOCOL, inject


@pytest.fixture
def user(arena):
    """A guest that uses the card by stock drivers."""
    arena.measure_end()
    front = arena.arrive()
    front.use_stock_frontend()
    yield front.guest
    # It is not an attacker any more.
    arena.destroy_attacker()
    arena.attacker()


@pytest.mark.parametrize("error", [COMPLETION_TIMEOUT, DATA_LINK_PROTOCOL],
                         ids=["nonfatal", "fatal"])
def test_recovery_from_an_error(arena, user, request, error):
    beside = arena.measure_error(error, user)
    with arena.attack(f"recovery: {request.node.callspec.id}", beside):
        inject(arena.dom0, CARD, uncorrectable=error)
        # The log is new with each attack.
        arena.dom0.until(f"dmesg | grep -q 'given to domain {user.id} as'", 40)
        devices.settle(user, CARD)
        devices.network(user, CARD)


def test_unbind_in_use(arena, user):
    bdf = arena.dom0.bdf(CARD)
    with arena.attack("unbind in use", beside=AT_AN_END):
        arena.dom0.sh(f"echo {bdf} >{DRIVER}/unbind", SECONDS)
        devices.gone_from(user, CARD)
    arena.destroy_attacker()
    arena.dom0.sh(f"echo {bdf} >{DRIVER}/bind")
