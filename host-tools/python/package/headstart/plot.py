"""Pictures of reports, by matplotlib: each helper draws into the axes that it is given, or into new ones, and returns them.

Install them with ``pip install headstart[plot]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["confusion", "cuts", "learning_curve"]


def _axes(axes: Any) -> Any:
    if axes is not None:
        return axes
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def confusion(report: Mapping[str, Any], *, axes: Any = None) -> Any:
    """Draws the report of ``Device.evaluate`` or ``Device.confusion``: rows are what pictures show, columns what is answered, in pictures."""
    axes = _axes(axes)
    counts = np.asarray(report["confusion"])
    names = [row["name"] for row in report["classes"]]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), number in np.ndenumerate(counts):
        if number:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(number), ha="center", va="center", color=colour)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("answered")
    axes.set_ylabel("shown")
    axes.set_title(f"{report['accuracy']:.1%} right")
    return axes


def learning_curve(
    samples: Sequence[int], accuracies: Sequence[float], *, label: str | None = None, axes: Any = None
) -> Any:
    """Draws accuracies, 0 to 1, over numbers of learned pictures."""
    axes = _axes(axes)
    axes.plot(samples, [100.0 * accuracy for accuracy in accuracies], marker="o", label=label)
    axes.set_xlabel("learned pictures")
    axes.set_ylabel("right answers, %")
    if label is not None:
        axes.legend()
    return axes


def cuts(report: Mapping[str, Any], *, axes: Any = None) -> Any:
    """Draws the cuts that ``pack(..., freeze="auto")`` tried: right answers over multiply-accumulates, the chosen one marked."""
    axes = _axes(axes)
    rows = report["candidates"]
    if not rows:
        raise ValueError("the report has no cuts: pack with freeze='auto'")
    macs = [row["multiply_accumulates"] / 1e6 for row in rows]
    right = [100.0 * (row["int8_accuracy"] or row["accuracy"]) for row in rows]
    axes.scatter(macs, right, label="tried")
    for x, y, row in zip(macs, right, rows):
        if row["chosen_because"]:
            axes.scatter([x], [y], marker="*", s=200, label=f"chosen: {row['tensor']}")
    axes.set_xlabel("million multiply-accumulates a picture")
    axes.set_ylabel("right answers to held-out pictures, %")
    axes.legend()
    return axes
