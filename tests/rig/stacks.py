# SPDX-License-Identifier: GPL-2.0
"""What machines run: Xen and dom0 of a release of Debian, guests of any."""

from collections import namedtuple

from .apt import BACKPORTS, NEXT, NEXT_BACKPORTS, SUITE

# A suite of None is the release itself. A dom0 is PV unless it is PVH.
Stack = namedtuple("Stack", "release xen kernel suite pvh", defaults=[False])

STACKS = {"12-6.1": Stack(SUITE, "4.17", "6.1", None),
          "13-6.12": Stack(NEXT, "4.20", "6.12", None),
          "13-7.3": Stack(NEXT, "4.20", "7.3", NEXT_BACKPORTS),
          "13-6.12-pvh": Stack(NEXT, "4.20", "6.12", None, pvh=True),
          "13-7.3-pvh": Stack(NEXT, "4.20", "7.3", NEXT_BACKPORTS, pvh=True)}
DEFAULT = "12-6.1"

# Guests' kernels: name -> release and suite.
GUESTS = {"6.1": (SUITE, None), "6.12": (SUITE, BACKPORTS),
          "7.3": (NEXT, NEXT_BACKPORTS)}
