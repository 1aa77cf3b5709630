# SPDX-License-Identifier: GPL-2.0
"""Host programs that print TAP, as pytest items: one for each line.

A program stands for its plan: tests that were announced and not reported,
an exit status other than zero, or no plan at all fail an item of its own.
"""

import os
import re
import subprocess

import pytest

LINE = re.compile(r"^(not )?ok (\d+)(?: -)? ?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)")
SECONDS = 600


class TapFailure(Exception):
    """A failed test; its text is all there is to say."""


class TapItem(pytest.Item):
    """One result of a host program."""

    def __init__(self, *, failure=None, skip=None, **kwargs):
        super().__init__(**kwargs)
        self.failure = failure
        self.skip = skip

    def runtest(self):
        if self.skip is not None:
            pytest.skip(self.skip)
        if self.failure:
            raise TapFailure(self.failure)

    def repr_failure(self, excinfo):
        return str(excinfo.value)

    def reportinfo(self):
        return self.path, None, self.name


class TapProgram(pytest.File):
    """One host program."""

    def collect(self):
        try:
            done = subprocess.run([self.path], text=True, timeout=SECONDS,
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, errors="replace")
            out, status = done.stdout, done.returncode
        except subprocess.TimeoutExpired as error:
            out, status = str(error), "time-out"
        seen = 0
        names = set()
        comments = []
        for line in out.splitlines():
            match = LINE.match(line)
            if not match:
                comments.append(line)
                continue
            seen += 1
            bad, number, text = match.groups()
            # Names may repeat; results are counted by name.
            if text in names:
                text = f"{number} {text}"
            names.add(text)
            yield self._item(bad, number, text, "\n".join(comments))
            comments = []
        yield self._verdict(out, status, seen)

    def _item(self, bad, number, text, comments):
        name, _, directive = text.partition(" # ")
        skip = directive if directive.upper().startswith("SKIP") else None
        failure = (comments or text) if bad else None
        return TapItem.from_parent(self, name=name or number,
                                   failure=failure, skip=skip)

    def _verdict(self, out, status, seen):
        plan = re.search(PLAN.pattern, out, re.MULTILINE)
        failure = None
        if status:
            failure = f"exit status {status}\n{out[-4000:]}"
        elif not plan or int(plan.group(1)) != seen:
            failure = f"{seen} results, plan {plan and plan.group()}\n" + \
                out[-4000:]
        return TapItem.from_parent(self, name="ran to its end",
                                   failure=failure)


class TapMakefile(pytest.File):
    """The directory of host programs: built, then each is run."""

    def collect(self):
        folder = self.path.parent
        done = subprocess.run(["make", "-C", folder], text=True,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        failure = done.stdout[-6000:] if done.returncode else None
        yield TapItem.from_parent(self, name="programs build",
                                  failure=failure)
        for program in sorted((folder / "build").glob("*")):
            if program.is_file() and not program.suffix and \
                    os.access(program, os.X_OK):
                yield TapProgram.from_parent(self, path=program)
