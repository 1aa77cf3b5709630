# SPDX-License-Identifier: GPL-2.0
"""Small roots made of chosen programs and the libraries they need."""

import shutil
import subprocess
from pathlib import Path

from .apt import run

FILES = Path(__file__).resolve().parent / "root"
PROGRAMS = Path(__file__).resolve().parent / "programs"
LIBRARIES = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu",
             "usr/lib/xen-4.17/lib/x86_64-linux-gnu"]
LOADER = "lib64/ld-linux-x86-64.so.2"


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
        shutil.copy(self.source / "bin/busybox", busybox)
        for applet in run([busybox, "--list"]).split():
            if applet != "busybox":
                (self.target / "usr/bin" / applet).symlink_to("busybox")

    def programs(self, paths):
        """Copy programs (paths in the source) with their libraries."""
        for path in paths:
            name = Path(path).name
            copy = self.target / "usr/sbin" / name
            shutil.copy(self.source / path, copy)
            self.libraries(copy)

    def library(self, name):
        """Copy one library, unless it is there, with what it needs."""
        copy = self.target / "usr/lib" / name
        if copy.exists():
            return
        for folder in LIBRARIES:
            path = self.source / folder / name
            if path.exists():
                shutil.copy(path, copy)
                self.libraries(copy)
                return
        raise FileNotFoundError(f"library {name} in {self.source}")

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
        shutil.copy(self.source / LOADER, self.target / LOADER)

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
