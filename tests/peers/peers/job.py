"""What the whole job is in Python, whichever engine does it: decoded photos to a trained head.

    python -m peers.job_ENGINE PREPARED EPOCHS [--test]

PREPARED is MobileNetV2's folder of prepared files. Prints one JSON object: seconds of decoding, which the job does not include,
of the features (preprocessing included) and of training; with `--test` also the accuracy on other photos.
"""

import json
import pathlib
import sys
import time

import numpy

from peers import samples
from peers.works import WORKS

CLASSES = 10
SIDE = 224
MOBILENET = WORKS[0]
RATE, MOMENTUM, BATCH = 0.01, 0.9, 20
"""Of every stochastic descent; features and classes in turn need no more care for an accuracy near the others'."""


def preprocess(images):
    """`[count, 3, 224, 224]`, float32, as the network takes it."""
    return numpy.stack([samples.preprocess(image, SIDE, MOBILENET.mean, MOBILENET.std) for image in images])


class Clock:
    """Seconds since it was last asked."""

    def __init__(self):
        self.begun = time.perf_counter()

    def lap(self):
        before, self.begun = self.begun, time.perf_counter()
        return self.begun - before


def load(folder):
    """Decoded photos and their classes."""
    found = samples.photos(folder)
    return [samples.decode(path) for path, _ in found], numpy.array([label for _, label in found])


def run(learn):
    """Decodes, has `learn(prepared, images, labels, epochs)` do the job and prints how long it took.

    `learn` gives seconds of features and of training, and a function from images to class numbers.
    """
    arguments = sys.argv[1:]
    wants_test = "--test" in arguments
    prepared, epochs = [argument for argument in arguments if not argument.startswith("--")]
    prepared = pathlib.Path(prepared)
    clock = Clock()
    images, labels = load(prepared / "train")
    decode_s = clock.lap()
    features_s, train_s, answer = learn(prepared, images, labels, int(epochs))
    accuracy = None
    if wants_test:
        others, truth = load(prepared / "test")
        accuracy = float((answer(others) == truth).mean())
    print(json.dumps({
        "decode_s": decode_s, "features_s": features_s, "train_s": train_s, "job_s": features_s + train_s,
        "samples": len(images), "accuracy": accuracy,
    }))
