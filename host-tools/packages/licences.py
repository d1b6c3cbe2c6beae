"""Prints the licences of the crates that both programs are linked with: licences.py TARGET

Each text once, under the crates that have it. Crates lie where cargo keeps them; one that names its licence but has no text of it is listed with
the name.
"""

import json
import pathlib
import subprocess
import sys

FILES = ("license", "licence", "copying", "copyright", "notice", "unlicense")


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], check=True, capture_output=True, text=True).stdout


def linked(target):
    """Name and version of each crate in the programs."""
    programs = ["-p", "headstart-tools", "-p", "headstart-edge", "--features", "headstart-edge/flex"]
    lines = cargo("tree", *programs, "--edges", "normal", "--target", target, "--prefix", "none", "--format", "{p}").splitlines()
    names = (line.split() for line in lines if line)
    return {(words[0], words[1].removeprefix("v")) for words in names}


def main():
    (target,) = sys.argv[1:]
    wanted = linked(target)
    packages = json.loads(cargo("metadata", "--format-version", "1", "--locked", "--filter-platform", target))["packages"]
    texts, without = {}, []
    for package in packages:
        known = (package["name"], package["version"])
        if known not in wanted or package["source"] is None:
            continue
        name = f"{package['name']} {package['version']} ({package['license'] or package['license_file']})"
        folder = pathlib.Path(package["manifest_path"]).parent
        files = sorted(file for file in folder.iterdir() if file.is_file() and file.name.lower().startswith(FILES))
        for file in files:
            text = "\n".join(line.rstrip() for line in file.read_text(errors="replace").strip().splitlines())
            texts.setdefault(text, set()).add(name)
        if not files:
            without.append(name)
    if not texts:
        sys.exit("no crate has a licence")
    for text, names in sorted(texts.items(), key=lambda item: sorted(item[1])):
        print("\n".join(sorted(names)), text, sep="\n\n", end=f"\n\n{'-' * 80}\n\n")
    print("No text lies beside:", *sorted(without), sep="\n")


main()
