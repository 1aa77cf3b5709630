# SPDX-License-Identifier: GPL-2.0
"""Which lines and branches of the driver have run in the tests.

The driver's objects in debug kernels count by themselves (gcov). What a machine
has counted is kept when it ends, as gcovr's JSON; "make coverage" adds what the
host tier's programs run of the pure sources, and sums it up.
"""

import base64
import subprocess
import sys
import tempfile
from pathlib import Path

from . import paths
from .apt import Apt, run
from .debugkernel import OVERLAY, digest
from .files import driver_files

# Not ours are the branches of the kernel's checks, which a good run never
# takes, and of its bit operations, which are a dozen with KASAN.
THEIRS = (r"lockdep_assert|device_lock_assert|rcu_dereference_protected|"
          r"TRACE_EVENT|alloc_workqueue|flush_workqueue|mutex_init|INIT_|"
          r"(test|set|clear)_bit\(|bitmap_set\(")

COUNTERS = "/sys/kernel/debug/gcov"

# The host tier's programs with the same counters; mutate and the fuzzers build
# what they run by themselves.
HOST = ["PROGRAMS=engine restore tables caps parse vpci plan states policy",
        "SANE=-O2 -g --coverage -fno-inline"]

# Prints the counters as a tar archive. They have no size until they are read.
COLLECT = (f"t=$(mktemp -d); for f in $(find {COUNTERS} -name '*.gcda'); do "
           "cat $f >$t/${f##*/}; done; tar -C $t -c .; rm -r $t")


def counted():
    """Folder of what was counted of these sources; others' lines are others."""
    sources = digest(path.read_text() for path in driver_files())
    return paths.CACHE / "coverage" / sources


def keep(name, archive, objects, source):
    """Keep what a machine has counted.

    archive: what COLLECT has printed.
    objects: folder of the driver's objects, with what their compiler noted.
    source: folder where the compiler found the driver's sources.
    """
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["tar", "-C", folder, "-x"], input=archive, check=True)
        for path in Path(folder).glob("*.gcda"):
            note = path.with_suffix(".gcno")
            note.write_bytes((objects / note.name).read_bytes())
        _keep(name, folder, source)


def _keep(name, folder, source):
    Apt().install(["gcovr"])
    counted().mkdir(parents=True, exist_ok=True)
    filters = [option for path in driver_files()
               for option in ("--filter", f"{source}/{path.name}$")]
    filters += ["--exclude-branches-by-pattern", f".*({THEIRS})"]
    run(["gcovr", "--root", source, *filters, "--json",
         counted() / f"{name}.json", folder])


def keep_of(dom0, build, name):
    """Keep what dom0 has counted, whose kernel is of a debugkernel.Build."""
    text = dom0.sh(f"( {COLLECT} ) | gzip | base64", 60)
    data = subprocess.run(["gzip", "-d"], input=base64.b64decode(text),
                          stdout=subprocess.PIPE, check=True).stdout
    keep(name, data, build.folder / OVERLAY, build.source / OVERLAY)


def _count_host():
    with tempfile.TemporaryDirectory() as folder:
        run(["make", "-C", paths.TREE / "tests/host", f"B={folder}", *HOST,
             "check"])
        _keep("host", folder, paths.TREE)


def main():
    """Print the sums of all that was kept."""
    _count_host()
    files = sorted(counted().glob("*.json"))
    if len(files) < 2:
        sys.exit("of this tree only TIER=host was counted: run TIER=kunit, or "
                 "DEBUG=1 TIER=system")
    tracefiles = [word for path in files for word in ("-a", path)]
    html = counted() / "index.html"
    for option in ([], ["--branches"]):
        print(run(["gcovr", "--root", paths.TREE, *option, *tracefiles]))
    run(["gcovr", "--root", paths.TREE, "--html-details", html, *tracefiles])
    print(f"{len(files)} machines; line by line: {html}")


if __name__ == "__main__":
    main()
