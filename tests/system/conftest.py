# SPDX-License-Identifier: GPL-2.0
"""Fixtures of the system tier: a machine shared by the tests of a file."""

import pytest

from rig import coverage, debugkernel
from rig.channel import RigError
from rig.dom0 import Dom0
from rig.guest import Guest
from rig.logscan import complaints
from rig.machine import Machine


class Bed:
    """The machine of all tests. One that a test broke is replaced."""

    def __init__(self, images, ko):
        self.images = images
        self.ko = ko
        self.more = ()
        self.machine = None
        self.worn = False

    def prepare(self, name, more):
        """Say who uses the machine next, and with which other devices."""
        if more != self.more:
            self.discard()
        self.name = name
        self.more = more

    def dom0(self):
        """dom0 of the machine, booted when there is none."""
        if not self.machine:
            self.worn = False
            self.machine = Machine(self.images, self.ko, self.name,
                                   more=self.more)
            self.scanned = 0
            try:
                self._dom0 = Dom0(self.machine)
            except RigError:
                # There is nobody who could be asked for a verdict.
                self.machine.stop()
                self.machine = None
                raise
        return self._dom0

    def tidy(self):
        """Bring dom0 back to where it was after its boot."""
        dom0 = self._dom0
        found = []
        for guest in list(dom0.guests):
            guest.quiet()
            found += guest.complaints()
            guest.destroy(answers=False)
        dom0.tidy()
        return found

    def scan(self):
        """Complaints in dom0's and Xen's logs since the last scan."""
        found = complaints(self._dom0.take_dmesg()) \
            if self.machine.process.poll() is None else []
        text = self.machine.console.read_text(errors="replace")
        new, self.scanned = text[self.scanned:], len(text)
        return found + complaints(new)

    def discard(self):
        """End the machine; the next test gets a new one.

        Returns what the checkers of a debug kernel have to say.
        """
        found = []
        if self.machine:
            try:
                if self.images.debug:
                    found = debugkernel.verdict(self._dom0)
                    coverage.keep_of(self._dom0,
                                     self.images.dom0_kernel.build,
                                     self.machine.logs.name)
            except (RigError, AssertionError) as error:
                found = [f"verdict: {error}"]
            finally:
                self.machine.stop()
        self.machine = None
        return found


def _close(bed, failed):
    """After a test: put things back; returns what is wrong."""
    found = []
    for step in (bed.tidy, bed.scan):
        try:
            found += step()
        except (RigError, AssertionError) as error:
            found.append(f"{step.__name__}: {error}")
    # A test may leave the machine without a card.
    if found or failed or bed.worn:
        found += bed.discard()
    return found


@pytest.fixture(scope="session")
def machines(images, ko):
    """The machine that test files share."""
    bed = Bed(images, ko)
    yield bed
    found = bed.discard()
    if found:
        pytest.fail("at the machine's end:\n" + "\n".join(found),
                    pytrace=False)


@pytest.fixture(scope="module")
def bed(request, machines):
    """The machine for a file, which may ask for other devices by MORE."""
    name = request.module.__name__.rsplit(".", 1)[-1].removeprefix("test_")
    machines.prepare(name, getattr(request.module, "MORE", ()))
    return machines


@pytest.fixture
def dom0(request, bed):
    """dom0 without the module loaded; logs are judged after the test."""
    try:
        dom0 = bed.dom0()
    except BaseException:
        bed.discard()
        raise
    logs = bed.machine.logs
    yield dom0
    report = getattr(request.node, "report_call", None)
    failed = report is None or report.failed
    found = _close(bed, failed)
    if failed or found:
        print(f"logs: {logs}")
    if found:
        pytest.fail("after the test:\n" + "\n".join(found) +
                    f"\nlogs: {logs}", pytrace=False)


@pytest.fixture
def start(dom0):
    """Start a guest with cards: start("igb0", kernel="6.12")."""
    def start(*cards, name="guest", pci=(), **options):
        pci = [dom0.bdf(card) for card in cards] + list(pci)
        return Guest(dom0, name, pci=pci, **options).create()
    return start
