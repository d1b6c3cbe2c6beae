"""Quantises the carried model as ONNX Runtime does, and writes what its integer kernels compute for one picture of each icon.

    cargo run --release -p headstart-tests --bin draw-figures figures 4 1 figures
    cargo run --release -p headstart-tests --bin draw-figures icons 1 7 golden
    python quantise.py shapes.onnx figures golden shapes-qdq.onnx golden-int8.json

Needs onnx, onnxruntime, numpy and pillow.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

FEATURES = "/ReduceMean_output_0"


def image(path):
    pixels = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32)
    return ((pixels - 127.5) / 127.5).transpose(2, 0, 1)[None]


class Figures(CalibrationDataReader):
    def __init__(self, folder):
        self.paths = iter(sorted(Path(folder).rglob("*.png")))

    def get_next(self):
        path = next(self.paths, None)
        return None if path is None else {"image": image(path)}


def main():
    model_path, figures, golden, quantised_path, path = sys.argv[1:]
    with tempfile.TemporaryDirectory() as work:
        folded = Path(work) / "folded.onnx"
        quant_pre_process(model_path, folded, skip_symbolic_shape=True)
        quantize_static(
            folded, quantised_path, Figures(figures), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
        )
    model = onnx.load(quantised_path)
    # Shapes that were inferred on the way double the file.
    del model.graph.value_info[:]
    onnx.save(model, quantised_path)
    names = [f"{name}_QuantizeLinear_Output" for name in (FEATURES, "logits")]
    for name in names:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT8, None))
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    cases = {}
    for name in sorted(each.name for each in Path(golden).iterdir()):
        found = session.run(names, {"image": image(Path(golden) / name / "0000.png")})
        cases[name] = {part: values.ravel().tolist() for part, values in zip(("features", "logits"), found)}
    lines = ",\n".join(f'"{name}": {json.dumps(case)}' for name, case in cases.items())
    Path(path).write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
