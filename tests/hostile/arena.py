# SPDX-License-Identifier: GPL-2.0
"""dom0, a bystander and an attacker, and what an attack may cost."""

import re
import time
from contextlib import contextmanager

from granted import PM, capabilities
from rig import coverage, debugkernel, devices
from rig.backend import SECONDS
from rig.channel import CommandError
from rig.dom0 import DEVICES, Dom0
from rig.errors import (COMPLETION_TIMEOUT, DATA_LINK_PROTOCOL, handled,
                        inject)
from rig.guest import Guest
from rig.logscan import complaints
from rig.machine import Machine
from rig.xenwatch import MAX_HELD, Xenwatch

CARD = "igb0"
BYSTANDERS_CARD = "e1000e"
FREE_CARD = "igb1"

# Frontend states and sets of backend states, by Xen's numbers.
INITIALISING, INITIALISED, CONNECTED, CLOSING, CLOSED = 1, 3, 4, 5, 6

# What an attack may cost: log lines; the share of dom0's one processor, if it takes
# so many seconds (in a shorter one xl list shows most); and the bystander's p99
# against its quiet value. It takes so many samples: after a short attack the last
# ones are of what it has left behind, and p99 is not as steady.
MAX_LINES = 100
MAX_CPU = 0.95
LASTING = 5
MAX_SLOWDOWN = 1.5
MAX_SHORT_SLOWDOWN = 2
MIN_SAMPLES = 1000

# How long the quiet value is measured.
QUIET_SECONDS = 10

# What happens in the quiet that an attack is measured by.
AT_REST = "at rest"
AT_AN_END = "at a guest's end"
AT_AN_ERROR = {
    COMPLETION_TIMEOUT: "at a non-fatal error of a free card",
    DATA_LINK_PROTOCOL: "at a fatal error of a free card",
}
AT_SWITCHES = "at switches of a free card"

# Kilobytes of the kernel's objects that may come and go by themselves.
MAX_SLAB = 2048

# Bounded by a limit on their rate, as they are to be.
SUPPRESSED = re.compile("callbacks suppressed|messages suppressed")


class Front:
    """A guest with badfront in pcifront's place."""

    def __init__(self, guest):
        self.guest = guest
        self.connected = False
        guest.sh("insmod /badfront.ko")

    def run(self, *lines, timeout=30):
        """Have badfront carry out lines; returns its words and a status."""
        text = "\n".join(lines)
        return self.guest.run(f"cat >/tmp/lines <<'END'\n{text}\nEND\n"
                              "dd if=/tmp/lines of=/dev/badfront bs=16k "
                              "2>/dev/null; rc=$?; cat /dev/badfront; "
                              "exit $rc", timeout)

    def do(self, *lines, timeout=30):
        """The same, of lines that must succeed; returns the words."""
        done = self.run(*lines, timeout=timeout)
        if done.rc:
            raise CommandError(f"{lines}: {done.out}")
        return done.out.strip()

    def begin(self, line, progress):
        """Start an attack and return once it has made some progress."""
        self.guest.sh(f"echo '{line}' >/dev/badfront 2>/dev/null &")
        self.guest.until("[ $(cat /sys/module/badfront/parameters/progress) "
                         f"-ge {progress} ]", 60)

    def connect(self):
        """A connection, or a new one, made as a good frontend makes it."""
        self.do(f"connect new={int(not self.connected)}", timeout=120)
        self.connected = True

    def use_stock_frontend(self):
        """Leave the device to pcifront and use the card."""
        if self.connected:
            self.do("state be=6", "await states=0x44", "close")
            self.do("state be=1", "await states=0xc")
        self.guest.sh("rmmod badfront; modprobe xen-pcifront")
        self.guest.until("grep -q 10c9 /proc/bus/pci/devices")
        devices.network(self.guest, CARD)


class OneProcessor(Machine):
    """For what has QEMU build its memory map anew all the time.

    Where a processor ends its interrupt meanwhile that may get lost, if another
    one has caused it: Xen waits for good then, in its idle loop and elsewhere.
    """

    processor = ["-smp", "1", "-accel", "tcg"]


