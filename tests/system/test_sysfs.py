# SPDX-License-Identifier: GPL-2.0
"""pciback's sysfs files: formats, and every malformed write refused."""

import re

import pytest

from rig import devices
from rig.dom0 import DEVICES, DRIVER

EINVAL = "Invalid argument"
ENODEV = "No such device"
ENOENT = "No such file or directory"
EBUSY = "Device or resource busy"

MODES = {"new_slot": "200", "remove_slot": "200", "slots": "400",
         "quirks": "600", "permissive": "600",
         "allow_interrupt_control": "600", "irq_handlers": "400",
         "irq_handler_state": "200"}
LISTS = ["slots", "quirks", "permissive", "allow_interrupt_control",
         "irq_handlers"]

# Not an address of a device, whatever the file.
BAD_ADDRESSES = [
    "\n", "0", "x", "0000:01:00.0x", "0000:01:00.0 x", "0000:01:00.0,",
    "0000:01:00.0 0000:02:00.0", "0000:01:00.", "0000:01:00", "0000:01",
    "01:00", "0000:01:00.8", "0000:01:20.0", "0000:100:00.0", "100:00.0",
    "10000:01:00.0", "0000:01:00.-1", "0000:-1:00.0", "--1:01:00.0",
    "0000:01:00.0.0", "0000:01:00:0", "0000 :01:00.0", "0000: 01:00.0",
    "0x0000:0x01:0x00.0x0", "0000:0x1:00.0", "+0:01:00.0",
    "0000:01:100000000.0", "0000:01:00.100000000", "100000000:01:00.0",
    "0000:100000001:00.0", "0000:01:*.0", "0000:*:00.0", "*:01:00.0", "*",
    "(0000:01:00.0)", "0000:01:00.0-0", "g000:01:00.0", "0000:01:00.**",
]

BAD_QUIRKS = [
    "{0}", "{0}-", "{0}-40", "{0}-40:", "{0}-40:1", "{0}-40:1:",
    "{0}-40:1:ff:0", "{0}-40:1:ff x", "{0}-40:3:ff", "{0}-40:0:0",
    "{0}-40:8:ff", "{0}-1000:1:ff", "{0}-fff:2:ff", "{0}-40:1:100",
    "{0}-40:2:10000", "{0}-40:4:100000000", "{0}--1:1:ff", "{0}-zz:1:ff",
    "{0}:40:1:ff", "{0}-100000040:1:ff",
]


def state(dom0):
    """Everything the files show, and which device has which driver."""
    links = dom0.sh(f"ls {DRIVER}; ls -l {DEVICES}/*/driver")
    return [dom0.attribute(name) for name in LISTS] + \
        [re.sub(r"^.*?/sys", "/sys", l) for l in links.splitlines()]


def refused(dom0, name, rows):
    """Write each text; the rows whose answer is not the one expected."""
    before = state(dom0)
    given = dom0.pokes(name, [text for text, _ in rows])
    wrong = [f"{text!r}: {answer or 'accepted'}"
             for (text, answers), answer in zip(rows, given, strict=True)
             if answer not in answers]
    after = state(dom0)
    if after != before:
        wrong.append(f"something changed: {before} -> {after}")
    return wrong


def test_modes_of_the_files(dom0):
    dom0.load()
    for name, mode in MODES.items():
        out = dom0.sh(f"stat -c %a {DRIVER}/{name}")
        # Whether others may read is left open, whether root may is not.
        assert out[0] == mode[0], (name, out)


@pytest.mark.parametrize("name", ["new_slot", "remove_slot", "permissive",
                                  "allow_interrupt_control",
                                  "irq_handler_state"])
def test_malformed_address_is_refused(dom0, name):
    dom0.load(hide=["igb0", "e1000e"])
    rows = [(text, [EINVAL]) for text in BAD_ADDRESSES]
    assert refused(dom0, name, rows) == []


def test_malformed_quirk_is_refused(dom0):
    dom0.load(hide=["igb0", "e1000e"])
    rows = [(text.format(dom0.bdf("igb0")), [EINVAL]) for text in BAD_QUIRKS]
    rows += [(text + "-40:1:ff", [EINVAL]) for text in BAD_ADDRESSES]
    assert refused(dom0, "quirks", rows) == []


