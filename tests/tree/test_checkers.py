# SPDX-License-Identifier: GPL-2.0
"""The newest kernel's checkers, on the driver as it would be sent."""

import re

import pytest

from rig import linuxtree
from rig.apt import run


@pytest.fixture(scope="module")
def newest(apts, root):
    """The newest kernel's tree with the driver in it, built."""
    version = linuxtree.NEWEST
    tree = linuxtree.LinuxTree(root, linuxtree.unpack(apts, version), version)
    assert tree.build() == (0, "")
    return tree


def test_coccicheck(newest):
    status, out = newest.make("coccicheck MODE=report J=2 "
                              f"M={linuxtree.PLACE}")
    assert status == 0, out
    assert out.count("/usr/bin/spatch ") > 50, out
    assert re.findall(r"^\./\w+\.[ch]:.*", out, re.M) == []


def test_kernel_doc(newest):
    files = sorted((newest.tree / linuxtree.PLACE).glob("*.[ch]"))
    assert run(["/usr/bin/python3", newest.tree / "scripts/kernel-doc",
                "-none", "-Wall", "-Werror", *files]) == ""


def test_needs_no_compat_header(newest):
    place = newest.tree / linuxtree.PLACE
    assert not (place / "compat.h").exists()
    assert "compat.h" not in "".join(f.read_text() for f in place.iterdir()
                                     if f.suffix in (".c", ".h"))
