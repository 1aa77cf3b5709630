# SPDX-License-Identifier: GPL-2.0
"""Small roots made of chosen programs and the libraries they need."""

import shutil
import subprocess
from pathlib import Path

from .apt import run

FILES = Path(__file__).resolve().parent / "root"
PROGRAMS = Path(__file__).resolve().parent / "programs"

# Where packages have what is copied. Before Xen's own programs there are
# wrappers in the usual folders.
PROGRAM_FOLDERS = ["usr/lib/xen-*/bin", "bin", "sbin", "usr/bin", "usr/sbin"]
LIBRARY_FOLDERS = ["usr/lib/xen-*/lib/x86_64-linux-gnu",
                   "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"]
LOADER = "ld-linux-x86-64.so.2"


class Root:
    """A root directory under construction."""

    def __init__(self, target, source):
        self.target = target
        self.source = source
        for name in ("bin", "sbin", "lib", "lib64"):
            (target / "usr" / name).mkdir(parents=True)
            (target / name).symlink_to("usr/" + name)
        for name in ("dev", "proc", "sys", "run", "tmp", "etc", "images",
                     "var/log/xen/console", "var/lib/xen",
                     "var/lib/xenstored", "usr/share/udhcpc"):
            (target / name).mkdir(parents=True)
        (target / "var/run").symlink_to("../run")
        self._busybox()

    def _busybox(self):
        """busybox for all that has no program of its own."""
        busybox = self.target / "usr/bin/busybox"
        shutil.copy(self._find("busybox", PROGRAM_FOLDERS), busybox)
        for applet in run([busybox, "--list"]).split():
            if applet != "busybox":
                (self.target / "usr/bin" / applet).symlink_to("busybox")

    def _find(self, name, folders):
        """Path of a file in the first of the source's folders that has it."""
        for folder in folders:
            for path in self.source.glob(f"{folder}/{name}"):
                return path
        raise FileNotFoundError(f"{name} in {self.source}")

    def programs(self, names):
        """Copy programs with their libraries."""
        for name in names:
            copy = self.target / "usr/sbin" / name
            shutil.copy(self._find(name, PROGRAM_FOLDERS), copy)
            self.libraries(copy)

    def library(self, name):
        """Copy one library, unless it is there, with what it needs."""
        copy = self.target / "usr/lib" / name
        if copy.exists():
            return
        shutil.copy(self._find(name, LIBRARY_FOLDERS), copy)
        self.libraries(copy)

    def libraries(self, path):
        """Copy the libraries that an ELF file needs."""
        if path.read_bytes()[:4] != b"\x7fELF":
            return
        out = run(["objdump", "-p", path])
        for line in out.splitlines():
            if line.strip().startswith("NEEDED"):
                name = line.split()[1]
                if not name.startswith("ld-linux"):
                    self.library(name)

    def loader(self):
        """Copy the dynamic loader."""
        shutil.copy(self._find(LOADER, LIBRARY_FOLDERS),
                    self.target / "lib64" / LOADER)

    def script(self, name, path):
        """Copy a script of ours."""
        shutil.copy(FILES / name, self.target / path)

    def compile(self, name):
        """Add a program of ours, without a need for libraries."""
        run(["gcc", "-O2", "-Wall", "-Werror", "-static", "-s",
             "-o", self.target / "usr/bin" / name, PROGRAMS / f"{name}.c"])


def pack(tree, archive):
    """Write a directory as an initramfs, not compressed: faster to boot."""
    with open(archive, "wb") as out:
        find = subprocess.Popen(["find", ".", "-print0"], cwd=tree,
                                stdout=subprocess.PIPE)
        subprocess.run(["cpio", "-0", "--quiet", "-o", "-H", "newc",
                        "-R", "0:0"],
                       cwd=tree, stdin=find.stdout, stdout=out, check=True)
        if find.wait():
            raise RuntimeError(f"cannot list {tree}")
