# SPDX-License-Identifier: GPL-2.0
"""The module built out of tree, against the headers of other kernels.

Those of Debian 12's own kernel are the style tier's.
"""

import re

import pytest

from rig import build, buildroot, linuxtree, paths
from rig.apt import BACKPORTS, SUITE


def assert_silent(status, out):
    """It builds, sparse reads all of it, and nobody complains."""
    assert status == 0, out
    sources = [f for f in paths.TREE.glob("*.c") if ".mod." not in f.name]
    assert out.count("  CHECK ") >= len(sources), out
    assert not re.search(r"\b(warning|error):|WARNING:", out), out


def test_builds_against_debian_12_backports(apts):
    """Linux 6.12 with the host's compiler."""
    package = apts[SUITE].current("linux-headers", BACKPORTS)
    apts[SUITE].install([package], BACKPORTS)
    version = package.removeprefix("linux-headers-")
    status, out = build.make_for(f"/lib/modules/{version}/build",
                                 buildroot.copy_driver("backports"),
                                 "W=1e", "C=2", "modules")
    assert_silent(status, out)


@pytest.mark.parametrize("kernel", ["6.12", "7.3"])
def test_builds_against_debian_13(apts, root, kernel):
    root.add_checker("7.3", linuxtree.unpack(apts, "7.3") / buildroot.CHECKER)
    status, out, _ = root.module(
        kernel, f"W=1e C=2 CHECK='{linuxtree.SPARSE}'", "checked")
    assert_silent(status, out)
