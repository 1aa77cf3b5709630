# SPDX-License-Identifier: GPL-2.0
"""dom0 of a running machine: commands, the module under test, xl."""

import re

from .channel import Shell
from .machine import GUEST_PORTS

# By its path: busybox's own insmod tries a module that fails a second time.
INSMOD = "/usr/sbin/insmod /xen-pciback.ko"
DRIVER = "/sys/bus/pci/drivers/pciback"
DEVICES = "/sys/bus/pci/devices"

# The cards of a machine (machine.py): name -> (vendor, device, which one).
CARDS = {"igb0": ("8086", "10c9", 0), "igb1": ("8086", "10c9", 1),
         "e1000e": ("8086", "10d3", 0), "nvme": ("1b36", "0010", 0),
         "e1000": ("8086", "100e", 0), "edu": ("1234", "11e8", 0),
         "virtio": ("1af4", "1041", 0),
         "pair0": ("8086", "100e", 1), "pair1": ("8086", "100e", 2),
         # Functions of an igb, once devices.make_vfs() has made them.
         **{f"vf{i}": ("8086", "10ca", i) for i in range(7)}}

# What a test may have loaded in dom0: drivers, and what from the first error on
# answers for a card's error registers, of which some keep what is written.
MODULES = ("igbvf", "igb", "e1000e", "e1000", "nvme", "pci-stub", "aer_inject")

BOOT_SECONDS = 120


class Dom0(Shell):
    """Commands in dom0, by its agent."""

    def __init__(self, machine):
        self.machine = machine
        self.channel = machine.channel("agent", machine.cross_examine)
        self.channel.wait("agent ready", BOOT_SECONDS)
        self.ports = {}
        self.guests = []
        self._bdfs = {}

    def bdf(self, card):
        """PCI address of one of the machine's cards."""
        if card not in self._bdfs:
            vendor, device, index = CARDS[card]
            lines = self.sh(f"lspci -Dnd {vendor}:{device}").splitlines()
            self._bdfs[card] = lines[index].split()[0]
        return self._bdfs[card]

    def load(self, options="", hide=()):
        """Load the module under test, hiding the cards named."""
        if hide:
            listed = "".join(f"({self.bdf(card)})" for card in hide)
            options += f" 'hide={listed}'"
        self.sh(f"{INSMOD} {options}", 60)

    def loaded(self):
        return self.run("[ -d /sys/module/xen_pciback ]").rc == 0

    def unload(self):
        self.sh("rmmod xen_pciback", 60)

    def driver(self, bdf):
        """Name of the driver bound to a device, or None."""
        out = self.run(f"readlink {DEVICES}/{bdf}/driver").out.strip()
        return out.rsplit("/", 1)[-1] or None

    def attribute(self, name):
        """Text of one of pciback's sysfs files."""
        return self.run(f"cat {DRIVER}/{name}").check().out

    def pokes(self, name, texts):
        """Write texts to one of pciback's files, each by itself.

        Returns for each "" or the words of the error.
        """
        # The shell's own printf does not say why a write failed; dd does.
        script = [f'w() {{ e=$(printf "$1" | dd bs=4096 of={DRIVER}/{name} '
                  '2>&1 | grep ^dd:); echo "${e##*: }"; }\n']
        for text in texts:
            octal = "".join(f"\\{byte:03o}" for byte in text.encode())
            script.append(f"w '{octal}'\n")
        return self.run("".join(script), 120).check().out.splitlines()

    def poke(self, name, text):
        """Write one text; returns "" or the words of the error."""
        return self.pokes(name, [text])[0]

    def xl(self, arguments, timeout=60):
        return self.sh(f"xl {arguments}", timeout)

    def assignable(self):
        """The addresses that xl could give to a guest."""
        return sorted(self.xl("pci-assignable-list").split())

    def domains(self):
        """Names and ids of the guests."""
        out = self.xl("list")
        rows = [line.split() for line in out.splitlines()[1:]]
        return {row[0]: int(row[1]) for row in rows if row[1] != "0"}

    def xenstore(self, path):
        """Value of a xenstore node, or None."""
        done = self.run(f"xenstore-read {path}")
        return done.out.strip() if done.rc == 0 else None

    def take_port(self, name):
        """A free serial port for a guest's console: (port name, device)."""
        for index in range(GUEST_PORTS):
            port = f"guest{index}"
            if port not in self.ports.values():
                self.ports[name] = port
                return port, f"/dev/{self._port_device(port)}"
        raise RuntimeError("no free port for another guest")

    def free_port(self, name):
        self.ports.pop(name, None)

    def _port_device(self, port):
        out = self.sh("grep . /sys/class/virtio-ports/*/name")
        return re.search(rf"ports/(\S+)/name:{port}$", out, re.M).group(1)

    def tidy(self):
        """No guest, no module under test, no driver at any card."""
        guests = self.domains().values()
        for number in guests:
            self.xl(f"destroy {number}", 90)
        if guests:
            # A dead one stays in the list while someone keeps a page of it.
            self.until("[ $(xl list | wc -l) -eq 2 ]")
        if self.loaded():
            for bdf in self.assignable():
                # Fails for a device that no guest had: Xen kept it for dom0.
                self.run(f"xl pci-assignable-remove {bdf}")
            self.unload()
        self.run(f"for m in {' '.join(MODULES)}; do rmmod $m; done; "
                 f"for f in $(grep -L null {DEVICES}/*/driver_override); do "
                 "echo >$f; done", 60)

    def take_dmesg(self):
        """The kernel's messages since the last call."""
        out = self.sh("dmesg -c", 60)
        with open(self.machine.logs / "dom0-dmesg.log", "a") as log:
            log.write(out + "\n")
        return out
