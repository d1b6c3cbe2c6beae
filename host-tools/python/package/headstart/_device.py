"""A device: a pack and what was learned with it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from . import _inputs, _native
from ._errors import CallerError, RejectedWarning
from ._inputs import Path, Picture, Pictures
from ._progress import Progress, Watching
from ._report import Report

__all__ = ["Answer", "Answers", "Device"]


class Answer(NamedTuple):
    """The answer to one picture."""

    label: str | None
    """The class; None for "unknown", and for a pack that answers a class for each place of a picture."""
    best: str | None
    """The most probable class, known or not."""
    probability: float | None
    """The probability of ``best``, 0 to 1."""
    unknown: bool
    """Whether the probability is below the head's threshold."""
    mask: npt.NDArray[np.uint8] | None = None
    """uint8 ``[height, width]``: the class of each pixel, as a place in ``Device.classes``, where the pack answers that."""
    shares: dict[str, float] | None = None
    """The shares of a mask's pixels by class, 0 to 1."""


def _answer(best: str | None, probability: float | None, unknown: bool, *mask: Any) -> Answer:
    return Answer(None if unknown else best, best, probability, unknown, *mask)


class Answers(Sequence[Answer]):
    """The answers to many pictures, one class each: arrays, and a sequence of :class:`Answer`.

    Attributes
    ----------
    classes : list of str
        The classes of the head that answered.
    codes : numpy.ndarray
        int64 ``[pictures]``: the most probable class of each, as a place in ``classes``.
    probabilities : numpy.ndarray
        float32 ``[pictures, classes]``: the probability of every class, 0 to 1.
    unknown : numpy.ndarray
        bool ``[pictures]``: whether the best probability is below the head's threshold.
    """

    def __init__(
        self,
        classes: list[str],
        codes: npt.NDArray[np.int64],
        probabilities: npt.NDArray[np.float32],
        unknown: npt.NDArray[np.bool_],
    ) -> None:
        self.classes = classes
        self.codes = codes
        self.probabilities = probabilities
        self.unknown = unknown

    @property
    def best(self) -> list[str]:
        """The most probable class of each picture, known or not."""
        return [self.classes[code] for code in self.codes]

    @property
    def labels(self) -> list[str | None]:
        """The class of each picture; None for "unknown"."""
        pairs = zip(self.best, self.unknown)
        return [None if unknown else name for name, unknown in pairs]

    @property
    def probability(self) -> npt.NDArray[np.float32]:
        """float32 ``[pictures]``: the probability of the best class of each."""
        found: npt.NDArray[np.float32] = self.probabilities.max(axis=1, initial=0.0)
        return found

    def to_dict(self) -> dict[str, Any]:
        """The columns of a table, as ``pandas.DataFrame`` takes them."""
        return {
            "label": self.labels,
            "best": self.best,
            "probability": self.probability,
            "unknown": self.unknown,
        }

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, at: int) -> Answer: ...
    @overload
    def __getitem__(self, at: slice) -> Answers: ...
    def __getitem__(self, at: int | slice) -> Answer | Answers:
        if isinstance(at, slice):
            parts = self.codes[at], self.probabilities[at], self.unknown[at]
            return Answers(self.classes, *parts)
        if not -len(self) <= at < len(self):
            raise IndexError(f"there are {len(self)} answers, and none has the place {at}")
        return _answer(
            self.classes[self.codes[at]],
            float(self.probabilities[at].max()),
            bool(self.unknown[at]),
        )

    def __iter__(self) -> Iterator[Answer]:
        return (self[at] for at in range(len(self)))

    def __repr__(self) -> str:
        return f"Answers({len(self)} pictures, {len(self.classes)} classes)"


