"""Draws the results: python -m peers.picture RESULTS.json PICTURE.svg

One panel a work: bars of medians on a logarithmic axis, Headstart's own in another colour. The suffix of PICTURE says the
format.
"""

import json
import math
import sys

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot  # noqa: E402 the backend is chosen first

OURS, PEER, FLOOR = "#d1495b", "#7a8b99", 0.5
matplotlib.rcParams |= {"svg.hashsalt": "peers", "font.size": 8, "axes.spines.top": False, "axes.spines.right": False}


def label(row):
    name = f"{row['engine']} {row['isa']}".strip()
    return name


def amount(milliseconds):
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.3g} s"
    return f"{milliseconds:.3g} ms"


def panel(axes, title, rows):
    """Bars of one work, the fastest on top."""
    rows = sorted(rows, key=lambda row: -row["median_ms"])
    medians = [row["median_ms"] for row in rows]
    colours = [OURS if row["engine"].startswith("Headstart") else PEER for row in rows]
    axes.barh([label(row) for row in rows], medians, color=colours)
    axes.set_xscale("log")
    axes.set_xlim(min(medians) * FLOOR, max(medians) * 4)
    axes.xaxis.set_major_locator(matplotlib.ticker.NullLocator())
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    for place, median in enumerate(medians):
        axes.text(median * 1.06, place, amount(median), va="center")
    axes.set_title(title, loc="left", fontweight="bold", fontsize=9)


def main():
    results, picture = sys.argv[1:]
    with open(results, encoding="utf-8") as file:
        rows = [row for row in json.load(file) if row["median_ms"] is not None and not row["note"]]
    if not rows:
        sys.exit(f"{results}: no row was measured, so there is nothing to draw")
    groups = {}
    for row in rows:
        title = row["work"] + (f", {row['threads']} threads" if row["threads"] > 1 else "")
        groups.setdefault(title, []).append(row)
    columns = min(2, len(groups))
    lines = math.ceil(len(groups) / columns)
    tallest = max(map(len, groups.values()))
    figure, panels = pyplot.subplots(
        lines, columns, figsize=(5.5 * columns, lines * (0.6 + 0.22 * tallest)), squeeze=False, layout="constrained"
    )
    for axes in panels.flat[len(groups):]:
        axes.axis("off")
    for axes, (title, group) in zip(panels.flat, groups.items()):
        panel(axes, title, group)
    figure.supxlabel("median time, logarithmic: shorter is better", fontsize=8)
    figure.savefig(picture, metadata={"Date": None} if picture.endswith(".svg") else None)


if __name__ == "__main__":
    main()
