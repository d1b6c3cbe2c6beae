"""Inner loops of a binary's aarch64 kernels through llvm-mca; called by `cost`."""

import argparse
import json
import re
import subprocess

MCA = "llvm-mca-19"
ITERATIONS = 200
CPUS = {"cortex-a57": ("neon",), "cortex-a72": ("neon",), "cortex-a76": ("neon", "dotprod")}
MACS = {"sdot": 16, "smull": 8, "smull2": 8, "smlal": 8, "smlal2": 8}
"""Products of an instruction, of int8."""
BRANCH = r"b$|b\\.|bl|br|cb|tb|ret"
PEAK = {
    "dotprod": ["sdot v{0}.4s, v30.16b, v31.4b[0]"],
    "neon": ["smull v{0}.8h, v30.8b, v31.8b"],
}
"""What nothing can be faster than: the multiplications alone, each into a register of its own."""
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


def kernels(binary):
    """What repeats in each kernel: its name, its instruction set and the instructions."""
    best = {}
    for name, instructions in functions(binary).items():
        if "::columns::" in name:
            # A tile is straight code.
            kernel, bodies = ("depthwise", "neon"), stretches(instructions)
        else:
            isa = "dotprod" if any(m == "sdot" for _, m, _ in instructions) else "neon"
            kernel, bodies = ("1x1 and full", isa), inner_loops(instructions)
        # The largest tile does nearly all of the work.
        for body in bodies:
            if macs(body) > macs(best.get(kernel, [])):
                best[kernel] = body
    return best


def straight(instructions):
    """The same without branches and address labels, as the assembler reads it."""
    return [
        f"{mnemonic} {operands}"
        for _, mnemonic, operands in instructions
        if not re.match(r"b$|b\.|cb|tb|ret|bl", mnemonic) and "<" not in operands
    ]


def cycles(lines, cpu):
    """Cycles an iteration, in the steady state."""
    report = subprocess.run(
        [MCA, "-mtriple=aarch64", f"-mcpu={cpu}", "-mattr=+dotprod", f"-iterations={ITERATIONS}"],
        input="\n".join(lines) + "\n",
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return int(re.search(r"Total Cycles:\s+(\d+)", report)[1]) / ITERATIONS


def peak(isa, cpu):
    """Multiply-accumulates a cycle where nothing but multiplications runs."""
    lines = [line.format(register) for register in range(24) for line in PEAK[isa]]
    products = sum(MACS[line.split()[0]] for line in lines)
    return products / cycles(lines, cpu)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", help="an aarch64 executable with the runtime's kernels")
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    args = parser.parse_args()
    found = kernels(args.binary)
    rows = []
    for cpu, isas in CPUS.items():
        for (what, isa), body in sorted(found.items()):
            if isa not in isas:
                continue
            rate, best = macs(body) / cycles(straight(body), cpu), peak(isa, cpu)
            row = {
                "cpu": cpu,
                "isa": isa,
                "kernel": what,
                "macs_per_iteration": macs(body),
                "cycles_per_mac": round(1 / rate, 4),
                "macs_per_cycle": round(rate, 2),
                "peak_macs_per_cycle": round(best, 2),
                "share_of_peak": round(rate / best, 3),
            }
            rows.append(row)
    print("llvm-mca's model of each core, not a measurement:\n")
    print(f"{'core':12}{'kernels':9}{'convolution':15}{'MACs/loop':>10}{'cycles/MAC':>12}{'MACs/cycle':>12}{'peak':>7}{'share':>8}")
    for r in rows:
        print(
            f"{r['cpu']:12}{r['isa']:9}{r['kernel']:15}{r['macs_per_iteration']:>10}{r['cycles_per_mac']:>12}"
            f"{r['macs_per_cycle']:>12}{r['peak_macs_per_cycle']:>7}{100 * r['share_of_peak']:>7.0f}%"
        )
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
