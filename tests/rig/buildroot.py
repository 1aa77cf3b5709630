# SPDX-License-Identifier: GPL-2.0
"""A root with Debian 13's compilers, for kernels that need them.

Headers of a kernel from Debian 13 hold programs that want its C library, and
expect its compiler. The root is made once and lives in the cache.
"""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from . import paths
from .apt import NEXT, run
from .files import mirror, module_files, sync
from .stacks import STACKS

TOOLS = ["gcc", "gcc-14", "make", "libc6-dev", "clang", "lld", "llvm", "sparse",
         "coccinelle", "libpython3-dev", "python3", "perl", "kmod", "xz-utils",
         "flex", "bison", "bc", "libelf-dev", "libssl-dev", "cpio"]
# Of 7.3's headers this is missing, and without it they know no sparse.
CHECKER = "scripts/checker-valid.sh"


def copy_driver(name):
    """Folder in the cache with a copy of the driver to build in."""
    place = paths.CACHE / "build" / name
    mirror(module_files(), place)
    return place


class BuildRoot:
    """The root; programs run in it by run()."""

    def __init__(self, apt):
        self.headers = {
            stack.kernel: apt.current("linux-headers", stack.suite)
            for stack in STACKS.values() if stack.release == NEXT}
        packages = TOOLS + list(self.headers.values())
        debs = "".join(apt.closure(packages, None))
        key = hashlib.sha256(debs.encode()).hexdigest()[:16]
        self.root = paths.CACHE / "roots" / f"build-{key}"
        self.root.parent.mkdir(exist_ok=True)
        # Two runs at a time would make it at once.
        with open(self.root.parent / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.root.exists():
                self._make(apt, packages)

    def _make(self, apt, packages):
        partial = self.root.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        run(["mmdebstrap", "--quiet", "--variant=minbase",
             "--include=" + ",".join(packages), NEXT, partial, apt.sources])
        partial.rename(self.root)

    def version(self, kernel):
        """Release of the headers for a kernel."""
        return self.headers[kernel].removeprefix("linux-headers-")

    def run(self, command):
        """Run a shell command in the root; returns status and output.

        The cache is where it is outside.
        """
        inside = f"{self.root}{paths.CACHE}"
        script = (f"mount -t proc proc {self.root}/proc && "
                  f"mount --rbind /dev {self.root}/dev && "
                  f"mkdir -p {inside} && "
                  f"mount --bind {paths.CACHE} {inside} && "
                  f'exec chroot {self.root} env -i PATH=/usr/sbin:/usr/bin '
                  'HOME=/root LC_ALL=C sh -c "$1"')
        # The mounts end with the command.
        done = subprocess.run(["unshare", "--mount", "sh", "-c", script, "-",
                               command], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def add_checker(self, kernel, script):
        """Give the headers the script with which they look for sparse."""
        common = self.headers[kernel].rsplit("-", 1)[0] + "-common"
        sync(Path(script), self.root / "usr/src" / common / CHECKER)

    def module(self, kernel, arguments="", folder="module"):
        """Build the tree's module for a kernel: status, output, its path."""
        place = copy_driver(f"{folder}-{kernel}")
        status, out = self.run(
            f"make -j2 -Oline -C {place} modules {arguments} "
            f"KDIR=/lib/modules/{self.version(kernel)}/build")
        return status, out, place / "xen-pciback.ko"
