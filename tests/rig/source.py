# SPDX-License-Identifier: GPL-2.0
"""Checkers and the peer's source from Debian's linux-source package."""

from .apt import run

PACKAGE = "linux-source-6.1"
WANTED = ["scripts/checkpatch.pl", "scripts/spelling.txt",
          "scripts/const_structs.checkpatch", "scripts/kernel-doc",
          "COPYING", "CREDITS", "Kbuild", "MAINTAINERS",
          "Makefile", "README", "drivers/xen/xen-pciback"]
# What checkpatch wants to see of a kernel tree.
EMPTY = ["Documentation", "arch", "fs", "include", "init", "ipc", "kernel",
         "lib"]


def linux_source(apt):
    """Directory with the few parts of Linux 6.1 that the checks use."""
    package = apt.unpack([PACKAGE], alone=True)
    target = package / "parts"
    if not target.exists():
        partial = package / "parts.partial"
        partial.mkdir(exist_ok=True)
        run(["tar", "-C", partial, "--strip-components=1", "-xJf",
             package / f"usr/src/{PACKAGE}.tar.xz",
             *[f"{PACKAGE}/{name}" for name in WANTED]])
        for name in EMPTY:
            (partial / name).mkdir(exist_ok=True)
        partial.rename(target)
    return target
