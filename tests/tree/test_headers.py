# SPDX-License-Identifier: GPL-2.0
"""The module built out of tree, against the headers of other kernels.

Those of Debian 12's own kernel are the style tier's.
"""

import re

import pytest

from rig import build, buildroot, files, linuxtree, paths
from rig.apt import BACKPORTS, SUITE, run


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


def test_dkms_builds_and_installs(apts, tmp_path):
    """Debian's dkms, with places of its own, makes of the tree what we test."""
    package = apts[SUITE].current("linux-headers")
    apts[SUITE].install([package])
    version = package.removeprefix("linux-headers-")
    dkms = apts[SUITE].unpack(["dkms"], alone=True) / "usr/sbin/dkms"
    source = tmp_path / "source" / "xen-pciback-1"
    files.mirror(files.module_files() + [paths.TREE / "dkms.conf"], source)
    (tmp_path / "modules" / version).mkdir(parents=True)
    (tmp_path / "dkms").mkdir()
    run(["/bin/bash", dkms, "--dkmstree", tmp_path / "dkms", "--sourcetree",
         source.parent, "--installtree", tmp_path / "modules", "--no-depmod",
         "install", "xen-pciback/1", "-k", version])
    module, = (tmp_path / "modules").rglob("xen-pciback.ko*")
    assert module.parent.parent.name == "updates"
    assert run(["modinfo", "-F", "vermagic", module]).split()[0] == version
