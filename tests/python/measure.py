"""What the module takes beside the command line: a batch, a call, the import, memory. Ends with 1 where a bar is not held.

    HEADSTART_TOOLS=target/release python tests/python/measure.py [MODEL PREPROCESS]

MODEL is the carried one by default, with its preprocessing `tf`. Times are the least of several runs in turn.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import headstart

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(os.environ.get("HEADSTART_TOOLS", ROOT / "target" / "release"))
SIDE = 224


def least(runs: int, work: Callable[[], object]) -> float:
    """Seconds of the fastest run."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def started(*code: str) -> float:
    return least(9, lambda: subprocess.run([sys.executable, "-c", *code], check=True))


def peak(command: list[object]) -> int:
    """Peak resident kilobytes of a program."""
    wrapped = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
    wrapped += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    found = subprocess.run([sys.executable, "-c", wrapped, *map(str, command)], check=True, capture_output=True, text=True)
    return int(found.stdout)


def save(folder: Path, batch: np.ndarray, count: int) -> list[Path]:
    """Pictures as PNG files without compression, in two classes."""
    from PIL import Image

    files = []
    for at in range(count):
        path = folder / "ab"[at % 2] / f"{at:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(batch[at]).save(path, compress_level=0)
        files.append(path)
    return files


def main(model: Path, preprocess: str, folder: Path) -> bool:
    random = np.random.default_rng(1)
    batch = random.integers(0, 256, (1000, SIDE, SIDE, 3), dtype=np.uint8)
    batch[::2, :, : SIDE // 2] //= 4
    files = save(folder / "data", batch, 1000)
    few = folder / "few"
    save(few, batch, 200)
    pack, state = folder / "model.hspk", folder / "state"
    headstart.pack(model, pack, calib=few, preprocess=preprocess, progress=False)
    device = headstart.Device(pack, state)
    device.learn(few, progress=False)

    edge = TOOLS / "headstart-edge"
    command = [edge, "predict", pack, "--state", state, "--json"]
    one = [*map(str, command), str(files[0])]
    all_files = [*map(str, command), *map(str, files)]
    # What the program takes beside the pictures, and what decoding takes, is not the module's to beat.
    lines = [(least(3, lambda: subprocess.run(all_files, check=True, stdout=subprocess.DEVNULL)), least(3, lambda: device.predict(batch, progress=False))) for _ in range(3)]
    start = least(5, lambda: subprocess.run(one, check=True, stdout=subprocess.DEVNULL))
    edge_seconds, module_seconds = min(line[0] for line in lines) - start, min(line[1] for line in lines)
    decoding = least(3, lambda: device.predict(files, progress=False)) - module_seconds
    rows = [("1,000 pictures, the module beside the command line less its start and its decoding", module_seconds / (edge_seconds - decoding), 1.05, "x")]

    # Ten thousand calls of what computes nearly nothing, less what the same costs in one batch on one thread.
    single = headstart.Device(pack, state, threads=1)
    small = np.ascontiguousarray(batch[:200, :32, :32])
    each = least(5, lambda: [single.predict(picture) for picture in small]) / len(small)
    bench = single.bench().predict_ms["min"] / 1e3
    rows.append(("overhead of a call", (each - bench) * 1e6, 10.0, "us"))

    rows.append(("import above numpy's", (started("import headstart") - started("import numpy")) * 1e3, 50.0, "ms"))

    learn = "import sys, headstart; headstart.Device(sys.argv[1], sys.argv[2]).learn(sys.argv[3], progress=False)"
    python = peak([sys.executable, "-c", learn, pack, folder / "mine", few]) - peak([sys.executable, "-c", "import numpy"])
    line = peak([edge, "learn", pack, "--data", few, "--state", folder / "theirs"])
    rows.append(("peak memory of learning 200 pictures, less numpy's, beside the command line", python / line, 1.3, "x"))

    for name, found, bar, unit in rows:
        print(f"{name}: {found:.3f} {unit} (at most {bar} {unit}){'' if found <= bar else '  TOO MUCH'}")
    print(f"  command line {edge_seconds:.3f} s with decoding of {decoding:.3f} s, module {module_seconds:.3f} s; a call {each * 1e6:.1f} us")
    print(f"  learning: module {python} kB above numpy's, command line {line} kB; this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss} kB")
    return all(found <= bar for _, found, bar, _ in rows)


if __name__ == "__main__":
    given = sys.argv[1:] or [str(ROOT / "tests" / "carried-model" / "shapes.onnx"), "tf"]
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(0 if main(Path(given[0]), given[1], Path(temporary)) else 1)
