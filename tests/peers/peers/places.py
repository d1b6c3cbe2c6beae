"""Where things are."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
"""The repository."""
HERE = ROOT / "tests" / "peers"
BUILT = ROOT / "target" / "peers"
"""Everything that is made here and can be deleted."""
PREPARED = BUILT / "prepared"
WORKERS = BUILT / "rust" / "release"
TOOLS = ROOT / "target" / "release"
PYTHON = BUILT / "venv" / "bin" / "python"
PYTHON_ORT_TRAINING = BUILT / "venv-ort-training" / "bin" / "python"
