"""Reads the tensors of a PyTorch state file of the older form (before 1.6) without PyTorch.

The file is five pickles (magic number, protocol, system, state, keys of the storages) and then each
storage: its length as int64, then its values; all little-endian. A pickle can run any code, so this reader lets it name
four things only: an ordered dictionary, two types of storage and the function that lays a tensor over one.
"""

import collections
import io
import pickle
import struct

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
ITEM_BYTES = {"FloatStorage": 4, "LongStorage": 8}


class Tensor:
    """A view of a storage: `shape`, and `values(storages)` as little-endian bytes."""

    def __init__(self, storage, offset, shape, strides, *_):
        expected, step = [], 1
        for size in reversed(shape):
            expected.insert(0, step)
            step *= size
        if list(strides) != expected and step > 1:
            raise ValueError(f"a tensor of shape {shape} is not contiguous")
        self.kind, self.key = storage
        self.offset, self.shape, self.count = offset, list(shape), step

    def values(self, storages):
        size = ITEM_BYTES[self.kind]
        data = storages[self.key][self.offset * size : (self.offset + self.count) * size]
        if len(data) != self.count * size:
            raise ValueError(f"storage {self.key} is too short for a tensor of shape {self.shape}")
        return data


class Reader(pickle.Unpickler):
    ALLOWED = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): Tensor,
        ("torch", "FloatStorage"): "FloatStorage",
        ("torch", "LongStorage"): "LongStorage",
    }

    def find_class(self, module, name):
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"the file asks for {module}.{name}: not a plain state file")
        return self.ALLOWED[module, name]

    def persistent_load(self, identity):
        _, kind, key, *_ = identity
        return kind, key


def read(data):
    """The float tensors of `data` as {name: (shape, little-endian float32 bytes)}."""
    file = io.BytesIO(data)
    magic, protocol, _system = (Reader(file).load() for _ in range(3))
    if (magic, protocol) != (MAGIC, PROTOCOL):
        raise ValueError("not a PyTorch state file of the form before 1.6")
    state = Reader(file).load()
    keys = Reader(file).load()
    item_bytes = {tensor.key: ITEM_BYTES[tensor.kind] for tensor in state.values()}
    storages = {}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        if key not in item_bytes or not 0 <= count * item_bytes[key] <= len(data):
            raise ValueError(f"storage {key} is not one of a tensor, or its length is wrong")
        storages[key] = file.read(count * item_bytes[key])
    return {
        name: (tensor.shape, tensor.values(storages))
        for name, tensor in state.items()
        if tensor.kind == "FloatStorage"
    }
