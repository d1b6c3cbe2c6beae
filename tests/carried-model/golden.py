"""Writes what ONNX Runtime computes for one picture of each icon, for the tests to compare with.

    cargo run --release -p headstart-tests --bin draw-figures icons 1 7 golden
    python golden.py shapes.onnx golden golden.json

Needs onnx, onnxruntime, numpy and pillow.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image

FEATURES = "/ReduceMean_output_0"


def main():
    model_path, folder, path = sys.argv[1:]
    model = onnx.load(model_path)
    model.graph.output.append(onnx.helper.make_tensor_value_info(FEATURES, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    cases = {}
    for name in sorted(each.name for each in Path(folder).iterdir()):
        pixels = np.asarray(Image.open(Path(folder) / name / "0000.png").convert("RGB"), dtype=np.float32)
        image = ((pixels - 127.5) / 127.5).transpose(2, 0, 1)[None]
        features, logits = session.run([FEATURES, "logits"], {"image": image})
        cases[name] = {part: [round(float(v), 6) for v in values[0]] for part, values in (("features", features), ("logits", logits))}
    lines = ",\n".join(f'"{name}": {json.dumps(case)}' for name, case in cases.items())
    Path(path).write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
