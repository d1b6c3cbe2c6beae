"""What the measurements were taken on."""

import datetime
import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess
import sys

from peers.places import HERE, ROOT

PYTHON_PEERS = ("onnxruntime", "ai-edge-litert", "torch", "scikit-learn", "numpy")
RUST_PEERS = ("rten", "tract-onnx", "burn-flex")


def cpu():
    """Model name and vector extensions."""
    info = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii")
    name = re.search(r"^(?:model name|Model)\s*:\s*(.*)$", info, re.MULTILINE)
    return name.group(1) if name else platform.machine()


def flags():
    """The CPU's features as Linux names them."""
    info = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii")
    line = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", info, re.MULTILINE)
    return set(line.group(1).split()) if line else set()


def versions():
    """Name and version of every engine."""
    lock = (HERE / "Cargo.lock").read_text(encoding="utf-8")
    found = [(name, importlib.metadata.version(name)) for name in PYTHON_PEERS]
    for name in RUST_PEERS:
        found.append((name, re.search(rf'^name = "{name}"\nversion = "(.*)"$', lock, re.MULTILINE).group(1)))
    return [("Headstart", commit()), *found]


def commit():
    """The state of this checkout."""
    described = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return described.stdout.strip() or "unknown"


def about():
    """Lines that say where, when and how."""
    vectors = sorted(flags() & {"avx2", "avx512_vnni", "avx_vnni", "asimd", "asimddp", "i8mm"})
    return [
        f"command   {' '.join(['tests/peers/run', *sys.argv[1:]])}",
        f"date      {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC",
        f"CPU       {cpu()}, {os.cpu_count()} cores, {' '.join(vectors)}",
        f"load      {os.getloadavg()[0]:.2f} processes when it began",
        f"system    {platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions  " + ", ".join(f"{name} {version}" for name, version in versions()),
    ]
