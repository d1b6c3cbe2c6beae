"""What int8 costs a network of SiLUs with real weights, beside ONNX Runtime's quantisers: nudenet's 320n.onnx, a YOLOv8n for photos of people.

silu.py TOOLS MODEL SIGNS [TENSOR]: packs MODEL with 40 photos of SIGNS/train, and compares the features at TENSOR, the mean over the places
of a map, on 40 photos of SIGNS/test with the float model's. ONNX Runtime quantises the part before TENSOR with uint8 activations and int8 weights a
channel, from the same photos.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from PIL import Image

TOOLS, MODEL, SIGNS = map(Path, sys.argv[1:4])
TENSOR = sys.argv[4] if len(sys.argv) > 4 else None
SIZE, CALIBRATION, COMPARED = 320, 40, 40


def photos(part, count):
    found = sorted((SIGNS / part).rglob("*.JPG"))
    for i in range(count):
        picture = Image.open(found[i * len(found) // count]).convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        yield np.asarray(picture, np.float32).transpose(2, 0, 1)[None] / 255


class Reader(CalibrationDataReader):
    """The calibration photos, one after another."""

    def __init__(self, name):
        self.values = ({name: value} for value in photos("train", CALIBRATION))

    def get_next(self):
        return next(self.values, None)


def features(session, values):
    name = session.get_inputs()[0].name
    found = [session.run(None, {name: value})[0] for value in values]
    return np.stack([value.mean((2, 3)).ravel() if value.ndim == 4 else value.ravel() for value in found])


def cosines(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def headstart(*arguments):
    command = [TOOLS / "headstart", "--json", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def ours(work, tensor):
    for part, count in [("train", CALIBRATION), ("test", COMPARED)]:
        (work / part / "samples").mkdir(parents=True)
        for i, value in enumerate(photos(part, count)):
            np.save(work / part / "samples" / f"{i:03}.npy", value[0])
    pack = work / "model.hspk"
    size = ["--input-size", f"{SIZE}x{SIZE}"]
    headstart("pack", MODEL, *size, "--calib", work / "train", "--preprocess", "unit", "--freeze", tensor, "-o", pack)
    return headstart("compare", pack, MODEL, "--data", work / "test")["feature_cosine"]


def before(work, tensor):
    """The part of the model before the tensor, with its input of one size."""
    model = onnx.load(MODEL)
    name = model.graph.input[0].name
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for dim, extent in zip(dims, [1, 3, SIZE, SIZE]):
        dim.Clear()
        dim.dim_value = extent
    onnx.save(onnx.shape_inference.infer_shapes(model), work / "sized.onnx")
    onnx.utils.extract_model(str(work / "sized.onnx"), str(work / "part.onnx"), [name], [tensor])
    return work / "part.onnx", name


def main():
    tensor = TENSOR
    if tensor is None:
        seen = headstart("inspect", MODEL, "--input-size", f"{SIZE}x{SIZE}")
        tensor = [layer["output"] for layer in seen["layers"] if layer["freeze_point"] == "trunk"][-1]
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        part, name = before(work, tensor)
        values = list(photos("test", COMPARED))
        expected = features(ort.InferenceSession(str(part)), values)
        print(f"{MODEL.name}, `{tensor}`, {expected.shape[1]} features, {COMPARED} photos")
        best = 0
        for method in [CalibrationMethod.MinMax, CalibrationMethod.Percentile]:
            quantised = work / f"{method.name}.onnx"
            quantize_static(
                part, quantised, Reader(name), quant_format=QuantFormat.QDQ, per_channel=True, calibrate_method=method,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            )
            found = cosines(features(ort.InferenceSession(str(quantised)), values), expected)
            print(f"ONNX Runtime {ort.__version__}, {method.name}: {found.mean():.4f}, least {found.min():.4f}", flush=True)
            best = max(best, found.mean())
        found = ours(work, tensor)
        print(f"Headstart: {found['mean']:.4f}, least {found['min']:.4f}")
        sys.exit(found["mean"] < max(0.97, best))


if __name__ == "__main__":
    main()
