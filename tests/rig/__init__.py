# SPDX-License-Identifier: GPL-2.0
"""The rig: from Debian's packages to a guest that answers commands."""
