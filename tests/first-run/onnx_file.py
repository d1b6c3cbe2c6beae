"""Writes an ONNX file with nothing but the standard library.

Field numbers are those of onnx.proto3. Only what a float convolutional network needs is here.
"""

import struct

FLOAT = 1  # TensorProto.DataType


def varint(value):
    data = bytearray()
    value &= (1 << 64) - 1
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def field(number, value):
    """One field: an int, a float, text, or the bytes of a message or string."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(number, values):
    return b"".join(field(number, value) for value in values)


def attribute(name, value):
    if isinstance(value, list):
        return field(1, name) + fields(8, value) + field(20, 7)
    if isinstance(value, float):
        return field(1, name) + field(2, value) + field(20, 1)
    return field(1, name) + field(3, value) + field(20, 2)


def value_info(name, shape):
    """A float tensor; an int is a fixed size, text names a free one."""
    dimensions = [field(2 if isinstance(size, str) else 1, size) for size in shape]
    tensor = field(1, FLOAT) + field(2, fields(1, dimensions))
    return field(1, name) + field(2, field(1, tensor))


class Graph:
    """Collects nodes and initialisers; `node` returns the name of its output."""

    def __init__(self):
        self.nodes, self.initialisers = [], []

    def initialiser(self, name, shape, data):
        tensor = fields(1, shape) + field(2, FLOAT) + field(8, name) + field(9, data)
        self.initialisers.append(tensor)
        return name

    def node(self, operator, name, inputs, output=None, **attributes):
        output = output or f"{name}.output"
        entries = [attribute(key, value) for key, value in attributes.items()]
        self.nodes.append(
            fields(1, inputs) + field(2, output) + field(3, name) + field(4, operator) + fields(5, entries)
        )
        return output

    def model(self, name, inputs, outputs, opset):
        """The bytes of the file; `inputs` and `outputs` are (name, shape)."""
        graph = (
            fields(1, self.nodes)
            + field(2, name)
            + fields(5, self.initialisers)
            + fields(11, [value_info(*each) for each in inputs])
            + fields(12, [value_info(*each) for each in outputs])
        )
        opset_import = field(1, "") + field(2, opset)
        return field(1, 8) + field(2, "headstart first run") + field(7, graph) + field(8, opset_import)
