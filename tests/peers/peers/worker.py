"""The conversation of a worker with the driver; `workers/conversation` states it, and the Rust workers speak it alike."""

import array
import json
import math
import sys
import time

LEAST_ANSWERS = 3


def arguments():
    """Model, input, shape and answer file of the command line; the input as an array of float32."""
    model, path, shape, answer = sys.argv[1:]
    values = array.array("f")
    with open(path, "rb") as file:
        values.frombytes(file.read())
    shape = [int(extent) for extent in shape.split(",")]
    if len(values) != math.prod(shape):
        sys.exit(f"{path}: {len(values)} values do not have the shape {shape}")
    return model, values, shape, answer


def serve(answer, read, answer_file):
    """Answers once, says so, and then whenever the driver asks for a round. `read` gives the answer's values, or
    none."""
    answer()
    print("ready", flush=True)
    values = read()
    with open(answer_file, "wb") as file:
        array.array("f", [] if values is None else values).tofile(file)
    for line in sys.stdin:
        budget = float(line.removeprefix("run "))
        print(json.dumps(measure(answer, budget)), flush=True)


def measure(answer, budget):
    """Times of single answers in nanoseconds, as many as fit the budget, after one that is not counted."""
    answer()
    clock, times = time.perf_counter_ns, []
    end = clock() + budget * 1e9
    while len(times) < LEAST_ANSWERS or clock() < end:
        begun = clock()
        answer()
        times.append(clock() - begun)
    return times
