# SPDX-License-Identifier: GPL-2.0
"""The tree against the kernel's own checkers."""

import re
import subprocess

import pytest

from rig import build, paths
from rig.files import mirror, module_files
from rig.source import linux_source

ORIGINALITY = paths.TREE.parent / "shared/tools/originality"


def sources(pattern="*.[ch]"):
    """C files of the tree, what is built left out."""
    return sorted(f for f in paths.TREE.rglob(pattern)
                  if not f.name.endswith(".mod.c")
                  and "build" not in f.relative_to(paths.TREE).parts)


def output(*command, **kwargs):
    """Status and output of a checker."""
    done = subprocess.run(list(map(str, command)), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **kwargs)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def linux(images):
    return linux_source(images.apt)


@pytest.fixture(scope="module")
def built(images, tmp_path_factory):
    """Output of a build with all warnings and sparse, in a copy."""
    copy = tmp_path_factory.mktemp("style") / "tree"
    mirror(module_files(), copy)
    # The headers' own code has findings; only ours are looked at.
    return build.make(images, copy, "W=1", "C=2", "modules")


def findings(out):
    """Warnings and errors of a build, by whom they are reported."""
    return [line for line in out.splitlines()
            if re.search(r"\b(warning|error):|WARNING:", line)]


def checkpatch(linux, files, *ignored):
    """What checkpatch says of files, some types of message left out."""
    # The states of Xen's bus are named in camel case by the kernel.
    types = ",".join(("CAMELCASE", *ignored))
    return output(linux / "scripts/checkpatch.pl", f"--root={linux}",
                  "--strict", "--terse", "--show-types",
                  f"--ignore={types}", "-f", *files, cwd=linux)


def is_stand_in(path):
    """Headers that stand for the kernel's in user space."""
    return paths.TREE / "tests/host/include" in path.parents


def is_trace_header(path):
    """Its macros are laid out, and its name is included, as the kernel's are."""
    return path.name == "trace.h"


def test_checkpatch_strict(linux):
    files = [f for f in sources()
             if not is_stand_in(f) and not is_trace_header(f)]
    status, out = checkpatch(linux, files)
    assert status == 0, out


def test_checkpatch_strict_on_trace_header(linux):
    files = [f for f in sources() if is_trace_header(f)]
    status, out = checkpatch(linux, files, "OPEN_ENDED_LINE",
                             "PARENTHESIS_ALIGNMENT", "EMBEDDED_FILENAME")
    assert status == 0, out


def test_checkpatch_strict_on_stand_ins_for_kernel_headers(linux):
    files = [f for f in sources() if is_stand_in(f)]
    if not files:
        pytest.skip("there are none")
    # They define what kernel code is told to use.
    status, out = checkpatch(linux, files, "NEW_TYPEDEFS", "VOLATILE",
                             "PREFER_KERNEL_TYPES",
                             "PREFER_DEFINED_ATTRIBUTE_MACRO")
    assert status == 0, out


def test_builds_with_w1_and_sparse_without_a_word(built):
    status, out = built
    assert status == 0, out
    assert findings(out) == []


def test_kernel_doc(linux):
    files = [f for f in sources() if "/**" in f.read_text()]
    status, out = output(linux / "scripts/kernel-doc", "-none", "-Werror",
                         *files)
    assert status == 0 and "warning" not in out, out


def test_every_file_names_its_licence():
    tracked = output("git", "ls-files", cwd=paths.TREE)[1].split()
    bare = [name for name in tracked
            if re.search(r"(\.[chsp]y?|Makefile|Kconfig|/run|\.sh)$", name)
            and "SPDX-License-Identifier" not in
            "".join((paths.TREE / name).read_text().splitlines(True)[:3])]
    assert bare == []


@pytest.mark.skipif(not ORIGINALITY.exists(),
                    reason="the comparison tool is not part of the tree")
def test_shares_no_text_with_the_peer(linux):
    status, out = output(ORIGINALITY, paths.TREE,
                         linux / "drivers/xen/xen-pciback")
    print(out)
    assert status == 0, out
