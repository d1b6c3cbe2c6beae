"""Inner loops of a binary's aarch64 kernels through llvm-mca; called by `cost`."""

import argparse
import json
import re
import subprocess
import sys

MCA = "llvm-mca-19"
ITERATIONS = 200
CPUS = {"cortex-a57": ("neon",), "cortex-a72": ("neon",), "cortex-a76": ("neon", "dotprod"), "neoverse-n1": ("neon", "dotprod")}
MACS = {"sdot": 16, "smull": 8, "smull2": 8, "smlal": 8, "smlal2": 8}
"""Products of an instruction, of int8."""
BRANCH = r"b$|b\.|bl|br|cb|tb|ret"
ROUNDING = r"scvtf|fmul|fcvtns|sqxtn|sqadd|smax|smin|st[rpu]"
"""What makes results of sums, and stores them; nothing of it occurs before."""
PEAK = {
    "dotprod": ["sdot v{0}.4s, v30.16b, v31.4b[0]"],
    "neon": ["smull v{0}.8h, v30.8b, v31.8b"],
}
"""What nothing can be faster than: the multiplications alone, each into a register of its own."""
NOTES = """
LLVM has no model of the Cortex-A76: under that name it has the Cortex-A57's, whose vectors are half as wide for floats
and three steps for an interleaving. The Neoverse N1 is the A76's server form and has a model of its own.

A depthwise product belongs to one channel alone, so that depthwise tiles are compared with NEON's multiplications, also
where dot products over interleaved rows outrun them. A tile's results are rounded once for 9 or 25 products, not for
hundreds: "rounded" is the whole tile, and "at most" what the model's units allow these instructions if none ever waits
for another. Of the A72's two vector units one multiplies, and each of the three float operations on a vector occupies
both: 16 results take 17 cycles of both units, 16 times 9 products 18 cycles of one."""


def functions(binary):
    """Names and instructions, `(address, mnemonic, operands)`, of the kernels' functions."""
    listing = subprocess.run(
        ["aarch64-linux-gnu-objdump", "-dC", "--no-show-raw-insn", binary], check=True, capture_output=True, text=True
    ).stdout
    found, name = {}, None
    for line in listing.splitlines():
        if match := re.match(r"([0-9a-f]+) <(.*)>:$", line):
            name = match[2] if "kernels::aarch64" in match[2] else None
            key = f"{name} {match[1]}"
        elif name and (match := re.match(r"\s+([0-9a-f]+):\s+(\S+)\s*([^/]*)", line)):
            found.setdefault(key, []).append((int(match[1], 16), match[2], match[3].strip()))
    return found


def macs(instructions):
    """Multiply-accumulates of these instructions, as far as they are of int8."""
    return sum(MACS.get(mnemonic, 0) for _, mnemonic, _ in instructions)


def inner_loops(instructions):
    """Loops that hold no other loop."""
    index = {address: at for at, (address, _, _) in enumerate(instructions)}
    loops = []
    for at, (_, mnemonic, operands) in enumerate(instructions):
        target = re.search(r"\b([0-9a-f]+) <", operands)
        if not (mnemonic.startswith(("b.", "cb", "tb")) and target):
            continue
        start = index.get(int(target[1], 16))
        if start is not None and start <= at and all(start > end for _, end in loops):
            loops.append((start, at))
    return [instructions[start : end + 1] for start, end in loops]


def stretches(instructions):
    """Runs of instructions without a branch."""
    found = [[]]
    for instruction in instructions:
        if re.match(BRANCH, instruction[1]):
            found.append([])
        else:
            found[-1].append(instruction)
    return found


def depthwise(isa, instructions):
    """Extent of a depthwise tile's kernel and its products; nothing for what is no tile of several pixels."""
    for kernel in (3, 5):
        products = kernel * kernel * 16
        # Three rows are quads, the last of each zero.
        counted = products * 4 // 3 if isa == "dotprod" else products
        for pixels in (2, 4):
            if macs(instructions) == pixels * counted:
                return kernel, pixels * products
    return None


