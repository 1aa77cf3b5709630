# SPDX-License-Identifier: GPL-2.0
"""A guest's backend in xenstore, and how long a toolstack waits for it."""

import time
from contextlib import contextmanager

# What libxl waits for a backend.
SECONDS = 10


@contextmanager
def in_time():
    """What is done inside takes no longer than libxl waits."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SECONDS


def backend(dom0, guest, key):
    """Value of one of its keys, or None."""
    return dom0.xenstore(f"/local/domain/0/backend/pci/{guest.id}/0/{key}")


def settled(dom0, guest, state):
    """Wait until the backend is in a state."""
    path = f"/local/domain/0/backend/pci/{guest.id}/0/state"
    dom0.until(f"[ \"$(xenstore-read {path})\" = {state} ]", SECONDS)
