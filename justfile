# What there is to run here: `just NAME`, or the line itself. CONTRIBUTING.md says what each is for.

# The features that tests are built with, the same in .ci/run: with others cargo compiles most of it again.
tested := "headstart/embedded-storage,headstart-tests/ndarray,headstart-tests/candle,headstart-firmware/signed,headstart-fuzz/importers,headstart-edge/flex,headstart-tests/flex"

# Lists the recipes.
default:
    @just --list

# All that a change must pass.
ci:
    .ci/run

# Format and lints.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --features {{tested}} -- -D warnings

# One test program: just test learning
test name *arguments:
    cargo test --workspace --features {{tested}} --test {{name}} {{arguments}}

# The documents: links, spelling, commands; and the crates' pages.
docs:
    cargo build --workspace --features {{tested}} --bin headstart --bin headstart-edge
    cargo test --workspace --features {{tested}} --test documents
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# The pages of docs/ as a book.
book:
    .ci/book

# The README's first command.
first-run *arguments:
    cargo run --release -p headstart-tests --bin first-run -- {{arguments}}

# What runs in QEMU, and the boards' builds.
firmware:
    .ci/boards

# Changed inputs for every parser, so many seconds each.
fuzz seconds="30":
    cargo run --features headstart-fuzz/importers --bin drive -- {{seconds}}

# A long test, with its log: just long store
long theme *arguments:
    tests/long/run {{theme}} {{arguments}}

# Headstart beside other engines.
peers models data:
    tests/peers/run {{models}} {{data}}

# Licences and sources of dependencies.
deny:
    cargo deny check licenses sources bans
