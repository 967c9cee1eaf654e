#!/bin/sh
# Line and region coverage of the contracts by their native tests, one line a source file; `--html DIR` writes pages.
# The tests that run the contracts as WASM (tests/contracts) do not count here: a WASM module is not instrumented.
#
# Installs llvm-tools for the compiler by rustup where they are missing. Can run twice.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
target=$root/contracts/target/coverage
export CARGO_TARGET_DIR="$target" CARGO_INCREMENTAL=0
cd "$root/contracts"

bin=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
if [ ! -x "$bin/llvm-profdata" ]; then
    echo "coverage: rustup component add llvm-tools" >&2
    rustup component add llvm-tools >&2
fi

rm -rf "$target/profiles"
export LLVM_PROFILE_FILE="$target/profiles/%p-%m.profraw"
RUSTFLAGS="-C instrument-coverage" cargo test --quiet --workspace --exclude medlock-drift >&2
"$bin/llvm-profdata" merge -sparse "$target"/profiles/*.profraw -o "$target/all.profdata"

objects=
for file in "$target"/debug/deps/medlock_*; do
    case $file in *.*) continue ;; esac
    objects="$objects --object $file"
done
# Tests prove themselves; the libraries have their own.
ignore='(/registry/src/|/rustc/|/library/|tests\.rs|/tests/)'
# shellcheck disable=SC2086  # a list of options
if [ "${1:-}" = --html ]; then
    "$bin/llvm-cov" show $objects --instr-profile "$target/all.profdata" --ignore-filename-regex "$ignore" \
        --format html --output-dir "${2:?--html DIR}"
else
    "$bin/llvm-cov" report $objects --instr-profile "$target/all.profdata" --ignore-filename-regex "$ignore"
fi
