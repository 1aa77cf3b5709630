# SPDX-License-Identifier: GPL-2.0
"""More devices in one guest than a virtual bus has slots."""

import pytest

from rig import devices
from rig.dom0 import DEVICES, DRIVER
from rig.machine import device

NUMBER = 40

# A disk that makes functions for as many guests. Each wants two queue
# resources and one for its interrupt, which the model keeps apart.
MORE = ["-device", "nvme-subsys,id=subsystem"] + device(
    "many", 0x18, "nvme", serial="many", subsys="subsystem",
    sriov_max_vfs=NUMBER, sriov_vq_flexible=2 * NUMBER,
    sriov_vi_flexible=NUMBER, max_ioqpairs=2 * NUMBER + 2,
    msix_qsize=NUMBER + 2)


def make_functions(dom0):
    """Have dom0's driver make the functions; returns their addresses."""
    dom0.sh("modprobe nvme")
    pf = dom0.sh(f"dirname $(grep -lx {NUMBER} {DEVICES}/*/sriov_totalvfs)")
    dom0.sh(f"echo 0 >{pf}/sriov_drivers_autoprobe; "
            f"echo {NUMBER} >{pf}/sriov_numvfs", 60)
    out = dom0.sh(f"for l in {pf}/virtfn*; do readlink -f $l; done")
    return [line.rsplit("/", 1)[-1] for line in out.splitlines()]


@pytest.mark.long
def test_forty_functions_in_one_guest(dom0, start):
    dom0.load()
    functions = make_functions(dom0)
    assert len(functions) == NUMBER
    dom0.sh(f"for b in {' '.join(functions)}; do "
            f"echo pciback >{DEVICES}/$b/driver_override; "
            f"echo $b >{DRIVER}/bind; done", 120)
    guest = start(pci=functions)
    rows = guest.sh("lspci -Dnd 1b36:0010").splitlines()
    assert len(rows) == NUMBER, rows
    buses = [row.split(":")[1] for row in rows]
    # 32 slots a bus, each with one function, which is number 0.
    assert buses.count("00") == 32 and buses.count("01") == 8, rows
    assert all(row.split()[0].endswith(".0") for row in rows), rows
    # Each has its own config space: the host's view of one follows the guest.
    for row, function in zip(rows, functions, strict=True):
        address = row.split()[0]
        owner = dom0.sh(f"cat {DEVICES}/{function}/pciback/address")
        assert owner == address, (row, function)
    # libxl detaches one after the other, and the guest scans after each.
    dom0.xl("destroy guest", 400)
    guest.forget()
    dom0.until(f"[ $(cat {DEVICES}/*/pciback/state | grep -c free) = "
               f"{NUMBER} ]", 20)
    assert devices.address(dom0, "nvme")
