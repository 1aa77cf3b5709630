# SPDX-License-Identifier: GPL-2.0
"""make bench: this module, Debian's and the floor, in one boot."""

import sys
import time

from rig import build
from rig.channel import CommandError, RigError
from rig.dom0 import INSMOD, Dom0

from . import bed, measure, plot, table
from .floor import Floor

GUESTS = 4


class Log:
    """Says what is being done, and when since the start."""

    def __init__(self):
        self.start = time.monotonic()

    def step(self, text):
        print(f"[{time.monotonic() - self.start:5.1f} s] {text}", flush=True)


def measured(log, machine):
    """All columns, on a running machine."""
    dom0 = Dom0(machine)
    measure.prepare(dom0)
    log.step(f"starting {GUESTS} guests")
    guests = [measure.BenchGuest(dom0, f"guest{i}").create()
              for i in range(GUESTS)]
    log.step("measuring the floor")
    columns = [Floor(dom0, guests[0]).run()]
    crowd = bed.crowd(dom0)
    for name, load in (("this module", INSMOD),
                       ("Debian's", "modprobe xen-pciback")):
        log.step(f"measuring {name}")
        columns.append(measure.Bench(dom0, guests, load, crowd).run())
    return columns


def main():
    log = Log()
    log.step("preparing")
    images = bed.BenchImages()
    ko = build.module(images)
    images.disk()
    log.step("booting Xen and dom0")
    machine = bed.BenchMachine(images, ko, "bench")
    try:
        floor, ours, peer = measured(log, machine)
    except (RigError, CommandError) as error:
        print(f"FAILED: {error}\nlogs: {machine.logs}")
        return 1
    finally:
        machine.stop()
    text = table.render(floor, ours, peer)
    print(text)
    (machine.logs / "bench.txt").write_text(text + "\n")
    picture = plot.draw(images.apt, machine.logs, {
        "floor": floor, "ours": ours, "Debian": peer})
    print(f"histograms: {picture}")
    log.step("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
