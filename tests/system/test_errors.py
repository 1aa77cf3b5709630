# SPDX-License-Identifier: GPL-2.0
"""PCIe errors of a device that a guest has, injected by dom0's aer_inject."""

import time

import pytest

from rig import devices
from rig.backend import SECONDS, backend, settled
from rig.channel import CommandError
from rig.devices import bounced, carrier_changes, gone_from
from rig.errors import (COMPLETION_TIMEOUT, DATA_LINK_PROTOCOL, handled,
                        inject)

# How long a guest may be without its card.
RECOVERY_SECONDS = 40

# PCIe 3.0 section 7.10.5.
RECEIVER_ERROR = 0x1


def use(guest, card):
    """Traffic on a network card, or on a disk."""
    if card != "nvme":
        devices.network(guest, card)
        return
    devices.disk(guest)
    guest.sh(f"dd if=/dev/zero of={devices.DISK} bs=64k count=16 oflag=direct")


def used_again(guest, card):
    """Wait until the guest uses its card again, kept or given anew.

    From the error to its end nothing gets through, so what works is new.
    """
    end = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            devices.settle(guest, card)
            return use(guest, card)
        except (CommandError, AssertionError):
            if time.monotonic() > end:
                raise


# The emulator's nvme has no AER: its errors are the port's, below.
@pytest.mark.parametrize("card", devices.cards("igb0", seldom=["e1000e"]))
@pytest.mark.parametrize("error", [COMPLETION_TIMEOUT, DATA_LINK_PROTOCOL],
                         ids=["nonfatal", "fatal"])
def test_guest_recovers_from_error(dom0, start, card, error):
    dom0.load(hide=[card])
    guest = start(card)
    use(guest, card)
    before = guest.sh("cat /proc/sys/kernel/random/boot_id")
    for count in (1, 2):
        inject(dom0, card, uncorrectable=error)
        handled(dom0, count)
        used_again(guest, card)
    assert guest.sh("cat /proc/sys/kernel/random/boot_id") == before


@pytest.mark.long
@pytest.mark.parametrize("card", ["igb0", "e1000e"])
def test_driver_keeps_its_card_if_the_host_fails(dom0, start, card):
    """It was told of the error, the host gives up: we go on in its place."""
    dom0.load(hide=[card])
    guest = start(card, arguments="pci=nomsi")
    name = devices.network(guest, card)
    index = f"cat /sys/class/net/{name}/ifindex"
    changes, first = carrier_changes(guest, name), guest.sh(index)
    inject(dom0, card, uncorrectable=DATA_LINK_PROTOCOL)
    dom0.until("dmesg | grep -q 'AER: device recovery failed'", 40)
    bounced(guest, name, changes)
    devices.network(guest, card)
    assert guest.sh(index) == first
    assert backend(dom0, guest, "state") == "4"
    assert backend(dom0, guest, "state-0") == "3"


def test_correctable_errors_are_counted_and_do_not_disturb(dom0, start):
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    name = devices.network(guest, "igb0")
    # The core counts them, for each device and kind.
    count = (f"grep ^RxErr {devices.DEVICES}/{dom0.bdf('igb0')}/"
             "aer_dev_correctable | grep -o '[0-9]*$'")
    before = int(dom0.sh(count))
    for number in (1, 2, 3):
        inject(dom0, "igb0", correctable=RECEIVER_ERROR)
        dom0.until(f"[ $({count}) = {before + number} ]", SECONDS)
    devices.ping(guest, name)
    assert backend(dom0, guest, "state") == "4"
    assert backend(dom0, guest, "state-0") == "3"


@pytest.mark.parametrize("card", devices.cards("igb0", seldom=["nvme"]))
def test_guest_recovers_from_error_of_the_port(dom0, start, bed, card):
    """Injected by the emulator at the root port above the card."""
    dom0.load(hide=[card])
    guest = start(card)
    use(guest, card)
    bed.machine.monitor("human-monitor-command", **{
        "command-line": f"pcie_aer_inject_error port-{card} DLP"})
    handled(dom0, 1)
    used_again(guest, card)


def test_guest_without_driver_loses_the_card_only(dom0, start):
    dom0.load(hide=["igb0", "e1000e"])
    guest = start("igb0", "e1000e")
    devices.network(guest, "e1000e")
    inject(dom0, "igb0", uncorrectable=COMPLETION_TIMEOUT)
    gone_from(guest, "igb0")
    settled(dom0, guest, 4)
    assert backend(dom0, guest, "aerState") == "aerfail"
    assert backend(dom0, guest, "state-0") == "6"
    name = devices.interface(guest, devices.address(guest, "e1000e"))
    devices.ping(guest, name)
    # The card was reset and works for the next, once xl knows that it is free.
    guest.detach(dom0.bdf("igb0"))
    other = start("igb0", name="other")
    devices.network(other, "igb0")


def test_error_of_a_free_card_is_survived(dom0, start):
    dom0.load(hide=["igb0"])
    inject(dom0, "igb0", uncorrectable=COMPLETION_TIMEOUT)
    handled(dom0, 1)
    guest = start("igb0")
    devices.network(guest, "igb0")
