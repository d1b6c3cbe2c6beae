# Sourced by the scripts beside it: a Rust toolchain that builds for aarch64 Linux.
#
# Where rustup can add the target, that is all; else Debian's Rust and its aarch64 standard library, by apt.
# Afterwards `cargo_aarch64` is cargo with the target set, and `aarch64` runs any command with that Rust.
set -euo pipefail

target=aarch64-unknown-linux-gnu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# install PROGRAM|FILE PACKAGE...: installs the packages unless the program or the file is there.
install() {
    local wanted=$1
    shift
    if ! [ -e "$wanted" ] && ! command -v "$wanted" >/dev/null; then
        as_root apt-get update -qq
        as_root apt-get install -y -qq "$@" >/dev/null
    fi
}

install aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
# Only recommended by the compiler.
install /usr/aarch64-linux-gnu/include/stdio.h libc6-dev-arm64-cross
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc

# Debian's standard library for aarch64 lies beside its own one: only these files are taken of the package.
debian_std() {
    local lib=/usr/lib/rustlib/$target
    [ -d "$lib" ] && return
    local folder
    folder=$(mktemp -d)
    as_root dpkg --add-architecture arm64
    as_root apt-get update -qq
    (cd "$folder" && apt-get download -qq libstd-rust-web-dev:arm64 && dpkg -x ./*.deb .)
    as_root cp -r "$folder$lib" "$lib"
    rm -r "$folder"
}

# aarch64 COMMAND...: a command with the Rust that has the target, and the folder for what that Rust builds.
if command -v rustup >/dev/null && rustup target add "$target" >/dev/null 2>&1; then
    aarch64() { "$@"; }
else
    install /usr/bin/rustc rustc-web cargo-web
    debian_std
    # Apart from what another Rust built.
    aarch64() {
        RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$root/target/aarch64" PATH="/usr/bin:$PATH" "$@"
    }
fi
cargo_aarch64() { aarch64 cargo "$@" --target "$target"; }

# built COMMAND...: the test programs that cargo says it built, one a line. Examples are none, though cargo builds them too.
built() {
    cargo_aarch64 "$@" --message-format=json |
        python3 -c '
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["profile"]["test"]:
        print(message["executable"])
'
}
