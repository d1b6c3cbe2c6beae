"""One family's file: what comes in, what int8 costs, and what it costs with ONNX Runtime's quantiser.

measure.py TOOLS MODEL PICTURES RESULT. What a peer gave is kept in RESULT as long as the file and the cut are the same.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx

import peer
import pictures

TOOLS, MODEL, PICTURES, RESULT = map(Path, sys.argv[1:5])


def headstart(*arguments):
    command = [TOOLS / "headstart", "--json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(re.sub(r"\s+", " ", done.stderr.strip()).replace(f"{MODEL}", MODEL.name))
    return json.loads(done.stdout)


def packed(out):
    """A pack of the whole network, or of as much as has an int8 form; and which of both."""
    pack = ["pack", MODEL, "--calib", PICTURES / "calibrate", "--preprocess", "imagenet", "-o", out]
    try:
        return headstart(*pack), "whole", None
    except RuntimeError as refused:
        found = headstart("inspect", MODEL)
        why = [boundary["why"] for boundary in found["boundaries"] if boundary["needed"]] or [str(refused)]
        trunk = [layer for layer in found["layers"] if layer["freeze_point"] in ("trunk", "classifier")]
        if not trunk:
            raise RuntimeError(found["obstacle"] or str(refused)) from None
        return headstart(*pack, "--freeze", trunk[-1]["output"]), "cut", why[0]


def features(pack, images, count):
    """What the runtime computes, as real numbers."""
    command = [TOOLS / "examples" / "features", pack]
    done = subprocess.run(command, input=np.ascontiguousarray(images, "<f4").tobytes(), check=True, capture_output=True)
    scale, zero_point = map(float, re.search(rb"scale (\S+), zero point (\S+)", done.stderr).groups())
    rows = np.frombuffer(done.stdout, np.uint8).reshape(len(images), count + 4)[:, :-4].view(np.int8)
    return (rows.astype(np.float32) - zero_point) * scale


def weights(model):
    """How many numbers a file brings along."""
    return sum(int(np.prod(tensor.dims)) for tensor in onnx.load(model).graph.initializer)


def stated(values):
    return {"mean": float(np.mean(values)), "min": float(np.min(values))}


def centred(a, b):
    """Cosines less what all pictures share."""
    return peer.cosines(a - a.mean(0), b - b.mean(0))


def by_peer(model, found, kept, float_features, images, calibration):
    """Its quantiser's features for both of its ways to choose ranges."""
    digest = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    key = f"{digest} {found['freeze_point']} {found['features']}"
    if kept.get("key") == key:
        return kept
    result = {"key": key}
    with tempfile.TemporaryDirectory() as folder:
        for method in ("MinMax", "Percentile"):
            target = Path(folder) / f"{method}.onnx"
            try:
                peer.quantised(model, method, calibration, target)
                rows = peer.pooled(peer.run(target, images), found["features"])
                result[method] = stated(peer.cosines(rows, float_features))
                result[method]["centred"] = float(np.mean(centred(rows, float_features)))
            except Exception as error:  # Whatever it says is what the table says.
                result[method] = {"error": f"{type(error).__name__}: {error}"[:300]}
    return result


def main():
    kept = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    row = {"name": MODEL.stem}
    with tempfile.TemporaryDirectory() as folder:
        pack = Path(folder) / "pack.hspk"
        try:
            found, row["status"], row["why"] = packed(pack)
        except RuntimeError as refused:
            row |= {"status": "refused", "why": str(refused)}
            if "peer" in kept:
                row["peer"] = kept["peer"]
            RESULT.write_text(json.dumps(row, indent=1))
            return
        row |= {name: found[name] for name in ("freeze_point", "features", "seconds", "pack_bytes", "rules")}
        images, calibration = (pictures.load(PICTURES / part) for part in ("score", "calibrate"))
        model = Path(folder) / "cut.onnx"
        peer.cut(MODEL, found["freeze_point"], model)
        row["share"] = weights(model) / max(weights(MODEL), 1)
        real = peer.pooled(peer.run(model, images), found["features"])
        ours = features(pack, images, found["features"])
        row["ours"] = stated(peer.cosines(ours, real))
        row["ours"]["centred"] = float(np.mean(centred(ours, real)))
        RESULT.write_text(json.dumps(row | {"peer": kept.get("peer", {})}, indent=1))
        row["peer"] = by_peer(model, found, kept.get("peer", {}), real, images, calibration)
    RESULT.write_text(json.dumps(row, indent=1))


main()
