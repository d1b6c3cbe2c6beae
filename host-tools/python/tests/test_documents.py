"""The notebook, the guide's commands and the examples of the module run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import NAMES, REPOSITORY, save

NOTEBOOK = REPOSITORY / "host-tools" / "python" / "notebooks" / "photos.ipynb"
PAGES = ["README.md", "docs/guide/python.md", "host-tools/python/README.md"]


def code(notebook: Path) -> str:
    cells = json.loads(notebook.read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@pytest.fixture
def scratch(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with model.onnx, photos, more, others and new.jpg."""
    from PIL import Image

    shutil.copy(model, tmp_path / "model.onnx")
    save(tmp_path / "photos", 10)
    save(tmp_path / "more", 4, first=50)
    save(tmp_path / "others", 6, first=100)
    Image.open(tmp_path / "others" / NAMES[0] / "100.png").save(tmp_path / "new.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_python_on_pages_runs(page: str, scratch: Path) -> None:
    text = (REPOSITORY / page).read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert blocks, f"{page} has no Python"
    if "sklearn" in text:
        pytest.importorskip("sklearn")
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)


def test_the_notebook_runs(scratch: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the long test has it")
    pytest.importorskip("matplotlib", reason="the long test has it")
    (scratch / "notebook.py").write_text(code(NOTEBOOK))
    done = subprocess.run(
        [sys.executable, "notebook.py"], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith(f"{NAMES[0]} {NAMES[0]}"), done.stdout
    assert (scratch / "mine.onnx").exists()


def test_types_are_right(scratch: Path) -> None:
    pytest.importorskip("mypy", reason="the long test has it")
    # A copy: mypy takes no path to where packages are installed.
    package = scratch / "types" / "headstart"
    shutil.copytree(Path(__import__("headstart").__file__).parent, package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    (scratch / "notebook.py").write_text(code(NOTEBOOK))
    (scratch / "mypy.ini").write_text(
        "[mypy]\nstrict = true\npython_version = 3.10\n[mypy-sklearn.*,tqdm.*,matplotlib.*,onnxruntime.*,PIL.*]\nignore_missing_imports = true\n"
    )
    environment = dict(os.environ, MYPYPATH=str(package.parent))
    for checked in ([str(package)], ["notebook.py"]):
        command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", *checked]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stdout
    # scikit-learn gives its estimators these when they are imported.
    (scratch / "allowed").write_text(r"headstart\.sklearn\.HeadClassifier\.set_\w+_request")
    command = [sys.executable, "-m", "mypy.stubtest", "headstart", "--mypy-config-file", "mypy.ini", "--allowlist", "allowed"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout
