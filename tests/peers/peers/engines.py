"""The engines: how each is started on a work, and with which settings."""

import dataclasses

from peers import machine
from peers.places import PREPARED, PYTHON, WORKERS

HEADSTART = "Headstart"
ISA_FLAGS = {
    "generic": set(),
    "avx2": {"avx2"},
    "avxvnni": {"avx_vnni"},
    "avx512vnni": {"avx512_vnni"},
    "neon": {"asimd"},
    "dotprod": {"asimddp"},
}
"""Headstart's kernels, and what the CPU needs for them, as /proc/cpuinfo names it."""


@dataclasses.dataclass(frozen=True)
class Engine:
    """A program that answers for one model file."""

    name: str
    command: tuple
    """Starts the worker; model, input, shape and answer file follow."""
    file: str
    """What it loads, in a work's folder of prepared files; `.tflite` stands for the vendor's file."""
    settings: str
    """Printed with the results."""
    isa: str = ""
    """Kernels that are asked for by name; empty where the engine chooses by itself."""
    most_threads: int = 2
    absent: str = ""
    """Why it cannot run here, if so."""

    @property
    def is_peer(self):
        return self.name != HEADSTART

    def environment(self, threads):
        """Says how many threads, in every engine's words, and which kernels."""
        names = ("PEERS_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
        chosen = {name: str(threads) for name in (*names, "RTEN_NUM_THREADS", "HEADSTART_THREADS")}
        return chosen | ({"HEADSTART_ISA": self.isa} if self.isa else {})

    def arguments(self, work, models, answer, shape):
        """The whole command line."""
        folder = PREPARED / work.folder
        model = models / f"{work.stem}.tflite" if self.file == ".tflite" else folder / self.file
        return [*map(str, self.command), str(model), str(folder / "input.f32"), shape, str(answer)]


def engines():
    """All of them, those that cannot run here included."""
    return [*headstart(), *PEERS]


def headstart():
    """One for each kind of kernels."""
    worker = (WORKERS / "headstart-worker",)
    settings = "int8 pack calibrated with the same samples; its input is quantised in advance"
    has = machine.flags()
    return [
        Engine(
            HEADSTART, worker, "model.hspk", settings, isa=isa,
            absent="" if needed <= has else f"this CPU has no {' '.join(sorted(needed - has))}",
        )
        for isa, needed in ISA_FLAGS.items()
    ]


def python(module):
    return (PYTHON, "-m", f"peers.{module}")


ORT_SETTINGS = "CPU provider, all graph optimisations, sequential, bound input and output"
PEERS = (
    Engine(
        "ONNX Runtime int8", python("worker_onnxruntime"), "int8.onnx",
        f"{ORT_SETTINGS}; QDQ per channel, uint8 activations, int8 weights; its input is float32",
    ),
    Engine("ONNX Runtime float", python("worker_onnxruntime"), "float.onnx", ORT_SETTINGS),
    Engine(
        "LiteRT int8", python("worker_litert"), ".tflite",
        "XNNPACK (its default), the vendor's .tflite with classifier and softmax; its input is quantised in advance",
    ),
    Engine("rten float", (WORKERS / "rten-worker",), "float.onnx", "optimised, weights packed in advance"),
    Engine("rten int8", (WORKERS / "rten-worker",), "int8.onnx", "optimised, weights packed in advance"),
    Engine("tract float", (WORKERS / "tract-worker",), "float.onnx", "optimised, one thread", most_threads=1),
    Engine("tract int8", (WORKERS / "tract-worker",), "int8.onnx", "optimised, one thread", most_threads=1),
    Engine("Burn flex float", (WORKERS / "burn-worker",), "float.onnx", "through the project's executor of graphs"),
)
