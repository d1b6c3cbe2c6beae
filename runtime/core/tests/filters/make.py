"""Writes golden.bin: what Pillow and OpenCV make of pictures of noise. `make.py` needs NumPy, Pillow and opencv-python-headless.

Written with Pillow 13.0.0 and OpenCV 5.0.0. Every case is a row of the table in ../filters.rs, in the same order.
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

FILTERS = [
    (Image.Resampling.BILINEAR, None),
    (Image.Resampling.BICUBIC, None),
    (None, cv2.INTER_LINEAR),
    (None, cv2.INTER_CUBIC),
    (None, cv2.INTER_AREA),
]

# Columns, rows and channels of the picture; what the shorter side is scaled to (0: both sides to the input); the input's rows and columns.
CASES = [
    (61, 47, 3, 0, 24, 20),
    (61, 47, 1, 0, 23, 61),
    (13, 9, 3, 0, 20, 28),
    (300, 5, 3, 0, 11, 24),
    (67, 50, 3, 27, 24, 24),
    (41, 64, 3, 24, 24, 21),
    (9, 40, 1, 18, 16, 16),
]


def noise(columns: int, rows: int, channels: int) -> np.ndarray:
    at = np.arange(columns * rows * channels, dtype=np.uint64)
    levels = (at * 2654435761 % 2**32) >> 24
    return levels.astype(np.uint8).reshape(rows, columns, channels)


def resized(picture: np.ndarray, columns: int, rows: int, pil, opencv) -> np.ndarray:
    grey = picture.shape[2] == 1
    if opencv is not None:
        found = cv2.resize(picture, (columns, rows), interpolation=opencv)
    else:
        found = np.array(Image.fromarray(picture[..., 0] if grey else picture).resize((columns, rows), pil))
    return found.reshape(rows, columns, picture.shape[2])


def transform(case, pil, opencv) -> np.ndarray:
    columns, rows, channels, side, height, width = case
    picture = noise(columns, rows, channels)
    if side == 0:
        return resized(picture, width, height, pil, opencv)
    short = min(columns, rows)
    if opencv is None:  # As torchvision's Resize and CenterCrop.
        scaled = [int(side * extent / short) for extent in (columns, rows)]
        left, top = (int(round((has - kept) / 2.0)) for has, kept in zip(scaled, (width, height)))
    else:
        scaled = [int(extent * side / short + 0.5) for extent in (columns, rows)]
        left, top = ((has - kept) // 2 for has, kept in zip(scaled, (width, height)))
    whole = resized(picture, *scaled, pil, opencv)
    return whole[top : top + height, left : left + width]


if __name__ == "__main__":
    with Path(__file__).with_name("golden.bin").open("wb") as golden:
        for case in CASES:
            for pil, opencv in FILTERS:
                golden.write(transform(case, pil, opencv).tobytes())
