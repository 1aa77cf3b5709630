# SPDX-License-Identifier: GPL-2.0
"""The kunit tier: the driver on a fake host in a kernel with all checkers."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from . import coverage, initramfs, paths
from .apt import Apt
from .debugkernel import HERE, Build, exclusive
from .files import driver_files, mirror
from .images import COMMON_PACKAGES
from .logscan import complaints
from .machine import take_turn
from .tap import TapItem

TESTS = paths.TREE / "tests/kunit"
ARGS = ("console=ttyS0 loglevel=7 panic=1 oops=panic kmemleak=on "
        "kunit.enable=1")
SECONDS = 600


def _module(build):
    """Driver, stand-ins and tests as one module; returns its path."""
    folder = HERE / f"kunit-module-{build.key}"
    mirror([*driver_files(), *sorted(TESTS.glob("*.[ch]")), TESTS / "Kbuild"],
           folder)
    build.make(f"M={folder}", "modules")
    return folder / "xen-pciback-kunit.ko"


def _build(apt, folder):
    """The kernel's bzImage, an initrd with the module, its objects and source.

    The module is another tree's as soon as the lock is let go of.
    """
    build = Build(apt, "kunit", ["common", "kunit"])
    with exclusive():
        build.configure()
        image = build.folder / "arch/x86/boot/bzImage"
        if not (build.folder / "Module.symvers").exists():
            build.make("bzImage", "modules")
        module = _module(build)
        objects = shutil.copytree(module.parent, folder / "objects")
        return image, _initrd(apt, module, folder), objects, module.parent


def _initrd(apt, module, folder):
    root = initramfs.Root(folder / "root", apt.unpack(COMMON_PACKAGES))
    root.programs(["kmod"])
    root.loader()
    for name in ("insmod", "rmmod"):
        (root.target / "usr/sbin" / name).symlink_to("kmod")
    root.script("kunit-init", "init")
    (root.target / "collect").write_text(coverage.COLLECT)
    shutil.copy(module, root.target)
    initramfs.pack(root.target, folder / "initrd")
    return folder / "initrd"


def _boot(image, initrd, console, counters):
    """Boot until the machine turns itself off; returns what is wrong."""
    turn = take_turn()
    try:
        subprocess.run(
            list(map(str, [
                "setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64",
                "-nodefaults", "-no-user-config", "-no-reboot", "-display",
                "none", "-m", "1024", "-smp", "2", "-accel",
                "tcg,thread=multi", "-machine", "q35", "-cpu", "max",
                "-kernel", image, "-initrd", initrd, "-append", ARGS,
                "-serial", f"file:{console}",
                "-serial", f"file:{counters}"])),
            stdin=subprocess.DEVNULL, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no end after {SECONDS} s"
    finally:
        turn.close()
    return None


def kunit():
    """Build and run all; returns the console's text and where it is."""
    logs = paths.LOGS / f"{time.strftime('%m%d-%H%M%S')}-{os.getpid()}-kunit"
    logs.mkdir(parents=True)
    console = logs / "console.log"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image, initrd, objects, source = _build(Apt(), folder)
        counters = folder / "counters"
        wrong = _boot(image, initrd, console, counters)
        if not wrong:
            coverage.keep("kunit", counters.read_bytes(), objects, source)
    text = console.read_text(errors="replace")
    return text + (f"\n{wrong}\n" if wrong else ""), console


# A failure after the driver's probe has the core remove what it did not add.
KNOWN = re.compile(r"^.*-\[ cut here \]-.*\n.*sysfs group 'pciback' not found "
                   r"(?s:.*?)-\[ end trace .*$", re.MULTILINE)
STAMP = re.compile(r"^\[ *[\d.]+\] ?", re.MULTILINE)
RESULT = re.compile(r"^    (not )?ok (\d+) (?:- )?(\w+)(?: # (SKIP.*))?", re.I)
SUITE = re.compile(r"^    # Subtest: (\w+)")
PLAN = re.compile(r"^    1\.\.(\d+)")
LAST_WORDS = ["kunit: module rc=0", "kunit: 0 leaks", "debug_locks: 1",
              "kunit: end"]


def _verdict(text, suites):
    """What is wrong with a run as a whole."""
    ran = text.partition("kunit: begin")[2]
    wrong = complaints(KNOWN.sub("", ran))
    wrong += [f"{name}: {seen} results, {planned} planned"
              for name, (planned, seen) in suites.items() if planned != seen]
    files = len(list(TESTS.glob("test_*.c")))
    if len(suites) != files:
        wrong.append(f"{len(suites)} suites ran, there are {files}")
    words = re.sub(r"(debug_locks:) +", r"\1 ", ran)
    wrong += [f"the run did not say '{say}'" for say in LAST_WORDS
              if say not in words]
    return wrong


class KunitDirectory(pytest.File):
    """The tests of the directory: built, run, and an item for each case."""

    def collect(self):
        text, console = kunit()
        text = STAMP.sub("", text.replace("\r", ""))
        suites, name, comments = {}, None, []
        for line in text.splitlines():
            if match := SUITE.match(line):
                name = match.group(1)
                suites[name] = [None, 0]
            elif (match := PLAN.match(line)) and name:
                suites[name][0] = int(match.group(1))
            elif (match := RESULT.match(line)) and name:
                suites[name][1] += 1
                bad, _, case, skip = match.groups()
                failure = "\n".join(comments[-40:] or [line]) if bad else None
                yield TapItem.from_parent(self, name=f"{name}.{case}",
                                          failure=failure, skip=skip)
                comments = []
            else:
                comments.append(line)
        wrong = _verdict(text, suites)
        failure = "\n".join([*wrong, f"log: {console}"]) if wrong else None
        yield TapItem.from_parent(self, name="clean to its end",
                                  failure=failure)
