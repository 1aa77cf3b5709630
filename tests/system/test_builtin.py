# SPDX-License-Identifier: GPL-2.0
"""The driver built into dom0's kernel, with its rivals for the cards."""

import pytest

from rig import coverage, devices
from rig.debugkernel import verdict
from rig.dom0 import Dom0
from rig.guest import Guest
from rig.images import Images
from rig.logscan import complaints
from rig.machine import Machine

# Where a machine has its cards, before anybody could ask it.
HIDDEN = {"igb0": "01:00.0", "e1000e": "03:00.0", "nvme": "04:00.0"}


@pytest.fixture(scope="module")
def builtin(request):
    """dom0 with hide= on its kernel's command line."""
    if request.config.getoption("dom0") != "debug":
        pytest.skip("needs --dom0=debug")
    hide = "".join(f"({bdf})" for bdf in HIDDEN.values())
    images = Images("builtin", request.config.getoption("stack"))
    machine = Machine(images, None, "builtin",
                      arguments=f"xen-pciback.hide={hide}")
    try:
        dom0 = Dom0(machine)
        yield dom0
        found = verdict(dom0) + complaints(dom0.take_dmesg())
        coverage.keep_of(dom0, images.dom0_kernel.build, "builtin")
    finally:
        print(f"logs: {machine.logs}")
        machine.stop()
    assert found == []


def test_hide_comes_before_drivers_that_are_built_in(builtin):
    for card, bdf in HIDDEN.items():
        assert builtin.bdf(card) == f"0000:{bdf}"
        assert builtin.driver(f"0000:{bdf}") == "pciback", card
    assert builtin.driver(builtin.bdf("igb1")) == "igb"
    assert builtin.driver(builtin.bdf("e1000")) == "e1000"


def test_hidden_card_works_in_a_guest_and_then_in_dom0(builtin):
    bdf = builtin.bdf("igb0")
    guest = Guest(builtin, "guest", pci=[bdf]).create()
    devices.network(guest, "igb0")
    guest.destroy()
    # Xen has it in quarantine, where it reaches no memory.
    builtin.xl(f"pci-assignable-remove {bdf}")
    builtin.sh(f"echo {bdf} >/sys/bus/pci/drivers/igb/bind", 60)
    devices.lease(builtin, devices.interface(builtin, bdf))