def test_unknown_device_is_refused(dom0):
    dom0.load(hide=["igb0"])
    absent, free = "0000:77:00.0", dom0.bdf("e1000e")
    wrong = []
    for bdf in (absent, free):
        for name, answers in (("remove_slot", [ENOENT]),
                              ("permissive", [ENODEV]),
                              ("allow_interrupt_control", [ENODEV]),
                              ("irq_handler_state", [ENOENT, ENODEV])):
            wrong += refused(dom0, name, [(bdf, answers)])
        wrong += refused(dom0, "quirks", [(f"{bdf}-40:1:ff", [ENODEV])])
    assert wrong == []


def test_slot_of_a_device_in_use_stays(dom0, start):
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    assert refused(dom0, "remove_slot", [(dom0.bdf("igb0"), [EBUSY])]) == []
    devices.network(guest, "igb0")


def test_addresses_are_accepted_in_every_form(dom0):
    dom0.load()
    for text, lines in (("0000:a0:00.0", ["0000:a0:00.0"]),
                        ("a0:01.0\n", ["0000:a0:01.0"]),
                        (" 0000:a0:02.3 \n", ["0000:a0:02.3"]),
                        ("0001:A0:1f.7", ["0001:a0:1f.7"])):
        assert dom0.poke("new_slot", text) == ""
        assert dom0.attribute("slots").split() == lines
        # A second time changes nothing.
        assert dom0.poke("new_slot", text) == ""
        assert dom0.attribute("slots").split() == lines
        assert dom0.poke("remove_slot", text) == ""
        assert dom0.attribute("slots") == ""


def test_wildcards_mean_all_functions(dom0):
    dom0.load()
    assert dom0.poke("new_slot", "0000:a0:03.*") == ""
    assert sorted(dom0.attribute("slots").split()) == \
        [f"0000:a0:03.{function}" for function in range(8)]
    assert dom0.poke("new_slot", "a0:*.*") == ""
    assert len(dom0.attribute("slots").split()) == 256
    assert dom0.poke("remove_slot", "0000:a0:*.*") == ""
    assert dom0.attribute("slots") == ""


def test_slots_longer_than_a_page_are_read_whole(dom0):
    dom0.load()
    wanted = [f"0000:{bus:02x}:{slot:02x}.{function}"
              for bus in (0xa0, 0xa1) for slot in range(32)
              for function in range(8)][:400]
    dom0.sh(f"for a in {' '.join(wanted)}; do echo $a >{DRIVER}/new_slot; "
            "done", 60)
    shown = dom0.attribute("slots")
    assert shown.endswith("\n")
    assert sorted(shown.splitlines()) == wanted


@pytest.mark.parametrize("name", ["permissive", "allow_interrupt_control"])
def test_flag_lists_the_devices_that_have_it(dom0, name):
    dom0.load(hide=["igb0", "e1000e"])
    assert dom0.attribute(name) == ""
    assert dom0.poke(name, dom0.bdf("igb0")) == ""
    assert dom0.attribute(name) == dom0.bdf("igb0") + "\n"
    assert dom0.poke(name, dom0.bdf("e1000e") + "\n") == ""
    assert sorted(dom0.attribute(name).split()) == \
        sorted([dom0.bdf("igb0"), dom0.bdf("e1000e")])


def test_quirk_is_shown_in_the_format_of_old(dom0):
    dom0.load(hide=["igb0"])
    bdf = dom0.bdf("igb0")
    assert dom0.poke("quirks", f"{bdf}-0e4:4:ffff0000") == ""
    lines = dom0.attribute("quirks").splitlines()
    assert re.fullmatch(r"[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", lines[0]), lines
    assert bdf.endswith(lines[0])
    assert re.fullmatch(r"\t8086:10c9:[0-9a-f]{4}:[0-9a-f]{4}", lines[1])
    for line in lines[2:]:
        assert re.fullmatch(r"\t\t[0-9a-f]{8}:[124]:[0-9a-f]{8}", line), line
    assert "\t\t000000e4:4:ffff0000" in lines


