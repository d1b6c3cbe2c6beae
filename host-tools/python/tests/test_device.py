"""Learning and answering, with whatever pictures come as."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import NAMES, drawn, pictures
from PIL import Image

import headstart
from headstart import _inputs, _native


def test_what_is_learned_is_answered(taught: headstart.Device) -> None:
    batch, labels = pictures(6, first=100)
    answers = taught.predict(batch)
    assert taught.classes == NAMES
    assert np.mean([answer.best == label for answer, label in zip(answers, labels)]) > 0.9
    assert answers.probabilities.shape == (18, 3) and answers.probabilities.dtype == np.float32
    assert np.allclose(answers.probabilities.sum(axis=1), 1.0, atol=1e-5)
    assert answers.codes.tolist() == answers.probabilities.argmax(axis=1).tolist()
    one = taught.predict(batch[4])
    assert (one.best, one.unknown) == (answers[4].best, answers[4].unknown)
    assert one.probability == pytest.approx(answers[4].probability)
    assert one.label == (None if one.unknown else one.best)
    assert [answer.label for answer in answers[3:6]] == answers.labels[3:6]
    assert set(answers.to_dict()) == {"label", "best", "probability", "unknown"}


def test_a_picture_is_the_same_whatever_it_comes_as(taught: headstart.Device, tmp_path: Path) -> None:
    picture = drawn("ring", 500)
    path = tmp_path / "ring.png"
    Image.fromarray(picture).save(path)
    wide = np.zeros((48, 96, 3), dtype=np.uint8)
    wide[:, ::2] = picture
    forms: list[Any] = [path, str(path), Image.open(path), wide[:, ::2], np.asfortranarray(picture)]
    expected = taught.predict(picture)
    assert [taught.predict(form) for form in forms] == [expected] * len(forms)
    many: list[Any] = [forms, tuple(forms), iter(forms), np.stack([picture] * 5)]
    for given in many:
        assert [answer.probability for answer in taught.predict(given)] == [expected.probability] * 5
    assert len({taught.name(form) for form in [picture, wide[:, ::2], Image.open(path)]}) == 1


def test_floats_are_the_models_own_values(taught: headstart.Device) -> None:
    assert taught.input_shape == (3, 32, 32)
    values = np.random.default_rng(1).normal(size=(4, 3, 32, 32))
    batch = taught.predict(values)
    assert len(batch) == 4 and batch[2].best == taught.predict(values[2].astype(np.float32)).best
    assert np.array_equal(taught.features(values), taught.features(list(values)))
    with pytest.raises(headstart.InputError, match=r"\[32, 32, 3\].*\[3, 32, 32\]"):
        taught.predict(values[0].transpose(1, 2, 0))


def test_contiguous_arrays_are_not_copied() -> None:
    batch = np.zeros((3, 48, 48, 3), dtype=np.uint8)
    each = batch[0].nbytes
    taken = _inputs.one_or_many(batch)
    found = _native.addresses(taken, (48, 48, 3))
    assert taken is batch and found == [batch.ctypes.data + at * each for at in range(3)]
    row = np.zeros((2, 48, 48, 3), dtype=np.float32)
    found = _native.addresses(_inputs.one_or_many([row[0], row[1]]), (48, 48, 3))
    assert found == [row.ctypes.data, row.ctypes.data + row[0].nbytes]
    locked = batch.copy()
    locked.flags.writeable = False
    assert _native.addresses(_inputs.one_or_many(locked), (48, 48, 3))[0] == locked.ctypes.data


def test_features_are_enough_for_a_head(taught: headstart.Device) -> None:
    features = taught.features(pictures(2)[0])
    assert features.shape == (6, taught.feature_count) and features.dtype == np.int8
    assert np.array_equal(features[3:4], taught.features(pictures(2)[0][3]))


def test_every_verb_gives_its_report(taught: headstart.Device, photos: Path, tmp_path: Path) -> None:
    status = taught.status()
    assert status.samples == 30 and [row["name"] for row in status["classes"]] == NAMES
    assert "samples" in dir(status)
    with pytest.raises(AttributeError, match="has no 'nothing'"):
        status.nothing
    evaluated = taught.evaluate(*pictures(6, first=100))
    assert evaluated.samples == 18 and np.asarray(evaluated.confusion).shape == (3, 3)
    assert taught.confusion().samples == 30
    assert len(taught.samples()) == 30 and len(taught.samples("ring")) == 10
    assert all(sample.answer for sample in taught.samples(doubtful=True))
    ids = [sample.id for sample in taught.samples("ring")]
    assert taught.relabel(ids[:2], "cross").relabelled_samples == 2
    assert taught.forget(samples=ids[2:3]).forgotten_samples == 1
    assert taught.rename("ring", "loop").joined is False
    assert taught.classes == ["bars", "cross", "loop"]
    commits = taught.history().commits
    assert len(commits) >= 1
    other = headstart.Device(taught.pack, tmp_path / "other")
    other.learn(photos)
    assert taught.merge(tmp_path / "other").samples >= 29
    assert taught.rollback().to >= 1
    assert taught.repair().head == "sound"
    assert taught.adopt().same_backbone
    assert taught.bench().predict_ms
    assert taught.forget("bars").forgotten_samples == 10
    assert taught.forget_all().forgotten
    with pytest.raises(headstart.StateError):
        taught.status()


def test_who_is_at_fault_is_told(device: headstart.Device, pack: Path, tmp_path: Path) -> None:
    batch, labels = pictures(4)
    with pytest.raises(headstart.StateError):
        device.predict(batch)
    with pytest.raises(headstart.CallerError, match="12 samples and 11 labels"):
        device.learn(batch, labels[1:])
    with pytest.raises(headstart.CallerError, match="no labels"):
        device.learn(batch)
    with pytest.raises(headstart.CallerError, match="learner is .*sgd"):
        device.learn(batch, labels, learner="magic")
    with pytest.raises(headstart.CallerError, match="no trainable tail"):
        device.learn(batch, labels, tail={"epochs": 3})
    with pytest.raises(headstart.CallerError, match="nothing is named"):
        device.forget()
    with pytest.raises(headstart.CallerError, match="without a state folder"):
        headstart.Device(pack).learn(batch, labels)
    with pytest.raises(headstart.InputError, match="missing.png"):
        device.learn(["missing.png"] * 2, ["a", "b"])
    with pytest.raises(headstart.InputError, match="pictures are"):
        device.predict(np.zeros((4, 4, 4, 4, 4), dtype=np.uint8))
    with pytest.raises(TypeError, match="int64"):
        device.predict(np.zeros((48, 48, 3), dtype=np.int64))
    with pytest.raises(headstart.InputError, match="int is no sample"):
        device.predict(7)
    (tmp_path / "no.hspk").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="no.hspk") as error:
        headstart.Device(tmp_path / "no.hspk")
    assert isinstance(error.value, headstart.InputError) and isinstance(error.value, headstart.Error)
    assert "--" not in str(error.value)


def test_a_rejected_update_is_a_warning(taught: headstart.Device) -> None:
    batch, labels = pictures(20, first=300)
    wrong = labels[20:] + labels[:20]
    before = taught.predict(batch)
    with pytest.warns(headstart.RejectedWarning, match="not learned"):
        report = taught.learn(batch, wrong)
    assert not report.committed and report.rejected
    assert np.array_equal(taught.predict(batch).probabilities, before.probabilities)


def test_progress_is_told_and_an_exception_of_it_stops(device: headstart.Device) -> None:
    batch, labels = pictures(10)
    told: list[tuple[str, int, int]] = []
    device.learn(batch, labels, progress=lambda work, done, steps, loss: told.append((work, done, steps)))
    assert told and told[-1][2] >= told[-1][1] > 0

    class Enough(Exception):
        pass

    def stop(*_: object) -> None:
        raise Enough

    before = device.status()
    with pytest.raises(Enough):
        device.learn(*pictures(60, first=500), progress=stop)
    assert device.status() == before


INTERRUPTED = """
import signal, sys, threading, numpy, headstart

