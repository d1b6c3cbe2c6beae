"""The command line and Python leave the same bytes from the same pictures in the same order."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from conftest import NAMES, pictures

import headstart


def content(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def learn(programs: Path, pack: Path, data: Path, state: Path) -> dict[str, bytes]:
    command = [programs / "headstart-edge", "learn", pack, "--data", data, "--state", state]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return content(state)


def test_a_folder_and_a_list_of_its_files(
    programs: Path, pack: Path, photos: Path, tmp_path: Path
) -> None:
    expected = learn(programs, pack, photos, tmp_path / "edge")
    assert any(expected.values())
    headstart.Device(pack, tmp_path / "folder").learn(photos)
    assert content(tmp_path / "folder") == expected
    files = sorted(photos.glob("*/*.png"))
    headstart.Device(pack, tmp_path / "files").learn(files, [file.parent.name for file in files])
    assert content(tmp_path / "files") == expected


def test_arrays_are_what_their_files_are(programs: Path, pack: Path, tmp_path: Path) -> None:
    values = np.random.default_rng(5).normal(size=(12, 3, 32, 32)).astype(np.float32)
    labels = [NAMES[at // 4] for at in range(12)]
    for at, (row, label) in enumerate(zip(values, labels)):
        (tmp_path / "data" / label).mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "data" / label / f"{at:02}.npy", row)
    expected = learn(programs, pack, tmp_path / "data", tmp_path / "edge")
    device = headstart.Device(pack, tmp_path / "arrays")
    device.learn(values, labels)
    found = content(tmp_path / "arrays")
    # Names of files, which arrays do not have.
    named = {name for name in expected if expected[name] != found.get(name)}
    assert all("name" in name for name in named), named
    assert {"head.hshr"} <= set(found) or len(found) >= 2


def test_a_pack_is_the_same(programs: Path, model: Path, photos: Path, pack: Path, tmp_path: Path) -> None:
    output = tmp_path / "shapes.hspk"
    command = [programs / "headstart", "pack", model, "--calib", photos, "--preprocess", "tf", "-o", output]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert output.read_bytes() == pack.read_bytes()


def test_answers_are_the_same(programs: Path, pack: Path, photos: Path, others: Path, tmp_path: Path) -> None:
    import json

    device = headstart.Device(pack, tmp_path / "state")
    device.learn(photos)
    files = sorted(others.glob("*/*.png"))
    command = [programs / "headstart-edge", "predict", pack, "--state", tmp_path / "state", "--json", *files]
    rows = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["files"]
    answers = device.predict(files)
    assert [row["best"] for row in rows] == answers.best
    assert np.array_equal(np.float32([row["probability"] for row in rows]), answers.probability)
    assert pictures(1)[0].shape[0] == 3
