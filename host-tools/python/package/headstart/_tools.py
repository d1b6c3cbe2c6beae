"""What the host tools do: packing, looking at models and packs, exporting."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from . import _native
from ._inputs import Path
from ._progress import Progress, Watching
from ._report import Report

__all__ = ["compare", "export", "info", "inspect", "pack", "verify"]


def _path(path: Path | None) -> str | None:
    return None if path is None else os.fspath(path)


def pack(
    model: Path,
    output: Path | None = None,
    *,
    calib: Path | None = None,
    preprocess: str | None = None,
    freeze: str = "head",
    data: Path | None = None,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    resize: int | None = None,
    resize_filter: str | None = None,
    input_size: tuple[int, int] | None = None,
    pool: int | None = None,
    limit: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    calib_limit: int | None = None,
    max_head: int | None = None,
    max_macs: int | None = None,
    max_classes: int | None = None,
    head: Path = "new",
    labels: Path | None = None,
    tail: str = "drop",
    tail_storage: str = "f16",
    train: Sequence[str] = (),
    task: str = "classification",
    classes: int | None = None,
    decoder: int | None = None,
    stride: int | None = None,
    decoder_seed: int | None = None,
    board: str | None = None,
    arena: str = "speed",
    sign: Path | None = None,
    family: str | None = None,
    counter: int = 0,
    progress: Progress = None,
) -> Report:
    """Freezes, calibrates and quantises a model into one file for the device.

    Parameters
    ----------
    model : path
        ``.onnx`` or ``.tflite``.
    output : path, optional
        The pack to write; the model's name with ``.hspk`` by default. It is old or new, never half-written.
    calib : path, optional
        A folder of pictures that show what the device will see. A model that is already quantised needs none.
    preprocess : {"imagenet", "tf", "unit", "raw", "torchvision", "timm"}, optional
        How pixels become input values; else ``mean`` and ``std``.
    freeze : str
        Where the backbone ends: "head", "auto" (the best cut for ``data``, which is ``calib`` where that has one folder a class and no
        other is given), "none" (with ``tail="keep"``), or names.
    data : path, optional
        Labelled pictures for "auto": one folder a class.
    mean, std : float or 3 floats, optional
        ``(pixel - mean) / std``, in pixel units.
    resize : int, optional
        Scale the shorter side to so many pixels, and cut the middle out.
    resize_filter : {"pil-bilinear", "pil-bicubic", "opencv-bilinear", "opencv-bicubic", "opencv-area"}, optional
        Resize as the network's pictures were resized in training.
    input_size : (rows, columns), optional
        For a model that takes pictures of any size.
    pool : int, optional
        Pool a feature map to a grid of so many places an axis, 1 to 4.
    limit, seed, skip_bad
        At most so many labelled pictures a class, chosen by this seed; go on without those that cannot be read.
    calib_limit : int, optional
        Calibrate with at most so many pictures, 100 by default.
    max_head, max_macs : int, optional
        Bytes of the largest head, and the most multiply-accumulates, that "auto" may choose.
    max_classes : int, optional
        The most classes that the device may learn, 32 by default.
    head : {"new", "keep"} or path
        The head to start from: none, the pretrained classifier, or that of a state folder.
    labels : path, optional
        The names of the classes, one a line.
    tail, tail_storage, train
        "keep" what stands behind the cut as a float graph that the device trains; its weights as "f16" or "f32"; what is trained though
        ``freeze`` names it too.
    task, classes, decoder, stride, decoder_seed
        "segmentation" into so many classes, the background included, and its decoder.
    board : str, optional
        Refuse a pack that does not fit this board.
    arena : {"speed", "size"}
        What the plan of the memory is good at.
    sign, family, counter
        Sign the pack with this secret key, for this family of boards, with this security counter.
    progress : callable or bool, optional
        Called as ``progress(work, done, steps, loss)``; by default a bar of tqdm where somebody watches, and False for none.

    Returns
    -------
    Report
        What the pack says of itself, what int8 cost, and with "auto" all cuts that were tried in ``candidates``.
    """
    if output is None:
        output = os.path.splitext(os.fspath(model))[0] + ".hspk"
    if freeze == "auto" and data is None:
        data = calib
    keywords: dict[str, Any] = {
        "calib": _path(calib),
        "calib_limit": calib_limit,
        "freeze": freeze,
        "train": list(train),
        "task": task,
        "classes": classes,
        "decoder": decoder,
        "stride": stride,
        "decoder_seed": decoder_seed,
        "input_size": None if input_size is None else list(input_size),
        "tail": tail,
        "tail_storage": tail_storage,
        "pool": pool,
        "data": _path(data),
        "limit": limit,
        "seed": seed,
        "skip_bad": skip_bad,
        "max_head": max_head,
        "max_macs": max_macs,
        "preprocess": preprocess,
        "mean": _numbers(mean),
        "std": _numbers(std),
        "resize": resize,
        "resize_filter": resize_filter,
        "head": os.fspath(head),
        "labels": _path(labels),
        "sign": _path(sign),
        "family": family,
        "counter": counter,
        "max_classes": max_classes,
        "board": board,
        "arena": arena,
    }
    with Watching(progress) as tell:
        return Report(_native.pack(os.fspath(model), os.fspath(output), keywords, tell))


def _numbers(given: float | Sequence[float] | None) -> list[float] | None:
    if given is None:
        return None
    return [float(given)] if isinstance(given, (int, float)) else [float(x) for x in given]


def inspect(model: Path, *, input_size: tuple[int, int] | None = None) -> Report:
    """A model's ``layers``, and the ``cuts`` where it could be frozen."""
    size = None if input_size is None else list(input_size)
    return Report(_native.inspect(os.fspath(model), size))


def info(pack: Path) -> Report:
    """What a pack says of itself."""
    return Report(_native.info(os.fspath(pack)))


def verify(
    pack: Path, *, keys: Sequence[Path] = (), family: str | None = None, least_counter: int = 0
) -> Report:
    """Checks every byte of a pack; with files of public keys also that one of them signed it.

    Raises
    ------
    InputError
        For a pack that is damaged, or that none of the keys signed.
    """
    paths = [os.fspath(key) for key in keys]
    return Report(_native.verify(os.fspath(pack), paths, family, least_counter))


def compare(
    pack: Path,
    model: Path,
    data: Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    progress: Progress = None,
) -> Report:
    """What quantisation cost: features and each tensor beside the float model's, and the accuracy of heads on both, on labelled pictures."""
    paths = os.fspath(pack), os.fspath(model), os.fspath(data)
    with Watching(progress) as tell:
        return Report(_native.compare(*paths, limit, seed, skip_bad, tell))


def export(pack: Path, model: Path, output: Path, *, state: Path | None = None) -> Report:
    """Writes the float model with the learned head on top as one ONNX file, with the outputs ``logits`` and ``probabilities``."""
    return Report(
        _native.export(os.fspath(pack), os.fspath(model), os.fspath(output), _path(state))
    )
