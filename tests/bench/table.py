# SPDX-License-Identifier: GPL-2.0
"""The figures of floor, this module and Debian's, and what was promised."""

from collections import namedtuple

from .cases import (CASES, FLOOR_HARDWARE, FLOOR_READ, FLOOR_WRITE, NO_LIMIT,
                    Limit)

NOT_MORE = Limit(peer=1.00)

# One line: what it is, a number for each of the three, what it may be.
# The p99 of a distribution is printed beside its median.
Row = namedtuple("Row", "label floor ours peer limit ours99 peer99",
                 defaults=(NO_LIMIT, None, None))

# Key of a figure that is no distribution: label, limit.
FIGURES = {
    "msix_us": ("enable MSI-X, us", NOT_MORE),
    "msix_again_us": ("enable MSI-X again, refused by Debian's, us", NO_LIMIT),
    "enum_ops": ("enumeration of igb, requests", NO_LIMIT),
    "enum_us": ("enumeration of igb, us in requests", Limit(peer=0.85)),
    "probe_ops": ("start of igb's driver, requests", NO_LIMIT),
    "probe_us": ("start of igb's driver, us in requests", NO_LIMIT),
    "attach_ms": ("attach to network interface, ms", Limit(peer=0.85)),
    "claim1": ("claim of 1 device, ms until bound", NO_LIMIT),
    "claim100": ("claim of 100 devices, ms until bound", NO_LIMIT),
    "flood1_us": ("dom0's time for a read, 1 guest floods, us", NOT_MORE),
    "flood4_us": ("dom0's time for a read, 4 guests flood, us", NOT_MORE),
    "device_kb": ("memory for a claimed device, KiB", NOT_MORE),
    "session_kb": ("memory for a guest's session, KiB", NOT_MORE),
    "size_kb": ("module in memory, KiB", NOT_MORE),
}

# A read while more is claimed or the guest has more, against the plainest.
FLAT = {
    "read_claimed10": "read, 10 devices claimed, us",
    "read_claimed100": "read, 100 devices claimed, us",
    "read_guest10": "read, 10 devices in the guest, us",
}
FLAT_WITHIN = 1.05


def time_rows(floor, ours, peer):
    """Requests: medians, us. Each is held against the floor of its kind."""
    for case in CASES:
        base = floor.samples[FLOOR_WRITE if case.values else FLOOR_READ]
        mine, theirs = ours.samples[case.key], peer.samples[case.key]
        yield Row(case.label, base.median(), mine.median(), theirs.median(),
                  case.limit, mine.p99(), theirs.p99())


def figure_rows(ours, peer):
    for key, (label, limit) in FIGURES.items():
        yield Row(label, None, ours.figures[key], peer.figures[key], limit)


def flat_rows(ours, peer):
    """The first column is the read with one device."""
    for key, label in FLAT.items():
        yield Row(label, ours.figures["read_claimed1"], ours.figures[key],
                  peer.figures[key], Limit(floor=FLAT_WITHIN))


def verdicts(row):
    """[(ratio, most, met)] to the floor and to Debian's; None without one."""
    found = []
    for base, most in ((row.floor, row.limit.floor),
                       (row.peer, row.limit.peer)):
        ratio = row.ours / base if base else None
        found.append((ratio, most, most is None or ratio <= most))
    return found


def _number(value, p99=None):
    if value is None:
        return "-"
    return f"{value:.1f}" + ("" if p99 is None else f" ({p99:.1f})")


def _ratio(ratio, most, met):
    """A ratio, what it may be, and a mark if it is more."""
    if ratio is None:
        return "-"
    limit = "" if most is None else f" <= {most:.2f}"
    return f"{ratio:.2f}{limit}" + ("" if met else " !")


def _line(label, floor, ours, peer, to_floor, to_peer):
    return (f"{label:43} {floor:>6} {ours:>15} {peer:>15}  {to_floor:14}  "
            f"{to_peer}").rstrip()


def _row(row):
    return _line(row.label, _number(row.floor), _number(row.ours, row.ours99),
                 _number(row.peer, row.peer99),
                 *(_ratio(*found) for found in verdicts(row)))


def render(floor, ours, peer):
    """The whole table as text."""
    parts = [("request seen by the guest, us: median (p99)", "floor",
              list(time_rows(floor, ours, peer))),
             ("the rest", "", list(figure_rows(ours, peer))),
             ("the same read beside more", "alone",
              list(flat_rows(ours, peer)))]
    lines = []
    for title, first, rows in parts:
        lines += ["", _line(title, first, "ours", "Debian's", "to " + first
                            if first else "", "to Debian's"),
                  *map(_row, rows)]
    plain, hardware = (floor.samples[key].median()
                       for key in (FLOOR_READ, FLOOR_HARDWARE))
    met = [met for _, _, rows in parts for row in rows
           for _, most, met in verdicts(row) if most]
    return "\n".join([*lines, "",
                      "floor with one access to hardware: "
                      f"{hardware:.1f} us, {hardware / plain:.2f} of the floor",
                      f"{met.count(True)} of {len(met)} targets "
                      "met; missed ones are marked !"])
