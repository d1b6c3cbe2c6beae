"""The main job with an installed wheel: job.py FOLDER, of which tests/packages/job says what it holds."""

import os
import pathlib
import shutil
import sys

import headstart

os.chdir(sys.argv[1])
for path in ("mine", "common"):
    shutil.rmtree(path, ignore_errors=True)
pathlib.Path("model.hspk").unlink(missing_ok=True)
headstart.pack("model.onnx", "model.hspk", calib="train", preprocess="tf")
device = headstart.Device("model.hspk", "mine")
device.learn("train")
wrong = 0
for classes in sorted(pathlib.Path("test").iterdir()):
    answer = device.predict(min(classes.iterdir()))
    print(f"{classes.name}: {answer.label}")
    wrong += answer.label != classes.name
if wrong > 1:
    sys.exit(f"{wrong} pictures are answered otherwise")
if os.path.exists("common.hspk"):
    headstart.Device("common.hspk", "common").learn("train")
