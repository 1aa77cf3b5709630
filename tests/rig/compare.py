# SPDX-License-Identifier: GPL-2.0
"""Print the outcomes of two runs side by side: compare.py OURS PEER."""

import json
import sys


def load(path):
    with open(path) as file:
        return json.load(file)


def main(ours_path, peer_path):
    ours, peer = load(ours_path), load(peer_path)
    tests = list(ours) + [t for t in peer if t not in ours]
    names = {t: t.split("::", 1)[-1] for t in tests}
    width = max(map(len, names.values()), default=4)
    print(f"\n{'test':{width}}  {'ours':8} Debian's")
    for test in tests:
        print(f"{names[test]:{width}}  {ours.get(test, '-'):8} "
              f"{peer.get(test, '-')}")
    for title, run in (("ours", ours), ("Debian's", peer)):
        results = list(run.values())
        print(f"{title}: {results.count('passed')} passed, "
              f"{results.count('failed')} failed")
    return int("failed" in ours.values() or not ours)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
