"""The micro front end beside pymicro-features and the C code of TensorFlow Lite Micro: every value must be the same.

    micro.py FRONT [RECORDINGS]

FRONT is the example `front` of the crate `headstart`; RECORDINGS a folder of mono 16-bit .wav files, of which all are compared.
Prints what was compared; exits with 1 at the first difference.
"""

import ctypes
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import wave

import numpy as np
from pymicro_features import MicroFrontend

SETTINGS = [
    ("sample_rate", int), ("window_ms", int), ("step_ms", int), ("channels", int), ("lower_hz", float), ("upper_hz", float),
    ("smoothing_bits", int), ("even_smoothing", float), ("odd_smoothing", float), ("min_signal_remaining", float),
    ("gain", int), ("strength", float), ("offset", float), ("gain_bits", int), ("log", int), ("log_shift", int),
]
WAKE_WORD = dict(zip([name for name, _ in SETTINGS],
                     [16000, 30, 10, 40, 125, 7500, 10, 0.025, 0.06, 0.05, 1, 0.95, 80, 21, 1, 6]))
NAMED = {
    "micro_wake_word": WAKE_WORD,
    "micro_speech": WAKE_WORD | {"step_ms": 20},
    "mltk": WAKE_WORD | {"step_ms": 20, "channels": 49, "upper_hz": 3999, "min_signal_remaining": 0.03, "gain": 0},
    "TensorFlow's defaults": WAKE_WORD | {"window_ms": 25, "channels": 32, "gain": 0},
}


class Struct(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int if kind is int else ctypes.c_float) for name, kind in SETTINGS]


def build_reference(folder):
    """The C code as a library, built from the source package."""
    package = "pymicro-features==2.0.2"
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", package, "-d", folder], check=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    root = next(path for path in folder.iterdir() if path.is_dir())
    code = root / "tensorflow/lite/experimental/microfrontend/lib"
    parts = "kiss_fft_int16 fft fft_util filterbank filterbank_util frontend frontend_util log_lut log_scale log_scale_util " \
        "noise_reduction noise_reduction_util pcan_gain_control pcan_gain_control_util window window_util"
    library = folder / "reference.so"
    # Signed sums wrap there, as they do with every compiler that it is used with.
    subprocess.run(["g++", "-O2", "-fwrapv", "-fPIC", "-shared", f"-I{root}", f"-I{root}/kissfft", "-o", library,
                    pathlib.Path(__file__).with_name("reference.cpp"), *[code / f"{part}.cc" for part in parts.split()]], check=True)
    return ctypes.CDLL(str(library))


def reference(library, settings, samples):
    out = np.zeros(len(samples) * 8 + 1024, np.uint16)
    written = library.spectrogram(ctypes.byref(Struct(**settings)), samples.ctypes, len(samples), out.ctypes, len(out))
    return None if written < 0 else out[:written]


def front(program, settings, samples):
    words = [str(settings[name]) for name, _ in SETTINGS[:6]]
    words += [str(settings["log_shift"]) if settings["log"] else "-"]
    words += [str(settings[name]) for name, _ in SETTINGS[6:10]]
    if settings["gain"]:
        words += [str(settings[name]) for name, _ in SETTINGS[11:14]]
    run = subprocess.run([program, *words], input=samples.astype("<i2").tobytes(), capture_output=True)
    return np.frombuffer(run.stdout, "<u2") if run.returncode == 0 else None


def python_package(samples):
    """pymicro-features, which has one setting."""
    instance, frames = MicroFrontend(), []
    for start in range(0, len(samples) - 159, 160):
        frames += instance.process_samples(samples[start:start + 160].tobytes()).features
    return np.round(np.array(frames) / 0.0390625).astype(np.uint16)


