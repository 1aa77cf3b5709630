# SPDX-License-Identifier: GPL-2.0
"""One emulated computer: a QEMU process with its consoles and logs."""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from . import paths
from .channel import Channel, RigError
from .logscan import stacks

GUEST_PORTS = 4
DISK_SIZE = 64 << 20

# Keys on the console: SysRq's come to Linux behind ^O, Xen's behind three ^A.
ALL_LEVELS, ALL_TASKS = b"\x0f9", b"\x0ft"
XEN_LISTENS, XEN_REGISTERS = b"\x01\x01\x01", b"d"

XEN_ARGS = ("console=com1 com1=115200,8n1 loglvl=info guest_loglvl=info "
            # With x2APIC an MSI for CPU 1 arrives at CPU 0 in QEMU 10.
            "x2apic=0 iommu=verbose "
            "dom0_mem=1280M,max:1280M dom0_max_vcpus=2")
LINUX_ARGS = ("console=hvc0 loglevel=5 oops=panic panic=1 "
              "sysrq_always_enabled")
BARE_ARGS = "console=ttyS0 loglevel=5 oops=panic panic=1"


def device(name, slot, model, **options):
    """A device behind a root port of its own."""
    more = "".join(f",{k}={v}" for k, v in options.items())
    return ["-device", f"pcie-root-port,id=port-{name},chassis={slot},"
            f"slot={slot},addr={slot:#x}",
            "-device", f"{model},id={name},bus=port-{name}{more}"]


def _net(name):
    """A network, DHCP server and gateway, and a card's options for them."""
    # No boot ROM: it would only slow the firmware down.
    return (["-netdev", f"user,id=net-{name}"],
            {"netdev": f"net-{name}", "romfile": ""})


def _nic(name, slot, model, **options):
    """A network card behind a root port of its own."""
    net, more = _net(name)
    return net + device(name, slot, model, **options, **more)


def _function(name, bus, address, model, **options):
    """A network card at an address of a bus."""
    net, more = _net(name)
    text = "".join(f",{k}={v}" for k, v in (options | more).items())
    return net + ["-device",
                  f"{model},id={name},bus={bus},addr={address}{text}"]


def take_turn():
    """Wait for other machines of this host to end.

    Two emulators at once would make every time limit meaningless.
    """
    turn = open("/run/lock/xen-pciback-machine", "w")
    fcntl.flock(turn, fcntl.LOCK_EX)
    return turn


