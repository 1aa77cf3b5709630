# SPDX-License-Identifier: GPL-2.0
"""An NVMe disk in a guest: what it writes is on the disk, unchanged."""

import hashlib

import pytest

from rig import devices
from rig.devices import DISK

SIZE = 16 << 20


@pytest.mark.parametrize("kernel", [
    pytest.param("6.1", marks=pytest.mark.long), "6.12"])
def test_disk_keeps_16_mib(dom0, start, kernel):
    dom0.load(hide=["nvme"])
    guest = start("nvme", kernel=kernel)
    devices.disk(guest)
    guest.sh(f"dd if=/dev/urandom of=/tmp/data bs=1M count={SIZE >> 20}", 60)
    written = guest.sh("sha256sum </tmp/data").split()[0]
    guest.sh(f"dd if=/tmp/data of={DISK} bs=1M oflag=direct conv=fsync", 120)
    guest.sh("echo 3 >/proc/sys/vm/drop_caches")
    read = guest.sh(f"dd if={DISK} bs=1M count={SIZE >> 20} iflag=direct "
                    "2>/dev/null | sha256sum", 120).split()[0]
    assert read == written
    with open(dom0.machine.disk_file, "rb") as disk:
        stored = hashlib.sha256(disk.read(SIZE)).hexdigest()
    assert stored == written
    counts = devices.interrupts(guest, "nvme0q")
    assert sum(count for count, _ in counts.values()) > 16, counts