def made(rate, random):
    """Noise, tones, clipping, silence, steps, single peaks and the extremes, 0.6 s each."""
    count = rate * 6 // 10
    time = np.arange(count) / rate
    yield "silence", np.zeros(count)
    yield "noise", random.normal(0, 3000, count)
    yield "quiet noise", random.normal(0, 1.5, count)
    yield "loud noise", random.uniform(-32768, 32767, count)
    for hz in (50, 440, rate / 5, rate / 2 - 30):
        yield f"tone {hz}", 32767 * np.sin(2 * np.pi * hz * time)
        yield f"clipped {hz}", 3e5 * np.sin(2 * np.pi * hz * time)
    yield "chirp", 20000 * np.sin(2 * np.pi * time * time * rate / 3)
    yield "lowest", np.full(count, -32768)
    yield "highest", np.full(count, 32767)
    yield "alternating", np.where(np.arange(count) % 2, -32768, 32767)
    yield "peak", np.where(np.arange(count) == count // 2, -32768, 0)
    yield "one", np.where(np.arange(count) % 700 == 0, 1, 0)
    yield "rising noise", random.normal(0, 1, count) * np.exp(time * 17)


def drawn(random):
    """Settings at random, in their ranges."""
    rate = int(random.choice([8000, 11025, 16000, 22050, 44100, 48000]))
    window = int(random.integers(10, 41))
    upper = float(random.uniform(0.2, 0.47) * rate)
    return WAKE_WORD | {
        "sample_rate": rate, "window_ms": window, "step_ms": int(random.integers(5, window + 1)),
        "channels": int(random.integers(1, 81)), "lower_hz": float(np.float32(random.uniform(0, 300))), "upper_hz": float(np.float32(upper)),
        "smoothing_bits": int(random.integers(6, 13)), "min_signal_remaining": float(np.float32(random.uniform(0, 1))),
        "even_smoothing": float(np.float32(random.uniform(0, 0.3))), "odd_smoothing": float(np.float32(random.uniform(0, 0.3))),
        "gain": int(random.integers(0, 2)), "strength": float(np.float32(random.uniform(0, 1))), "offset": float(np.float32(random.uniform(1, 200))),
        "gain_bits": int(random.integers(18, 24)), "log": int(random.integers(0, 4) > 0), "log_shift": int(random.integers(0, 9)),
    }


def samples_of(path):
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2), path
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")


def main():
    program, recordings = sys.argv[1], sys.argv[2:]
    random = np.random.default_rng(7)
    counts = {"values beside the C code": 0, "values beside pymicro-features": 0, "settings": 0, "recordings": 0, "settings refused by both": 0}

    def compare(name, settings, samples):
        samples = np.clip(np.round(samples), -32768, 32767).astype(np.int16)
        found, expected = front(program, settings, samples), reference(library, settings, samples)
        if expected is None or found is None:
            assert expected is None and found is None, f"{name}: one refuses {settings}"
            counts["settings refused by both"] += 1
            return
        wrong = np.flatnonzero(found != expected) if len(found) == len(expected) else [-1]
        assert len(wrong) == 0, f"{name}: {len(wrong)} of {len(expected)} values differ, the first at {wrong[0]}: {settings}"
        counts["values beside the C code"] += len(found)
        if settings == WAKE_WORD:
            package = python_package(samples)
            assert np.array_equal(found[:len(package)], package), f"{name}: differs from pymicro-features"
            counts["values beside pymicro-features"] += len(package)

    with tempfile.TemporaryDirectory() as folder:
        library = build_reference(pathlib.Path(folder))
        for settings in [*NAMED.values(), *(drawn(random) for _ in range(300))]:
            counts["settings"] += 1
            for name, samples in made(settings["sample_rate"], random):
                compare(name, settings, samples)
        for path in sorted(path for folder in recordings for path in pathlib.Path(folder).glob("*.wav")):
            counts["recordings"] += 1
            rate, samples = samples_of(path)
            for settings in NAMED.values():
                # The package knows no rate: it takes these samples as if they were at its own.
                compare(path.name, settings, samples)
    for what, count in counts.items():
        print(f"{what}: {count}, all equal" if what.startswith("values") else f"{what}: {count}")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as error:
        sys.exit(str(error))
