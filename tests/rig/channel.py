# SPDX-License-Identifier: GPL-2.0
"""The host's end of an agent: send a command, wait for its answer."""

import base64
import hashlib
import itertools
import re
import select
import socket
import time

TRACING = "/sys/kernel/tracing"

# What a command may take on a machine that is busy.
COMMAND_SECONDS = 30


class RigError(Exception):
    """A machine or guest that does not answer: never a test's own failure."""


class CommandError(AssertionError):
    """A command that was expected to succeed did not."""


class Result:
    """What a command printed (standard output and error) and its status."""

    def __init__(self, command, out, rc):
        self.command = command
        self.out = out
        self.rc = rc

    def check(self):
        if self.rc:
            raise CommandError(f"{self.command}\n  exit status {self.rc}: "
                               f"{self.out.strip()}")
        return self


class Channel:
    """A connected byte stream with an agent at its other end.

    alive() is called while waiting; it raises if waiting is of no use.
    explain() returns the last words to put into a time-out's message.
    """

    def __init__(self, path, log, alive, explain):
        self.path = path
        self.alive = alive
        self.explain = explain
        self.buffer = b""
        self.nonces = itertools.count(1)
        self.log = open(log, "a", buffering=1)
        self.socket = socket.socket(socket.AF_UNIX)
        self._connect()

    def _connect(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.socket.connect(str(self.path))
            except (FileNotFoundError, ConnectionRefusedError):
                self.alive()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _line(self, deadline):
        """One line from the other end, without its end."""
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            ready, _, _ = select.select([self.socket], [], [], min(left, 0.5))
            if not ready:
                self.alive()
                continue
            data = self.socket.recv(65536)
            if not data:
                self.alive()
                raise RigError(f"{self.path.name}: closed")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        text = line.rstrip(b"\r").decode(errors="replace")
        if not text.startswith("@"):
            self._note(text)
        return text

    def wait(self, pattern, timeout):
        """Read lines until one matches; returns the match."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                match = re.search(pattern, self._line(deadline))
            except TimeoutError:
                raise RigError(f"{self.path.name}: no '{pattern}' within "
                               f"{timeout} s\n{self.explain()}") from None
            if match:
                return match

    def _note(self, text):
        stamp = time.strftime("%H:%M:%S")
        self.log.write("".join(f"{stamp} {l}\n" for l in text.splitlines()))

    def send(self, text):
        try:
            self.socket.sendall(text.encode() + b"\n")
        except OSError as error:
            self.alive()
            raise RigError(f"{self.path.name}: {error}") from None

    def _answer(self, nonce, deadline):
        """Read one answer; None if the checksum does not fit."""
        data = ""
        while True:
            words = self._line(deadline).split()
            if len(words) < 2 or words[0] != nonce:
                continue
            if not words[1].startswith("rc="):
                data = words[1]
                continue
            try:
                out = base64.b64decode(data)
            except ValueError:
                return None
            if words[2:] != [hashlib.md5(out).hexdigest()]:
                return None
            return out.decode(errors="replace"), int(words[1][3:])

    def request(self, nonce, timeout, command):
        """Have the agent run a command; see there for the form."""
        text = command.replace("\\", r"\\").replace("\n", r"\n")
        self.send(f"run {nonce} {timeout} {text}")

    def run(self, command, timeout=30):
        """Run a shell command; the other end ends it after timeout."""
        nonce = f"@{next(self.nonces)}"
        deadline = time.monotonic() + timeout + 15
        self._note(f"$ {command}")
        self.request(nonce, timeout, command)
        try:
            answer = self._answer(nonce, deadline)
            while answer is None:
                self.send(f"again {nonce}")
                answer = self._answer(nonce, deadline)
        except TimeoutError:
            raise RigError(f"{self.path.name}: no answer within {timeout + 15}"
                           f" s to: {command}\n{self.explain()}") from None
        self._note(f"{answer[0]}\n= {answer[1]}")
        return Result(command, *answer)

    def close(self):
        self.socket.close()
        self.log.close()


class Shell:
    """Commands where there is an agent, over self.channel."""

    def run(self, command, timeout=30):
        """Run a command; returns its output and status."""
        return self.channel.run(command, timeout)

    def sh(self, command, timeout=30):
        """Run a command that must succeed; returns what it printed."""
        return self.run(command, timeout).check().out.strip()

    def until(self, condition, seconds=20):
        """Wait until a shell condition holds.

        The last words are what the condition came to in the end.
        """
        clock = "read -r now rest </proc/uptime; now=${now%.*}"
        self.sh(f"{clock}; end=$((now + {seconds}))\n"
                f"until {{ {condition}; }} >/dev/null 2>&1; do {clock}\n"
                f"[ $now -le $end ] || {{ echo 'waited {seconds} s in vain'; "
                f"set -x; {condition}; exit 1; }}\n"
                "sleep 0.1; done", seconds + COMMAND_SECONDS)

    def mount_tracing(self):
        self.sh(f"grep -q ' {TRACING} ' /proc/mounts || "
                f"mount -t tracefs t {TRACING}")
