# SPDX-License-Identifier: GPL-2.0
"""PCIe errors of which a guest's own driver recovers, step by step.

With MSI-X a guest gets its card anew, see test_errors.py; with the line its
driver is told of the error, of the reset and of the end.
"""

import pytest

from rig import devices
from rig.backend import backend
from rig.errors import (COMPLETION_TIMEOUT, DATA_LINK_PROTOCOL, handled,
                        inject)

# The emulator's ports lose a faster link when they reset it.
MORE = ["-global", "pcie-root-port.x-speed=2_5"]


@pytest.mark.parametrize("card", devices.cards("igb0", seldom=["e1000e"]))
@pytest.mark.parametrize("error", [
    pytest.param(COMPLETION_TIMEOUT, id="nonfatal", marks=pytest.mark.long),
    pytest.param(DATA_LINK_PROTOCOL, id="fatal")])
def test_driver_keeps_its_card(dom0, start, card, error):
    dom0.load(hide=[card])
    guest = start(card, arguments="pci=nomsi")
    name = devices.network(guest, card)
    index = f"cat /sys/class/net/{name}/ifindex"
    first = guest.sh(index)
    for count in (1, 2):
        changes = devices.carrier_changes(guest, name)
        inject(dom0, card, uncorrectable=error)
        handled(dom0, count)
        assert "recovery failed" not in dom0.sh("dmesg")
        devices.bounced(guest, name, changes)
        devices.network(guest, card)
    assert guest.sh(index) == first
    given = f"dmesg | grep -c 'given to domain {guest.id} as'"
    assert dom0.sh(given) == "1"
    assert backend(dom0, guest, "state") == "4"
    assert backend(dom0, guest, "state-0") == "3"
    assert backend(dom0, guest, "aerState") is None
