# SPDX-License-Identifier: GPL-2.0
"""What a machine boots: Xen, kernels, dom0's initramfs, a disk with guests.

Each image is named by a hash of what it is made from, so that a change makes
a new one and a second run finds the old one.
"""

import gzip
import hashlib
import shutil
import tempfile
from pathlib import Path

from . import initramfs, kernel, paths
from .apt import SUITE, apts, run
from .debugkernel import DebugKernel
from .stacks import DEFAULT, GUESTS, STACKS

COMMON_PACKAGES = ["busybox-static", "kmod", "pciutils", "iproute2", "ethtool"]
DOM0_PACKAGES = COMMON_PACKAGES + ["xenstore-utils", "socat", "libgcc-s1"]

COMMON_PROGRAMS = ["kmod", "lspci", "setpci", "ethtool", "ip"]
DOM0_PROGRAMS = ["xl", "xenstored", "xenconsoled", "xen-init-dom0",
                 "libxl-save-helper", "lsevtchn", "xenstore", "socat"]
XENSTORE_NAMES = ["chmod", "exists", "list", "ls", "read", "rm", "watch",
                  "write"]
KMOD_NAMES = ["depmod", "insmod", "lsmod", "modinfo", "modprobe", "rmmod"]

NIC_MODULES = ["igb", "e1000e", "e1000", "nvme"]
DOM0_MODULES = NIC_MODULES + [
    "xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd", "xenfs",
    "xen-pciback", "virtio_pci", "virtio_console", "virtio_blk", "ext4",
    "af_packet", "aer_inject", "pci-stub", "igbvf"]
GUEST_MODULES = NIC_MODULES + ["xen-pcifront", "af_packet", "igbvf",
                               "virtio_pci", "virtio_net"]


def _sources():
    """Text of everything in this package that shapes an image."""
    here = Path(__file__).resolve().parent
    files = [here / name for name in ("images.py", "initramfs.py",
                                      "kernel.py")]
    files += sorted((here / "root").iterdir())
    files += sorted((here / "programs").iterdir())
    return "".join(f.read_text() for f in files)


def _cached(name, inputs, build):
    """Path of an image; build(path) makes it when it is not there."""
    key = hashlib.sha256((_sources() + "".join(inputs)).encode())
    path = paths.CACHE / "images" / f"{name}-{key.hexdigest()[:16]}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        build(partial)
        partial.rename(path)
    return path


class Images:
    """The images of a stack, with dom0's kernel by Debian or our own."""

    def __init__(self, dom0="debian", stack=DEFAULT):
        self.apts = apts()
        self.apt = self.apts[SUITE]
        self.stack = STACKS[stack]
        apt = self.apts[self.stack.release]
        xen = self.stack.xen
        self.xen_root = apt.unpack([f"xen-hypervisor-{xen}-amd64"], alone=True)
        self.tools = apt.unpack([f"xen-utils-{xen}", *DOM0_PACKAGES])
        # Guests are the same on all stacks.
        self.guest_tools = self.apt.unpack(COMMON_PACKAGES)
        self.kernels = {name: kernel.Kernel(self.apts[release], suite)
                        for name, (release, suite) in GUESTS.items()}
        self.dom0_kernel = kernel.Kernel(apt, self.stack.suite)
        self.debug = dom0 != "debian"
        if self.debug:
            self.dom0_kernel = DebugKernel(self.apt, dom0 == "builtin")

    @property
    def xen(self):
        """Xen as the ELF file that QEMU's multiboot loader takes."""
        def build(path):
            packed = next((self.xen_root / "boot").glob("xen-*.gz"))
            path.write_bytes(gzip.decompress(packed.read_bytes()))
        return _cached("xen", [self.xen_root.name], build)

    @staticmethod
    def _common(folder, tools, init):
        root = initramfs.Root(folder, tools)
        root.programs(COMMON_PROGRAMS)
        root.loader()
        for name in KMOD_NAMES:
            (folder / "usr/sbin" / name).symlink_to("kmod")
        root.script(init, "init")
        root.script("agent", "usr/bin/agent")
        root.script("udhcpc.script", "etc/udhcpc.script")
        return root

    def dom0_initrd(self):
        """dom0's user space."""
        def build(path):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                root = self._common(folder, self.tools, "dom0-init")
                root.programs(DOM0_PROGRAMS)
                root.script("bridge", "usr/bin/bridge")
                # Xen's tools load it by name when a thread ends.
                root.library("libgcc_s.so.1")
                for verb in XENSTORE_NAMES:
                    (folder / "usr/sbin" / f"xenstore-{verb}").symlink_to(
                        "xenstore")
                xen = folder / f"usr/lib/xen-{self.stack.xen}"
                xen.mkdir()
                (xen / "bin").symlink_to("/usr/sbin")
                (folder / "etc/xen").mkdir()
                (folder / "etc/xen/xl.conf").touch()
                self.dom0_kernel.copy_modules(DOM0_MODULES, folder)
                initramfs.pack(folder, path)
        return _cached("dom0-initrd", [self.tools.name,
                                       self.dom0_kernel.root.name], build)

    def guest_initrd(self, name):
        """A guest's user space, for the kernel named."""
        def build(path):
            with tempfile.TemporaryDirectory() as tmp:
                folder = Path(tmp)
                root = self._common(folder, self.guest_tools, "guest-init")
                root.script("guest-reboot", "usr/sbin/reboot")
                root.script("guest-poweroff", "usr/sbin/poweroff")
                root.compile("sweep")
                self.kernels[name].copy_modules(GUEST_MODULES, folder)
                initramfs.pack(folder, path)
        return _cached(f"guest-initrd-{name}",
                       [self.guest_tools.name, self.kernels[name].root.name],
                       build)

    def disk(self):
        """A file system with the guests' kernels and user space."""
        guests = {name: (k.image, self.guest_initrd(name))
                  for name, k in self.kernels.items()}
        inputs = [str(pair) for pair in guests.values()]

        def build(path):
            with tempfile.TemporaryDirectory() as tmp:
                for name, (image, initrd) in guests.items():
                    shutil.copy(image, f"{tmp}/vmlinux-{name}")
                    shutil.copy(initrd, f"{tmp}/initrd-{name}")
                path.unlink(missing_ok=True)
                run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal",
                     "-d", tmp, path, "400M"])
        return _cached("disk", inputs, build)

    def run_initrd(self, ko, path, files=()):
        """dom0's initramfs with the module under test and more at the end.

        There is none (ko=None) where it is built into the kernel.
        """
        with tempfile.TemporaryDirectory() as tmp:
            if ko:
                shutil.copy(ko, f"{tmp}/xen-pciback.ko")
            for file in files:
                shutil.copy(file, tmp)
            extra = Path(tmp).with_suffix(".cpio")
            initramfs.pack(tmp, extra)
        with open(path, "wb") as out:
            out.write(self.dom0_initrd().read_bytes())
            out.write(extra.read_bytes())
        extra.unlink()
        return path

    def own_module(self):
        """xen-pciback.ko that came with dom0's kernel."""
        return self.dom0_kernel.files_of(["xen-pciback"])[-1]
