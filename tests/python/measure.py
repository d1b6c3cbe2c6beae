"""What the module takes beside the command line: a batch, a call, the import, memory. Ends with 1 where a bar is not held.

    HEADSTART_TOOLS=target/release python tests/python/measure.py [MODEL PREPROCESS]

MODEL is the carried one by default, with its preprocessing `tf`; what a call costs is always measured with that one, whose answers take
little. Times are processor time, the least of several runs in turn: what else the machine does counts little then.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import headstart
import headstart._native

ROOT = Path(__file__).resolve().parents[2]
CARRIED = ROOT / "tests" / "carried-model" / "shapes.onnx"
TOOLS = Path(os.environ.get("HEADSTART_TOOLS", ROOT / "target" / "release"))
SIDE = 224


def processor_time() -> float:
    """Seconds of all threads of this process, and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(of.ru_utime + of.ru_stime for of in used)


def least(runs: int, work: Callable[[], object]) -> float:
    """Seconds of the run that took the fewest."""
    times = []
    for _ in range(runs):
        started = processor_time()
        work()
        times.append(processor_time() - started)
    return min(times)


def import_above_numpys() -> float:
    """Seconds of `import headstart` where NumPy is imported already."""
    code = "import numpy, time; begun = time.process_time(); import headstart; print(time.process_time() - begun)"
    command = [sys.executable, "-c", code]
    return min(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(9))


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


def resident() -> int:
    """Kilobytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024


def taught(model: Path, preprocess: str, folder: Path, few: Path, threads: int | None = None) -> headstart.Device:
    """A device with a pack of this model that has learned the few pictures."""
    pack = folder / "model.hspk"
    headstart.pack(model, pack, calib=few, preprocess=preprocess, progress=False)
    device = headstart.Device(pack, folder / "state", threads=threads)
    device.learn(few, progress=False)
    return device


class AtOnce:
    """In the place of a device's native half: answers, and computes nothing."""

    def predict(self, samples: object, tell: object) -> tuple[str, float, bool]:
        return "a", 0.5, False


def a_call(folder: Path, few: Path, batch: np.ndarray) -> tuple[float, float, int]:
    """Seconds of a call for one picture on one thread; how many of them the library does not take; kilobytes that 10,000 calls and 20 batches
    leave behind."""
    folder.mkdir()
    single = taught(CARRIED, "tf", folder, few, threads=1)
    small = np.ascontiguousarray(batch[:200, :32, :32])

    def one_by_one() -> None:
        for picture in small:
            single.predict(picture)

    each = least(15, one_by_one) / len(small)
    before = resident()
    for _ in range(50):
        one_by_one()
    for _ in range(20):
        single.predict(small, progress=False)
    left = resident() - before
    # An answer takes a hundred times as long as what comes with it, so that their difference would be noise. What comes with it, by
    # itself: the Python half round an answer that is there at once, and an array on its way to the library and back.
    single._native = AtOnce()
    python_half = least(15, one_by_one) / len(small)
    taking = least(15, lambda: [headstart._native.addresses(picture, (32, 32, 3)) for picture in small]) / len(small)
    return each, python_half + taking, left


def held(name: str, found: float, bar: float, unit: str) -> bool:
    """Says what was found, and gives whether it is within its bar."""
    print(f"{name}: {found:.3f} {unit} (at most {bar} {unit}){'' if found <= bar else '  TOO MUCH'}", flush=True)
    return found <= bar


def main(model: Path, preprocess: str, folder: Path) -> bool:
    random = np.random.default_rng(1)
    batch = random.integers(0, 256, (1000, SIDE, SIDE, 3), dtype=np.uint8)
    batch[::2, :, : SIDE // 2] //= 4
    files = save(folder / "data", batch, 1000)
    few = folder / "few"
    save(few, batch, 200)
    all_held = [held("import above numpy's", import_above_numpys() * 1e3, 50.0, "ms")]

    each, overhead, left = a_call(folder / "small", few, batch)
    all_held.append(held("overhead of a call", overhead * 1e6, 10.0, "us"))
    all_held.append(held("memory that 10,000 calls and 20 batches left behind", left, 512.0, "kB"))
    print(f"  a call {each * 1e6:.1f} us")

    device = taught(model, preprocess, folder, few)
    pack, state = device.pack, str(device.state)
    edge = TOOLS / "headstart-edge"
    learn = "import sys, headstart; headstart.Device(sys.argv[1], sys.argv[2]).learn(sys.argv[3], progress=False)"
    python = peak([sys.executable, "-c", learn, pack, folder / "mine", few]) - peak([sys.executable, "-c", "import numpy"])
    line = peak([edge, "learn", pack, "--data", few, "--state", folder / "theirs"])
    name = "peak memory of learning 200 pictures, less numpy's, beside the command line"
    all_held.append(held(name, python / line, 1.3, "x"))
    print(f"  learning: module {python} kB above numpy's, command line {line} kB")

    command = [edge, "predict", pack, "--state", state, "--json"]
    one = [*map(str, command), str(files[0])]
    all_files = [*map(str, command), *map(str, files)]
    # What the program takes beside the pictures, and what decoding takes, is not the module's to beat.
    works = [
        lambda: subprocess.run(all_files, check=True, stdout=subprocess.DEVNULL),
        lambda: device.predict(batch, progress=False),
        lambda: device.predict(files, progress=False),
    ]
    lines = [[least(1, work) for work in works] for _ in range(3)]
    start = least(5, lambda: subprocess.run(one, check=True, stdout=subprocess.DEVNULL))
    edge_seconds, module_seconds, from_files = (min(times) for times in zip(*lines))
    edge_seconds -= start
    decoding = from_files - module_seconds
    name = "1,000 pictures, the module beside the command line less its start and its decoding"
    all_held.append(held(name, module_seconds / (edge_seconds - decoding), 1.05, "x"))
    print(f"  command line {edge_seconds:.3f} s with decoding of {decoding:.3f} s, module {module_seconds:.3f} s")
    return all(all_held)


if __name__ == "__main__":
    given = sys.argv[1:] or [str(CARRIED), "tf"]
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(0 if main(Path(given[0]), given[1], Path(temporary)) else 1)
