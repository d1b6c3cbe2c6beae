# Sourced by what makes packages: builds for Linux with glibc 2.17 (of 2012) or newer, whatever this machine has, by zig as C compiler and
# linker. It needs Python 3 with venv; zig, cargo-zigbuild and maturin come from PyPI.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
export CARGO_INCREMENTAL=0
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR
glibc=2.17
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)

venv=$CARGO_TARGET_DIR/packages/venv
tools=(cargo-zigbuild==0.24.1 maturin==1.16.0 ziglang==0.17.1)
[ "$(cat "$venv/taken" 2>/dev/null)" = "${tools[*]}" ] || {
    rm -rf "$venv"
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check "${tools[@]}"
    echo "${tools[*]}" >"$venv/taken"
}
export PATH=$venv/bin:$PATH
export CARGO_ZIGBUILD_PYTHON_PATH=$venv/bin/python

# for_architecture x86_64|aarch64: sets `target`, and `with_rust COMMAND...`, which runs a command with the Rust that has it.
for_architecture() {
    case $1 in
    x86_64)
        target=x86_64-unknown-linux-gnu
        with_rust() { "$@"; }
        ;;
    aarch64)
        source tests/aarch64/toolchain.sh
        # zig links.
        unset CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER
        with_rust() { aarch64 "$@"; }
        ;;
    *)
        echo "x86_64 or aarch64, not $1" >&2
        return 1
        ;;
    esac
}
