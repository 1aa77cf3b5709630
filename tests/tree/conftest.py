# SPDX-License-Identifier: GPL-2.0
"""Fixtures of the tree tier: compilers, and kernel trees to build in."""

import pytest

from rig import buildroot, linuxtree
from rig.apt import NEXT


@pytest.fixture(scope="session")
def apts():
    return linuxtree.apts()


@pytest.fixture(scope="session")
def root(apts):
    """Debian 13's compilers and headers."""
    return buildroot.BuildRoot(apts[NEXT])
