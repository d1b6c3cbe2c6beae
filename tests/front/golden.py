"""Writes `runtime/core/tests/front/{micro,mel}.bin`: what TensorFlow Lite Micro's C code, librosa and Kaldi make of the samples of
`runtime/core/tests/front/signal.rs`.

    golden.py
"""

import pathlib
import tempfile

import numpy as np

import mel
import micro

OUT = pathlib.Path(__file__).parents[2] / "runtime/core/tests/front"


def samples(count):
    """Noise and a square wave, both rising and falling: integers, the same as in the test."""
    at = np.arange(count, dtype=np.uint64)
    noise = ((at * 2654435761 % 2**32) >> 16).astype(np.int64) - 32768
    square = np.where(at // 23 % 2 == 1, 9000, -9000)
    return (noise * ((at // 500) % 9).astype(np.int64) // 64 + square * ((at // 700) % 4).astype(np.int64) // 3).astype(np.int16)


def main():
    with tempfile.TemporaryDirectory() as folder:
        library = micro.build_reference(pathlib.Path(folder))
        frames = [micro.reference(library, settings, samples(8000)).astype("<u2").tobytes() for settings in micro.NAMED.values()]
    (OUT / "micro.bin").write_bytes(b"".join(frames))
    frames = [function(samples(8000)).astype("<f4").tobytes() for function in mel.NAMED.values()]
    (OUT / "mel.bin").write_bytes(b"".join(frames))


if __name__ == "__main__":
    main()
