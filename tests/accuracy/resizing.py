#!/usr/bin/env python3
"""How far what a backbone sees is from what Pillow and OpenCV make of the same photos: resizing.py LEVELS PICTURE...

LEVELS is the program of `cargo build --example levels -p headstart-tests`. Needs NumPy, Pillow and opencv-python-headless.
Prints, for the transforms of torchvision and timm and for each filter alone, the part of all levels that differ by more than
one of 255, and the largest difference; `own` beside Pillow's bilinear is what is taken unless a filter is named.
"""

import subprocess
import sys
import tempfile

import cv2
import numpy as np
from PIL import Image, ImageOps

SIZE, SIDE = 224, 256
PIL = {"pil-bilinear": Image.Resampling.BILINEAR, "pil-bicubic": Image.Resampling.BICUBIC}
OPENCV = {"opencv-bilinear": cv2.INTER_LINEAR, "opencv-bicubic": cv2.INTER_CUBIC, "opencv-area": cv2.INTER_AREA}


def opened(path: str) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


def transform(path: str, resample: Image.Resampling) -> np.ndarray:
    """torchvision's Resize(256) and CenterCrop(224), written out."""
    picture = opened(path)
    short = min(picture.size)
    picture = picture.resize(tuple(int(SIDE * extent / short) for extent in picture.size), resample)
    left, top = (int(round((extent - SIZE) / 2.0)) for extent in picture.size)
    return np.array(picture.crop((left, top, left + SIZE, top + SIZE)))


def stretched(path: str, filter: str) -> np.ndarray:
    if filter in OPENCV:
        picture = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
        return cv2.resize(picture, (SIZE, SIZE), interpolation=OPENCV[filter])
    return np.array(opened(path).resize((SIZE, SIZE), PIL[filter]))


def ours(program: str, filter: str, side: int, pictures: list[str]) -> np.ndarray:
    with tempfile.NamedTemporaryFile() as output:
        subprocess.run([program, filter, str(side), str(SIZE), output.name, *pictures], check=True)
        return np.fromfile(output.name, np.uint8).reshape(-1, SIZE, SIZE, 3)


def compare(name: str, found: np.ndarray, expected: list[np.ndarray]) -> None:
    apart = np.abs(found.astype(int) - np.stack(expected).astype(int))
    print(f"{name}: {100 * (apart > 1).mean():.4f} % differ by more than 1, the most by {apart.max()}, mean {apart.mean():.4f}")


if __name__ == "__main__":
    program, *pictures = sys.argv[1:]
    for name, filter in [("torchvision", "pil-bilinear"), ("timm", "pil-bicubic")]:
        compare(name, ours(program, filter, SIDE, pictures), [transform(p, PIL[filter]) for p in pictures])
    for filter in [*PIL, *OPENCV]:
        compare(filter, ours(program, filter, 0, pictures), [stretched(p, filter) for p in pictures])
    for filter in [*PIL, *OPENCV]:
        compare(f"own beside {filter}", ours(program, "own", 0, pictures), [stretched(p, filter) for p in pictures])