class Device:
    """A pack and what was learned with it, opened together.

    Parameters
    ----------
    pack : path
        The pack, ``.hspk``. It is read where it lies, and never changed.
    state : path, optional
        The folder of what was learned; it need not exist yet. Without one the pack's own head answers, and nothing can be learned.
    threads : int, optional
        Threads that share pictures, or one picture where there are fewer; one a core by default. Results are the same for any number.
    isa : str, optional
        Which of the CPU's instructions are used; results are the same for all.
    keys : list of bytes, optional
        Use packs only that one of these Ed25519 public keys, 32 bytes each, has signed for ``family``.
    family : str, optional
        The boards that a signed pack must be for.

    Threads may share a device: answers go on, with the head that was committed last, while one of them learns. Other programs may use the
    same state folder, among them ``headstart-edge``, which leaves the same bytes.

    Raises
    ------
    InputError
        For a file that is no pack, or none that is trusted.
    """

    def __init__(
        self,
        pack: Path,
        state: Path | None = None,
        *,
        threads: int | None = None,
        isa: str | None = None,
        keys: Sequence[bytes] | None = None,
        family: str = "",
    ) -> None:
        trust = None if keys is None else ([bytes(key) for key in keys], family)
        self._native = _native.Device(
            os.fspath(pack), None if state is None else os.fspath(state), threads, isa, trust
        )

    @property
    def pack(self) -> str:
        """The pack's file."""
        return str(self._native.pack)

    @property
    def state(self) -> str | None:
        """The folder of what was learned."""
        state = self._native.state
        return None if state is None else str(state)

    @property
    def classes(self) -> list[str]:
        """The classes that the head in use knows, in the order of its probabilities."""
        return self._native.classes

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """The model's own form without a batch axis: what a float array must be."""
        return self._native.input_shape

    @property
    def feature_count(self) -> int:
        """How many features a picture has."""
        return self._native.feature_count

    @property
    def is_segmentation(self) -> bool:
        """Whether the pack answers a class for each place of a picture, and learns from masks."""
        return self._native.is_segmentation

    def learn(
        self,
        pictures: Pictures,
        labels: Iterable[Any] | None = None,
        *,
        learner: str | None = None,
        views: int | str | None = None,
        false_accepts: float | None = None,
        half: bool | None = None,
        max_bytes: int | str | None = None,
        kept_bits: int | None = None,
        keep_samples: bool = False,
        weight: int | str | None = None,
        tail: Mapping[str, Any] | None = None,
        tail_anew: bool = False,
        reports: Sequence[Path] = (),
        memory: int | None = None,
        force: bool = False,
        limit: int | None = None,
        seed: int = 0,
        skip_bad: bool = False,
        progress: Progress = None,
    ) -> Report:
        """Learns labelled pictures on top of what was learned before, and commits the head unless it answers the known ones worse.

        Parameters
        ----------
        pictures : path, array or iterable
            A folder with one folder a class (for segmentation ``images`` and ``masks``), or pictures with ``labels``.
        labels : iterable of str or of arrays, optional
            The class of each picture; for segmentation uint8 masks ``[height, width]``, 255 where nothing counts.
        learner : {"auto", "sgd", "ridge", "imprint", "lda"}, optional
            How the head is trained; as the state's heads are, "auto" for the first.
        views : int or "auto", optional
            How often each new picture is shown to the backbone, 1 to 5: whole, and as crops.
        false_accepts : float, optional
            The largest part of the pictures of classes that were never taught which may be answered, 0 to 1.
        half : bool, optional
            Keep the head's weights as float16, 2 bytes a weight instead of 5.
        max_bytes : int or "none", optional
            The most bytes of features to keep.
        kept_bits : {4, 8}, optional
            Bits that each feature is kept in.
        keep_samples : bool
            Keep a copy of each picture in the state folder, from which :meth:`adopt` learns.
        weight : int or "recent", optional
            As how many pictures each of these counts, 1 to 100.
        tail : dict, optional
            For a pack with a trainable tail: epochs, batch, optimiser, rate, warm_up, momentum, weight_decay, clip, label_smoothing,
            balanced, held_out, patience, seed, train, freeze, augment, storage.
        tail_anew : bool
            Take back what was set for the tail before.
        reports : list of paths
            Folders that are not learned from, on which the heads before and after are compared.
        memory : int, optional
            Bytes that training may take; what is free by default.
        force : bool
            Make the head current even if it answers what was known before worse.
        limit, seed : int, optional
            Take at most so many pictures of each class of a folder, chosen by this seed.
        skip_bad : bool
            Go on without pictures that cannot be read; the report names them.
        progress : callable or bool, optional
            Called as ``progress(work, done, steps, loss)``; by default a bar of tqdm where somebody watches, and False for none.

        Returns
        -------
        Report
            ``committed`` says whether it answers from now on, ``rejected`` why not; a rejection also is a :class:`RejectedWarning`.
        """
        keywords: dict[str, Any] = {
            "learner": learner,
            "views": views,
            "false_accepts": false_accepts,
            "half": half,
            "max_bytes": max_bytes,
            "kept_bits": kept_bits,
            "keep_samples": keep_samples,
            "weight": weight,
            "tail": dict(tail or {}),
            "tail_anew": tail_anew,
            "memory": memory,
            "force": force,
        }
        given = _given(pictures, labels, limit=limit, seed=seed, skip_bad=skip_bad)
        with Watching(progress) as tell:
            learned = self._native.learn(given, keywords, [os.fspath(path) for path in reports], tell)
        return _settled(learned)

    @overload
    def predict(self, pictures: Path, *, progress: Progress = None) -> Answer: ...
    @overload
    def predict(self, pictures: Pictures, *, progress: Progress = None) -> Any: ...
    def predict(self, pictures: Pictures, *, progress: Progress = None) -> Any:
        """Answers one picture with an :class:`Answer`, and a batch or an iterable of them with :class:`Answers`.

        Parameters
        ----------
        pictures : path, PIL picture, array or iterable
            uint8 ``[height, width, 3]`` or ``[height, width]``, floats in the model's own form, or many of these with an axis in front.
            Arrays that are contiguous are borrowed.

        Returns
        -------
        Answer or Answers
            For segmentation a list of :class:`Answer` for many.
        """
        taken = _inputs.one_or_many(pictures)
        with Watching(progress) as tell:
            found = self._native.predict(taken, tell)
        if isinstance(found, list):
            return [_answer(*one) for one in found]
        return _answer(*found) if not isinstance(found[0], list) else Answers(*found)

    def features(self, pictures: Pictures, *, progress: Progress = None) -> npt.NDArray[np.int8]:
        """The features of pictures: int8 ``[pictures, feature_count]``, the same on every board. No head is needed."""
        with Watching(progress) as tell:
            return self._native.features(_inputs.many(pictures), tell)

    def evaluate(
        self,
        pictures: Pictures,
        labels: Iterable[Any] | None = None,
        *,
        limit: int | None = None,
        seed: int = 0,
        skip_bad: bool = False,
        progress: Progress = None,
    ) -> Report:
        """Measures the head in use on labelled pictures, given as for :meth:`learn`.

        Returns
        -------
        Report
            ``accuracy`` (0 to 1), ``unknown``, ``classes`` with precision and recall, and ``confusion[shown][answered]`` in their order; for
            segmentation ``mean_iou`` and ``pixel_accuracy``.
        """
        given = _given(pictures, labels, limit=limit, seed=seed, skip_bad=skip_bad)
        with Watching(progress) as tell:
            return Report(self._native.evaluate(given, tell))

    def status(self) -> Report:
        """What was learned, and what answers."""
        return Report(self._native.status())

    def samples(self, name: str | None = None, *, doubtful: bool = False) -> list[Report]:
        """The pictures that were learned, of one class or of all; or those that a head answers otherwise which was learned without them."""
        return [Report(sample) for sample in self._native.samples(name, doubtful)]

    def confusion(self) -> Report:
        """How often the pictures that were learned are answered rightly, each held out."""
        return Report(self._native.confusion())

    def history(self) -> Report:
        """The commits that are kept, oldest first."""
        return Report(self._native.history())

    def name(self, picture: Picture) -> str:
        """A picture's id, by which :meth:`forget`, :meth:`relabel` and :meth:`samples` know it."""
        return self._native.name(_inputs.one_or_many(picture))

    def forget(
        self, classes: str | Iterable[str] = (), *, samples: Iterable[Path] = ()
    ) -> Report:
        """Forgets classes, and pictures by their files, ids or file names; earlier commits, which knew them, are removed."""
        names = [classes] if isinstance(classes, str) else list(classes)
        ids = [os.fspath(sample) for sample in samples]
        if not names and not ids:
            raise CallerError("nothing is named: give classes or samples; forget_all forgets everything")
        return Report(self._native.forget(names, ids))

    def forget_all(self) -> Report:
        """Removes everything that was learned, for good."""
        return Report(self._native.forget_all())

    def rename(self, name: str, to: str) -> Report:
        """Gives a class another name; where that is a class already, both become one."""
        return Report(self._native.rename(name, to))

    def relabel(self, samples: Iterable[Path], name: str) -> Report:
        """Gives pictures, by their files, ids or file names, another class, which may be new."""
        return Report(self._native.relabel([os.fspath(sample) for sample in samples], name))

    def merge(self, state: Path) -> Report:
        """Takes over what another device with the same backbone learned, from its state folder."""
        return Report(self._native.merge(os.fspath(state)))

    def rollback(self, to: int | None = None, *, progress: Progress = None) -> Report:
        """Returns to an earlier commit: the one before, or the one of this number."""
        with Watching(progress) as tell:
            return Report(self._native.rollback(to, tell))

    def repair(self, *, force: bool = False, progress: Progress = None) -> Report:
        """Brings back what was damaged; with ``force`` also where that loses something."""
        with Watching(progress) as tell:
            return Report(self._native.repair(force, tell))

    def adopt(self, *, force: bool = False, progress: Progress = None) -> Report:
        """Learns the state's kept pictures again with this device's pack, which has another backbone."""
        with Watching(progress) as tell:
            return _settled(self._native.adopt(force, tell))

    def bench(self, *, layers: bool = False) -> Report:
        """Measures time and memory of backbone, head and whole answer."""
        return Report(self._native.bench(layers))

    def __repr__(self) -> str:
        return f"Device({self.pack!r}, {self.state!r})"


