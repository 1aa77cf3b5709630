# SPDX-License-Identifier: GPL-2.0
"""Devices and drivers that leave in use: the guest is told, and lives."""

import pytest

from rig import devices
from rig.backend import SECONDS, backend, in_time, settled
from rig.channel import TRACING
from rig.devices import gone_from, only_msix, use
from rig.dom0 import DEVICES, DRIVER

BACKEND = "/sys/bus/xen-backend/drivers/xen-pciback"
FRONTEND = "/sys/bus/xen/drivers/pcifront"


def test_unbind_in_use_takes_the_card_from_the_guest(dom0, start):
    dom0.load(hide=["igb0", "e1000e"])
    guest = start("igb0", "e1000e")
    devices.network(guest, "igb0")
    devices.network(guest, "e1000e")
    bdf = dom0.bdf("igb0")
    dom0.sh(f"echo {bdf} >{DRIVER}/unbind", SECONDS)
    gone_from(guest, "igb0")
    settled(dom0, guest, 4)
    assert backend(dom0, guest, "state-0") == "6"
    name = devices.interface(guest, devices.address(guest, "e1000e"))
    devices.ping(guest, name)
    # To Xen it is the guest's still, until the toolstack says so too. That
    # has the guest look for it once more, which is not to cost it the other.
    guest.detach(bdf)
    settled(dom0, guest, 4)
    assert backend(dom0, guest, "num_devs") == "1"
    devices.ping(guest, name)
    dom0.run(f"xl pci-assignable-remove {bdf}")
    dom0.sh("modprobe igb")
    dom0.sh(f"[ -d {DEVICES}/{bdf}/net ] || "
            f"echo {bdf} >/sys/bus/pci/drivers/igb/bind")
    devices.lease(dom0, devices.interface(dom0, bdf))


def loses(dom0, guest, card, path, keeps):
    """A card that is no more in dom0 goes from its guest, which lives."""
    dom0.until(f"[ ! -e {path} ]", SECONDS)
    gone_from(guest, card)
    settled(dom0, guest, 4)
    devices.network(guest, keeps)
    with in_time():
        guest.destroy()


def test_unplug_in_use_takes_the_card_from_the_guest(dom0, start, bed):
    dom0.load(hide=["e1000e", "igb0"])
    guest = start("e1000e", "igb0")
    devices.network(guest, "e1000e")
    path = f"{DEVICES}/{dom0.bdf('e1000e')}"
    # The next test gets a machine that has the card.
    bed.worn = True
    bed.machine.monitor("device_del", id="e1000e")
    loses(dom0, guest, "e1000e", path, keeps="igb0")


def test_removal_of_the_port_takes_what_is_below(dom0, start, bed):
    dom0.load(hide=["igb0", "e1000e"])
    guest = start("igb0", "e1000e")
    devices.network(guest, "igb0")
    path = f"{DEVICES}/{dom0.bdf('igb0')}"
    bed.worn = True
    # By the kernel's own file: the emulator's root bus is not hot-plugged.
    dom0.sh(f"echo 1 >$(readlink -f {path}/..)/remove", SECONDS)
    loses(dom0, guest, "igb0", path, keeps="e1000e")


# What a guest does again and again, and the request by which it is seen.
MIDDLES = {
    "power states": ("setpci -s {0} CAP_PM+4.w=3; setpci -s {0} CAP_PM+4.w=0",
                     "cmd == 1"),
    "MSI-X": ("modprobe igb; rmmod igb", "cmd == 4"),
}


@pytest.mark.parametrize("name", devices.cards("MSI-X",
                                               seldom=["power states"]))
def test_destroyed_in_the_middle_of_a_request(dom0, start, name):
    commands, request = MIDDLES[name]
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    commands = commands.format(devices.address(guest, "igb0"))
    dom0.mount_tracing()
    event = f"{TRACING}/events/xen_pciback/pciback_op"
    dom0.sh(f"echo '{request}' >{event}/filter; echo 1 >{event}/enable")
    guest.sh(f"while :; do {commands}; done >/dev/null 2>&1 &")
    dom0.sh(f"head -n 1 {TRACING}/trace_pipe && xl destroy guest", 60)
    guest.forget()
    owner = f"{DEVICES}/{dom0.bdf('igb0')}/pciback/owner"
    dom0.until(f"[ $(cat {owner}) = none ]", SECONDS)
    dom0.sh(f"echo 0 >{event}/enable; echo >{TRACING}/trace")
    devices.network(start("igb0", name="next"), "igb0")


