#!/bin/sh
# Installs rage, the file encryption that `make bench-vault` compares with. Compiles once (about 5 minutes on two idle
# cores); can run twice; says what it does.
#
#   MEDLOCK_TOOLS=DIR   where it goes (DIR/rage-VERSION); default: .tools beside this folder
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${MEDLOCK_TOOLS:-$root/.tools}
# bench/src/vault.rs names it too.
version=0.12.1
limit_s=2400

say() { echo "setup-rage: $*" >&2; }

home=$tools/rage-$version
# cargo installs a binary in one step, when it is complete.
if [ -x "$home/bin/rage" ]; then
    say "rage $version: present in $home"
    exit 0
fi
command -v cargo >/dev/null 2>&1 || { say "cargo is not installed"; exit 1; }
mkdir -p "$home"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
say "compiling rage $version into $home; this happens once and takes some minutes"
# As its authors release it: optimised. From a folder without a cargo configuration of ours.
cd "$work"
env -u CARGO_BUILD_TARGET -u CARGO_ENCODED_RUSTFLAGS -u RUSTFLAGS CARGO_TARGET_DIR="$work/target" \
    timeout "$limit_s" cargo install rage --version "$version" --locked --quiet --root "$home" >&2 || {
    say "cargo install failed, or took longer than $limit_s s; see above, then run this again"
    exit 1
}
"$home/bin/rage" --version >&2