class Arena:
    """A machine with a bystander; attackers come and go."""

    def __init__(self, images, ko, files, kind):
        self.images = images
        # Debian's module connects a frontend once.
        self.once = not images.debug and ko == images.own_module()
        self.machine = kind(images, ko, "hostile", files=files)
        self.figures = []
        # How much longer all takes: a kernel with checkers is slow by itself.
        self.slowness = 2 if images.debug else 1
        # What makes the bystander wait without an attack: its latency by name.
        self.quiet = {}
        self.front = None
        self.scanned = 0
        try:
            self._prepare()
        except BaseException:
            self.machine.stop()
            raise

    def _prepare(self):
        self.dom0 = Dom0(self.machine)
        # With two processors, xenstored and the kernel take both CPUs while a
        # guest writes to xenstore, with or without a backend that reads it: what
        # the bystander waits for then is Xen's scheduler. (With one from the
        # start a kernel with checkers may never get beyond its first messages.)
        self.dom0.sh("echo 0 >/sys/devices/system/cpu/cpu1/online")
        self.dom0.load(hide=[CARD, BYSTANDERS_CARD, FREE_CARD])
        self.dom0.sh("cat /images/initrd-6.1 /hostile.cpio >/run/initrd")
        self.xenwatch = Xenwatch(self.dom0)
        self.bystander = self._start("bystander", BYSTANDERS_CARD)
        assert all(self.census().values()), self.census()
        bdf = devices.address(self.bystander, BYSTANDERS_CARD)
        self.config = f"/sys/bus/pci/devices/{bdf}/config"
        self.attacker()
        self._measure(AT_REST, self._rest)

    def _rest(self):
        """The same commands as in an attack, which make dom0 work too."""
        end = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < end:
            self.front.guest.sh("true")

    def _start(self, name, card, arguments=""):
        return Guest(self.dom0, name, pci=[self.dom0.bdf(card)],
                     arguments=arguments, ramdisk="/run/initrd").create()

    def arrive(self):
        """The attacker, whose frontend can connect; started if need be."""
        if self.once and self.front and self.front.connected:
            self.destroy_attacker()
        if not self.front:
            self.front = Front(self._start("attacker", CARD, "frontend=none"))
        return self.front

    def attacker(self):
        """The attacker, started when there is none, with a good connection."""
        front = self.arrive()
        front.connect()
        return front

    def destroy_attacker(self):
        """End the attacker; returns how long that took.

        What its own kernel says is not the backend's concern.
        """
        start = time.monotonic()
        if self.front:
            self.front.guest.destroy(answers=False)
        took = time.monotonic() - start
        self.front = None
        self.dom0.until("[ $(xl list | wc -l) -eq 3 ]", SECONDS)
        return took

    # ---- the bystander's latency ----

    def watch(self):
        self.bystander.sh(f"/latency {self.config} {MIN_SAMPLES} "
                          ">/tmp/latency 2>&1 & echo $! >/tmp/latency.pid")

    def watched(self):
        """Number of samples, median, p99 and longest in microseconds."""
        pid = "$(cat /tmp/latency.pid)"
        self.bystander.sh(f"kill {pid}")
        self.bystander.until(f"[ ! -d /proc/{pid} ]")
        return list(map(int, self.bystander.sh("cat /tmp/latency").split()))

    def _measure(self, name, event):
        if name not in self.quiet:
            # As before an attack: it drops dom0's caches.
            self.slab()
            self.watch()
            event()
            self.quiet[name] = self.watched()

    def measure_end(self):
        """What an attack that ends the attacker is measured by.

        xl destroy alone makes the bystander wait, as does the emulated machine
        when a card that was in use is reset.
        """
        if AT_AN_END not in self.quiet:
            self.arrive().use_stock_frontend()
        self._measure(AT_AN_END, self.destroy_attacker)
        return AT_AN_END

    def measure_error(self, error, user=None):
        """What attacks at an error of the host's are measured by.

        The host tells of it on its console, and resets the link of a fatal one,
        which makes the bystander wait. So do the reset of a card that comes back,
        and the driver that finds it again, which is user's then.
        """
        def error_of_free_card():
            self.new_log()
            inject(self.dom0, FREE_CARD, uncorrectable=error)
            handled(self.dom0, 1)
            if user:
                self.dom0.sh("echo 1 >"
                             f"{DEVICES}/{self.dom0.bdf(FREE_CARD)}/reset")
                user.sh(f"rmmod {devices.driver(CARD)}")
                devices.network(user, CARD)
            else:
                # Samples of the error alone are too few to be steady.
                self._rest()

        name = AT_AN_ERROR[error] + (" that comes back" if user else "")
        self._measure(name, error_of_free_card)
        return name

    def measure_switches(self):
        """What attacks that switch bus mastering and power are measured by.

        With each the emulated machine builds its memory map anew, which makes
        all its processors wait, whoever has it done.
        """
        power = capabilities(self.device_config(FREE_CARD))[PM]
        config = f"{DEVICES}/{self.dom0.bdf(FREE_CARD)}/config"
        self._measure(AT_SWITCHES, lambda: self.dom0.sh(
            f"/switch {config} {power} {QUIET_SECONDS * 1000}",
            2 * QUIET_SECONDS))
        return AT_SWITCHES

    # ---- an attack and its price ----

    def cpu(self):
        """Seconds of CPU that dom0 used."""
        rows = self.dom0.xl("list").splitlines()
        return next(float(row.split()[5]) for row in rows
                    if row.startswith("Domain-0"))

    def census(self):
        """What dom0 has for its guests."""
        return {
            "event channels": int(self.dom0.sh("lsevtchn 0 | wc -l")),
            "interrupts": int(self.dom0.sh(
                "grep -c pciback /proc/interrupts || :")),
            "mapped pages": int(self.dom0.sh(
                "grep -c xenbus_map_ring /proc/vmallocinfo || :")),
        }

    def slab(self):
        """Kilobytes of kernel objects that cannot be reclaimed."""
        return int(self.dom0.sh("echo 3 >/proc/sys/vm/drop_caches; "
                                "sed -n 's/^SUnreclaim: *\\([0-9]*\\).*/\\1/p' "
                                "/proc/meminfo"))

    def new_log(self):
        """Lines of dom0's log and of Xen's since the last call."""
        text = self.machine.console.read_text(errors="replace")
        new, self.scanned = text[self.scanned:], len(text)
        return (self.dom0.take_dmesg().splitlines(),
                [line for line in new.splitlines() if "(XEN)" in line])

    @contextmanager
    def attack(self, name, beside=AT_REST):
        """Measure what happens inside; afterwards judge it.

        The attacker has a connection before and after, unless it ends.
        """
        quiet = self.quiet[beside]
        before, slab = self.census(), self.slab()
        self.new_log()
        self.xenwatch.held()
        start, cpu = time.monotonic(), self.cpu()
        self.watch()
        try:
            yield
            # xl, which is asked, takes some of both.
            cpu, took = self.cpu() - cpu, time.monotonic() - start
        finally:
            latency = self.watched()
        calls, held, by = self.xenwatch.held()
        dom0, xen = self.new_log()
        figure = {"attack": name, "s": took, "p50": latency[1],
                  "p99": latency[2], "x": latency[2] / quiet[2],
                  "max": latency[3], "cpu": cpu, "calls": calls,
                  "held": held, "by": by, "dom0": len(dom0), "xen": len(xen)}
        self.figures.append(figure)
        bad = [line for line in complaints("\n".join(dom0 + xen))
               if not SUPPRESSED.search(line)]
        assert not bad, bad
        assert len(dom0) + len(xen) <= MAX_LINES, (dom0 + xen)[:MAX_LINES]
        assert held < MAX_HELD * self.slowness, figure
        most = MAX_SLOWDOWN if latency[0] > MIN_SAMPLES else MAX_SHORT_SLOWDOWN
        assert latency[2] <= most * quiet[2], (quiet, figure)
        assert took < LASTING or cpu <= MAX_CPU * took, figure
        after = self.census()
        assert beside == AT_AN_END or after == before, (before, after)
        assert self.slab() <= slab + MAX_SLAB, (slab, self.slab())

    def device_config(self, card=CARD):
        """The attacker's device, or another, as dom0 sees it, byte by byte."""
        return bytes.fromhex(self.dom0.sh(
            f"od -An -v -tx1 {DEVICES}/{self.dom0.bdf(card)}/config"
            " | tr -d ' \\n'"))

    def stop(self):
        """End all; the guests must leave nothing."""
        try:
            if self.front:
                self.destroy_attacker()
            self.bystander.destroy()
            self.dom0.until("[ $(xl list | wc -l) -eq 2 ]")
            left = self.census()
            assert left["interrupts"] == left["mapped pages"] == 0, left
            self.dom0.unload()
            dom0, xen = self.new_log()
            found = complaints("\n".join(dom0 + xen))
            if self.images.debug:
                found += debugkernel.verdict(self.dom0)
                coverage.keep_of(self.dom0, self.images.dom0_kernel.build,
                                 self.machine.logs.name)
            assert not found, found
        finally:
            self.machine.stop()
