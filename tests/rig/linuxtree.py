# SPDX-License-Identifier: GPL-2.0
"""Kernel trees to build the driver in, from Debian's linux-source packages."""

import fcntl
import shutil

from . import paths
from .apt import run
from .stacks import STACKS

# Kernel -> release of Debian and suite that have its source.
SOURCES = {s.kernel: (s.release, s.suite) for s in STACKS.values()}
NEWEST = "7.3"

# What building one directory takes: no driver but Xen's, of all others only
# what make and Kconfig read.
WHOLE = ["arch/x86", "arch/arm64", "include", "init", "kernel", "lib",
         "scripts", "tools", "drivers/xen", "usr", "certs", ".cocciconfig"]
MADE_OF = ["Kconfig*", "Makefile*", "Kbuild*"]

PLACE = "drivers/xen/xen-pciback"

# Debian's sparse lacks the keyword, without which 7.3 does not use it, and
# takes no length of a string for constant, as the module macros of 7.3 do.
SPARSE = ('sparse -D__typeof_unqual__=__typeof__ '
          '"-D__builtin_strlen(s)=(sizeof(s)-1)"')

# All that the driver can be built with; the rest is off.
OPTIONS = ["SMP", "PRINTK", "SYSFS", "PROC_FS", "MODULES", "MODULE_UNLOAD",
           "PM", "SUSPEND", "PCI", "PCI_MSI", "PCI_IOV", "PCIEPORTBUS",
           "PCIEAER", "FTRACE", "ENABLE_DEFAULT_TRACERS", "XEN", "XEN_BACKEND"]
ARCH_OPTIONS = {"x86": ["64BIT", "ACPI", "HYPERVISOR_GUEST", "PARAVIRT",
                        "XEN_PV", "XEN_PVH", "XEN_DOM0",
                        "XEN_PCIDEV_BACKEND"],
                "arm64": ["XEN_PCIDEV_STUB"]}


def unpack(apts, version):
    """Directory with the tree of a kernel, where it can be built in part."""
    release, suite = SOURCES[version]
    name = f"linux-source-{version}"
    package = apts[release].unpack([name], suite, alone=True)
    target = package / "tree"
    if not target.exists():
        partial = package / "tree.partial"
        partial.mkdir(exist_ok=True)
        run(["tar", "-C", partial, "--strip-components=1", "-xJf",
             package / f"usr/src/{name}.tar.xz", "--wildcards",
             *[f"{name}/{part}" for part in WHOLE],
             *[f"{name}/{part}" for part in MADE_OF],
             *[f"{name}/*/{part}" for part in MADE_OF]])
        # coccicheck ends at a script for which there is no compiler.
        for script in partial.glob("scripts/coccinelle/**/*.cocci"):
            if "script:ocaml" in script.read_text():
                script.unlink()
        partial.rename(target)
    return target


class LinuxTree:
    """A kernel tree with the driver laid into it, and a folder to build in."""

    def __init__(self, root, tree, version, arch="x86", compiler="gcc",
                 choice="m"):
        self.root = root
        self.tree = tree
        self.version = version
        self.arch = arch
        self.choice = choice
        name = f"{tree.parent.name}-{arch}-{compiler}-{choice}"
        self.out = paths.CACHE / "build" / name
        self.arguments = f"O={self.out} ARCH={arch}"
        self.checks = f"W=1e C=1 CF=-Wsparse-error CHECK='{SPARSE}'"
        if compiler == "clang":
            self.arguments += " LLVM=1"
            # sparse reads what gcc would.
            self.checks = "W=1e"

    def make(self, arguments):
        """Run make in the tree; returns its status and what it printed."""
        return self.root.run(f"cd {self.tree} && "
                             f"make -s -j2 {self.arguments} {arguments}")

    def _must(self, arguments):
        status, out = self.make(arguments)
        if status:
            raise RuntimeError(f"make {arguments}: {status}\n{out}")

    def _config(self):
        """The configuration's text."""
        names = OPTIONS + ARCH_OPTIONS[self.arch]
        choices = [self.choice if name.startswith("XEN_PCIDEV") else "y"
                   for name in names]
        return "".join(f"CONFIG_{name}={choice}\n"
                       for name, choice in zip(names, choices))

    def prepare(self):
        """Configure the tree and build what all of it needs."""
        made = self.out / "made-with"
        text = self._config()
        if made.exists() and made.read_text() == text + self.checks:
            return
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        config = self.out / "wanted.config"
        config.write_text(text)
        self._must(f"KCONFIG_ALLCONFIG={config} allnoconfig")
        got = (self.out / ".config").read_text().splitlines()
        lost = [line for line in text.splitlines() if line not in got]
        if lost:
            raise RuntimeError(f"{self.out}: not in this kernel: {lost}")
        self._must("modules_prepare")
        made.write_text(text + self.checks)

    def lay_in(self):
        """Put the driver in, as it would be sent to the newest kernel."""
        plain = ["--plain"] if self.version == NEWEST else []
        run([paths.TREE / "scripts/in-tree", *plain, self.tree])

    def build(self):
        """Build the driver's directory; returns status and output.

        A warning is an error: what it is about is built again next time.
        """
        with open(self.tree.parent / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.lay_in()
            self.prepare()
            return self.make(f"{self.checks} {PLACE}/")
