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
    rows = [["test", *runs]]
    rows += [[names[t], *(run.get(t, "-") for run in runs.values())]
             for t in tests]
    widths = [max(map(len, column)) for column in zip(*rows)]
    print()
    for row in rows:
        print(*(f"{text:{width}}" for text, width in zip(row, widths)),
              sep="  ")
    # Behind an outcome stands what was measured.
    results = {title: [text.split()[0] for text in run.values()]
               for title, run in runs.items()}
    for title, run in results.items():
        print(f"{title}: {run.count('passed')} passed, "
              f"{run.count('failed')} failed")
    return int(any(not run or "failed" in run
                   for title, run in results.items() if title != PEER))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
