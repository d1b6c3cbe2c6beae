"""The results as text and as JSON."""

import json
import os
import pathlib

HEADER = ("work", "engine", "isa", "median", "minimum", "ratio", "first answer", "memory", "cosine", "right", "n")
LEFT = 3
"""So many columns are words, the others numbers."""


def milliseconds(value):
    """With three digits that mean something."""
    if value is None:
        return "-"
    if value >= 10_000:
        return f"{value / 1e3:.1f} s"
    return f"{value:.{max(0, 2 - (value >= 10) - (value >= 100))}f} ms" if value >= 1 else f"{value:.3f} ms"


def cells(row):
    """A row as the table shows it."""
    def optional(value, form):
        return "-" if value is None else form(value)

    return (
        row.work, row.engine, row.isa or "-", milliseconds(row.median_ms), milliseconds(row.min_ms),
        optional(row.ratio_to_best_peer, "{:.2f}".format), milliseconds(row.first_answer_ms),
        optional(row.peak_rss_bytes, lambda n: f"{n / 1e6:.0f} MB"), optional(row.cosine, "{:.3f}".format),
        optional(row.accuracy, "{:.1%}".format), str(row.runs or "-"),
    )


def table(rows):
    """Lines of one table, fastest first."""
    rows = sorted(rows, key=lambda row: (row.median_ms is None, row.median_ms or 0))
    lines = [HEADER, *map(cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    for line in lines:
        padded = [cell.ljust(width) if column < LEFT else cell.rjust(width)
                  for column, (cell, width) in enumerate(zip(line, widths))]
        yield "  ".join(padded).rstrip()
    yield from (f"  {row.engine} {row.isa}: {row.note}".replace(" :", ":") for row in rows if row.note)


def text(about, settings, rows):
    """Everything that is printed."""
    lines = [*about, "", "Settings"]
    lines += [f"  {name}: {setting}" for name, setting in settings]
    groups = dict.fromkeys((row.work, row.threads) for row in rows)
    for work, threads in groups:
        lines += ["", f"{work}, {threads} thread{'s' if threads > 1 else ''}"]
        lines += table([row for row in rows if (row.work, row.threads) == (work, threads)])
    lines += [
        "",
        "ratio         median over the median of the best peer in the same table",
        "first answer  from the start of the process to its first answer, median",
        "memory        most that was ever resident, program and libraries included",
        "cosine        of the features to those of ONNX Runtime in float32",
        "right         share of 200 other photos that the trained head answers rightly",
        "n             how many answers, or runs, were timed",
    ]
    return "\n".join(lines) + "\n"


def write(path, content):
    """In one step: never half a file."""
    part = pathlib.Path(f"{path}.part")
    part.write_text(content, encoding="utf-8")
    os.replace(part, path)


def as_json(rows):
    """A list of rows."""
    return json.dumps([row.as_json() for row in rows], indent=1) + "\n"
