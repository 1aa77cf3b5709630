# SPDX-License-Identifier: GPL-2.0
"""Building the module under test for dom0's kernel."""

import os
import subprocess

from . import paths
from .apt import SUITE
from .buildroot import BuildRoot


def kernel_dir(images, kernel):
    """Where the headers of a kernel of Debian 12 are, installed when missing."""
    images.apt.install([f"linux-headers-{kernel.version}"])
    return f"/lib/modules/{kernel.version}/build"


def make(images, tree, *arguments):
    """Run make for dom0's kernel; returns its status and what it printed."""
    return make_for(kernel_dir(images, images.dom0_kernel), tree, *arguments)


def make_for(headers, tree, *arguments):
    """The same, for the kernel whose headers are named."""
    command = ["make", "-j2", "-Oline", "-C", tree, f"KDIR={headers}",
               *arguments]
    # What "make check" was told (T=, KO=) is not for this make.
    env = {name: value for name, value in os.environ.items()
           if name not in ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES")}
    done = subprocess.run(list(map(str, command)), text=True, env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def module(images):
    """Build the tree's module; returns its path."""
    stack = images.stack
    if stack.release == SUITE:
        status, out = make(images, paths.TREE, "modules")
        ko = paths.TREE / "xen-pciback.ko"
    else:
        root = BuildRoot(images.apts[stack.release])
        status, out, ko = root.module(stack.kernel)
    if status:
        raise RuntimeError(f"the module does not build:\n{out}")
    return ko
