# SPDX-License-Identifier: GPL-2.0
"""Kernels with the kernel's own checkers, built from Debian's linux-source.

The source is unpacked once, the objects of each kernel stay in the cache. The
tree under test is laid over the source, so that a change of it rebuilds no
more than it has to.
"""

import fcntl
import hashlib
import re
import shutil
from contextlib import contextmanager

from . import paths
from .apt import run
from .files import driver_files, mirror, put
from .kernel import Kernel
from .source import PACKAGE

CONFIGS = paths.TREE / "tests/kernels"
OVERLAY = "drivers/xen/xen-pciback"
BUILD_TOOLS = ["flex", "bison", "libelf-dev", "bc", "xz-utils"]
HERE = paths.CACHE / "kernels"


def makefile():
    """The tree's Makefile, with objects that count what of them runs.

    A function that is inlined would count apart at each of its callers.
    """
    return (paths.TREE / "Makefile").read_text() + (
        "\nGCOV_PROFILE := y\nccflags-y += -fno-inline\n")


def digest(texts):
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


@contextmanager
def exclusive():
    """One build at a time; it may be another session's."""
    HERE.mkdir(parents=True, exist_ok=True)
    with open(HERE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _exempt_gntdev(tree):
    """Leave the grant device's lock out of what lockdep looks at.

    It is taken inside and outside of mmap_lock, which the first guest's
    xenstore page shows; lockdep would be off from there on.
    """
    path = tree / "drivers/xen/gntdev.c"
    text = path.read_text()
    line = "\tmutex_init(&priv->lock);\n"
    exempt = line + "\tlockdep_set_novalidate_class(&priv->lock);\n"
    if exempt not in text:
        assert text.count(line) == 1
        path.write_text(text.replace(line, exempt))


def source(apt):
    """The unpacked source of the kernel."""
    apt.install(BUILD_TOOLS)
    package = apt.unpack([PACKAGE], alone=True)
    target = HERE / package.name
    if not target.exists():
        partial = HERE / "source.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        run(["tar", "-C", partial, "--strip-components=1", "-xJf",
             package / f"usr/src/{PACKAGE}.tar.xz"])
        partial.rename(target)
    _exempt_gntdev(target)
    return target


class Build:
    """A kernel's objects: source and config fragments decide which."""

    def __init__(self, apt, name, fragments):
        self.source = source(apt)
        text = "".join((CONFIGS / f"{f}.config").read_text()
                       for f in fragments)
        self.wanted = dict(re.findall(r"^(CONFIG_\w+)=(.*)$", text, re.M))
        self.key = digest([self.source.name, *map("=".join,
                                                  self.wanted.items())])
        self.folder = HERE / f"{name}-{self.key}"

    def make(self, *targets):
        return run(["nice", "-n", "19", "make", "-s", "-j2", "ARCH=x86_64",
                    "-C", self.source, f"O={self.folder}", *targets])

    def configure(self, like=None):
        """Write .config; an option that cannot be had is an error.

        The objects of a kernel that differs in little serve as a start.
        """
        if (self.folder / "configured").exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        if like and (like.folder / "configured").exists():
            run(["cp", "-a", like.folder, self.folder])
            (self.folder / "configured").unlink()
        self.folder.mkdir(exist_ok=True)
        lines = [f"{name}={value}" for name, value in self.wanted.items()]
        fragment = self.folder / "fragment"
        fragment.write_text("\n".join(lines) + "\n")
        self.make(f"KCONFIG_ALLCONFIG={fragment}", "allnoconfig")
        config = (self.folder / ".config").read_text().splitlines()
        missing = [line for line in lines if line not in config]
        if missing:
            raise RuntimeError(f"not in the kernel's config: {missing}")
        (self.folder / "configured").touch()

    def vmlinux(self, path):
        """The ELF kernel, without what only a debugger reads."""
        run(["objcopy", "-S", self.folder / "vmlinux", path])


class DebugKernel(Kernel):
    """dom0's kernel: the tree is part of it, as a module or built in.

    It has the interface of a Debian kernel.
    """

    def __init__(self, apt, builtin=False):
        fragments = ["common", "dom0"]
        self.like = Build(apt, "dom0", fragments) if builtin else None
        fragments += ["builtin"] * builtin
        self.build = build = Build(apt, fragments[-1], fragments)
        exempt = (build.source / "drivers/xen/gntdev.c").read_text()
        key = digest([build.key, exempt, makefile(),
                      *(f.read_text() for f in driver_files())])
        self.root = HERE / f"root-{fragments[-1]}-{key}"
        if not self.root.exists():
            with exclusive():
                self._build(build)
        self.modules = next((self.root / "lib/modules").iterdir())
        self.version = self.modules.name
        self.package = self.root.name

    def _build(self, build):
        for old in HERE.glob(f"{self.root.name.rsplit('-', 1)[0]}-*"):
            shutil.rmtree(old)
        mirror(driver_files(), build.source / OVERLAY)
        put(makefile().encode(), build.source / OVERLAY / "Makefile")
        build.configure(self.like)
        build.make("vmlinux", "bzImage", "modules")
        partial = HERE / "root.partial"
        shutil.rmtree(partial, ignore_errors=True)
        (partial / "boot").mkdir(parents=True)
        build.vmlinux(partial / "boot/vmlinux")
        shutil.copy(build.folder / "arch/x86/boot/bzImage", partial / "boot")
        build.make(f"INSTALL_MOD_PATH={partial}", "modules_install")
        partial.rename(self.root)

    @property
    def image(self):
        return self.root / "boot/vmlinux"

    @property
    def bzimage(self):
        return self.root / "boot/bzImage"


def verdict(dom0):
    """What the checkers found that did not show in the log of dom0.

    A first splat turns lockdep off: a run that it did not see to its end
    proves nothing. A leak is an object of more than five seconds that two
    scans found no pointer to.
    """
    out = dom0.sh("cd /sys/kernel; [ -f debug/kmemleak ] || "
                  "mount -t debugfs debugfs debug; cd debug; "
                  "echo scan >kmemleak; sleep 6; echo scan >kmemleak; "
                  "cat kmemleak; grep debug_locks: /proc/lockdep_stats", 300)
    leaks, _, alive = out.rpartition("debug_locks:")
    found = [] if alive.strip() == "1" else ["lockdep has turned itself off"]
    return found + (["memory leaks:\n" + leaks] if leaks.strip() else [])
