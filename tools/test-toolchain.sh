#!/bin/sh
# Tests tools/setup-wasm.sh: both ways, each twice, and that a contract compiles with what the fallback
# set up (with the first way all of them are built all the time). The fallback installs Debian packages: root.
# The fallback's target folder is kept in contracts/target, so that only the first run compiles it whole.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

say() { echo "test-toolchain: $*" >&2; }
fail() { say "FAILED: $*"; exit 1; }

cd "$root"

MEDLOCK_WASM=other MEDLOCK_TOOLS=$work tools/setup-wasm.sh 2>/dev/null && fail "an unknown way was accepted"
[ ! -e "$work/wasm-toolchain" ] || fail "a failed set-up left a note"

for way in rustup debian; do
    tools=$work/$way
    mkdir "$tools"
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
# The smallest of the contracts needs all that the others do of a toolchain: std from source, and WASM out of it. Nobody runs it.
(cd "$copy" && CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 RUSTC_BOOTSTRAP=1 $first rustc --quiet --release --locked --lib --crate-type cdylib \
    --target wasm32-unknown-unknown -Z build-std=std,panic_abort --target-dir target -p medlock-audit) \
    || fail "a contract did not compile with the fallback"
[ -s "$copy/target/wasm32-unknown-unknown/release/medlock_audit.wasm" ] || fail "no code of a contract"
say "ok: both ways give a toolchain, and the fallback's compiles a contract"
