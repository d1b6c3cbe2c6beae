"""The table of all results: table.py FOLDER [SEED...]."""

import json
import sys
from pathlib import Path

import numpy as np


def better(row):
    """The better of the peer's two means, and which."""
    found = {method: row.get("peer", {}).get(method, {}) for method in ("MinMax", "Percentile")}
    known = {method: said["mean"] for method, said in found.items() if "mean" in said}
    best = max(known, key=known.get, default=None)
    return (None, None) if best is None else (known[best], best)


def main():
    folder, seeds = Path(sys.argv[1]), sys.argv[2:] or ["0"]
    rows = {}
    for seed in seeds:
        for path in sorted((folder / f"seed{seed}").glob("*.json")):
            rows.setdefault(path.stem, []).append(json.loads(path.read_text()))
    print("| family | comes in | weights before the cut | cosine, int8 to float | ONNX Runtime's better one | difference | why not whole |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    differences, statuses = [], {"whole": 0, "cut": 0, "refused": 0}
    for name, found in sorted(rows.items()):
        first = found[0]
        statuses[first["status"]] += 1
        why = (first.get("why") or "").replace("|", "/")[:160]
        measured = [(row["ours"]["mean"], *better(row)) for row in found if "ours" in row and better(row)[1]]
        if not measured:
            ours = f"{first['ours']['mean']:.4f}" if "ours" in first else ""
            print(f"| {name} | {first['status']} | {share(first)} | {ours} | | | {why} |")
            continue
        ours, theirs = (np.median([each[i] for each in measured]) for i in (0, 1))
        difference = min((each[0] - each[1] for each in measured), key=lambda d: d)
        differences += [difference]
        print(
            f"| {name} | {first['status']} | {share(first)} | {ours:.4f} | {theirs:.4f} ({measured[0][2]}) | {difference:+.4f} | {why} |"
        )
    print(f"\n{sum(statuses.values())} families: " + ", ".join(f"{count} {status}" for status, count in statuses.items()))
    if differences:
        worse = sum(difference < -0.01 for difference in differences)
        print(f"{len(differences)} compared: median difference {np.median(differences):+.4f}, worst {min(differences):+.4f}, {worse} worse by more than 0.01")


def share(row):
    return f"{100 * row['share']:.0f} %" if "share" in row else ""


main()
