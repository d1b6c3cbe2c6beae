"""Photos and spoken digits as the models take them. Needs NumPy and Pillow."""

import pathlib

import numpy
from PIL import Image

PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png"}


def photos(folder, a_class=None):
    """Paths and class numbers of the photos of a folder, class by class in the order of names; `a_class` of each, spread
    evenly, since neighbouring names show the same person."""
    found = []
    for label, name in enumerate(sorted(path.name for path in pathlib.Path(folder).iterdir() if path.is_dir())):
        paths = (pathlib.Path(folder) / name).iterdir()
        paths = sorted(path for path in paths if path.suffix.lower() in PHOTO_SUFFIXES)
        found += [(path, label) for path in (spread(paths, a_class) if a_class else paths)]
    return found


def spread(items, count):
    """At most `count` of them, evenly."""
    count = min(count, len(items))
    return [items[place * len(items) // count] for place in range(count)]


def decode(path):
    """A photo as `Image`, decoded."""
    image = Image.open(path).convert("RGB")
    image.load()
    return image


def preprocess(image, side, mean, std):
    """`[3, side, side]`, float32, both sides scaled as Headstart does it, then `(level - mean) / std`."""
    levels = numpy.asarray(image.resize((side, side), Image.Resampling.BILINEAR), dtype=numpy.float32)
    normalised = (levels - numpy.asarray(mean, numpy.float32)) / numpy.asarray(std, numpy.float32)
    return numpy.ascontiguousarray(normalised.transpose(2, 0, 1))


def of_work(work, data, count):
    """`count` inputs of a work, `[count, channels, height, width]`, float32."""
    if not work.is_photo:
        values = numpy.load(pathlib.Path(data) / "fsdd_mel" / "all.npz")["x"]
        return numpy.stack([sample[None] for sample in spread(values, count)]).astype(numpy.float32)
    chosen = spread(photos(pathlib.Path(data) / "signs" / "train"), count)
    images = [decode(path) for path, _ in chosen]
    return numpy.stack([preprocess(image, work.shape[-1], work.mean, work.std) for image in images])
