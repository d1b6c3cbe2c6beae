"""The driver: reads the command line, prepares, measures, prints and saves.

Standard library only, so that it stays small beside what it measures.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

from peers import engines, images, jobs, machine, report
from peers.places import HERE, PREPARED, PYTHON, PYTHON_ORT_TRAINING, ROOT, TOOLS
from peers.row import Row, compare
from peers.works import PREPARED as HOW_PREPARED
from peers.works import WORKS

TWO_THREADS = WORKS[:1]
"""What is also measured with two threads on two cores."""


def parser():
    made = argparse.ArgumentParser(
        prog="tests/peers/run",
        description="Headstart beside other engines: the same models, the same inputs, one core, in turn.",
        epilog="Example: tests/peers/run --only MobileNetV2 --json peers.json models data",
    )
    made.add_argument(
        "--only", metavar="NAME", action="append", default=[],
        help="measure only what has NAME in 'WORK ENGINE ISA threads=N', in any case; may be given again to add more",
    )
    made.add_argument("--list", action="store_true", help="print what --only chooses from and measure nothing")
    made.add_argument("--json", metavar="FILE", type=pathlib.Path, help="save the rows; the text goes beside it as .txt")
    made.add_argument(
        "--picture", metavar="FILE", type=pathlib.Path, help="draw the rows, .svg or .png [default: beside --json as .svg]"
    )
    made.add_argument("--core", metavar="N", type=int, help="the core that is used [default: the last one]")
    for name, what in (("models", "the ONNX and .tflite files"), ("data", "with signs/ and fsdd_mel/ in it")):
        default = next((path for path in (ROOT / "shared" / name, ROOT.parent / "shared" / name) if path.exists()), None)
        made.add_argument(
            name, metavar=f"{name.upper()}_DIR", type=pathlib.Path, nargs="?" if default else None, default=default,
            help=f"{what} [default: shared/{name} in the repository or beside it, where that exists]",
        )
    return made


class Plan:
    """What the command line chooses."""

    def __init__(self, only):
        self.only = [name.lower() for name in only]
        everything = engines.engines()
        self.images = []
        for work, threads in [(work, 1) for work in WORKS] + [(work, 2) for work in TWO_THREADS]:
            able = [engine for engine in everything if engine.file != ".tflite" or work.has_tflite]
            able = [engine for engine in able if threads <= engine.most_threads]
            chosen = [engine for engine in able if self.wants(Row(work.name, engine.name, engine.isa, threads))]
            if chosen:
                self.images.append((work, threads, chosen))
        self.jobs = [
            job for job in jobs.JOBS
            if any(self.wants(Row(work, job.engine, "", job.threads)) for work in job.works())
        ]

    def wants(self, row):
        label = row.label().lower()
        return not self.only or any(name in label for name in self.only)

    def labels(self):
        """All that is chosen, one line each."""
        for work, threads, chosen in self.images:
            for engine in chosen:
                yield Row(work.name, engine.name, engine.isa, threads).label()
        for job in self.jobs:
            yield Row(job.what, job.engine, "", job.threads).label()

    def works(self):
        """The works whose models must be prepared; the whole job needs the first one's."""
        needed = {work.stem for work, _, _ in self.images} | ({WORKS[0].stem} if self.jobs else set())
        return [work for work in WORKS if work.stem in needed]

    def settings(self):
        """Name and settings of every engine that takes part."""
        found = {engine.name: engine.settings for _, _, chosen in self.images for engine in chosen}
        return [*found.items(), *((f"{job.what}, {job.engine}", job.settings) for job in self.jobs)]


