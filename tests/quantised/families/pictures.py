"""Pictures in three parts that share none: to fit statistics on, to calibrate with, to score."""

from pathlib import Path

import numpy as np
from PIL import Image

COUNTS = {"fit": 32, "calibrate": 32, "score": 40}
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


def prepare(source, target, size):
    """Squares of `size` as PNG files in `target`/{fit,calibrate,score}, spread evenly over the files of `source`."""
    found = sorted(path for path in Path(source).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    total = sum(COUNTS.values())
    if len(found) < total:
        raise SystemExit(f"{source}: {len(found)} pictures, {total} are needed")
    chosen = [found[i * len(found) // total] for i in range(total)]
    # Neighbours go to different parts.
    parts = [part for i in range(max(COUNTS.values())) for part, count in COUNTS.items() if i < count]
    for index, (path, part) in enumerate(zip(chosen, parts)):
        # A class folder, as comparisons want it.
        out = Path(target) / part / "one" / f"{index:03}.png"
        if not out.exists():
            out.parent.mkdir(parents=True, exist_ok=True)
            image = Image.open(path).convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
            image.save(out)


def load(folder):
    """[n, 3, rows, columns], as networks that were trained on ImageNet take them."""
    images = [np.asarray(Image.open(path), np.float32) / 255 for path in sorted(Path(folder).rglob("*.png"))]
    return ((np.stack(images) - MEAN) / DEVIATION).transpose(0, 3, 1, 2).astype(np.float32)
