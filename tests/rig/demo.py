# SPDX-License-Identifier: GPL-2.0
"""A network card given to a guest, step by step: demo.py [MODULE|debian]."""

import sys
import time

from . import build, devices
from .channel import CommandError, RigError
from .dom0 import INSMOD, Dom0
from .guest import Guest
from .images import Images
from .logscan import complaints
from .machine import Machine

CARD = "igb0"


class Story:
    """Prints what happens, with the time since the start."""

    def __init__(self):
        self.start = time.monotonic()

    def step(self, text):
        print(f"\n[{time.monotonic() - self.start:5.1f} s] {text}", flush=True)

    @staticmethod
    def show(prompt, command, out):
        print(f"    {prompt}# {command}")
        for line in out.splitlines():
            print(f"    {line}")
        sys.stdout.flush()


def told(story, where, prompt, command, timeout=60):
    """Run a command and show it with what it printed."""
    out = where.sh(command, timeout)
    story.show(prompt, command, out)
    return out


def module(story, images, choice):
    """The module to show: the tree's, built now, or another."""
    if choice == "debian":
        story.step("Taking Debian's own module")
        return images.own_module()
    if choice:
        return choice
    story.step("Building the module")
    return build.module(images)


def use(story, guest):
    """The guest's side; returns lease and interrupts."""
    prompt = "guest"
    story.step("The guest sees the card and loads its driver")
    told(story, guest, prompt, "lspci -n")
    told(story, guest, prompt, "modprobe igb")
    name = devices.interface(guest, devices.address(guest, CARD))
    story.step("The guest asks for an address by DHCP over the card")
    lease = devices.lease(guest, name)
    told(story, guest, prompt, f"ip -4 addr show dev {name}")
    story.step("The guest pings the gateway over the card")
    told(story, guest, prompt, f"ping -c 4 -I {name} {devices.GATEWAY}")
    story.step("The card's interrupts in the guest")
    told(story, guest, prompt, f"grep -e CPU -e {name} /proc/interrupts")
    return lease, devices.interrupts(guest, name)


def show(story, machine):
    """All steps on a running machine; returns lease and interrupts."""
    dom0 = Dom0(machine)
    told(story, dom0, "dom0", "uname -r; xl info | grep xen_version")
    story.step("Loading the module: it hides the igb from dom0's drivers")
    bdf = dom0.bdf(CARD)
    told(story, dom0, "dom0", f"{INSMOD} 'hide=({bdf})'")
    told(story, dom0, "dom0", "xl pci-assignable-list")
    story.step("Starting a PV guest that is given the card")
    guest = Guest(dom0, "guest", pci=[bdf])
    guest.create()
    told(story, dom0, "dom0", "cat /tmp/guest.cfg; xl list")
    result = use(story, guest)
    story.step("Taking the card back, unloading the module")
    guest.destroy()
    dom0.unload()
    found = complaints(dom0.take_dmesg())
    if found:
        raise AssertionError("dom0's log: " + "; ".join(found))
    return result


def main(choice=""):
    story = Story()
    story.step("Preparing kernels, Xen and user space from Debian's packages")
    images = Images()
    ko = module(story, images, choice)
    images.disk()
    story.step("Booting Xen and dom0 in an emulated computer")
    machine = Machine(images, ko, "demo")
    try:
        lease, interrupts = show(story, machine)
    except (RigError, CommandError, AssertionError) as error:
        print(f"\nFAILED: {error}\nlogs: {machine.logs}")
        return 1
    finally:
        machine.stop()
    kinds = {kind.split()[-1] for _, kind in interrupts.values()}
    counts = sum(count for count, _ in interrupts.values())
    msix = kinds == {"-pcifront-msi-x"} and len(interrupts) > 1
    story.step("Summary")
    print(f"The guest drove a real igb model through this driver: address "
          f"{lease} by DHCP, every\nping answered, {len(interrupts)} "
          f"interrupt vector(s) of kind {', '.join(kinds)}, {counts} "
          f"interrupts counted.")
    if not msix:
        print("FAILED: several MSI-X vectors were expected.")
    return int(not msix)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
