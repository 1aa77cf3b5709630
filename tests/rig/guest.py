# SPDX-License-Identifier: GPL-2.0
"""A PV guest: made, reached and ended by way of dom0's xl."""

from .channel import RigError, Shell
from .logscan import complaints

BOOT_SECONDS = 120

# The kernel's tests of its own ciphers are not ours.
ARGUMENTS = "console=hvc0 loglevel=4 cryptomgr.notests"

# A kernel that boots on one CPU rewrites its locks, and once more at the second.
SMP = "noreplace-smp"


class Guest(Shell):
    """A guest with a stock kernel and an agent on its console."""

    def __init__(self, dom0, name, kernel="6.1", pci=(), arguments="",
                 memory=256, vcpus=2, ramdisk=None):
        self.dom0 = dom0
        self.name = name
        self.port, self.port_device = dom0.take_port(name)
        self.channel = dom0.machine.channel(self.port, self._explain)
        self.bridge = None
        dom0.guests.append(self)
        ramdisk = ramdisk or f"/images/initrd-{kernel}"
        pci = ", ".join(f'"{device}"' for device in pci)
        if vcpus > 1:
            arguments = f"{SMP} {arguments}"
        self.config = (f'name = "{name}"\nmemory = {memory}\n'
                       f'vcpus = {vcpus}\n'
                       f'kernel = "/images/vmlinux-{kernel}"\n'
                       f'ramdisk = "{ramdisk}"\n'
                       f'extra = "{ARGUMENTS} {arguments}"\n'
                       f'on_crash = "preserve"\n'
                       # So that a guest without a device can get one later.
                       f'passthrough = "enabled"\npci = [ {pci} ]\n')

    def _console(self):
        return f"/var/log/xen/console/guest-{self.name}.log"

    def _explain(self):
        """Last words when the guest does not answer."""
        try:
            tail = self.dom0.run(f"tail -n 25 {self._console()}; xl list").out
        except RigError as error:
            tail = str(error)
        return f"--- guest {self.name}:\n{tail}\n" + \
            self.dom0.machine.last_words()

    def create(self):
        """Start the guest and wait until it answers."""
        self.dom0.sh(f"cat >/tmp/{self.name}.cfg <<'END'\n{self.config}END")
        self.dom0.xl(f"create /tmp/{self.name}.cfg", 120)
        self.connect()
        return self

    def connect(self):
        """Join the console with the host's end; again after a reboot."""
        self._cut()
        self.id = self.dom0.xl(f"domid {self.name}")
        self.bridge = self.dom0.sh(
            f"setsid bridge {self.id} {self.port_device} "
            f">/tmp/{self.name}.bridge 2>&1 & echo $!")
        self.channel.wait("agent ready", BOOT_SECONDS)

    def _cut(self):
        """End the bridge: the port can be opened by one program only."""
        if self.bridge:
            self.dom0.run(f"kill {self.bridge}")
            self.dom0.until(f"! kill -0 {self.bridge} 2>/dev/null")
        self.bridge = None

    def attach(self, bdf):
        self.dom0.xl(f"pci-attach {self.name} {bdf}")

    def detach(self, bdf):
        self.dom0.xl(f"pci-detach {self.name} {bdf}")

    def complaints(self):
        """Complaints in the kernel's log, which is kept with the machine's."""
        out = self.sh("dmesg", 20)
        log = self.dom0.machine.logs / f"{self.name}-dmesg.log"
        with open(log, "a") as file:
            file.write(out + "\n")
        return complaints(out, guest=True)

    def quiet(self):
        """Stop a card that would go on for the next guest.

        QEMU's e1000e ignores the reset (by D3hot) that it offers, and would
        receive for this guest as soon as the next one's driver lets it.
        """
        self.run("rmmod e1000e")

    def destroy(self, answers=True):
        """End the guest. One that answers must have nothing to complain of."""
        found = self.complaints() if answers else []
        self.dom0.xl(f"destroy {self.name}", 90)
        self.forget()
        assert not found, f"guest {self.name}: {found}"

    def reboot(self):
        """Reboot by xl; returns when the guest answers again."""
        old = self.id
        self.dom0.xl(f"reboot {self.name}")
        self.dom0.until(f"xl domid {self.name} 2>/dev/null | "
                        f"grep -qvx -e {old}", 60)
        self.connect()

    def shutdown(self):
        """Shut down by xl; returns when the guest is gone."""
        self.dom0.xl(f"shutdown -w {self.name}", 90)
        self.dom0.until(f"! xl domid {self.name} >/dev/null 2>&1")
        self.forget()

    def crash(self):
        """Make the guest's kernel panic, then remove what is left of it."""
        self.channel.request("@0", 10, "echo c >/proc/sysrq-trigger")
        self.dom0.until(f"xl list {self.name} | grep -q 'c- '", 30)
        self.destroy(answers=False)

    def forget(self):
        """The guest is gone: give its port back."""
        self._cut()
        self.channel.close()
        self.dom0.free_port(self.name)
        self.dom0.guests.remove(self)
