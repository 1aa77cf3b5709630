# SPDX-License-Identifier: GPL-2.0
"""The directory laid over drivers/xen/xen-pciback of a kernel tree."""

import pytest

from rig import linuxtree
from rig.linuxtree import LinuxTree

# Built in and as a module; on arm64 it is XEN_PCIDEV_STUB.
COMBINATIONS = [("x86", "gcc", "m"), ("x86", "gcc", "y"),
                *(pytest.param(*row, marks=pytest.mark.long) for row in (
                    ("x86", "clang", "m"), ("x86", "clang", "y"),
                    ("arm64", "clang", "m"), ("arm64", "clang", "y")))]


def tree(apts, root, version, *combination):
    return LinuxTree(root, linuxtree.unpack(apts, version), version,
                     *combination)


@pytest.mark.parametrize("version", linuxtree.SOURCES)
@pytest.mark.parametrize("arch, compiler, choice", COMBINATIONS)
def test_builds_without_a_word(apts, root, version, arch, compiler, choice):
    """W=1 and, with gcc, sparse; a warning is an error."""
    status, out = tree(apts, root, version, arch, compiler, choice).build()
    assert status == 0, out
    assert out.strip() == ""


@pytest.mark.long
def test_serves_no_pv_guest_where_there_is_none(apts, root):
    """Without x86 nothing registers with xenbus."""
    linux = tree(apts, root, linuxtree.NEWEST, "arm64", "clang", "y")
    assert linux.build()[0] == 0
    stub = linux.out / linuxtree.PLACE / "pci_stub.o"
    status, out = root.run(f"llvm-nm {stub}")
    assert status == 0 and "pci_register_driver" in out, out
    assert "pciback_xenbus_init" not in out
