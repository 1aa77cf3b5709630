# SPDX-License-Identifier: GPL-2.0
"""Print the outcomes of runs side by side: compare.py TITLE=FILE..."""

import json
import sys

# Debian's own module may fail: that is what it is compared for.
PEER = "debian"


def load(path):
    with open(path) as file:
        return json.load(file)


def main(*columns):
    runs = {title: load(path) for title, _, path in
            (column.partition("=") for column in columns)}
    tests = list(dict.fromkeys(test for run in runs.values() for test in run))
    names = {t: t.split("::", 1)[-1] for t in tests}
    width = max(map(len, names.values()), default=4)
    print()
    rows = [["test", *runs]]
    rows += [[names[t], *(run.get(t, "-") for run in runs.values())]
             for t in tests]
    for name, *outcomes in rows:
        print(f"{name:{width}}", *(f"{o:8}" for o in outcomes), sep="  ")
    for title, run in runs.items():
        results = list(run.values())
        print(f"{title}: {results.count('passed')} passed, "
              f"{results.count('failed')} failed")
    return int(any(not run or "failed" in run.values()
                   for title, run in runs.items() if title != PEER))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
