# SPDX-License-Identifier: GPL-2.0
"""Options of all tiers, and the closing line of a run."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from rig import build, stacks, tap  # noqa: E402: found by the line above

# Worst outcome of each test: an error before or after it is a failure.
OUTCOMES = {}
# What each test measured, in words.
MEASURED = {}


def pytest_addoption(parser):
    parser.addoption("--ko", default="",
                     help="module under test: a path, or 'debian' for the one "
                          "of Debian's kernel; default: the tree's own")
    parser.addoption("--dom0", default="debian", choices=["debian", "debug"],
                     help="dom0's kernel: Debian's, or one with the kernel's "
                          "checkers that the tree is a part of")
    parser.addoption("--stack", default=stacks.DEFAULT, choices=stacks.STACKS,
                     help="release of Debian and Linux of Xen and dom0")
    parser.addoption("--long", action="store_true",
                     help="attacks at a length that takes hours")
    parser.addoption("--outcomes", default="",
                     help="file to write the outcome of each test to")


@pytest.fixture(scope="session")
def images(request):
    """Kernels, Xen and user space, made when the cache lacks them."""
    from rig.images import Images
    return Images(request.config.getoption("dom0"),
                  request.config.getoption("stack"))


@pytest.fixture(scope="session")
def ko(request, images):
    """Path of the module under test."""
    option = request.config.getoption("ko")
    if option == "debian":
        return images.own_module()
    if option:
        return Path(option)
    # A debug kernel was built with the tree as a part of it.
    return images.own_module() if images.debug else build.module(images)


def pytest_collect_file(file_path, parent):
    """tests/host and tests/kunit hold C; what builds it stands for it."""
    if file_path.name == "Makefile" and file_path.parent.name == "host":
        return tap.TapMakefile.from_parent(parent, path=file_path)
    if file_path.name == "Kbuild" and file_path.parent.name == "kunit":
        from rig import kunit
        return kunit.KunitDirectory.from_parent(parent, path=file_path)
    return None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Leave each phase's report at the item, for fixtures to look at."""
    outcome = yield
    report = outcome.get_result()
    setattr(item, f"report_{report.when}", report)


def pytest_runtest_logreport(report):
    if report.failed:
        OUTCOMES[report.nodeid] = "failed"
    elif report.when == "call" or report.skipped:
        OUTCOMES.setdefault(report.nodeid, report.outcome)
    MEASURED[report.nodeid] = [text for _, text in report.user_properties]


def pytest_collectreport(report):
    if report.failed:
        OUTCOMES[report.nodeid] = "failed"


def _count(outcome):
    return list(OUTCOMES.values()).count(outcome)


def pytest_sessionfinish(session):
    path = session.config.getoption("outcomes")
    if path:
        rows = {test: " ".join([outcome, *MEASURED.get(test, [])])
                for test, outcome in OUTCOMES.items()}
        Path(path).write_text(json.dumps(rows, indent=1))
    if _count("failed"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config):
    """The last line of all, after pytest's own summary."""
    if OUTCOMES:
        line = f"{_count('passed')} passed, {_count('failed')} failed"
        skipped = _count("skipped")
        print(line + (f", {skipped} skipped" if skipped else ""))
