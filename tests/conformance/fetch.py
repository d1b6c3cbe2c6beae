"""Puts ONNX's own conformance cases, of one pinned release, into a folder.

Usage: python3 fetch.py FOLDER
The cases come out of the wheel `onnx` of the Python package registry, which pip downloads and
checks; nothing of it is installed or run. The folder is complete when the file COMPLETE is there.
"""

import pathlib
import subprocess
import sys
import tempfile
import zipfile

VERSION = "1.20.0"
# One wheel for all: the cases are the same in each. This one is fetched whatever the machine is.
SHA256 = "02e0d72ab09a983fce46686b155a5049898558d9f3bc6e8515120d6c40666318"
PLATFORM = ["--python-version", "3.12", "--implementation", "cp", "--abi", "abi3",
            "--platform", "manylinux_2_28_x86_64"]
PREFIX = "onnx/backend/test/data/"


def main():
    folder = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        requirements = pathlib.Path(scratch, "requirements.txt")
        requirements.write_text(f"onnx=={VERSION} --hash=sha256:{SHA256}\n")
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", scratch,
             "--requirement", str(requirements), *PLATFORM],
            check=True,
        )
        (wheel,) = pathlib.Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                if member.is_dir() or not member.filename.startswith(PREFIX):
                    continue
                target = folder / member.filename[len(PREFIX):]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(member))
    (folder / "COMPLETE").write_text(f"onnx {VERSION}\n")


if __name__ == "__main__":
    main()
