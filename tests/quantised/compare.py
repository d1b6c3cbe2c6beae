"""Top answers and features of packs made of quantised models, beside ONNX Runtime's and LiteRT's.

compare.py TOOLS MODELS SIGNS [KEYWORDS]; see `run`. Both sides get the same float32 inputs.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

TOOLS, MODELS, SIGNS = map(Path, sys.argv[1:4])
KEYWORDS = Path(sys.argv[4]) if len(sys.argv) > 4 else None
MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)
failed = False


def pack(model, out, *options):
    """Packs a model without a calibration sample and gives what `headstart pack` says."""
    command = [TOOLS / "headstart", "--json", "pack", MODELS / model, "-o", out, *options]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def run(path, info, inputs):
    """Features and top classes of the device."""
    command = [TOOLS / "examples" / "features", path]
    data = np.ascontiguousarray(inputs, "<f4").tobytes()
    found = subprocess.run(command, input=data, check=True, stdout=subprocess.PIPE).stdout
    rows = np.frombuffer(found, np.uint8).reshape(len(inputs), info["features"] + 4)
    return rows[:, :-4].view(np.int8), np.ascontiguousarray(rows[:, -4:]).view("<u4")[:, 0]


def photos():
    return sorted(SIGNS.rglob("*.JPG"))


def pixels(path, size):
    picture = Image.open(path).convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(picture, np.float32)


def verdict(name, holds, text):
    global failed
    failed |= not holds
    print(f"{name}: {text}{'' if holds else '   MISSED'}", flush=True)


def exposed(model, names):
    """The ONNX model with more outputs, by their names."""
    import onnx

    proto = onnx.load(model)
    have = {output.name for output in proto.graph.output}
    for name in names:
        if name not in have:
            proto.graph.output.append(onnx.ValueInfoProto(name=name))
    return proto.SerializeToString()


def mobilenet(work):
    import onnxruntime as ort

    name = "mobilenet_v2_imagenet_int8_qdq_pc.onnx"
    if not (MODELS / name).exists():
        print(f"{name}: LEFT OUT, it is not in {MODELS}")
        return
    options = ["--preprocess", "imagenet", "--max-classes", "1000"]
    logits = pack(name, work / "logits.hspk", *options, "--freeze", "logits")
    kept = pack(name, work / "kept.hspk", *options, "--head", "keep")
    print(f"{name}: frozen at {kept['freeze_point']!r}, differences: {kept['differences']}")
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = 2
    quantised = "features_QuantizeLinear_Output"
    session = ort.InferenceSession(
        exposed(MODELS / name, [quantised]), settings, providers=["CPUExecutionProvider"]
    )
    settings_plain = ort.SessionOptions()
    settings_plain.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    plain = ort.InferenceSession(str(MODELS / name), settings_plain, providers=["CPUExecutionProvider"])
    same_logits = same_kept = among_best = total = same_plain = of_plain = 0
    steps = {}
    all_photos = photos()
    for start in range(0, len(all_photos), 64):
        batch = [pixels(path, 224) for path in all_photos[start : start + 64]]
        inputs = np.stack([((picture - MEAN) / STD).transpose(2, 0, 1) for picture in batch])
        found, _ = run(work / "logits.hspk", logits, inputs)
        features, answers = run(work / "kept.hspk", kept, inputs)
        for index, one in enumerate(inputs):
            wanted, of_ort = session.run(["logits", quantised], {"input": one[None]})
            best = int(wanted[0].argmax())
            if index % 8 == 0:
                of_plain += 1
                same_plain += int(plain.run(["logits"], {"input": one[None]})[0][0].argmax()) == best
            same_logits += int(found[index].argmax()) == best
            same_kept += int(answers[index]) == best
            among_best += wanted[0][answers[index]] == wanted[0].max()
            difference = np.abs(features[index].astype(int) - of_ort[0].astype(int))
            for step, count in zip(*np.unique(difference, return_counts=True)):
                steps[int(step)] = steps.get(int(step), 0) + int(count)
        total += len(batch)
    share = lambda count: f"{100 * count / total:.2f} % of {total}"
    # Roundings that fall the other way at a half grow on their way through this model. What ONNX Runtime's own
    # optimiser changes shows how far: it leaves some convolutions in float32 and makes integers of others.
    verdict(
        "top answer, classifier int8 as in the model",
        same_logits >= 0.995 * total,
        f"agrees with ONNX Runtime on {share(same_logits)}; ONNX Runtime with its optimiser agrees with itself without "
        f"on {100 * same_plain / of_plain:.2f} % of {of_plain}",
    )
    print(
        f"top answer, --head keep (float logits): the same on {share(same_kept)}; one of the best, of which ONNX "
        f"Runtime's 8-bit logits have several, on {share(among_best)}"
    )
    count = sum(steps.values())
    print("features, steps from ONNX Runtime's:", {s: f"{100 * n / count:.3f} %" for s, n in sorted(steps.items())})


def litert(path, reference):
    """An interpreter that keeps what is between the operators; by the reference kernels, or by XNNPACK."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kind = OpResolverType.BUILTIN_REF if reference else OpResolverType.AUTO
    interpreter = Interpreter(
        str(path), experimental_op_resolver_type=kind, experimental_preserve_all_tensors=True
    )
    interpreter.allocate_tensors()
    return interpreter


