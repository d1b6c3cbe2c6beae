"""What people have, as the native half takes it: paths, and C-contiguous arrays of uint8 and float32."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Union

import numpy as np

#: One picture: a path, a PIL picture, uint8 ``[height, width, 3]`` or ``[height, width]``, or floats in the model's own form.
Picture = Any
#: One picture, or many: an iterable of pictures, or an array with an axis in front.
Pictures = Any
Path = Union[str, "os.PathLike[str]"]


def one_or_many(given: Pictures) -> Any:
    """A path or an array as it is taken, or a list of them. An array that lies in memory as it should is the same object."""
    if isinstance(given, np.ndarray):
        return _array(given)
    if isinstance(given, (str, os.PathLike)):
        return os.fspath(given)
    if _is_pil(given):
        return _of_pil(given)
    if hasattr(given, "__array__") and not isinstance(given, Iterable):
        return _array(np.asarray(given))
    if isinstance(given, Iterable):
        return [_one(item) for item in given]
    return given


def many(given: Pictures) -> Any:
    """The same, where a single picture is a mistake that must not pass for many."""
    found = one_or_many(given)
    return found if isinstance(found, (list, np.ndarray)) else [found]


def count(taken: Any) -> int:
    """How many pictures a list or a batch holds."""
    return len(taken) if isinstance(taken, list) else int(taken.shape[0])


def _one(item: Picture) -> Any:
    if isinstance(item, np.ndarray):
        return _array(item)
    if isinstance(item, (str, os.PathLike)):
        return os.fspath(item)
    if _is_pil(item):
        return _of_pil(item)
    if hasattr(item, "__array__"):
        return _array(np.asarray(item))
    return item


def _array(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.dtype == object:
        return np.ascontiguousarray(array.astype(np.float32))
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype.kind in "iub":
        raise TypeError(
            f"an array of {array.dtype} is neither a picture nor floats: pictures are uint8, and the model's own values float32"
        )
    return np.ascontiguousarray(array, dtype=np.float32)


def _is_pil(given: Any) -> bool:
    return hasattr(given, "convert") and hasattr(given, "getbands")


def _of_pil(picture: Any) -> np.ndarray[Any, Any]:
    mode = "L" if picture.getbands() in (("L",), ("1",)) else "RGB"
    return np.ascontiguousarray(picture.convert(mode), dtype=np.uint8)
