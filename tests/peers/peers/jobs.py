"""Measures the whole job, 10 classes of 20 photos and 20 epochs, on one core, engine after engine in turn."""

import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

from peers.engines import HEADSTART
from peers.places import HERE, PREPARED, PYTHON, PYTHON_ORT_TRAINING, TOOLS, WORKERS
from peers.row import Row
from peers.works import WORKS

EPOCHS = 20
ROUNDS = 3
FOLDER = PREPARED / WORKS[0].folder
PACK = FOLDER / "model.hspk"
INSIDE = "whole job, decoded photos to head"
COMMAND = "whole job, process start to exit"
TIME_LIMIT_S = 1800


@dataclasses.dataclass(frozen=True)
class Job:
    """A program that does the whole job."""

    engine: str
    command: tuple
    settings: str
    test: tuple = ("--test",)
    """Added to the command for the accuracy."""
    is_timed_inside: bool = True
    """Whether it prints its own times, from decoded photos."""
    rounds: int = ROUNDS

    @property
    def is_peer(self):
        return not self.engine.startswith(HEADSTART)


def python(module, interpreter=PYTHON):
    return (interpreter, "-m", f"peers.{module}", FOLDER, EPOCHS)


def headstart(learner):
    return (WORKERS / "headstart-job", PACK, FOLDER / "train", learner, EPOCHS)


DESCENT = f"SGD with momentum, batches of 20, {EPOCHS} epochs"
JOBS = (
    Job(
        HEADSTART, headstart("auto"), test=(FOLDER / "test",),
        settings="its default learner, which knows no epochs; each photo once (learn --views 1)",
    ),
    Job(
        f"{HEADSTART} sgd", headstart("sgd"), test=(FOLDER / "test",),
        settings=f"the learner sgd, {EPOCHS} epochs to find out how many are good and as many again; each photo once",
    ),
    Job(
        f"{HEADSTART} learn",
        (TOOLS / "headstart-edge", "learn", PACK, "--data", FOLDER / "train", "--state", "STATE", "--views", "1",
         "--threads", "1", "--json"),
        settings="the command headstart-edge learn --views 1 --threads 1", is_timed_inside=False,
    ),
    Job("PyTorch usual loop", python("job_torch_usual"), f"channels last, the backbone each epoch; {DESCENT}", rounds=2),
    Job("PyTorch cached features", python("job_torch"), f"channels last, features photo by photo in inference mode; {DESCENT}"),
    Job(
        "ONNX Runtime int8 + scikit-learn", python("job_onnxruntime"),
        "the int8 file of the single images; LogisticRegression, as it comes, until it converges",
    ),
    Job(
        "onnxruntime-training", python("job_ort_training", PYTHON_ORT_TRAINING),
        "1.19.2, plain SGD, the backbone each epoch, batches of 20", rounds=2,
    ),
)


class Failed(Exception):
    """A job ended otherwise than it should."""


@dataclasses.dataclass
class Result:
    """What one run of a job took."""

    process_s: float
    peak_rss_bytes: int
    said: dict


def run(job, core, test=False):
    """One run in a process of its own."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "HEADSTART_THREADS")
    environment = os.environ | {"PYTHONPATH": str(HERE)} | {name: "1" for name in names}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        command = [scratch / "state" if part == "STATE" else part for part in job.command]
        command += job.test if test else ()
        result = scratch / "result.json"
        try:
            ended = subprocess.run(
                [str(part) for part in (WORKERS / "measured", result, *command)], env=environment, text=True,
                capture_output=True, timeout=TIME_LIMIT_S, preexec_fn=lambda: os.sched_setaffinity(0, {core}),
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"not done after {TIME_LIMIT_S} s") from None
        if ended.returncode != 0 or not result.exists():
            said = [line for line in ended.stderr.strip().splitlines() if line.strip()]
            raise Failed(said[-1].strip() if said else f"ended with status {ended.returncode}")
        measured = json.loads(result.read_text())
        said = json.loads(ended.stdout)
    return Result(measured["seconds"], measured["peak_rss_bytes"], said)


def measure(jobs, core, progress):
    """Two rows a job: its own time from decoded photos, and that of the whole process."""
    found = {job: [] for job in jobs}
    accuracy, notes = {}, {}
    for job in jobs:
        progress(f"whole job: {job.engine}, not timed" + (", for its accuracy" if job.is_timed_inside else ""))
        try:
            said = run(job, core, test=job.is_timed_inside).said
            accuracy[job] = said.get("accuracy")
        except (Failed, FileNotFoundError) as failure:
            notes[job] = f"failed: {failure}"
    for number in range(ROUNDS):
        for job in jobs:
            if job in notes or number >= job.rounds:
                continue
            progress(f"whole job: {job.engine}, round {number + 1} of {job.rounds}")
            try:
                found[job].append(run(job, core))
            except Failed as failure:
                notes[job] = f"failed: {failure}"
    return [row for job in jobs for row in rows(job, found[job], accuracy.get(job), notes.get(job, ""))]


def rows(job, results, accuracy, note):
    """What the runs of a job amount to."""
    works = ([INSIDE] if job.is_timed_inside else []) + [COMMAND]
    made = [Row(work=work, engine=job.engine, isa="", threads=1, note=note) for work in works]
    if note:
        return made
    for row in made:
        seconds = [r.said["job_s"] if row.work == INSIDE else r.process_s for r in results]
        row.median_ms, row.min_ms = statistics.median(seconds) * 1e3, min(seconds) * 1e3
        row.peak_rss_bytes = max(result.peak_rss_bytes for result in results)
        row.runs = len(results)
        row.accuracy = accuracy
        if job.is_timed_inside:
            parts = ("decode_s", "features_s", "train_s")
            row.parts_ms = {part: statistics.median(r.said[part] for r in results) * 1e3 for part in parts}
    return made
