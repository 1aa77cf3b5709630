# SPDX-License-Identifier: GPL-2.0
"""What is measured of an igb's config space, and what it may cost."""

from collections import namedtuple

# At most so many times what the floor, and what Debian's module takes.
Limit = namedtuple("Limit", "floor peer", defaults=(None, None))

NO_LIMIT = Limit()
READ = Limit(floor=1.15, peer=0.75)
WRITE = Limit(peer=0.80)
SLEEPS = Limit(peer=1.00)


class Case(namedtuple("Case", "key label limit offset size values count",
                      defaults=((), 400))):
    """One request: a read, or a write with values to write in turn."""

    def text(self):
        """The case in confop's words."""
        words = ["w" if self.values else "r", self.offset, self.size,
                 self.count, *self.values]
        return ",".join(map(str, words))


# Registers of QEMU's igb by the capability that they are in.
PM_CAPS, PM_CONTROL = 0x42, 0x44
PCIE_DEVCAP, PCIE_DEVCTL = 0xa4, 0xa8
AER_HEADER, AER_STATUS = 0x100, 0x104
GAP = 0xf0

CASES = [
    Case("vendor2", "read vendor id, 2 bytes", READ, 0x00, 2),
    Case("vendor4", "read vendor and device id, 4", READ, 0x00, 4),
    Case("class1", "read class, 1", READ, 0x0b, 1),
    Case("bar4", "read a BAR, 4", READ, 0x10, 4),
    Case("command2", "read command, 2", READ, 0x04, 2),
    Case("status2", "read status, 2", READ, 0x06, 2),
    Case("pin1", "read interrupt pin, 1", READ, 0x3d, 1),
    Case("gap4", "read behind all capabilities, 4", READ, GAP, 4),
    Case("devcap4", "read PCIe device capabilities, 4", READ, PCIE_DEVCAP, 4),
    Case("pmc2", "read PM capabilities, 2", READ, PM_CAPS, 2),
    Case("pmcsr2", "read PM control, 2", READ, PM_CONTROL, 2),
    Case("pmcsr1", "read PM control, 1", READ, PM_CONTROL, 1),
    Case("ext4", "read an extended header, 4", READ, AER_HEADER, 4),
    Case("aer4", "read AER status, 4", READ, AER_STATUS, 4),
    Case("aer2", "read AER status, 2", READ, AER_STATUS, 2),
    Case("aer1", "read AER status, 1", READ, AER_STATUS, 1),
    Case("denied2", "write vendor id, denied, 2", WRITE, 0x00, 2, (0,)),
    Case("wbar4", "write a BAR, 4", WRITE, 0x10, 4, (0xffffffff, 0)),
    Case("wline1", "write cache line size, 1", WRITE, 0x0c, 1, (0, 16)),
    Case("wstatus2", "write status, clears by one, 2", WRITE, 0x06, 2,
         (0xf900,)),
    Case("wcommand2", "write command, no change, 2", WRITE, 0x04, 2, (6,)),
    Case("wmaster2", "write command, bus master off and on, 2", WRITE, 0x04, 2,
         (2, 6)),
    Case("wdevctl2", "write PCIe device control, may reset, 2", SLEEPS, PCIE_DEVCTL, 2,
         (0x10, 0)),
    Case("wd0", "write D0, sleeps", SLEEPS, PM_CONTROL, 2, (0,)),
    Case("wd3", "write D3hot and D0, sleeps", SLEEPS, PM_CONTROL, 2, (3, 0),
         20),
]

# What is measured of the floor: a read, a write, and a read that has the
# hardware asked first (floor.c).
FLOORS = FLOOR_READ, FLOOR_WRITE, FLOOR_HARDWARE = "vendor2", "wline1", "status2"