def test_guest_that_hangs_keeps_neither_card_nor_toolstack(dom0, start):
    dom0.load(hide=["igb0", "nvme", "e1000e"])
    hung = start("igb0", "nvme", "e1000e", name="hung")
    devices.network(hung, "igb0")
    dom0.xl("pause hung")
    with in_time():
        hung.detach(dom0.bdf("igb0"))
    devices.network(start("igb0", name="other"), "igb0")
    dom0.xl("unpause hung")
    devices.disk(hung)
    dom0.xl("pause hung")
    # xl takes one card after the other, and is not to wait for each.
    with in_time():
        hung.destroy(answers=False)


def reload_frontend(dom0, guest):
    # The module is held by its device, which can be unbound.
    guest.sh(f"echo pci-0 >{FRONTEND}/unbind", SECONDS * 2)
    settled(dom0, guest, 2)
    guest.sh(f"echo pci-0 >{FRONTEND}/bind")


def works_again(dom0, guest):
    settled(dom0, guest, 4)
    guest.until("grep -q 10c9 /proc/bus/pci/devices")
    devices.network(guest, "igb0")


def test_frontend_driver_reload_reconnects(dom0, start):
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    devices.network(guest, "igb0")
    reload_frontend(dom0, guest)
    works_again(dom0, guest)
    # The next driver does not wait until dom0 has seen that there was none.
    guest.sh(f"echo pci-0 >{FRONTEND}/unbind; echo pci-0 >{FRONTEND}/bind",
             SECONDS * 2)
    works_again(dom0, guest)


@pytest.mark.long
def test_backend_driver_reload_reconnects(dom0, start):
    """As when its module is replaced: the guest's card is its own again."""
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    devices.network(guest, "igb0")
    owner = f"{DEVICES}/{dom0.bdf('igb0')}/pciback/owner"
    dom0.sh(f"echo pci-{guest.id}-0 >{BACKEND}/unbind", SECONDS)
    # Stock pcifront closes, and keeps what it had until it is unbound, too.
    dom0.until(f"[ $(cat {owner}) = none ]", SECONDS)
    dom0.sh(f"echo pci-{guest.id}-0 >{BACKEND}/bind", SECONDS)
    settled(dom0, guest, 2)
    guest.sh(f"echo pci-0 >{FRONTEND}/unbind; echo pci-0 >{FRONTEND}/bind",
             SECONDS * 2)
    works_again(dom0, guest)


def test_frontend_that_resets_itself_is_brought_back(dom0, start):
    """Linux 7.3 may take its own publication for a reset, and lets go."""
    dom0.load(hide=["igb0"])
    guest = start("igb0", kernel="7.3", vcpus=1, arguments="frontend=none")
    guest.sh("modprobe igb; modprobe xen-pcifront")
    # It does in a race, so it has some chances.
    for chance in range(5):
        if chance:
            reload_frontend(dom0, guest)
        devices.settle(guest, "igb0")
        settled(dom0, guest, 4)
    interrupts = use(guest, "igb0")
    assert only_msix(interrupts), interrupts


# The last of what dom0 publishes, and the states of both ends then. Port 1 of
# the guest is no frontend's that waits: who published it has left it behind.
BAD_PUBLICATIONS = {"magic 8": "3 5", "pci-op-ref 4000000": "1 3",
                    "event-channel 4000": "3 5"}


def test_bad_publication_is_not_final(dom0, start):
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    guest.sh(f"echo pci-0 >{FRONTEND}/unbind", SECONDS * 2)
    settled(dom0, guest, 2)
    keys = f"/local/domain/{guest.id}/device/pci/0"
    for bad, states in BAD_PUBLICATIONS.items():
        # dom0 plays the frontend that publishes nonsense.
        dom0.sh(f"xenstore-write {keys}/magic 7 {keys}/pci-op-ref 8 "
                f"{keys}/event-channel 1; xenstore-write {keys}/{bad}; "
                f"xenstore-write {keys}/state 3")
        dom0.until(f"xenstore-read {keys}/state "
                   f"/local/domain/0/backend/pci/{guest.id}/0/state | "
                   f"tr '\\n' ' ' | grep -q '{states}'", SECONDS)
        dom0.sh(f"xenstore-write {keys}/state 6")
        settled(dom0, guest, 2)
    guest.sh(f"echo pci-0 >{FRONTEND}/bind")
    works_again(dom0, guest)


def test_crashed_guest_leaves_nothing(dom0, start):
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    devices.network(guest, "igb0")
    session = f"/sys/bus/xen-backend/devices/pci-{guest.id}-0"
    dom0.sh(f"[ -e {session} ]")
    guest.crash()
    dom0.until(f"[ ! -e {session} ]", SECONDS)
    assert dom0.assignable() == [dom0.bdf("igb0")]
    devices.network(start("igb0", name="next"), "igb0")
