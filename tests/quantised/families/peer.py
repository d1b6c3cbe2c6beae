"""A model up to a tensor, in float and by ONNX Runtime's own quantiser."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


def cut(model, tensor, target):
    """The part of `model` that `tensor` needs, with a batch of one."""
    onnx.utils.extract_model(str(model), str(target), ["image"], [tensor], check_model=False)


def run(model, images):
    """The result for each image, pooled over all axes but that of the channels where it is a map of `count` channels."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    # As its nodes define it: products of uint8 and int8 saturate in 16 bits on CPUs without VNNI.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return np.stack([session.run(None, {"image": image[None]})[0][0] for image in images])


def pooled(results, count):
    """[n, count]: means over the places, or all elements if there are that many."""
    if results[0].size == count:
        return results.reshape(len(results), -1)
    axes = [axis for axis in range(1, results.ndim) if results.shape[axis] == count]
    if not axes:
        raise ValueError(f"{count} features of a result of {results.shape[1:]}")
    others = tuple(axis for axis in range(1, results.ndim) if axis != axes[0])
    return results.mean(others)


class Reader(CalibrationDataReader):
    def __init__(self, images):
        self.rest = iter(images)

    def get_next(self):
        image = next(self.rest, None)
        return None if image is None else {"image": image[None]}


def quantised(model, method, images, target):
    """uint8 activations, int8 weights with a scale a channel, QDQ."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared), str(target), Reader(images), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            calibrate_method=getattr(CalibrationMethod, method),
        )


def cosines(a, b):
    """The cosine of each row of one and the other; a row of zeros has 0, unless both are."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.where(norms > 0, (a * b).sum(1) / np.maximum(norms, 1e-30), (np.abs(a).sum(1) == np.abs(b).sum(1)) * 1.0)
