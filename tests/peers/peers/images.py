"""Measures single images: all engines of a work alive at the same time, and asked in turn."""

import array
import dataclasses
import math
import statistics
import tempfile

from peers.process import Failed, Worker
from peers.row import Row

ROUNDS = 7
SECONDS = 0.4
"""How long an engine works in a round."""
STARTS = 3
"""How many processes are started for the time to the first answer, the one that stays included."""
LEAST_COSINE = 0.9
"""Between an engine's features and those of ONNX Runtime in float32; below it, it does not do the same work."""


@dataclasses.dataclass
class Running:
    """An engine at work."""

    engine: object
    worker: Worker
    first_answers: list
    features: list
    times: list = dataclasses.field(default_factory=list)


def measure(work, engines, models, cores, progress):
    """The rows of one work, one an engine, absent and failed ones included."""
    threads = len(cores)
    rows, running = [], []
    for engine in engines:
        row = Row(work=work.name, engine=engine.name, isa=engine.isa, threads=threads)
        rows.append(row)
        if engine.absent:
            row.note = f"absent: {engine.absent}"
            continue
        progress(f"{work.name}: starting {engine.name} {engine.isa}")
        try:
            running.append((row, start(work, engine, models, cores)))
        except Failed as failure:
            row.note = f"failed: {failure}"
    for number in range(ROUNDS):
        progress(f"{work.name}: round {number + 1} of {ROUNDS}")
        # Every other round in the other order: whoever follows a slow engine should not always be the same.
        for row, one in running if number % 2 == 0 else reversed(running):
            if row.note:
                continue
            try:
                one.times += one.worker.run(SECONDS)
            except Failed as failure:
                row.note = f"failed: {failure}"
    reference = next((one.features for _, one in running if one.engine.name == "ONNX Runtime float"), None)
    for row, one in running:
        if not row.note:
            finish(row, one, reference)
    return rows


def start(work, engine, models, cores):
    """Starts it a few times and keeps the last one."""
    first_answers = []
    shape = ",".join(map(str, work.shape))
    with tempfile.NamedTemporaryFile() as answer:
        command = engine.arguments(work, models, answer.name, shape)
        for number in range(STARTS):
            worker = Worker(command, engine.environment(len(cores)), cores)
            first_answers.append(worker.first_answer_ms)
            # So that the answer is written, and one more than the first is known to work.
            worker.run(0)
            if number + 1 < STARTS:
                worker.close()
        features = array.array("f")
        features.frombytes(answer.read())
    return Running(engine, worker, first_answers, list(features))


def finish(row, one, reference):
    """Reads the results off and ends the worker."""
    row.median_ms = statistics.median(one.times)
    row.min_ms = min(one.times)
    row.runs = len(one.times)
    row.first_answer_ms = statistics.median(one.first_answers)
    row.peak_rss_bytes = one.worker.peak_rss_bytes()
    one.worker.close()
    if reference and one.features:
        row.cosine = cosine(one.features, reference)
        if not row.cosine >= LEAST_COSINE:
            row.note = f"its features are other ones: cosine {row.cosine:.3f} to ONNX Runtime's in float32"


def cosine(a, b):
    """Of two lists of numbers; not a number where their lengths differ."""
    if len(a) != len(b):
        return math.nan
    length = math.sqrt(sum(x * x for x in a))
    other = math.sqrt(sum(x * x for x in b))
    return sum(x * y for x, y in zip(a, b)) / (length * other) if length * other else math.nan
