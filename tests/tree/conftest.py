# SPDX-License-Identifier: GPL-2.0
"""Fixtures of the tree tier: compilers, and kernel trees to build in."""

import pytest

from rig import apt, buildroot


@pytest.fixture(scope="session")
def apts():
    return apt.apts()


@pytest.fixture(scope="session")
def root(apts):
    """Debian 13's compilers and headers."""
    return buildroot.BuildRoot(apts[apt.NEXT])
