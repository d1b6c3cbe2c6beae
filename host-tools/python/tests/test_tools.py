"""Packing, looking, comparing, exporting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import NAMES, drawn, pictures

import headstart


def test_the_best_cut_is_found(model: Path, photos: Path, tmp_path: Path) -> None:
    told: list[str] = []
    output = tmp_path / "auto.hspk"
    report = headstart.pack(
        model, output, calib=photos, preprocess="tf", freeze="auto", progress=lambda *now: told.append(now[0])
    )
    assert report.candidates and report.freeze_point in {row["tensor"] for row in report.candidates}
    assert sum(row["chosen_because"] is not None for row in report.candidates) == 1
    assert {"trying cuts", "calibrating"} & set(told)
    info = headstart.info(output)
    assert info.freeze_point == report.freeze_point and info.backbone_digest == report.backbone_digest
    assert headstart.verify(output).bytes == output.stat().st_size


def test_models_are_inspected(model: Path) -> None:
    report = headstart.inspect(model)
    assert report.parameters == 27900 and report.layers and report.cuts


def test_what_quantisation_cost_is_shown(pack: Path, model: Path, others: Path) -> None:
    report = headstart.compare(pack, model, others)
    assert report.samples == 18 and report.feature_cosine["mean"] > 0.9


def test_the_personal_model_answers_as_the_device(
    taught: headstart.Device, model: Path, tmp_path: Path
) -> None:
    output = tmp_path / "mine.onnx"
    report = headstart.export(taught.pack, model, output, state=taught.state)
    assert report.classes == taught.classes
    onnxruntime = pytest.importorskip("onnxruntime", reason="the long test has it")
    session = onnxruntime.InferenceSession(str(output))
    pixels = np.stack([drawn(name, 100, size=32) for name in NAMES]).astype(np.float32)
    values = np.ascontiguousarray((pixels.transpose(0, 3, 1, 2) - 127.5) / 127.5)
    one_by_one = [session.run(["probabilities"], {session.get_inputs()[0].name: one[None]})[0] for one in values]
    found, answers = np.concatenate(one_by_one), taught.predict(values)
    assert answers.best == [taught.classes[at] for at in found.argmax(axis=1)] == NAMES
    assert np.abs(found - answers.probabilities).max() < 0.1


def test_who_is_at_fault_is_told(model: Path, photos: Path, pack: Path, tmp_path: Path) -> None:
    output = tmp_path / "no.hspk"
    with pytest.raises(headstart.CallerError, match="how pixels become input values") as error:
        headstart.pack(model, output, calib=photos)
    assert "--" not in str(error.value)
    with pytest.raises(headstart.CallerError, match="pool is 9"):
        headstart.pack(model, output, calib=photos, preprocess="tf", pool=9)
    with pytest.raises(headstart.CallerError, match="chosen by labelled samples"):
        headstart.pack(model, output, preprocess="tf", freeze="auto")
    with pytest.raises(headstart.InputError, match="nobody"):
        headstart.pack(model, output, calib=photos, preprocess="tf", freeze="nobody")
    with pytest.raises(headstart.InputError):
        headstart.verify(model)
    with pytest.raises(headstart.CallerError, match="no head to export"):
        headstart.export(pack, model, tmp_path / "mine.onnx")
    assert not output.exists()
    assert pictures(1)[1]
