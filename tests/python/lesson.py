"""Learns, answers and fails a little, in three threads at last: what valgrind watches. tests/python/leaks runs it.

    python tests/python/lesson.py PACK FOLDER
"""

from __future__ import annotations

import contextlib
import sys
import threading

import numpy as np

import headstart


def main(pack: str, state: str) -> None:
    random = np.random.default_rng(1)
    batch = random.integers(0, 256, (12, 40, 40, 3), dtype=np.uint8)
    batch[::2, :, :20] //= 4
    labels = ["a", "b"] * 6
    device = headstart.Device(pack, state, threads=2)
    for wrong in (b"nothing", [b"nothing"], np.zeros((1, 2, 3, 4, 5), np.uint8), "missing.png"):
        with contextlib.suppress(headstart.Error):
            device.predict(wrong)
    assert device.learn(batch, labels, progress=lambda *_: None).committed
    features, answers = device.features(batch), device.predict(batch)
    assert features.shape[0] == 12 and answers.probabilities.shape == (12, 2)
    device.evaluate(batch, labels)

    def answer() -> None:
        for picture in batch:
            device.predict(picture)

    threads = [threading.Thread(target=answer) for _ in range(2)]
    for thread in threads:
        thread.start()
    device.learn(batch[:, ::-1].copy(), labels, force=True)
    for thread in threads:
        thread.join()
    device.rename("a", "c")
    device.rollback()
    device.forget_all()


if __name__ == "__main__":
    for _ in range(2):
        main(*sys.argv[1:])
