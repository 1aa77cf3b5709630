# SPDX-License-Identifier: GPL-2.0
"""Driving a device where it is, in dom0 or in a guest ("where")."""

import re

import pytest

from .backend import SECONDS
from .dom0 import CARDS, DEVICES

GATEWAY = "10.0.2.2"
DISK = "/dev/nvme0n1"

# Keeps a card busy until the guest ends.
TRAFFIC = f"ping -q -s 1400 -i 0.01 -I {{0}} {GATEWAY} >/dev/null 2>&1 &"

# Linux drivers of cards that have not their driver's name.
DRIVER_OF = {"igb": "igb", "vf": "igbvf", "virtio": "virtio-pci",
             "pair": "e1000"}


def cards(*names, seldom=()):
    """Values of a test's parameter; with those of seldom it is a long test."""
    return [*names, *(pytest.param(name, marks=pytest.mark.long)
                      for name in seldom)]


def address(where, card):
    """PCI address of a card as seen there; None if it is not there."""
    vendor, device, _ = CARDS[card]
    lines = where.sh("lspci -Dn").splitlines()
    found = [l.split()[0] for l in lines if f"{vendor}:{device}" in l]
    return found[0] if found else None


def interface(where, bdf):
    """Name of the network interface that a device's driver made."""
    assert bdf, "the card is not there"
    # Not by the device's net/: a virtio card has it one level lower.
    name = (f"for n in /sys/class/net/*; do case $(readlink -f $n) in "
            f"*/{bdf}/*) echo ${{n##*/}};; esac; done")
    where.until(f'[ "$({name})" ]')
    return where.sh(name)


def lease(where, name):
    """Get an address by DHCP: the card sends, receives and interrupts."""
    where.sh(f"ip link set {name} up")
    where.until(f"[ $(cat /sys/class/net/{name}/carrier) = 1 ]")
    where.sh(f"udhcpc -i {name} -s /etc/udhcpc.script -n -q -t 8 -T 2", 40)
    out = where.sh(f"ip -4 addr show dev {name} | grep inet")
    return re.search(r"inet (\S+)/", out).group(1)


def ping(where, name, count=5, interval=0.05):
    """Ping the gateway; every answer must arrive."""
    out = where.sh(f"ping -c {count} -i {interval} -I {name} {GATEWAY}", 60)
    assert f" {count} packets received" in out, out
    return out


def interrupts(where, name):
    """{label: (count, kind)} of the interrupts with name in their label."""
    found = {}
    for line in where.sh("cat /proc/interrupts").splitlines():
        match = re.match(r"\s*\d+:((?:\s+\d+)+)\s+(.*?)\s+(\S+)$", line)
        if match and name in match.group(3):
            count = sum(map(int, match.group(1).split()))
            found[match.group(3)] = count, match.group(2)
    return found


def settle(where, card, seconds=30):
    """Wait until a card is there with its driver, and has been for a second.

    A card that is taken away for a reset is there, gone, and there again.
    """
    vendor, device, _ = CARDS[card]
    has = f"grep -q '{vendor}{device}.*{driver(card)}' /proc/bus/pci/devices"
    where.until(f"n=0; while [ $n -lt 10 ] && {has}; do n=$((n + 1)); "
                "sleep 0.1; done; [ $n = 10 ]", seconds)


def driver(card):
    """Name of the Linux driver of a card."""
    return DRIVER_OF.get(card.rstrip("0123456789"), card)


def network(where, card):
    """Load the card's driver and use the card; returns the interface."""
    if card == "virtio":
        where.sh("modprobe virtio_net")
    where.sh(f"modprobe {driver(card)}")
    name = interface(where, address(where, card))
    lease(where, name)
    ping(where, name)
    return name


def disk(where):
    """Load the NVMe driver and wait for its disk."""
    where.sh("modprobe nvme", 60)
    where.until(f"[ -b {DISK} ]", 30)


def claim(dom0, card):
    """Load the module under test with a card hidden, or taken from dom0.

    dom0 has a disk by the same driver as its virtio card.
    """
    if card != "virtio":
        return dom0.load(hide=[card])
    dom0.load()
    return dom0.xl(f"pci-assignable-add {dom0.bdf(card)}")


def keep_second_igb(dom0):
    """Keep the second card of the kind out of the way of dom0's igb."""
    dom0.sh(f"echo none >{DEVICES}/{dom0.bdf('igb1')}/driver_override")


def make_vfs(dom0, number, card="igb0"):
    """Give a card to dom0's igb and have it make its functions vf0 and on.

    They go with dom0's driver when the test is over.
    """
    bdf = dom0.bdf(card)
    dom0.sh("modprobe igb")
    # The card serves its functions only while its interface is up.
    dom0.sh(f"ip link set {interface(dom0, bdf)} up; "
            f"echo {number} >{DEVICES}/{bdf}/sriov_numvfs")


def use(guest, card):
    """Use the card, check that it interrupts; returns its interrupts."""
    name = network(guest, card)
    before = interrupts(guest, name)
    ping(guest, name)
    after = interrupts(guest, name)
    total = sum(count for count, _ in after.values())
    assert total > sum(count for count, _ in before.values()), after
    return after


def only_msix(interrupts):
    return all(kind.endswith("-pcifront-msi-x")
               for _, kind in interrupts.values())


def busy(guest, card):
    """Use the card and leave traffic running on it."""
    name = network(guest, card)
    guest.sh(TRAFFIC.format(name))
    return name


def carrier_changes(guest, name):
    """How often an interface has lost or found its carrier."""
    return int(guest.sh(f"cat /sys/class/net/{name}/carrier_changes"))


def bounced(guest, name, changes):
    """Wait until a driver has taken its interface down, and up again."""
    guest.until(f"[ $(cat /sys/class/net/{name}/carrier_changes) -ge "
                f"{changes + 2} ]")


def gone_from(guest, card):
    """Wait until the guest's kernel has let go of a card."""
    vendor_device = "".join(CARDS[card][:2])
    guest.until(f"! grep -q {vendor_device} /proc/bus/pci/devices", SECONDS)
