# SPDX-License-Identifier: GPL-2.0
"""The machine of the bench: its clock counts instructions, not time.

Under QEMU's -icount one instruction takes two nanoseconds, whatever the host
does meanwhile, and nobody waits for time that passes in vain: what is measured
repeats.
"""

import shutil
import tempfile
from pathlib import Path

from rig import build, initramfs, paths
from rig.images import Images
from rig.machine import XEN_ARGS, Machine

HERE = Path(__file__).resolve().parent

# Slots of the root bus that machine.py leaves free: a card of 8 functions each.
CROWD_SLOTS = [0x4, 0x5, 0x6, 0x7, 0x8, 0x9, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf, 0x18]
FUNCTIONS = 8


class BenchImages(Images):
    """dom0's initramfs carries what the bench puts into dom0 and guests."""

    def __init__(self):
        super().__init__()
        self.programs = _programs(self)

    def run_initrd(self, ko, path, files=()):
        super().run_initrd(ko, path, files)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "root"
            guest = Path(name) / "guest"
            for target in (folder, guest):
                (target / "bench").mkdir(parents=True)
            for program in ("confop", "uevent"):
                shutil.copy(self.programs / program, guest / "bench")
            for ko in ("floor.ko", "runtime.ko"):
                shutil.copy(self.programs / ko, folder / "bench")
            initramfs.pack(guest, folder / "bench/guest.cpio")
            extra = Path(name) / "extra.cpio"
            initramfs.pack(folder, extra)
            with open(path, "ab") as out:
                out.write(extra.read_bytes())
        return path


def _programs(images):
    """Build the bench's own modules and program; returns their directory."""
    folder = paths.CACHE / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in HERE.iterdir():
        if path.suffix == ".c" or path.name == "Makefile":
            shutil.copy(path, folder)
    status, out = build.make(images, folder, "all")
    if status:
        raise RuntimeError(f"the bench does not build:\n{out}")
    return folder


class BenchMachine(Machine):
    """One processor, a clock of instructions, and many more cards."""

    # With its rate limit of 1 ms Xen would let each request wait so long.
    xen_args = XEN_ARGS.replace("dom0_max_vcpus=2", "dom0_max_vcpus=1 "
                                "sched_ratelimit_us=0")
    processor = ["-smp", "1", "-accel", "tcg",
                 "-icount", "shift=1,sleep=off"]
    # A write of the x2APIC's timer ends QEMU under -icount.
    cpu = Machine.cpu + ",-x2apic"

    def _cards(self):
        return super()._cards() + _crowd()


def crowd(dom0):
    """Addresses of the cards that are only there to be many."""
    slots = [f"0000:00:{slot:02x}." for slot in CROWD_SLOTS]
    return [line.split()[0] for line in dom0.sh("lspci -Dn").splitlines()
            if line[:11] in slots]


def _crowd():
    """Cards that are only claimed, not used."""
    # On the root bus: behind ports they would need more I/O space than there is.
    return [word for slot in CROWD_SLOTS for function in range(FUNCTIONS)
            for word in ("-device", f"e1000e,bus=pcie.0,addr={slot:#x}."
                         f"{function},multifunction=on,romfile=")]
