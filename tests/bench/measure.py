# SPDX-License-Identifier: GPL-2.0
"""One module's column: what it takes in dom0 and in guests that stay."""

import re
from collections import namedtuple

from rig import devices
from rig.channel import TRACING
from rig.dom0 import DEVICES, DRIVER
from rig.guest import Guest

from . import memory
from .cases import CASES
from .samples import Samples

# Numbers by their key in table.py, distributions by their key in cases.py.
Column = namedtuple("Column", "figures samples")

CARD = "igb0"
# What of the frontend is timed while a guest enumerates and starts a driver.
ENABLE_MSIX = "pci_frontend_enable_msix"
REQUESTS = ["pcifront_bus_read", "pcifront_bus_write", ENABLE_MSIX]

# dom0's clock and run time, which busybox's date has not so fine (runtime.c).
NOW = "cat /sys/module/runtime/parameters/now"
RUNNING = "cat /sys/module/runtime/parameters/running"

FLOOD_NS = 200_000_000
# Time to tell all guests of a flood: of an idle machine, minutes are a second.
FLOOD_IN_NS = 300_000_000_000


class BenchGuest(Guest):
    """A guest of one processor that has the bench's programs."""

    def __init__(self, dom0, name):
        super().__init__(dom0, name, vcpus=1, ramdisk="/bench/initrd")

    def create(self):
        super().create()
        self.mount_tracing()
        return self

    def find(self, card):
        """Address of a card that was attached, once it is there."""
        vendor, device, _ = devices.CARDS[card]
        self.until(f"grep -q {vendor}{device} /proc/bus/pci/devices")
        return devices.address(self, card)


def prepare(dom0):
    """What all columns need in dom0."""
    dom0.sh(f"cat /images/initrd-6.1 /bench/guest.cpio >/bench/initrd; "
            "insmod /bench/runtime.ko", 60)
    dom0.mount_tracing()


def latencies(guest, bdf, chosen):
    """{key: Samples} of requests for a device."""
    texts = " ".join(case.text() for case in chosen)
    out = guest.sh(f"/bench/confop {DEVICES}/{bdf}/config {texts}", 300)
    return {case.key: Samples.parse(line.split()[1:])
            for case, line in zip(chosen, out.splitlines(), strict=True)}


def case(key):
    return next(c for c in CASES if c.key == key)


