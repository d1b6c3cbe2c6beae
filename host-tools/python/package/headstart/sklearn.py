"""Heads as scikit-learn's classifiers: on pictures through a pack, or on features that are ready.

>>> from headstart.sklearn import HeadClassifier
>>> HeadClassifier(pack="model.hspk").fit(paths, names).score(others, their_names)
>>> cross_val_score(HeadClassifier(), device.features(paths), names)
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from . import _native
from ._device import Answers, Device
from ._inputs import Path, count, many

__all__ = ["HeadClassifier"]


class HeadClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A head that learns as a device does, from pictures or from features.

    Parameters
    ----------
    pack : path, optional
        With a pack, ``X`` are pictures: paths, PIL pictures, or arrays as :class:`headstart.Device` takes them. Without one, ``X`` are
        features ``[samples, features]``: int8 as ``Device.features`` gives them, or any numbers, which are brought to int8 by the range of
        each feature in the first samples.
    state : path, optional
        Where the device keeps what it learns; ``fit`` begins by forgetting what is there, ``partial_fit`` does not. Without one the state
        lies in a temporary folder, and goes with the classifier.
    learner : {"auto", "sgd", "ridge", "imprint", "lda"}
        How the head is trained.
    views : int or "auto", optional
        How often each picture is shown to the backbone, with a pack.
    threads : int, optional
        Threads; one a core by default. Results are the same for any number.

    Attributes
    ----------
    classes_ : numpy.ndarray
        The classes, sorted.

    With a ``state`` a pickle holds paths alone. Without, it holds the head and what it was learned from; of the pack it holds the path.
    """

    classes_: npt.NDArray[Any]
    features_: npt.NDArray[np.int8]
    labels_: npt.NDArray[Any]

    def __init__(
        self,
        pack: Path | None = None,
        state: Path | None = None,
        *,
        learner: str = "auto",
        views: int | str | None = None,
        threads: int | None = None,
    ) -> None:
        self.pack = pack
        self.state = state
        self.learner = learner
        self.views = views
        self.threads = threads

    def fit(self, X: Any, y: Any) -> HeadClassifier:
        """Learns from ``X`` and nothing else.

        Parameters
        ----------
        X : array or iterable
            Pictures, or features ``[samples, features]``.
        y : array ``[samples]``
            The class of each.
        """
        self._forget()
        return self._learn(X, y, None, is_first=True)

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> HeadClassifier:
        """Learns from ``X`` on top of what was learned before.

        Parameters
        ----------
        classes : array, optional
            All classes that will come; without, those that have come so far.
        """
        return self._learn(X, y, classes, is_first=not hasattr(self, "classes_"))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable class of each sample, ``[samples]``."""
        best = self._probabilities(X).argmax(axis=1)
        found: npt.NDArray[Any] = self.classes_[best]
        return found

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """The probability of each class of ``classes_``, float64 ``[samples, classes]``."""
        return self._probabilities(X)

    def _learn(self, X: Any, y: Any, classes: Any, *, is_first: bool) -> HeadClassifier:
        if self.pack is not None:
            taken = many(X)
            labels = column_or_1d(y, warn=True)
            if count(taken) != len(labels):
                raise ValueError(f"there are {count(taken)} pictures and {len(labels)} classes")
            check_classification_targets(labels)
            self._know(labels, classes, is_first)
            self._teach(taken, labels)
            return self
        checked, labels = validate_data(self, X, y, reset=is_first)
        check_classification_targets(labels)
        labels = column_or_1d(labels, warn=True)
        self._know(labels, classes, is_first)
        if is_first:
            self._set_range(checked)
        rows = self._as_int8(checked)
        if not is_first:
            rows = np.concatenate([self.features_, rows])
            labels = np.concatenate([self.labels_, labels])
        self.features_, self.labels_ = rows, labels
        self._train()
        return self

    def _know(self, labels: npt.NDArray[Any], classes: Any, is_first: bool) -> None:
        """Sets the classes, and refuses labels that are none of those that were said to come."""
        if is_first:
            self.all_classes_are_said_ = classes is not None
            self.classes_ = np.unique(labels if classes is None else classes)
        elif not self.all_classes_are_said_:
            self.classes_ = unique_labels(self.classes_, labels)
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown) > 0:
            raise ValueError(f"{unknown[0]!r} is none of the classes that were said to come")

    # With a pack.

    def _device(self) -> Device:
        if not hasattr(self, "device_"):
            if self.state is None and not hasattr(self, "temporary_"):
                self.temporary_ = _Temporary()
            folder = self.temporary_.path if self.state is None else self.state
            assert self.pack is not None
            self.device_ = Device(self.pack, folder, threads=self.threads)
        return self.device_

    def _teach(self, pictures: Any, labels: npt.NDArray[Any]) -> None:
        self._device().learn(
            pictures,
            [str(label) for label in labels],
            learner=self.learner,
            views=self.views,
            force=True,
            progress=False,
        )

    def _forget(self) -> None:
        for name in ("device_", "temporary_", "classes_", "head_"):
            if hasattr(self, name):
                delattr(self, name)
        if self.pack is not None and self.state is not None:
            self._device().forget_all()

    # Without a pack.

    def _set_range(self, rows: npt.NDArray[Any]) -> None:
        """What the least and the greatest value of each feature become, -128 and 127."""
        if rows.dtype == np.int8:
            self.low_, self.step_ = np.full(rows.shape[1], -128.0), np.ones(rows.shape[1])
            return
        low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
        self.low_ = low
        self.step_ = np.where(high > low, (high - low) / 255.0, 1.0)

    def _as_int8(self, rows: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
        scaled = np.rint((rows - self.low_) / self.step_) - 128.0
        return np.ascontiguousarray(np.clip(scaled, -128.0, 127.0).astype(np.int8))

    def _train(self) -> None:
        present, codes = np.unique(self.labels_, return_inverse=True)
        self.present_ = np.searchsorted(self.classes_, present)
        if len(present) < 2:
            # A head tells classes apart: of one it can say nothing.
            self.head_ = None
            return
        threads = self.threads or os.cpu_count() or 1
        self.head_ = _native.FeatureHead.train(
            self.features_, codes.astype(np.int64), len(present), self.learner, threads
        )

    def _probabilities(self, X: Any) -> npt.NDArray[np.float64]:
        check_is_fitted(self, "classes_")
        if self.pack is not None:
            answers = self._device().predict(many(X), progress=False)
            assert isinstance(answers, Answers)
            names = [str(name) for name in self.classes_]
            places = [names.index(name) for name in answers.classes]
            found, columns = answers.probabilities, np.asarray(places, dtype=np.intp)
        else:
            rows = self._as_int8(validate_data(self, X, reset=False))
            columns = self.present_
            if self.head_ is None:
                found = np.ones((len(rows), 1), dtype=np.float32)
            else:
                found = self.head_.probabilities(rows)
        all_classes = np.zeros((len(found), len(self.classes_)))
        all_classes[:, columns] = found
        all_classes /= all_classes.sum(axis=1, keepdims=True)
        return all_classes

    # Pickles.

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("device_", None)
        if state.get("head_") is not None:
            state["head_"] = state["head_"].record()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state.get("head_"), bytes):
            state = {**state, "head_": _native.FeatureHead.from_record(state["head_"])}
        super().__setstate__(state)


class _Temporary:
    """A state folder that goes with its classifier; a pickle holds what is in it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="headstart-")
        self.path = os.path.join(self._folder.name, "state")

    def __getstate__(self) -> dict[str, bytes]:
        root = FilePath(self.path)
        files = [path for path in root.rglob("*") if path.is_file()]
        return {str(path.relative_to(root)): path.read_bytes() for path in files}

    def __setstate__(self, files: dict[str, bytes]) -> None:
        self.__init__()  # type: ignore[misc]
        for name, content in files.items():
            path = FilePath(self.path, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
