#!/bin/sh
# Tests tools/setup-wasm.sh: both ways, each twice, and that the contracts build with what the fallback
# set up (with the first way they are built all the time). The fallback installs Debian packages: root.
# The fallback's target folder is kept in contracts/target, so that only the first run compiles it whole.
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
    say "$way: '$first'"
done

# A copy, since the two compilers must not share a target folder. Times of files are kept: cargo goes by them.
copy=$root/contracts/target/fallback
mkdir -p "$copy"
tar -C "$root/contracts" --exclude=./target -cf - . | tar -C "$copy" -xf -
"$program" --contracts "$copy" build --tools "$work/debian" || fail "the contracts did not build with the fallback"
for name in registry records; do
    [ -s "$copy/target/artifacts/$name.code" ] || fail "no code of $name"
done
say "ok: both ways give a toolchain, and the fallback's builds the contracts"
