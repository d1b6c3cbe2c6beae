#!/usr/bin/env python3
"""Whether crops of few photos help or harm: crops.py EDGE PACK SIGNS [KEYWORDS] [--views N]

EDGE is the program `headstart-edge`, SIGNS a folder of hand signs (train/CLASS, test/CLASS), KEYWORDS a NumPy archive of spectra (`x`,
`digit`). Needs NumPy, Pillow, scikit-learn and scikit-image. For each kind of picture and three draws, a head is learned and asked about
other pictures; `--views 1` learns from no crops. The marks are made up, as what crops must harm.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image
from sklearn.datasets import load_digits

PLACES = [(y, x) for y in (0.06, 0.5, 0.94) for x in (0.06, 0.5, 0.94) if (y, x) != (0.5, 0.5)]


def signs(random: np.random.Generator, folder: Path):
    for number in range(10):
        for part, count in (("train", 15), ("test", 40)):
            files = sorted((folder / part / str(number)).iterdir())
            for at in random.permutation(len(files))[:count]:
                yield part, number, Image.open(files[at]).convert("RGB")


def digits(random: np.random.Generator):
    all = load_digits()
    for number in range(10):
        for k, at in enumerate(random.permutation(np.where(all.target == number)[0])[:52]):
            pixels = Image.fromarray((all.images[at] * 15.9).astype(np.uint8))
            yield "train" if k < 12 else "test", number, pixels.resize((32, 32), Image.NEAREST)


def textures(random: np.random.Generator):
    for name in ("brick", "grass", "gravel"):
        picture = getattr(skimage.data, name)()
        cells = [(y, x) for y in range(0, 512, 64) for x in range(0, 512, 64)]
        random.shuffle(cells)
        for k, (y, x) in enumerate(cells):
            yield "train" if k < 8 else "test", name, Image.fromarray(picture[y : y + 64, x : x + 64])


def words(random: np.random.Generator, archive: Path):
    all = np.load(archive)
    for number in range(10):
        for k, at in enumerate(random.permutation(np.where(all["digit"] == number)[0])[:45]):
            spectrum = (all["x"][at].astype(int).reshape(59, 49) + 128).astype(np.uint8)
            yield "train" if k < 15 else "test", number, Image.fromarray(spectrum)


def marks(random: np.random.Generator, count: int):
    for place, (down, across) in enumerate(PLACES):
        for k in range(count + 30):
            pixels = random.normal(110, 25, (96, 96)).clip(0, 255).astype(np.uint8)
            y, x = int(down * 96 + random.integers(-2, 3)), int(across * 96 + random.integers(-2, 3))
            pixels[max(0, y - 4) : y + 4, max(0, x - 4) : x + 4] = 240
            yield "train" if k < count else "test", place, Image.fromarray(pixels)


def accuracy(edge: str, pack: str, views: list[str], pictures) -> float:
    with tempfile.TemporaryDirectory() as name:
        desk = Path(name)
        for number, (part, label, picture) in enumerate(pictures):
            folder = desk / part / str(label)
            folder.mkdir(parents=True, exist_ok=True)
            picture.save(folder / f"{number}.png")
        state = ["--state", str(desk / "state"), "--json"]
        subprocess.run([edge, "learn", pack, "--data", str(desk / "train"), *state, *views], check=True, capture_output=True)
        done = subprocess.run([edge, "eval", pack, "--data", str(desk / "test"), *state], check=True, capture_output=True)
        return json.loads(done.stdout)["accuracy"]


if __name__ == "__main__":
    arguments, views = sys.argv[1:], []
    if "--views" in arguments:
        at = arguments.index("--views")
        views = arguments[at : at + 2]
        del arguments[at : at + 2]
    edge, pack, folder, *archive = arguments
    kinds = {
        "signs": lambda random: signs(random, Path(folder)),
        "digits": digits,
        "textures": textures,
        "marks, 12 a class": lambda random: marks(random, 12),
        "marks, 40 a class": lambda random: marks(random, 40),
    }
    if archive:
        kinds["words"] = lambda random: words(random, Path(archive[0]))
    for name, kind in kinds.items():
        each = [accuracy(edge, pack, views, kind(np.random.default_rng(seed))) for seed in range(3)]
        print(f"{name}: {100 * np.mean(each):.1f} %,", ", ".join(f"{100 * one:.1f}" for one in each), flush=True)
