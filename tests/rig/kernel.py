# SPDX-License-Identifier: GPL-2.0
"""Debian kernels: the unpacked image and a choice of modules."""

import gzip
import lzma
import shutil
import struct
import subprocess
from pathlib import Path

from . import paths
from .apt import run


def _decompress(data):
    """Undo the compression of a bzImage's payload."""
    if data.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(data)
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        # The payload ends with its unpacked size, which zstd reports as junk.
        done = subprocess.run(["zstd", "-dcq"], input=data[:-4],
                              stdout=subprocess.PIPE, check=True)
        return done.stdout
    if data.startswith(b"\x1f\x8b"):
        return gzip.decompress(data[:-4])
    raise ValueError("bzImage with an unknown compression")


def _vmlinux(bzimage):
    """The ELF file inside a bzImage: nothing to unpack at each boot."""
    setup_sects = bzimage[0x1f1] or 4
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    start = (setup_sects + 1) * 512 + offset
    return _decompress(bzimage[start:start + length])


class Kernel:
    """The kernel of a suite, unpacked in the cache."""

    def __init__(self, apt, suite=None):
        self.package = apt.current("linux-image", suite)
        self.version = self.package.removeprefix("linux-image-")
        # From 7.x on the package is empty, and depends on the kernel's parts.
        depends = apt.show(self.package, "Depends", suite).split()
        parts = [name for name in depends if name.endswith(self.version)]
        self.root = apt.unpack([self.package, *parts], suite, alone=True)
        if not (self.root / "lib").exists():
            (self.root / "lib").symlink_to("usr/lib")
        self.modules = self.root / "lib/modules" / self.version
        if not (self.modules / "modules.dep").exists():
            run(["depmod", "-b", self.root, self.version])

    @property
    def bzimage(self):
        """Path of the kernel as the package ships it."""
        path = self.root / "boot" / f"vmlinuz-{self.version}"
        return path if path.exists() else self.modules / "vmlinuz"

    @property
    def image(self):
        """Path of the ELF kernel."""
        path = paths.CACHE / "images" / f"vmlinux-{self.root.name}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            partial.write_bytes(_vmlinux(self.bzimage.read_bytes()))
            partial.rename(path)
        return path

    def files_of(self, names):
        """Module files needed to load the modules named, in load order."""
        files = []
        for name in names:
            out = run(["modprobe", "-d", self.root, "-S", self.version,
                       "--show-depends", name])
            found = [Path(line.split()[1]) for line in out.splitlines()
                     if line.startswith("insmod ")]
            files += [path for path in found if path not in files]
        return files

    def copy_modules(self, names, target):
        """Put modules into a root, unpacked, with a modules.dep of theirs."""
        tree = target / "lib/modules" / self.version
        for path in self.files_of(names):
            copy = tree / path.relative_to(self.modules)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if copy.suffix == ".xz":
                copy.with_suffix("").write_bytes(lzma.open(path).read())
            else:
                shutil.copy(path, copy)
        for name in ("modules.order", "modules.builtin"):
            shutil.copy(self.modules / name, tree)
        run(["depmod", "-b", target, self.version])
