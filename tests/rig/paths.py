# SPDX-License-Identifier: GPL-2.0
"""Where things are: the tree, the cache (safe to delete) and the logs."""

import os
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XPB_CACHE", "/var/cache/xen-pciback"))
LOGS = Path(os.environ.get("XPB_LOGS", "/var/tmp/xen-pciback-logs"))
