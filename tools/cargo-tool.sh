#!/bin/sh
# Installs a program that is written in Rust, for the set-up scripts that name one. Compiles once; can run twice; says what it
# does.
#
#   tools/cargo-tool.sh NAME VERSION ASK [VARIABLE=VALUE ...]     ASK: what has it tell its version; the variables are for cargo
#   MEDLOCK_TOOLS=DIR   where it goes (DIR/NAME-VERSION); default: .tools beside this folder
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${MEDLOCK_TOOLS:-$root/.tools}
name=$1
version=$2
ask=$3
shift 3
limit_s=2400

say() { echo "setup-$name: $*" >&2; }

home=$tools/$name-$version
# cargo installs a binary in one step, when it is complete.
if [ -x "$home/bin/$name" ]; then
    say "$name $version: present in $home"
    exit 0
fi
command -v cargo >/dev/null 2>&1 || { say "cargo is not installed"; exit 1; }
mkdir -p "$home"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
say "compiling $name $version into $home; this happens once and takes some minutes"
# From a folder without a cargo configuration or a rust-toolchain.toml of ours.
cd "$work"
env -u CARGO_BUILD_TARGET -u CARGO_ENCODED_RUSTFLAGS -u RUSTFLAGS "$@" CARGO_TARGET_DIR="$work/target" \
    timeout "$limit_s" cargo install "$name" --version "$version" --locked --quiet --root "$home" >&2 || {
    say "cargo install failed, or took longer than $limit_s s; see above, then run this again"
    exit 1
}
# Several words, where it is a subcommand of cargo.
"$home/bin/$name" $ask >&2
