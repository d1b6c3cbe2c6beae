"""Heads as scikit-learn's classifiers."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from conftest import pictures

import headstart

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from headstart.sklearn import HeadClassifier  # noqa: E402


@parametrize_with_checks([HeadClassifier()])
def test_scikit_learns_own_checks(estimator: HeadClassifier, check: object) -> None:
    check(estimator)  # type: ignore[operator]


def test_pictures_are_learned_by_a_pack(pack: Path) -> None:
    batch, labels = pictures(10)
    others, shown = pictures(6, first=100)
    head = HeadClassifier(pack).fit(batch, labels)
    assert list(head.classes_) == ["bars", "cross", "ring"]
    assert head.score(others, shown) > 0.9
    assert head.predict_proba(others).shape == (18, 3)
    again = pickle.loads(pickle.dumps(head))
    assert np.array_equal(again.predict_proba(others), head.predict_proba(others))
    assert np.array_equal(clone(head).fit(batch, labels).predict(others), head.predict(others))
    assert cross_val_score(HeadClassifier(pack), list(batch), labels, cv=2).mean() > 0.8


def test_a_state_is_kept_where_it_is_said(pack: Path, tmp_path: Path) -> None:
    head = HeadClassifier(pack, tmp_path / "state").fit(*pictures(10))
    assert headstart.Device(pack, tmp_path / "state").classes == list(head.classes_)
    content = pickle.dumps(head)
    assert len(content) < 4000 and pickle.loads(content).predict(pictures(1)[0]).shape == (3,)
    batch, labels = pictures(5, first=200)
    head.partial_fit(batch, labels)
    assert headstart.Device(pack, tmp_path / "state").status().samples == 45
    head.fit(batch, labels)
    assert headstart.Device(pack, tmp_path / "state").status().samples == 15


def test_features_of_a_device_are_learned_in_pipelines(device: headstart.Device) -> None:
    batch, labels = pictures(10)
    features = device.features(batch)
    others = device.features(pictures(6, first=100)[0])
    shown = pictures(6, first=100)[1]
    assert HeadClassifier().fit(features, labels).score(others, shown) > 0.9
    pipeline = make_pipeline(StandardScaler(), HeadClassifier())
    assert cross_val_score(pipeline, features.astype(float), labels, cv=3).mean() > 0.8


def test_batches_come_one_by_one(device: headstart.Device) -> None:
    features, labels = device.features(pictures(10)[0]), np.asarray(pictures(10)[1])
    order = np.random.default_rng(0).permutation(30)
    head = HeadClassifier()
    for part in np.array_split(order, 3):
        head.partial_fit(features[part], labels[part], classes=["bars", "cross", "moon", "ring"])
    assert head.score(features, labels) > 0.9
    assert head.predict_proba(features)[:, 2].max() == 0.0
    with pytest.raises(ValueError, match="none of the classes"):
        head.partial_fit(features[:1], ["sun"])