def _settled(report: dict[str, Any]) -> Report:
    """The report; a warning where nothing was committed."""
    if report.get("rejected"):
        warnings.warn(f"not learned: {report['rejected']}", RejectedWarning, stacklevel=3)
    return Report(report)


def _given(
    pictures: Pictures,
    labels: Iterable[Any] | None,
    *,
    limit: int | None,
    seed: int,
    skip_bad: bool,
) -> dict[str, Any]:
    """What is learned or measured, as the native half takes it."""
    if labels is None:
        if not isinstance(pictures, (str, os.PathLike)):
            raise CallerError("there are no labels: give one for each picture, or a folder with one folder a class")
        return {"folder": os.fspath(pictures), "limit": limit, "seed": seed, "skip_bad": skip_bad}
    if limit is not None:
        raise CallerError("limit chooses among the files of a folder: leave it out where labels are given")
    taken = _inputs.many(pictures)
    named = [_label(label) for label in labels]
    return {"samples": taken, "labels": named, "origin": _origin(taken), "skip_bad": skip_bad}


def _label(label: Any) -> Any:
    if isinstance(label, np.ndarray) and label.ndim == 2:
        return np.ascontiguousarray(label, dtype=np.uint8)
    return str(label)


def _origin(taken: Any) -> str | None:
    """The folder above those of all files: what stands behind it names a picture, as with the command line and that folder."""
    if not isinstance(taken, list) or not taken or not all(isinstance(item, str) for item in taken):
        return None
    folders = {os.path.dirname(os.path.dirname(item)) for item in taken}
    return (folders.pop() or None) if len(folders) == 1 else None