GAP = "e4.l"


def write_gap(dom0, guest, value):
    """Have the guest write to a register that no table knows; what it is then."""
    address = devices.address(guest, "igb0")
    guest.sh(f"setpci -s {address} {GAP}={value:x}")
    return int(dom0.sh(f"setpci -s {dom0.bdf('igb0')} {GAP}"), 16)


@pytest.mark.parametrize("file, sign", [
    ("permissive", "-"),
    pytest.param("restrictive", "", marks=pytest.mark.long)])
def test_permissive_opens_unknown_registers_until_revoked(dom0, start, file,
                                                          sign):
    dom0.load(hide=["igb0"])
    bdf, guest = dom0.bdf("igb0"), start("igb0")
    assert write_gap(dom0, guest, 0x12345678) == 0
    assert dom0.poke("permissive", bdf) == ""
    assert write_gap(dom0, guest, 0x12345678) == 0x12345678
    assert dom0.poke(file, sign + bdf) == ""
    assert dom0.attribute("permissive") == ""
    assert write_gap(dom0, guest, 0x55aa55aa) == 0x12345678


def test_quirk_opens_the_bits_of_its_mask(dom0, start):
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    assert dom0.poke("quirks", f"{dom0.bdf('igb0')}-e4:4:00ff00f0") == ""
    assert write_gap(dom0, guest, 0xffffffff) == 0x00ff00f0
    # Another mask: what is open no more stays as it is.
    assert dom0.poke("quirks", f"{dom0.bdf('igb0')}-e4:4:0000000f") == ""
    assert write_gap(dom0, guest, 0xffffff0f) == 0x00ff00ff
    assert write_gap(dom0, guest, 0) == 0x00ff00f0


def standin(dom0, card):
    """What is said of the stand-in on a card's line."""
    return re.search(re.escape(dom0.bdf(card)) + r":(.*):\d+",
                     dom0.attribute("irq_handlers")).group(1)


def test_standin_is_taken_away_and_brought_back(dom0, start):
    dom0.load(hide=["e1000"])
    guest = start("e1000")
    name = devices.network(guest, "e1000")
    assert standin(dom0, "e1000") == "on:acking"
    for wanted in ("off:not acking", "on:acking") * 2:
        assert dom0.poke("irq_handler_state", dom0.bdf("e1000")) == ""
        assert standin(dom0, "e1000") == wanted
        devices.ping(guest, name)


def test_standin_of_a_device_that_uses_msi_stays(dom0, start):
    dom0.load(hide=["igb0"])
    guest = start("igb0")
    name = devices.network(guest, "igb0")
    before = standin(dom0, "igb0")
    assert dom0.poke("irq_handler_state", dom0.bdf("igb0")) == EBUSY
    assert standin(dom0, "igb0") == before
    devices.ping(guest, name)


def test_irq_handlers_format(dom0, start):
    dom0.load(hide=["e1000"])
    guest = start("e1000")
    devices.network(guest, "e1000")
    line, = dom0.attribute("irq_handlers").splitlines()
    assert re.fullmatch(re.escape(dom0.bdf("e1000")) +
                        r":(on|off):(not )?acking:\d+", line), line


def test_interrupt_line_in_guest_is_the_gsi(dom0, start):
    """Also while the device uses MSI, when dom0's irq is another number."""
    dom0.load(hide=["e1000e"])
    gsi = int(dom0.sh(f"cat {DEVICES}/{dom0.bdf('e1000e')}/irq"))
    guest = start("e1000e")
    address = devices.address(guest, "e1000e")
    line = f"setpci -s {address} INTERRUPT_LINE"
    assert int(guest.sh(line), 16) == gsi
    # MSI from here to the interface's first use: the driver then finds that
    # this model's MSI does not pass its own test, and goes back to the line.
    guest.sh("modprobe e1000e IntMode=1")
    guest.until(f"[ -d {DEVICES}/{address}/msi_irqs ]")
    assert int(guest.sh(line), 16) == gsi