class Machine:
    """QEMU with Xen and dom0, or (xen=False) with Linux alone.

    arguments: more of them for dom0's kernel.
    files: more files for dom0's root.
    more: options of QEMU for devices beside those of every machine.
    """

    xen_args = XEN_ARGS
    processor = ["-smp", "2", "-accel", "tcg,thread=multi"]
    # With XSAVE programs in dom0 die of SIGSEGV at times.
    cpu = "max,xsave=off"

    def __init__(self, images, ko, name, xen=True, arguments="", more=(),
                 files=()):
        self.name = name
        self.arguments = arguments
        self.xen = xen
        self.more = list(more)
        stamp = time.strftime("%m%d-%H%M%S")
        self.logs = paths.LOGS / f"{stamp}-{os.getpid()}-{name}"
        self.logs.mkdir(parents=True)
        self.dir = Path(tempfile.mkdtemp(prefix="xpb-"))
        self.disk_file = self.dir / "nvme.raw"
        with open(self.disk_file, "wb") as disk:
            disk.truncate(DISK_SIZE)
        initrd = images.run_initrd(ko, self.dir / "initrd", files)
        self.console = self.logs / "console.log"
        self.turn = take_turn()
        self.process = subprocess.Popen(
            self._command(images, initrd), stdin=subprocess.DEVNULL,
            stdout=open(self.logs / "qemu.log", "wb"),
            stderr=subprocess.STDOUT)
        self.channels = []

    def _command(self, images, initrd):
        # A machine does not outlive the tests, however they end.
        pvh = images.stack.pvh
        command = ["setpriv", "--pdeathsig", "KILL",
                   "qemu-system-x86_64", "-name", self.name,
                   "-nodefaults", "-no-user-config", "-no-reboot",
                   "-display", "none", "-m", "3072", *self.processor,
                   # TCG reports RDTSCP's exits as RDTSC's: Xen refuses.
                   "-cpu", self.cpu + (",-rdtscp" if pvh else ""),
                   "-machine", "q35,kernel-irqchip=split",
                   "-device", "intel-iommu,intremap=on",
                   "-qmp", f"unix:{self.dir}/qmp,server=on,wait=off",
                   "-chardev", f"socket,id=console,path={self.dir}/console,"
                   f"server=on,wait=off,logfile={self.console}",
                   "-serial", "chardev:console"]
        kernel = images.dom0_kernel.image
        if self.xen:
            command += ["-kernel", images.xen, "-append",
                        self.xen_args + (" dom0=pvh" if pvh else ""),
                        "-initrd",
                        f"{kernel} {LINUX_ARGS} {self.arguments},{initrd}"]
        else:
            bzimage = images.dom0_kernel.bzimage
            command += ["-kernel", bzimage, "-append", BARE_ARGS,
                        "-initrd", initrd]
        return list(map(str, command + self._storage(images) +
                        self._ports(images) + self._cards() + self.more))

    @staticmethod
    def _virtio(images):
        """A PVH dom0's addresses are its own: only the IOMMU knows them."""
        return ",disable-legacy=on,iommu_platform=on" \
            if images.stack.pvh else ""

    def _storage(self, images):
        return ["-drive", f"if=none,id=images,file={images.disk()},"
                "format=raw,readonly=on",
                "-device", "virtio-blk-pci,drive=images,addr=0x3" +
                self._virtio(images)]

    def _ports(self, images):
        """A serial port for dom0's agent and one for each guest's console."""
        # Wake-ups get lost at times: github.com/cilium/ebpf/issues/1734
        out = ["-device", "virtio-serial-pci,id=ports,addr=0x2,ioeventfd=off,"
               "event_idx=off" + self._virtio(images)]
        names = ["agent"] + [f"guest{i}" for i in range(GUEST_PORTS)]
        for name in names:
            out += ["-chardev", f"socket,id={name},path={self.dir}/{name},"
                    "server=on,wait=off",
                    "-device", f"virtserialport,chardev={name},name={name}"]
        return out

    def _cards(self):
        """The devices that tests give to guests."""
        nvme = ["-drive", f"if=none,id=scratch,file={self.disk_file},"
                "format=raw"]
        return (_nic("igb0", 0x10, "igb") + _nic("igb1", 0x11, "igb") +
                _nic("e1000e", 0x12, "e1000e") +
                nvme + device("nvme", 0x13, "nvme", drive="scratch",
                               serial="xpb") +
                _function("e1000", "pcie.0", "0x14", "e1000") +
                ["-device", "edu,id=edu,addr=0x15"] +
                # Two functions that can only be reset together.
                ["-device", "pcie-pci-bridge,id=pci,addr=0x17"] +
                _function("pair0", "pci", "1.0", "e1000",
                          multifunction="on") +
                _function("pair1", "pci", "1.1", "e1000") +
                # A modern one that goes through the IOMMU, as hardware does.
                _nic("virtio", 0x16, "virtio-net-pci", iommu_platform="on",
                     **{"disable-legacy": "on"}))

    def alive(self):
        """Raise if QEMU has ended: dom0 or Xen has crashed then."""
        if self.process.poll() is not None:
            raise RigError(f"machine {self.name} ended (status "
                           f"{self.process.returncode})\n{self.last_words()}")

    def last_words(self, path=None, lines=30):
        """The end of the console, and where all logs are."""
        path = path or self.console
        text = path.read_text(errors="replace") if path.exists() else ""
        full = [line for line in text.splitlines() if line.strip()]
        tail = "\n".join("  | " + line for line in full[-lines:])
        return f"--- end of {path}:\n{tail}\n--- all logs: {self.logs}"

    def _press(self, keys):
        """What keys on the console have printed, until it is silent again."""
        deadline = time.monotonic() + 30
        out = b""
        # Silence is a TimeoutError; a machine may also have ended.
        with socket.socket(socket.AF_UNIX) as console, suppress(OSError):
            console.settimeout(5)
            console.connect(f"{self.dir}/console")
            console.sendall(keys)
            while time.monotonic() < deadline and \
                    (data := console.recv(65536)):
                out += data
        return out.decode(errors="replace")

    def cross_examine(self):
        """Last words of a dom0 that does not answer: who waits, and where."""
        words = self.last_words()
        answer = "".join(map(self._press, (ALL_LEVELS + ALL_TASKS,
                                           XEN_LISTENS + XEN_REGISTERS,
                                           XEN_LISTENS)))
        return "\n".join([words, "--- dom0's tasks that wait or run, and Xen:",
                          *stacks(answer)])

    def channel(self, name, explain=None):
        """Connect to the serial port named."""
        channel = Channel(self.dir / name, self.logs / f"{name}.log",
                          self.alive, explain or self.last_words)
        self.channels.append(channel)
        return channel

    def monitor(self, command, **arguments):
        """One command to QEMU's monitor; returns its answer."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(30)
            sock.connect(f"{self.dir}/qmp")
            stream = sock.makefile("rw")
            stream.readline()
            for request in ({"execute": "qmp_capabilities"},
                            {"execute": command, "arguments": arguments}):
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                answer = json.loads(stream.readline())
                while "event" in answer:
                    answer = json.loads(stream.readline())
            if "error" in answer:
                raise RigError(f"monitor: {command}: {answer['error']}")
            return answer["return"]

    def stop(self):
        """End QEMU and remove what is not a log."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.turn.close()
        for channel in self.channels:
            channel.close()
        shutil.rmtree(self.dir, ignore_errors=True)
