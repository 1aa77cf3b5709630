# SPDX-License-Identifier: GPL-2.0
"""The floor's column: a backend that answers a constant (floor.c)."""

from rig.dom0 import DEVICES

from .cases import FLOORS
from .measure import Column, case, latencies

DEVICE = "0000:00:00.0"


class Floor:
    """The constant backend, under a guest that has no device."""

    def __init__(self, dom0, guest):
        self.dom0 = dom0
        self.guest = guest
        self.back = f"/local/domain/0/backend/pci/{guest.id}/0"
        self.front = f"/local/domain/{guest.id}/device/pci/0"

    def run(self):
        """Returns the column; one of each kind of request stands for all."""
        self.dom0.sh("insmod /bench/floor.ko")
        self._plug()
        self.guest.until(f"[ -e {DEVICES}/{DEVICE} ]")
        samples = latencies(self.guest, DEVICE,
                            [case(key) for key in FLOORS])
        self._unplug()
        self.dom0.sh("rmmod floor")
        return Column({}, samples)

    def _plug(self):
        """What xl writes, without what it does to a device."""
        front, back, domid = self.front, self.back, self.guest.id
        # Each end is looked at once its state is there, and needs the other.
        self.dom0.sh(
            f"xenstore-write {front}/backend {back} {front}/backend-id 0; "
            f"xenstore-chmod -r {front} n{domid} r0; "
            f"xenstore-write {back}/frontend {front} "
            f"{back}/frontend-id {domid} {back}/online 1; "
            f"xenstore-chmod -r {back} n0 r{domid}; "
            f"xenstore-write {back}/state 1; xenstore-write {front}/state 1")

    def _unplug(self):
        self.dom0.sh(f"xenstore-write {self.back}/online 0 "
                     f"{self.back}/state 5")
        self.dom0.until(f"[ $(xenstore-read {self.front}/state) = 6 ]")
        self.dom0.sh(f"xenstore-rm {self.front}; xenstore-rm {self.back}")
        self.guest.until(f"[ ! -e {DEVICES}/{DEVICE} ]")
        self.dom0.until("[ ! -e /sys/bus/xen-backend/devices/"
                        f"pci-{self.guest.id}-0 ]")
