# SPDX-License-Identifier: GPL-2.0
"""Fixtures of the hostile tier: one machine for all of it."""

from pathlib import Path

import pytest

from arena import Arena, OneProcessor
from rig import build, initramfs
from rig.apt import run
from rig.channel import RigError
from rig.machine import Machine

GUEST = Path(__file__).resolve().parent / "guest"

FIGURES = []
QUIET = []


def pytest_collection_modifyitems(items):
    """Those that need another machine come last: it is started once."""
    items.sort(key=_machine_of_one)


def _machine_of_one(item):
    return item.get_closest_marker("one_processor") is not None


@pytest.fixture(scope="session")
def programs(images, tmp_path_factory):
    """What dom0 gets: a program, and what its guests get by their initramfs."""
    # dom0's kernel may be one without packages.
    headers = build.kernel_dir(images, images.kernels["6.1"])
    status, out = build.make_for(headers, GUEST)
    assert status == 0, out
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "root").mkdir()
    for name in ("badfront.ko", "latency"):
        # Without what only a debugger reads, a guest boots faster.
        run(["strip", "-g", "-o", folder / "root" / name, GUEST / name])
    initramfs.pack(folder / "root", folder / "hostile.cpio")
    return [folder / "hostile.cpio", GUEST / "switch"]


class Place:
    """Where the arena is kept. One that a test broke is replaced."""

    def __init__(self, *inputs):
        self.inputs = inputs
        self.arena = None

    def get(self, kind):
        """The arena, on that kind of machine."""
        if self.arena and type(self.arena.machine) is not kind:
            self.close()
        if not self.arena:
            self.arena = Arena(*self.inputs, kind)
        return self.arena

    def repair(self):
        """After a failure: another attacker, or if that fails another machine.

        What one attack left is not to fail those that follow.
        """
        print(f"logs: {self.arena.machine.logs}")
        try:
            self.arena.destroy_attacker()
            self.arena.attacker()
        except (RigError, AssertionError):
            self._give_up_arena().machine.stop()

    def _give_up_arena(self):
        arena, self.arena = self.arena, None
        FIGURES.extend(arena.figures)
        QUIET.extend(arena.quiet.items())
        return arena

    def close(self):
        if self.arena:
            self._give_up_arena().stop()


@pytest.fixture(scope="session")
def place(images, ko, programs):
    place = Place(images, ko, programs)
    yield place
    place.close()


@pytest.fixture
def arena(request, place):
    """The machine with its bystander."""
    arena = place.get(OneProcessor if _machine_of_one(request.node) else Machine)
    before = len(arena.figures)
    yield arena
    # Printed beside the other module's by make compare.
    request.node.user_properties += [
        (f["attack"], f"{f['x']:.2f}x") for f in arena.figures[before:]]
    reports = [getattr(request.node, f"report_{when}", None)
               for when in ("setup", "call")]
    if any(report is None or report.failed for report in reports):
        place.repair()


@pytest.fixture
def front(arena):
    """An attacker that is connected."""
    return arena.attacker()


@pytest.fixture
def long(request):
    return request.config.getoption("long")


def pytest_terminal_summary(terminalreporter):
    """The price of each attack."""
    write = terminalreporter.write_line
    if not FIGURES:
        return
    for when, quiet in QUIET:
        write("bystander {}: {} config reads, p50 {} us, p99 {} us, "
              "longest {} us".format(when, *quiet))
    write(f"{'attack':34} {'s':>5} {'p50':>6} {'p99':>6} {'x':>5} {'max':>7} "
          f"{'dom0 s':>7} {'calls':>6} {'held ms':>8} {'log':>4} {'xen':>4}")
    for f in FIGURES:
        write("{attack:34} {s:5.1f} {p50:6} {p99:6} {x:5.2f} {max:7} {cpu:7.1f} "
              "{calls:6} {held:8.2f} {dom0:4} {xen:4}".format(**f))
