"""What `QuantizeLinear` and `DequantizeLinear` pairs define, tensor by tensor, beside ONNX Runtime's evaluations of them.

A pair says that a tensor is rounded: `q = saturate(rne(x / scale) + zero point)`, and that what follows computes with
`(q - zero point) * scale`. ONNX Runtime evaluates that in float32, in integers, or partly so, by its settings; in real
numbers all of these are the same, and they can differ only where `x / scale` lies within float32's rounding of a half.
"""

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

LOGITS = "logits_QuantizeLinear_Output"
FEATURES = "features_QuantizeLinear_Output"

# On ARM `session.qdqisint8allowed` is ONNX Runtime's default. Elsewhere it turns int8 activations into uint8 first, and
# leaves in float32 what touches a tensor with two readers.
SETTINGS = {
    "integers": "session.qdqisint8allowed",
    "default": "its default on x86-64",
    "extended": "ORT_ENABLE_EXTENDED",
    "plain": "ORT_DISABLE_ALL",
}


def options(by):
    level = ort.GraphOptimizationLevel
    made = ort.SessionOptions()
    made.intra_op_num_threads = 2
    made.log_severity_level = 3
    made.graph_optimization_level = {"extended": level.ORT_ENABLE_EXTENDED, "plain": level.ORT_DISABLE_ALL}.get(
        by, level.ORT_ENABLE_ALL
    )
    if by == "integers":
        made.add_session_config_entry("session.qdqisint8allowed", "1")
    return made


def session(model, by, outputs=()):
    """A session that gives those tensors, or what the model itself gives: more outputs may make others float32."""
    proto = onnx.load(model)
    if outputs:
        del proto.graph.output[:]
        proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs)
    return ort.InferenceSession(proto.SerializeToString(), options(by), providers=["CPUExecutionProvider"])


def float_nodes(model, by):
    """Names of the convolutions and kinds of the other operators that an evaluation does not do in integers."""
    with tempfile.TemporaryDirectory() as folder:
        made = options(by)
        made.optimized_model_filepath = str(Path(folder) / "optimised.onnx")
        ort.InferenceSession(str(model), made, providers=["CPUExecutionProvider"])
        graph = onnx.load(made.optimized_model_filepath).graph
    in_float = ("Conv", "FusedConv", "Add", "Gemm", "GlobalAveragePool")
    return [node.name or node.op_type for node in graph.node if node.op_type in in_float]


def convolution(x, weights, bias, node):
    """One image, float64: exact, since all of it are integers times one scale a channel."""
    said = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    top, left, bottom, right = said["pads"]
    rows, columns = said["strides"]
    x = np.pad(x, ((0, 0), (top, bottom), (left, right)))
    kernel = weights.shape[2:]
    extent = [(x.shape[1] - kernel[0]) // rows + 1, (x.shape[2] - kernel[1]) // columns + 1]
    total = np.zeros((weights.shape[0], *extent))
    for i, j in np.ndindex(*kernel):
        part = x[:, i : i + rows * (extent[0] - 1) + 1 : rows, j : j + columns * (extent[1] - 1) + 1 : columns]
        if said.get("group", 1) == 1:
            total += np.tensordot(weights[:, :, i, j], part, 1)
        else:
            assert said["group"] == len(x) == len(weights), "groups of several channels"
            total += weights[:, 0, i, j, None, None] * part
    return total + bias[:, None, None]


def defined(graph, constants, image, given):
    """Every rounded tensor before its rounding, in steps from zero point 0, computed in float64 from the rounded tensors
    that are given; and its zero point."""
    real = {"input": image}
    for node in graph.node:
        inputs = [real.get(name) for name in node.input]
        if node.op_type == "QuantizeLinear":
            name, scale, zero_point = node.output[0], constants[node.input[1]], constants[node.input[2]]
            # The input is no product of integers: its quotient is float32's.
            steps = inputs[0] / scale if node.input[0] == "input" else inputs[0] / np.float64(scale)
            yield name, steps, int(zero_point)
            continue
        if node.op_type == "DequantizeLinear":
            scale, zero_point = (constants[name].astype(np.float64) for name in node.input[1:])
            integers = constants.get(node.input[0])
            of = given[node.input[0]][0] if integers is None else integers
            around = [-1] + [1] * (of.ndim - 1) if scale.size > 1 else []
            result = (of - zero_point.reshape(around)) * scale.reshape(around)
        elif node.op_type == "Conv":
            result = convolution(*inputs, node)
        elif node.op_type == "Add":
            result = inputs[0] + inputs[1]
        elif node.op_type == "GlobalAveragePool":
            result = inputs[0].mean((1, 2), keepdims=True)
        elif node.op_type == "Flatten":
            result = inputs[0].ravel()
        elif node.op_type == "Gemm":
            result = inputs[1] @ inputs[0] + inputs[2]
        else:
            raise ValueError(f"no definition of {node.op_type}")
        real[node.output[0]] = result


def report(model, images):
    """How often, and how near to a half, each evaluation rounds otherwise than the definition does, from the tensors that
    the evaluation itself gave before; and how far two evaluations are apart in the end."""
    graph = onnx.load(model).graph
    constants = {constant.name: onnx.numpy_helper.to_array(constant) for constant in graph.initializer}
    names = [node.output[0] for node in graph.node if node.op_type == "QuantizeLinear"]
    found = {}
    for by in ("integers", "plain"):
        evaluation = session(model, by, names)
        count, otherwise, worst, furthest = 0, 0, 0, 0.0
        for image in images:
            given = dict(zip(names, evaluation.run(names, {"input": image[None]})))
            found.setdefault(by, []).append(given)
            for name, steps, zero_point in defined(graph, constants, image, given):
                wanted = np.clip(np.rint(steps) + zero_point, -128, 127)
                apart = np.abs(wanted - given[name][0])
                from_half = np.abs(steps - np.floor(steps) - 0.5)[apart != 0]
                count, otherwise = count + apart.size, otherwise + from_half.size
                worst, furthest = max(worst, apart.max()), max(furthest, from_half.max(initial=0.0))
        print(
            f"    {by}: from its own operands, {otherwise} of {count} values in {len(names)} tensors are not what float64 "
            f"gives, by {worst:.0f} step at most; these lie within {furthest:.1e} of a half"
        )
    for name in names:
        apart = [np.abs(a[name].astype(int) - b[name]) for a, b in zip(found["integers"], found["plain"])]
        share = 100 * np.mean([(each != 0).mean() for each in apart])
        if name in (names[1], names[len(names) // 4], names[len(names) // 2], names[-4], FEATURES, LOGITS):
            text = f"{share:.4f} % apart, by {max(each.max() for each in apart)} steps at most"
            print(f"    integers and plain, tensor {name.removesuffix('_QuantizeLinear_Output')}: {text}")
