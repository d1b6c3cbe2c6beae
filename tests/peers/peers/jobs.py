"""Measures whole jobs, 10 classes of 20 photos and 20 epochs, engine after engine in turn: a head on one core, a tail on two."""

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
from peers.works import FROZEN, WORKS

EPOCHS = 20
ROUNDS = 3
FOLDER = PREPARED / WORKS[0].folder
PACK = FOLDER / "model.hspk"
TAIL_PACK = FOLDER / "tail.hspk"
HEAD = "whole job"
TAIL = f"tail behind features.{FROZEN}"
TIME_LIMIT_S = 1800


@dataclasses.dataclass(frozen=True)
class Job:
    """A program that does the whole job."""

    engine: str
    command: tuple
    settings: str
    test: tuple = ("--test",)
    """Added to the command for the accuracy; where it does not time itself, a command to run afterwards."""
    is_timed_inside: bool = True
    """Whether it prints its own times, from decoded photos."""
    rounds: int = ROUNDS
    what: str = HEAD
    threads: int = 1

    def inside(self):
        """The work that it times itself."""
        return f"{self.what}, decoded photos to head"

    def process(self):
        """The work of its whole process."""
        return f"{self.what}, process start to exit"

    def works(self):
        """Those of which it makes a row."""
        return [self.inside(), self.process()] if self.is_timed_inside else [self.process()]


def python(module, interpreter=PYTHON):
    return (interpreter, "-m", f"peers.{module}", FOLDER, EPOCHS)


def headstart(learner):
    return (WORKERS / "headstart-job", PACK, FOLDER / "train", learner, EPOCHS)


def learn(pack, *options):
    return edge("learn", pack, "train", "--views", "1", *options)


def edge(verb, pack, photos, *options):
    return (TOOLS / "headstart-edge", verb, pack, "--data", FOLDER / photos, "--state", "STATE", *options, "--json")


ADAMW = f"AdamW, one cycle with a tenth of warm-up, smoothing 0.1, gradients up to norm 1, batches of 20, {EPOCHS} epochs"
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
        learn(PACK, "--threads", "1"),
        settings="the command headstart-edge learn --views 1 --threads 1",
        test=edge("eval", PACK, "test"), is_timed_inside=False,
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
    Job(
        f"{HEADSTART} learn", learn(TAIL_PACK, "--epochs", EPOCHS, "--held-out", "0"),
        settings=f"the command headstart-edge learn --views 1 --held-out 0 --epochs {EPOCHS}, engine flex; {ADAMW}",
        test=edge("eval", TAIL_PACK, "test"), is_timed_inside=False, what=TAIL, threads=2,
    ),
    Job(
        "PyTorch usual loop", python("job_torch_tail"), f"channels last, the frozen layers each epoch; {ADAMW}",
        rounds=2, what=TAIL, threads=2,
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


def run(job, cores, test=False):
    """One run in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        command = job.command + (job.test if test and job.is_timed_inside else ())
        result = scratch / "result.json"
        said = call((WORKERS / "measured", result, *command), job.threads, cores, scratch)
        measured = json.loads(result.read_text())
        if test and not job.is_timed_inside:
            said["accuracy"] = call(job.test, job.threads, cores, scratch)["accuracy"]
    return Result(measured["seconds"], measured["peak_rss_bytes"], said)


def call(command, threads, cores, scratch):
    """What a command says; its state is kept in `scratch`."""
    command = [str(scratch / "state" if part == "STATE" else part) for part in command]
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "HEADSTART_THREADS")
    environment = os.environ | {"PYTHONPATH": str(HERE)} | {name: str(threads) for name in names}
    try:
        ended = subprocess.run(
            command, env=environment, text=True, capture_output=True, timeout=TIME_LIMIT_S,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"not done after {TIME_LIMIT_S} s") from None
    if ended.returncode != 0:
        lines = [line for line in ended.stderr.strip().splitlines() if line.strip()]
        raise Failed(lines[-1].strip() if lines else f"ended with status {ended.returncode}")
    return json.loads(ended.stdout)


def measure(jobs, cores, progress):
    """Two rows a job: its own time from decoded photos, and that of the whole process. `cores` are those for so many threads."""
    jobs = [job for job in jobs if cores.get(job.threads)]
    found = {job: [] for job in jobs}
    accuracy, notes = {}, {}
    for job in jobs:
        progress(f"{job.what}: {job.engine}, not timed, for its accuracy")
        try:
            accuracy[job] = run(job, cores[job.threads], test=True).said.get("accuracy")
        except (Failed, FileNotFoundError) as failure:
            notes[job] = f"failed: {failure}"
    for number in range(ROUNDS):
        for job in jobs:
            if job in notes or number >= job.rounds:
                continue
            progress(f"{job.what}: {job.engine}, round {number + 1} of {job.rounds}")
            try:
                found[job].append(run(job, cores[job.threads]))
            except Failed as failure:
                notes[job] = f"failed: {failure}"
    return [row for job in jobs for row in rows(job, found[job], accuracy.get(job), notes.get(job, ""))]


def rows(job, results, accuracy, note):
    """What the runs of a job amount to."""
    made = [Row(work=work, engine=job.engine, isa="", threads=job.threads, note=note) for work in job.works()]
    if note:
        return made
    for row in made:
        seconds = [r.said["job_s"] if row.work == job.inside() else r.process_s for r in results]
        row.median_ms, row.min_ms = statistics.median(seconds) * 1e3, min(seconds) * 1e3
        row.peak_rss_bytes = max(result.peak_rss_bytes for result in results)
        row.runs = len(results)
        row.accuracy = accuracy
        if job.is_timed_inside:
            parts = ("decode_s", "features_s", "train_s")
            row.parts_ms = {part: statistics.median(r.said[part] for r in results) * 1e3 for part in parts}
    return made
