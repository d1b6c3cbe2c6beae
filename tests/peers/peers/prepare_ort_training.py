"""Makes what onnxruntime-training needs: python -m peers.prepare_ort_training OUT

In OUT, beside MobileNetV2's `float.onnx`: the folder `ort-training` with the training graph, the optimiser and the
checkpoint of the backbone with a new head of 10 classes, of which only the head learns.
"""

import pathlib
import sys

import numpy
import onnx

from peers import job, ort_training  # before its parts
from onnxruntime.training import artifacts  # isort: skip


def with_head(model):
    """The backbone for any batch, and a fully-connected layer after it."""
    graph = model.graph
    features = graph.output[0]
    width = features.type.tensor_type.shape.dim[1].dim_value
    del graph.value_info[:]
    graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"
    generator = numpy.random.default_rng(1)
    bound = width**-0.5
    weight = generator.uniform(-bound, bound, (job.CLASSES, width)).astype(numpy.float32)
    graph.initializer.append(onnx.numpy_helper.from_array(weight, "head.weight"))
    graph.initializer.append(onnx.numpy_helper.from_array(numpy.zeros(job.CLASSES, numpy.float32), "head.bias"))
    operands = [features.name, "head.weight", "head.bias"]
    graph.node.append(onnx.helper.make_node("Gemm", operands, ["head.logits"], "head", transB=1))
    graph.output[0].CopyFrom(
        onnx.helper.make_tensor_value_info("head.logits", onnx.TensorProto.FLOAT, ["N", job.CLASSES])
    )
    return model


def main():
    out = pathlib.Path(sys.argv[1])
    model = with_head(onnx.load(out / "float.onnx"))
    # The bounds of a Clip are constants, not parameters.
    names = [tensor.name for tensor in model.graph.initializer if tensor.dims]
    learned = ["head.weight", "head.bias"]
    folder = out / "ort-training"
    folder.mkdir(exist_ok=True)
    artifacts.generate_artifacts(
        model, requires_grad=learned, frozen_params=[name for name in names if name not in learned],
        loss=artifacts.LossType.CrossEntropyLoss, optimizer=artifacts.OptimType.SGD, artifact_directory=folder,
    )


if __name__ == "__main__":
    main()
