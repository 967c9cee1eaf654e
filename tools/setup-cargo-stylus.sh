#!/bin/sh
# Installs cargo-stylus, the tool of those who write Stylus contracts, for tools/stylus.sh and the tests of the local
# chain. Compiles once (about 5 minutes on two idle cores); can run twice; says what it does.
#
#   MEDLOCK_TOOLS=DIR   where it goes (DIR/cargo-stylus-VERSION); default: .tools beside this folder
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${MEDLOCK_TOOLS:-$root/.tools}
# tools/stylus.sh names it too.
version=0.10.10
limit_s=2400

say() { echo "setup-cargo-stylus: $*" >&2; }

home=$tools/cargo-stylus-$version
# cargo installs a binary in one step, when it is complete.
if [ -x "$home/bin/cargo-stylus" ]; then
    say "cargo-stylus $version: present in $home"
    exit 0
fi
command -v cargo >/dev/null 2>&1 || { say "cargo is not installed"; exit 1; }
mkdir -p "$home"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
say "compiling cargo-stylus $version into $home; this happens once and takes some minutes"
# From a folder without a cargo configuration or a rust-toolchain.toml of ours. Little optimisation: it is used for seconds,
# and most of its libraries' code never runs.
cd "$work"
env -u CARGO_BUILD_TARGET -u CARGO_ENCODED_RUSTFLAGS -u RUSTFLAGS \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_TARGET_DIR="$work/target" \
    timeout "$limit_s" cargo install cargo-stylus --version "$version" --locked --quiet --root "$home" >&2 || {
    say "cargo install failed, or took longer than $limit_s s; see above, then run this again"
    exit 1
}
"$home/bin/cargo-stylus" stylus --version >&2