def kernels(binary):
    """What repeats in each kernel: its name, its instruction set, its products and the instructions."""
    best, tiles = {}, {}
    for name, instructions in functions(binary).items():
        isa = "dotprod" if any(m == "sdot" for _, m, _ in instructions) else "neon"
        if "::columns::" not in name:
            # The largest tile does nearly all of the work; of equals, whole blocks have the shorter loop.
            for body in inner_loops(instructions):
                if (macs(body), -len(body)) > (macs(best.get(isa, [])), -len(best.get(isa, []))):
                    best[isa] = body
            continue
        # A tile is straight code, or a loop of it.
        for body in inner_loops(instructions) + stretches(instructions):
            if shape := depthwise(isa, body):
                tiles.setdefault((isa, *shape), []).append(body)
                break
    rows = [("1x1 and full", isa, macs(body), body) for isa, body in sorted(best.items())]
    for (isa, kernel, products), bodies in sorted(tiles.items()):
        # With stride 2 more columns are loaded.
        for stride, body in enumerate(sorted(bodies, key=len), 1):
            rows.append((f"depthwise {kernel}x{kernel}, stride {stride}", isa, products, body))
    expected = [("neon", 5), ("dotprod", 3)]
    if [(isa, sum(row[1] == isa for row in rows)) for isa, _ in expected] != expected:
        sys.exit(f"not the kernels that this program knows: {[row[:3] for row in rows]}")
    return rows


def straight(instructions):
    """The same without branches and address labels, as the assembler reads it."""
    return [
        f"{mnemonic} {operands}"
        for _, mnemonic, operands in instructions
        if not re.match(r"b$|b\.|cb|tb|ret|bl", mnemonic) and "<" not in operands
    ]


def cycles(lines, cpu):
    """Cycles an iteration, in the steady state, and those of the busiest unit or of dispatch."""
    report = subprocess.run(
        [MCA, "-mtriple=aarch64", f"-mcpu={cpu}", "-mattr=+dotprod", f"-iterations={ITERATIONS}"],
        input="\n".join(lines) + "\n",
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    total = int(re.search(r"Total Cycles:\s+(\d+)", report)[1]) / ITERATIONS
    return total, float(re.search(r"Block RThroughput:\s+([\d.]+)", report)[1])


def peak(isa, cpu):
    """Multiply-accumulates a cycle where nothing but multiplications runs."""
    lines = [line.format(register) for register in range(24) for line in PEAK[isa]]
    products = sum(MACS[line.split()[0]] for line in lines)
    return products / cycles(lines, cpu)[0]


def row(cpu, what, isa, products, body):
    """What the model says of one kernel."""
    lines = straight(body)
    multiplying, _ = cycles([line for line in lines if not re.match(ROUNDING, line)], cpu)
    tile = "depthwise" in what
    best = peak("neon" if tile else isa, cpu)
    found = {
        "cpu": cpu,
        "isa": isa,
        "kernel": what,
        "macs_per_iteration": products,
        "cycles_per_mac": round(multiplying / products, 4),
        "macs_per_cycle": round(products / multiplying, 2),
        "peak_macs_per_cycle": round(best, 2),
        "share_of_peak": round(products / multiplying / best, 3),
    }
    if tile:
        rounded, least = cycles(lines, cpu)
        found["rounded_share_of_peak"] = round(products / rounded / best, 3)
        found["rounded_at_most"] = round(products / least / best, 3)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", help="an aarch64 executable with the runtime's kernels")
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    args = parser.parse_args()
    found = kernels(args.binary)
    rows = [row(cpu, *kernel) for cpu, isas in CPUS.items() for kernel in found if kernel[1] in isas]
    print("llvm-mca's model of each core, not a measurement:\n")
    print(
        f"{'core':12}{'kernels':9}{'convolution':24}{'MACs/loop':>10}{'cycles/MAC':>12}{'MACs/cycle':>12}{'peak':>7}{'share':>7}"
        f"{'rounded':>9}{'at most':>9}"
    )
    for r in rows:
        share = [f"{100 * r[key]:.0f}%" if key in r else "" for key in ("rounded_share_of_peak", "rounded_at_most")]
        print(
            f"{r['cpu']:12}{r['isa']:9}{r['kernel']:24}{r['macs_per_iteration']:>10}{r['cycles_per_mac']:>12}"
            f"{r['macs_per_cycle']:>12}{r['peak_macs_per_cycle']:>7}{100 * r['share_of_peak']:>6.0f}%{share[0]:>9}{share[1]:>9}"
        )
    print(NOTES)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