def tflite(work, name, inputs, options=()):
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        print(f"{name}: LEFT OUT, it is not in {MODELS}")
        return
    out = work / f"{name}.hspk"
    info = pack(path.name, out, *options)
    features, _ = run(out, info, inputs)
    ours = [answers_of_litert(path, info["freeze_point"], inputs, reference) for reference in [False, True]]
    worst, differing = apart(features, ours[0])
    verdict(
        name,
        worst <= 1,
        f"{features.shape[1]} features at {info['freeze_point']!r}, {len(inputs)} inputs: at most {worst} steps from "
        f"LiteRT's, {differing:.3f} % differ; differences said: {info['differences']}",
    )
    worst, differing = apart(*ours)
    print(f"    LiteRT's own reference kernels are up to {worst} steps from its default ones, {differing:.3f} % differ")


def apart(a, b):
    """The greatest difference, and how many per cent differ."""
    difference = np.abs(a.astype(int) - b.astype(int))
    return int(difference.max()), 100 * float((difference != 0).mean())


def answers_of_litert(path, name, inputs, reference):
    """LiteRT's own integers of the tensor of that name, a row an input."""
    interpreter = litert(path, reference)
    target = next(t["index"] for t in interpreter.get_tensor_details() if t["name"] == name)
    given = interpreter.get_input_details()[0]
    rows = []
    for one in inputs:
        value = one.reshape(given["shape"])
        if given["dtype"] == np.int8:
            scale, zero = given["quantization"]
            value = np.clip(np.rint(value / np.float32(scale)) + zero, -128, 127)
        interpreter.set_tensor(given["index"], value.astype(given["dtype"]))
        interpreter.invoke()
        rows.append(interpreter.get_tensor(target).ravel())
    return np.stack(rows)


def main():
    chance = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        some = photos()[::10]
        small = np.stack([(pixels(path, 32) - 128) / 128 for path in some])
        tflite(work, "mltk_image_classification", small, ["--mean", "128", "--std", "128"])
        tflite(work, "mltk_visual_wake_words", np.stack([pixels(path, 96) for path in some]), ["--preprocess", "raw"])
        if KEYWORDS is None:
            words = chance.integers(-128, 128, (200, 59, 49, 1)).astype(np.float32)
        else:
            words = np.load(KEYWORDS)["x"][::15].astype(np.float32)[..., None]
        tflite(work, "mltk_keyword_spotting_mobilenetv2", words, ["--preprocess", "raw"])
        # No spoken words for this one: slow waves, which look like what it reads.
        waves = np.cumsum(chance.normal(0, 12, (200, 50, 10, 1)), axis=1).astype(np.float32) + 100
        tflite(work, "mltk_keyword_spotting", waves.astype(np.float32), ["--preprocess", "raw"])
        mobilenet(work)
    sys.exit(1 if failed else 0)


main()
