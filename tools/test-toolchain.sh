#!/bin/sh
# Tests tools/setup-wasm.sh: both ways, each twice, and that what each sets up builds the contracts.
# The fallback installs Debian packages and needs root.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

say() { echo "test-toolchain: $*" >&2; }
fail() { say "FAILED: $*"; exit 1; }

cd "$root"
tools/setup-node.sh
cargo build -q -p medlock-deploy --bin medlock-contracts
program=${CARGO_TARGET_DIR:-$root/target}/debug/medlock-contracts

MEDLOCK_WASM=other MEDLOCK_TOOLS=$work tools/setup-wasm.sh 2>/dev/null && fail "an unknown way was accepted"
[ ! -e "$work/wasm-toolchain" ] || fail "a failed set-up left a note"

mkdir "$work/contracts"
tar -C "$root/contracts" --exclude=./target -cf - . | tar -C "$work/contracts" -xf -
for way in rustup debian; do
    tools=$work/$way
    mkdir "$tools"
    ln -s "$root/.tools/node" "$tools/node"
    first=$(MEDLOCK_WASM=$way MEDLOCK_TOOLS=$tools tools/setup-wasm.sh)
    again=$(MEDLOCK_WASM=$way MEDLOCK_TOOLS=$tools tools/setup-wasm.sh)
    [ "$first" = "$again" ] || fail "$way: the second run said '$again', the first '$first'"
    case "$way $first" in
        "rustup cargo" | "debian cargo +debian") ;;
        *) fail "$way: '$first' is not its cargo command" ;;
    esac
    "$program" --contracts "$work/contracts" build --tools "$tools" --out "$work/$way/artifacts" ||
        fail "$way: the contracts did not build"
    for name in registry records; do
        [ -s "$work/$way/artifacts/$name.code" ] || fail "$way: no code of $name"
    done
    say "$way: ok, with '$first'"
done
