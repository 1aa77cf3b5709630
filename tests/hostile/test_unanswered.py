# SPDX-License-Identifier: GPL-2.0
"""Error requests that the frontend answers late, wrongly or never."""

import pytest

from arena import CARD, SECONDS
from rig.errors import COMPLETION_TIMEOUT, inject

TIMEOUT = "/sys/module/xen_pciback/parameters/aer_timeout_ms"

# How badfront answers: PCI_ERS_RESULT_* are 1 to 6.
ANSWERS = {
    "disconnect": "aer verdict=4",
    "no verdict": "aer verdict=0x80000000",
    "late": "aer verdict=3 ms=4000",
    "never": "aer ms=0xffffffff",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_bad_answer_costs_the_device_only(arena, front, name):
    dom0 = arena.dom0
    dom0.run(f"echo 2000 >{TIMEOUT}")
    backend = f"/local/domain/0/backend/pci/{front.guest.id}/0"
    beside = arena.measure_error(COMPLETION_TIMEOUT)
    with arena.attack(f"error: {name}", beside):
        front.do(ANSWERS[name])
        inject(dom0, CARD, uncorrectable=COMPLETION_TIMEOUT)
        dom0.until(f"[ \"$(xenstore-read {backend}/aerState)\" = aerfail ]",
                   SECONDS)
    assert " 0 error" not in front.do("aer")
    took = arena.destroy_attacker()
    assert took < SECONDS * arena.slowness, took
    arena.attacker()
