# SPDX-License-Identifier: GPL-2.0
"""Histograms of a few requests as a picture."""

from rig.apt import run

from .cases import CASES

SHOWN = ["vendor2", "status2", "pmcsr2", "wline1", "wd0"]

HEAD = """
set terminal pngcairo size 1000,{height} font ",10"
set output "{picture}"
set multiplot layout {rows},1
set xrange [{low}:{high}]
set yrange [0:*]
set ylabel "share, %"
set style fill solid 0.6 noborder
set boxwidth 0.8
set key top right
"""


def _data(samples):
    """Shares by whole microseconds."""
    bins = {}
    for time, share in samples.points():
        bins[int(time)] = bins.get(int(time), 0) + 100 * share
    return "".join(f"{time} {share}\n" for time, share in bins.items())


def draw(apt, folder, columns):
    """Draw latency.png into a directory; returns its path."""
    apt.install(["gnuplot-nox"])
    picture = folder / "latency.png"
    shown = [case for case in CASES if case.key in SHOWN]
    used = [column.samples[case.key] for case in shown
            for column in columns.values() if case.key in column.samples]
    script = HEAD.format(
        picture=picture, rows=len(shown), height=220 * len(shown),
        low=int(min(s.points()[0][0] for s in used)) - 5,
        high=int(max(s.p99() for s in used)) + 15)
    for case in shown:
        plots = []
        for colour, (name, column) in enumerate(columns.items(), 1):
            if case.key in column.samples:
                path = folder / f"{case.key}-{name}.dat"
                path.write_text(_data(column.samples[case.key]))
                plots.append(f'"{path}" using 1:2 with boxes lc {colour} '
                             f'title "{name}"')
        script += (f'set xlabel "us, {case.label}"\n'
                   f"plot {', '.join(plots)}\n")
    (folder / "latency.gp").write_text(script)
    run(["gnuplot", folder / "latency.gp"])
    return picture
