# SPDX-License-Identifier: GPL-2.0
"""A toolstack that changes devices while no frontend is there, as for HVM.

dom0 plays it, key by key, as libxl writes them; see the states in
Documentation/xen-pciback-states.rst.
"""

import re

import pytest

from rig.dom0 import DEVICES, DRIVER

INITIALISING, INITIALISED, CLOSING, CLOSED, RECONFIGURING = 1, 3, 5, 6, 7


class Toolstack:
    """The backend's directory of a guest without a frontend."""

    def __init__(self, dom0, guest):
        self.dom0 = dom0
        self.dir = f"/local/domain/0/backend/pci/{guest.id}/0"

    def write(self, **keys):
        """Write keys, named with _ for the - before a number."""
        pairs = " ".join(
            f"{self.dir}/{re.sub(r'_(?=[0-9])', '-', key)} {value}"
            for key, value in keys.items())
        self.dom0.sh(f"xenstore-write {pairs}")

    def read(self, key):
        return self.dom0.xenstore(f"{self.dir}/{key}")

    def reconfigure(self, **keys):
        """Ask for what the keys say; returns when that is done."""
        if keys:
            self.write(**keys)
        self.write(state=RECONFIGURING)
        self.settle()

    def settle(self):
        self.dom0.until(f'[ "$(xenstore-read {self.dir}/state)" = '
                        f"{INITIALISED} ]", 10)

    def add(self, index, bdf, **more):
        """Keys of a device that is to come."""
        return {f"dev_{index}": bdf, f"key_{index}": bdf,
                f"state_{index}": INITIALISING,
                **{f"{key}_{index}": value for key, value in more.items()}}


@pytest.fixture
def toolstack(dom0, start):
    """A guest with an igb and no frontend."""
    dom0.load(hide=["igb0", "e1000e", "nvme"])
    toolstack = Toolstack(dom0, start("igb0", arguments="frontend=none"))
    assert toolstack.read("state") == str(INITIALISED)
    assert toolstack.read("vdev-0") == "0000:00:00.00"
    yield toolstack
    # xl gave no other away, and waits ten seconds for each that is listed.
    toolstack.write(num_devs=1, dev_0=dom0.bdf("igb0"))


def owner(dom0, card):
    return dom0.sh(f"cat {DEVICES}/{dom0.bdf(card)}/pciback/owner")


def test_device_is_added_and_removed_without_a_frontend(dom0, toolstack):
    toolstack.reconfigure(num_devs=2, **toolstack.add(1, dom0.bdf("e1000e")))
    assert toolstack.read("state-1") == str(INITIALISED)
    assert toolstack.read("vdev-1") == "0000:00:01.00"
    assert owner(dom0, "e1000e") != "none"
    toolstack.reconfigure(state_0=CLOSING)
    # What frontends read once more if the toolstack asks twice.
    assert toolstack.read("vdev-0") == "0000:00:00.00"
    assert owner(dom0, "igb0") == "none"
    assert owner(dom0, "e1000e") != "none"


def test_device_that_moves_up_is_not_taken_for_the_one_that_goes(dom0,
                                                                toolstack):
    """libxl does not wait for us here before it closes the gap."""
    cards = ["igb0", "e1000e", "nvme"]
    toolstack.reconfigure(
        num_devs=3, **toolstack.add(1, dom0.bdf("e1000e")),
        **toolstack.add(2, dom0.bdf("nvme")))
    toolstack.write(state_0=CLOSING)
    toolstack.write(state=RECONFIGURING)
    toolstack.write(
        num_devs=2, dev_0=dom0.bdf("e1000e"), state_0=INITIALISED,
        vdev_0="0000:00:01.00", dev_1=dom0.bdf("nvme"), state_1=INITIALISED,
        vdev_1="0000:00:02.00")
    toolstack.settle()
    toolstack.reconfigure()
    assert [owner(dom0, card) == "none" for card in cards] == \
        [True, False, False]
    assert [toolstack.read(key) for key in ("state-0", "vdev-0", "state-1")] \
        == ["3", "0000:00:01.00", "3"]


def test_one_bad_device_does_not_keep_the_others_back(dom0, toolstack):
    bdf = dom0.bdf("e1000e")
    keys = (toolstack.add(1, "0000:77:00.0") | toolstack.add(2, bdf) |
            toolstack.add(3, "nonsense") | toolstack.add(4, bdf) |
            toolstack.add(5, dom0.bdf("nvme")))
    toolstack.reconfigure(num_devs=6, **keys)
    states = [toolstack.read(f"state-{i}") for i in range(6)]
    # The fifth names a device a second time.
    assert states == ["3", "6", "3", "6", "6", "3"], states
    assert toolstack.read("vdev-2") == "0000:00:01.00"
    assert toolstack.read("vdev-5") == "0000:00:02.00"
    # Frontends read it when xl detaches what was refused.
    assert toolstack.read("vdev-1") == "ffff:ff:1f.07"
    # A second guest cannot have what this one has.
    assert owner(dom0, "nvme") == owner(dom0, "igb0") != "none"


def test_address_that_is_asked_for_is_given_where_it_is_free(dom0, toolstack):
    toolstack.reconfigure(num_devs=2,
                          **toolstack.add(1, dom0.bdf("e1000e"), vdevfn="a8"))
    assert toolstack.read("vdev-1") == "0000:00:15.00"
    toolstack.reconfigure(num_devs=3,
                          **toolstack.add(2, dom0.bdf("nvme"), vdevfn="a8"))
    assert toolstack.read("state-2") == str(INITIALISED)
    assert toolstack.read("vdev-2") == "0000:00:01.00"


def test_permissive_of_the_toolstack_ends_with_the_guest(dom0, toolstack):
    options = "msitranslate=0,power_mgmt=0,permissive=1,rdm_policy=strict"
    bdf = dom0.bdf("e1000e")
    toolstack.reconfigure(num_devs=2, **toolstack.add(1, bdf, opts=options))
    assert dom0.attribute("permissive").split() == [bdf]
    toolstack.reconfigure(state_1=CLOSING)
    dom0.until(f"[ -z \"$(cat {DRIVER}/permissive)\" ]", 5)