def require(plan, models, data):
    """Ends with a message if a file is missing that will be needed."""
    needed = {models: "the folder of models", data: "the folder of data", data / "signs" / "train": "photos"}
    for work in plan.works():
        needed[models / f"{work.stem}.onnx"] = f"the model of {work.name}"
        if not work.is_photo:
            needed[data / "fsdd_mel" / "all.npz"] = f"the spoken digits for {work.name}"
    for work, _, chosen in plan.images:
        if any(engine.file == ".tflite" for engine in chosen):
            needed[models / f"{work.stem}.tflite"] = f"LiteRT's model of {work.name}"
    if plan.jobs:
        needed[data / "signs" / "test"] = "photos to test with"
    missing = [f"{path}: {what} is not there" for path, what in needed.items() if not path.exists()]
    if missing:
        hint = "tests/peers/README.md says what MODELS_DIR and DATA_DIR hold; --only leaves works out"
        sys.exit("\n".join(["tests/peers/run:", *missing, hint]))


def progress(line):
    """Says on standard error what goes on."""
    print(line, file=sys.stderr, flush=True)


def python(interpreter, module, *arguments):
    """Runs one of the preparing modules, which explains itself if it fails."""
    command = [interpreter, "-m", f"peers.{module}", *arguments]
    ended = subprocess.run(
        [str(part) for part in command], env=os.environ | {"PYTHONPATH": str(HERE)}, capture_output=True, text=True
    )
    if ended.returncode != 0:
        sys.exit(f"tests/peers/run: peers.{module} {' '.join(map(str, arguments))} failed:\n{ended.stderr.strip()}")


def prepared(plan, models, data):
    """Makes the files that the engines load."""
    PREPARED.mkdir(parents=True, exist_ok=True)
    for work in plan.works():
        progress(f"preparing {work.name}")
        python(PYTHON, "prepare", work.stem, models, data, PREPARED, TOOLS / "headstart")
    if plan.jobs:
        progress("preparing the whole job")
        python(PYTHON, "prepare_job", data, jobs.FOLDER)
        if PYTHON_ORT_TRAINING.exists():
            python(PYTHON_ORT_TRAINING, "prepare_ort_training", jobs.FOLDER)


def cores(first):
    """The core for one thread, and the two for two; the second is none where there is only one core."""
    allowed = sorted(os.sched_getaffinity(0))
    if first is None:
        first = allowed[-1]
    if first not in allowed:
        sys.exit(f"tests/peers/run: --core {first}: this process may use only {allowed}")
    others = [core for core in allowed if core != first]
    return {first}, ({first, others[-1]} if others else None)


def measure(plan, models, one, two):
    """All rows."""
    rows = []
    for work, threads, chosen in plan.images:
        if threads == 1:
            rows += images.measure(work, chosen, models, one, progress)
        elif two:
            rows += images.measure(work, chosen, models, two, progress)
    rows += jobs.measure(plan.jobs, {1: one, 2: two}, progress)
    compare(rows, lambda row: not row.engine.startswith(engines.HEADSTART))
    return rows


def draw(rows, saved, picture):
    """By a process that may be large."""
    with tempfile.TemporaryDirectory() as scratch:
        if not saved:
            saved = pathlib.Path(scratch) / "rows.json"
            report.write(saved, report.as_json(rows))
        python(PYTHON, "picture", saved, picture)


def main():
    arguments = parser().parse_args()
    plan = Plan(arguments.only)
    if not plan.images and not plan.jobs:
        sys.exit(f"tests/peers/run: --only {' '.join(arguments.only)} chooses nothing; --list shows what there is")
    if arguments.list:
        print("\n".join(plan.labels()))
        return
    require(plan, arguments.models, arguments.data)
    picture = arguments.picture or (arguments.json and arguments.json.with_suffix(".svg"))
    for path in filter(None, (arguments.json, picture)):
        if not path.parent.is_dir():
            sys.exit(f"tests/peers/run: {path.parent}: the folder for {path.name} is not there; make it first")
    one, two = cores(arguments.core)
    about = machine.about()
    prepared(plan, arguments.models, arguments.data)
    rows = measure(plan, arguments.models, one, two)
    settings = [("the peers' ONNX files", HOW_PREPARED), *plan.settings()]
    text = report.text(about, settings, rows)
    print(text, end="")
    if arguments.json:
        report.write(arguments.json, report.as_json(rows))
        report.write(arguments.json.with_suffix(".txt"), text)
    if picture:
        draw(rows, arguments.json, picture)


if __name__ == "__main__":
    main()