pack, state, work = sys.argv[1:4]
# Who runs the tests in the background may have it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
begun = threading.Event()
def interrupt():
    begun.wait()
    signal.raise_signal(signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
tail, count = ({"epochs": 10000}, 60) if work == "training" else ({}, 2000)
batch = numpy.random.default_rng(1).integers(0, 255, (count, 64, 64, 3), dtype=numpy.uint8)
labels = ["a", "b"] * (count // 2)
try:
    headstart.Device(pack, state).learn(batch, labels, tail=tail, progress=lambda now, *_: now == work and begun.set())
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("work", ["features", "training"])
def test_an_interrupt_ends_learning_and_changes_nothing(
    pack: Path, model: Path, photos: Path, tmp_path: Path, work: str
) -> None:
    state = tmp_path / "state"
    if work == "training":
        pack = tmp_path / "tail.hspk"
        headstart.pack(model, pack, calib=photos, preprocess="tf", freeze="none", tail="keep")
    command = [sys.executable, "-c", INTERRUPTED, str(pack), str(state), work]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.startswith("interrupted"), done.stderr
    with pytest.raises(headstart.StateError):
        headstart.Device(pack, state).status()


def test_a_bar_shows_how_far_it_is(device: headstart.Device, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm", reason="the long test has it")
    batch, labels = pictures(10)
    device.learn(batch, labels, progress=True)
    told = capsys.readouterr().err
    assert "features" in told and "/30" in told
    device.predict(batch, progress=False)
    assert not capsys.readouterr().err


def test_reports_are_tables(taught: headstart.Device) -> None:
    pandas = pytest.importorskip("pandas", reason="the long test has it")
    batch, labels = pictures(6, first=100)
    classes = pandas.DataFrame(taught.evaluate(batch, labels)["classes"])
    assert list(classes["name"]) == NAMES and "recall" in classes
    answers = pandas.DataFrame(taught.predict(batch).to_dict())
    assert list(answers["best"]) == taught.predict(batch).best


def test_threads_answer_while_one_learns(taught: headstart.Device) -> None:
    batch, labels = pictures(10)
    expected = taught.predict(batch[0]).best
    ended = threading.Event()
    answers: list[str | None] = []

    def answer() -> None:
        while not ended.is_set():
            answers.append(taught.predict(batch[0]).best)

    threads = [threading.Thread(target=answer) for _ in range(2)]
    for thread in threads:
        thread.start()
    taught.learn(*pictures(40, first=900), force=True)
    ended.set()
    for thread in threads:
        thread.join()
    assert answers and set(answers) == {expected}
