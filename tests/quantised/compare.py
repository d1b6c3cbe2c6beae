"""Top answers and features of packs made of quantised models, beside ONNX Runtime's and LiteRT's.

compare.py TOOLS MODELS SIGNS [KEYWORDS]; see `run`. Both sides get the same float32 inputs.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import qdq
from PIL import Image

TOOLS, MODELS, SIGNS = map(Path, sys.argv[1:4])
KEYWORDS = Path(sys.argv[4]) if len(sys.argv) > 4 else None
MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)
# What the QDQ model was made of.
FLOAT = "mobilenet_v2_imagenet.onnx"
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


def mobilenet(work):
    name = "mobilenet_v2_imagenet_int8_qdq_pc.onnx"
    if not (MODELS / name).exists():
        print(f"{name}: LEFT OUT, it is not in {MODELS}")
        return
    options = ["--preprocess", "imagenet", "--max-classes", "1000"]
    logits = pack(name, work / "logits.hspk", *options, "--freeze", "logits")
    kept = pack(name, work / "kept.hspk", *options, "--head", "keep")
    print(f"{name}: frozen at {kept['freeze_point']!r}, differences: {kept['differences']}")
    model = MODELS / name
    sessions = {"integers": qdq.session(model, "integers", [qdq.LOGITS, qdq.FEATURES])}
    sessions |= {by: qdq.session(model, by) for by in qdq.SETTINGS if by != "integers"}
    in_float = {by: qdq.float_nodes(model, by) for by in sessions}
    if (MODELS / FLOAT).exists():
        sessions["float"] = qdq.session(MODELS / FLOAT, "default")
    assert not in_float["integers"], f"ONNX Runtime's integers are not: {in_float['integers']}"
    answers = {by: [] for by in ["ours", *sessions]}
    margins, differing, same_kept, among_best = [], 0, 0, 0
    all_photos = photos()
    for start in range(0, len(all_photos), 64):
        batch = [pixels(path, 224) for path in all_photos[start : start + 64]]
        inputs = np.stack([((picture - MEAN) / STD).transpose(2, 0, 1) for picture in batch])
        found, _ = run(work / "logits.hspk", logits, inputs)
        features, classes = run(work / "kept.hspk", kept, inputs)
        answers["ours"].extend(found.argmax(1))
        for index, one in enumerate(inputs):
            of_ort, of_ort_features = (rows[0] for rows in sessions["integers"].run(None, {"input": one[None]}))
            answers["integers"].append(of_ort.argmax())
            second, first = np.sort(of_ort.astype(int))[-2:]
            margins.append(first - second)
            differing += int((found[index] != of_ort).sum()) + int((features[index] != of_ort_features).sum())
            same_kept += int(classes[index] == of_ort.argmax())
            among_best += int(of_ort[classes[index]] == of_ort.max())
            for by in list(sessions)[1:]:
                answers[by].append(sessions[by].run(None, {"input": one[None]})[0].argmax())
    total = len(all_photos)
    same = sum(a == b for a, b in zip(answers["ours"], answers["integers"], strict=True))
    verdict(
        "top answer, classifier int8 as in the model",
        same >= 0.995 * total and differing == 0,
        f"{100 * same / total:.2f} % of {total} photos as ONNX Runtime's integers; of logits and features, "
        f"{differing} of {total * (logits['features'] + kept['features'])} differ",
    )
    print(
        f"top answer, --head keep (float logits): the same on {100 * same_kept / total:.2f} %; one of the best, of which "
        f"the 8-bit logits have several, on {100 * among_best / total:.2f} %"
    )
    margins = np.array(margins)
    print(f"    the best two of 1000 logits are at most 2 steps apart on {100 * (margins <= 2).mean():.0f} %")
    answers = {by: np.array(tops) for by, tops in answers.items()}
    for by, tops in answers.items():
        if by in in_float:
            print(f"    {by}: {qdq.SETTINGS[by]}, {len(in_float[by])} operators in float32")
        others = answers["ours"] != tops
        near = f"; where not, {100 * (margins[others] <= 2).mean():.0f} % are such" if others.any() else ""
        pairs = ", ".join(f"{name} {100 * (tops == of).mean():.2f} %" for name, of in answers.items())
        print(f"    {by} agrees with {pairs}{near}")
    qdq.report(model, [((pixels(path, 224) - MEAN) / STD).transpose(2, 0, 1) for path in all_photos[::400]])


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
    # A fused result has the names of all that was fused, with semicolons between; the first of them is ours.
    named = {t["name"].split(";")[0]: t["index"] for t in interpreter.get_tensor_details()}
    named |= {t["name"]: t["index"] for t in interpreter.get_tensor_details()}
    target = named[name]
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
