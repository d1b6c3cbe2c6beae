"""Makes what the whole job needs: python -m peers.prepare_job DATA OUT

In OUT, beside MobileNetV2's `float.onnx` and `input.f32`: the folders `train` and `test` with 20 photos of each class,
and `backbone.pt`, PyTorch's weights, checked to give ONNX Runtime's features.
"""

import pathlib
import shutil
import sys

import numpy
import onnx
import onnxruntime
import torch

from peers import samples
from peers.torch_network import Backbone

A_CLASS = 20
MOST_DIFFERENCE = 1e-3
"""Between the features of PyTorch and ONNX Runtime, relative to the largest."""


def weights(float_file):
    """The state of `Backbone`: its convolutions stand in the order of the ONNX file's."""
    model = onnx.load(float_file)
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    ours = [name.removesuffix(".weight") for name in Backbone().state_dict() if name.endswith(".weight")]
    theirs = [node for node in model.graph.node if node.op_type == "Conv"]
    if len(ours) != len(theirs):
        sys.exit(f"{float_file}: {len(theirs)} convolutions, but MobileNetV2 has {len(ours)}: give torchvision's")
    state = {}
    for name, node in zip(ours, theirs):
        for part, operand in zip(("weight", "bias"), node.input[1:]):
            state[f"{name}.{part}"] = torch.from_numpy(tensors[operand].copy())
    return state


def check(state, float_file, input_file):
    """Makes sure that both engines see the same in one photo."""
    backbone = Backbone()
    backbone.load_state_dict(state)
    image = numpy.fromfile(input_file, "<f4").reshape(1, 3, 224, 224)
    with torch.inference_mode():
        ours = backbone.eval()(torch.from_numpy(image)).numpy()
    session = onnxruntime.InferenceSession(float_file, providers=["CPUExecutionProvider"])
    theirs = session.run(None, {session.get_inputs()[0].name: image})[0]
    difference = float(numpy.abs(ours - theirs).max() / numpy.abs(theirs).max())
    if not difference <= MOST_DIFFERENCE:
        sys.exit(f"{float_file}: PyTorch's features differ from ONNX Runtime's by {difference:.2e} of the largest")


def copy(source, target):
    """Some photos of each class."""
    shutil.rmtree(target, ignore_errors=True)
    for path, _ in samples.photos(source, A_CLASS):
        folder = target / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / path.name)


def main():
    data, out = map(pathlib.Path, sys.argv[1:])
    float_file = out / "float.onnx"
    for part in ("train", "test"):
        copy(data / "signs" / part, out / part)
    state = weights(float_file)
    check(state, float_file, out / "input.f32")
    torch.save(state, out / "backbone.pt")


if __name__ == "__main__":
    main()