class Bench:
    """All figures of one module."""

    def __init__(self, dom0, guests, load, crowd):
        self.dom0 = dom0
        self.guests = guests
        self.guest = guests[0]
        self.load = load
        self.igb = dom0.bdf(CARD)
        self.crowd = crowd
        self.figures = {}

    def run(self):
        """Returns the column; each step builds on the ones before."""
        self.dom0.sh(self.load, 60)
        self.figures["size_kb"] = memory.module(self.dom0) / 1024
        self.figures["claim1"] = self.bind([self.igb])
        self.enumerate()
        samples = latencies(self.guest, self.here, CASES)
        self.start_driver()
        self.claim_many()
        self.give_many()
        self.floods()
        self.put_back()
        self.attach()
        self.dom0.unload()
        return Column(self.figures, samples)

    def bind(self, bdfs):
        """Claim devices; returns the milliseconds until all are bound."""
        out = self.dom0.sh(
            f"cd {DRIVER}; {NOW}; for d in {' '.join(bdfs)}; do "
            f"echo $d >new_slot; echo $d >bind; done; {NOW}", 300)
        start, end = map(int, out.split())
        return (end - start) / 1e6

    def enumerate(self):
        """The guest finds the card and asks what a kernel asks at once."""
        self.trace()
        with memory.Session(self.dom0) as session:
            self.guest.attach(self.igb)
        self.here = self.guest.find(CARD)
        calls = self.traced()
        self.figures["session_kb"] = session.bytes / 1024
        self.figures["enum_ops"] = len(calls)
        self.figures["enum_us"] = sum(time for _, time in calls)

    def start_driver(self):
        """The guest's igb, for the first time."""
        self.trace()
        self.guest.sh("modprobe igb", 60)
        devices.interface(self.guest, self.here)
        calls = self.traced()
        self.figures["probe_ops"] = len(calls)
        self.figures["probe_us"] = sum(time for _, time in calls)
        # The second time the device has MSI-X still, which Debian's refuses.
        first, *more = [time for name, time in calls if name == ENABLE_MSIX]
        self.figures["msix_us"] = first
        self.figures["msix_again_us"] = max(more, default=0)
        self.guest.sh("rmmod igb", 60)

    def trace(self):
        """Have the guest time the frontend's functions."""
        self.guest.sh(f"cd {TRACING}; echo 0 >tracing_on; "
                      f"echo {' '.join(REQUESTS)} >set_ftrace_filter; "
                      "echo function_graph >current_tracer; "
                      "echo >trace; echo 1 >tracing_on")

    def traced(self):
        """[(function, us)] since then."""
        out = self.guest.sh(f"cd {TRACING}; echo 0 >tracing_on; cat trace; "
                            "echo nop >current_tracer", 60)
        found = re.findall(r"([\d.]+) us +\| +(\w+)", out)
        return [(name, float(time)) for time, name in found]

    def plain_read(self, bdf):
        """Median of the plainest read, in us."""
        found = latencies(self.guest, bdf, [case("vendor2")])
        return found["vendor2"].median()

    def claim_many(self):
        """More and more devices claimed; the guest has one of them."""
        figures = self.figures
        before = memory.slab(self.dom0)
        figures["read_claimed1"] = self.plain_read(self.here)
        self.bind(self.crowd[:9])
        figures["read_claimed10"] = self.plain_read(self.here)
        many = self.crowd[9:99]
        figures["claim100"] = self.bind(many) * 100 / len(many)
        figures["read_claimed100"] = self.plain_read(self.here)
        figures["device_kb"] = (memory.slab(self.dom0) - before) / 99 / 1024

    def give_many(self):
        """Nine more for the guest, and its first one read."""
        given = self.crowd[10:19]
        for bdf in given:
            self.guest.attach(bdf)
        self.guest.until("[ $(wc -l </proc/bus/pci/devices) = 10 ]")
        self.figures["read_guest10"] = self.plain_read(self.here)
        for bdf in given:
            self.guest.detach(bdf)

    def floods(self):
        """One guest, then all, ask without a pause."""
        for guest, bdf in zip(self.guests[1:], self.crowd):
            guest.attach(bdf)
            guest.find("e1000e")
        self.figures["flood1_us"] = self.flood(self.guests[:1])
        self.figures["flood4_us"] = self.flood(self.guests)
        for guest, bdf in zip(self.guests[1:], self.crowd):
            guest.detach(bdf)

    def flood(self, guests):
        """dom0's time for each request while guests ask without a pause."""
        end = int(self.dom0.sh(NOW)) + FLOOD_IN_NS
        for guest in guests:
            card = CARD if guest is self.guest else "e1000e"
            config = f"{DEVICES}/{devices.address(guest, card)}/config"
            guest.sh(f"/bench/confop {config} until {end} {FLOOD_NS} 0 2 "
                     ">/tmp/flood 2>&1 &")
        out = self.dom0.sh(
            f"usleep $((({end} - {FLOOD_NS} * 9 / 10 - $({NOW})) / 1000)) && "
            f"{NOW} && {RUNNING} && usleep {FLOOD_NS * 7 // 10000} && "
            f"{NOW} && {RUNNING}", 900)
        start, ran, stop, ran_then = map(int, out.split())
        count = 0
        for guest in guests:
            guest.until("[ -s /tmp/flood ]")
            count += int(guest.sh("cat /tmp/flood"))
        share = (ran_then - ran) / (stop - start)
        return share * FLOOD_NS / count / 1000

    def put_back(self):
        """All but the igb go back to dom0, and the guest has none."""
        self.guest.detach(self.igb)
        self.guest.until("[ ! -s /proc/bus/pci/devices ]")
        self.dom0.sh(f"cd {DRIVER}; for d in {' '.join(self.crowd[:99])}; do "
                     "echo $d >unbind; echo $d >remove_slot; done", 300)

    def attach(self):
        """From xl's start to the guest's network interface."""
        self.guest.sh("modprobe igb; /bench/uevent /net/ >/tmp/up 2>&1 &")
        self.guest.until("grep -q waiting /tmp/up")
        start = int(self.dom0.sh(NOW))
        self.guest.attach(self.igb)
        self.guest.until("[ $(wc -l </tmp/up) = 2 ]", 60)
        up = int(self.guest.sh("tail -n 1 /tmp/up"))
        self.figures["attach_ms"] = (up - start) / 1e6
        self.guest.detach(self.igb)
        self.guest.sh("rmmod igb", 60)
