"""Makes what the engines load: python -m peers.prepare STEM MODELS DATA OUT HEADSTART

Every peer gets the network up to the same features where Headstart's backbone ends, so that all do the same work:
`float.onnx`, and `int8.onnx` as ONNX Runtime quantises it. Headstart gets `model.hspk`, calibrated with the same
samples. `input.f32` is one sample that was not calibrated with.
"""

import json
import pathlib
import shutil
import subprocess
import sys

import numpy
import onnx
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

from peers import samples
from peers.works import CALIBRATION, FROZEN, WORKS


class Reader(quantization.CalibrationDataReader):
    """Hands samples to the calibration one by one."""

    def __init__(self, name, inputs):
        self.feeds = iter([{name: sample[None]} for sample in inputs])

    def get_next(self):
        return next(self.feeds, None)


def cut(model, batch):
    """The network up to the input of its last Gemm, for a fixed batch."""
    classifiers = [node for node in model.graph.node if node.op_type == "Gemm"]
    features = classifiers[-1].input[0]
    extractor = onnx.utils.Extractor(onnx.shape_inference.infer_shapes(model))
    part = extractor.extract_model([model.graph.input[0].name], [features])
    part.graph.input[0].type.tensor_type.shape.dim[0].dim_value = batch
    for value in (*part.graph.value_info, *part.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = batch
    # Older engines read it too.
    part.ir_version = model.ir_version
    onnx.checker.check_model(part)
    return part


def quantise(float_file, calibration, out):
    """ONNX Runtime's own static quantisation with the settings that are fastest on x86-64."""
    prepared = out.with_name("prepared.onnx")
    quant_pre_process(str(float_file), str(prepared))
    name = onnx.load(prepared).graph.input[0].name
    quantization.quantize_static(
        str(prepared), str(out), Reader(name, calibration),
        quant_format=quantization.QuantFormat.QDQ, per_channel=True, reduce_range=False,
        activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
    )


def pack(work, model, calibration, out, headstart, options=()):
    """A pack, from the very samples that ONNX Runtime is calibrated with."""
    folder = out.parent / "calibration"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for index, sample in enumerate(calibration):
        numpy.save(folder / f"{index:03}.npy", sample)
    command = [headstart, "--json", "pack", str(model), "--calib", str(folder), *work.preprocess, *options, "-o", str(out)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0:
        sys.exit(f"{' '.join(command)}: {made.stderr.strip()}")
    return json.loads(made.stdout)


def main():
    stem, models, data, out, headstart = sys.argv[1:]
    work = next(work for work in WORKS if work.stem == stem)
    model = pathlib.Path(models) / f"{stem}.onnx"
    out = pathlib.Path(out) / work.folder
    out.mkdir(parents=True, exist_ok=True)
    inputs = samples.of_work(work, data, CALIBRATION + 1)
    calibration = inputs[:-1]
    inputs[-1].astype("<f4").tofile(out / "input.f32")
    float_file = out / "float.onnx"
    onnx.save(cut(onnx.load(model), 1), float_file)
    quantise(float_file, calibration, out / "int8.onnx")
    pack(work, model, calibration, out / "model.hspk", headstart)
    if work == WORKS[0]:
        tail = ("--freeze", f"features.{FROZEN}", "--tail", "keep")
        pack(work, model, calibration, out / "tail.hspk", headstart, tail)


if __name__ == "__main__":
    main()
