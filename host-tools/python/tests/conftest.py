"""What the tests have: the carried model, pictures that are drawn here, and a pack of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headstart

REPOSITORY = Path(__file__).resolve().parents[3]
NAMES = ["bars", "cross", "ring"]


def drawn(name: str, seed: int, size: int = 48) -> np.ndarray[Any, Any]:
    """uint8 [size, size, 3]: a figure somewhere, in some colours, with noise."""
    random = np.random.default_rng([NAMES.index(name), seed])
    rows, columns = np.mgrid[0:size, 0:size] - (size / 2 + random.uniform(-5, 5, (2, 1, 1)))
    reach = random.uniform(13, 18)
    inside = np.maximum(abs(rows), abs(columns)) < reach
    figure = {
        "bars": inside & (np.sin(rows * 0.8) > 0.2),
        "cross": inside & (np.minimum(abs(rows), abs(columns)) < 4),
        "ring": abs(np.hypot(rows, columns) - reach * 0.8) < 3,
    }[name]
    light, dark = random.uniform(150, 255, 3), random.uniform(0, 90, 3)
    picture = np.where(figure[..., None], dark, light) + random.normal(0, 12, (size, size, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


def pictures(count: int, first: int = 0) -> tuple[np.ndarray[Any, Any], list[str]]:
    """So many pictures a class, uint8 [pictures, 48, 48, 3], and their classes."""
    pairs = [(drawn(name, first + at), name) for name in NAMES for at in range(count)]
    return np.stack([picture for picture, _ in pairs]), [name for _, name in pairs]


def save(folder: Path, count: int, first: int = 0) -> Path:
    """The same pictures as files, one folder a class."""
    from PIL import Image

    for picture, (name, at) in zip(
        pictures(count, first)[0], [(name, at) for name in NAMES for at in range(count)]
    ):
        path = folder / name / f"{first + at:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    return folder


@pytest.fixture(scope="session")
def model() -> Path:
    """MobileNetV2-like, 32 x 32 pixels in."""
    return REPOSITORY / "tests" / "carried-model" / "shapes.onnx"


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten pictures of each of three classes."""
    return save(tmp_path_factory.mktemp("photos"), 10)


@pytest.fixture(scope="session")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six others of each."""
    return save(tmp_path_factory.mktemp("others"), 6, first=100)


@pytest.fixture(scope="session")
def pack(model: Path, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The carried model, frozen at its head."""
    output = tmp_path_factory.mktemp("pack") / "shapes.hspk"
    headstart.pack(model, output, calib=photos, preprocess="tf")
    return output


@pytest.fixture
def device(pack: Path, tmp_path: Path) -> headstart.Device:
    """A device that knows nothing yet."""
    return headstart.Device(pack, tmp_path / "state")


@pytest.fixture
def taught(device: headstart.Device) -> headstart.Device:
    """A device that knows the three classes."""
    batch, labels = pictures(10)
    assert device.learn(batch, labels).committed
    return device


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the command line's programs."""
    folder = os.environ.get("HEADSTART_TOOLS") or str(REPOSITORY / "target" / "debug")
    assert shutil.which("headstart-edge", path=folder), f"no headstart-edge in {folder}: set HEADSTART_TOOLS"
    return Path(folder)
