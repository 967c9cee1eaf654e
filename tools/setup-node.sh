#!/bin/sh
# Installs the npm tools at the versions pinned here: wasm-opt (Binaryen) for the contracts, and cast
# (Foundry), an independent reader of the chain. Can run twice; says what it does.
#
#   MEDLOCK_TOOLS=DIR   where they go (DIR/node); default: .tools beside this folder
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${MEDLOCK_TOOLS:-$root/.tools}
binaryen=132.0.0
cast=1.7.1
limit_s=300

say() { echo "setup-node: $*" >&2; }
pins="binaryen@$binaryen @foundry-rs/cast@$cast"

if [ "$(cat "$tools/node/pins" 2>/dev/null)" = "$pins" ] && [ -x "$tools/node/node_modules/.bin/wasm-opt" ]; then
    say "$pins: present in $tools/node"
    exit 0
fi
command -v npm >/dev/null 2>&1 || { say "npm is not installed (Debian: apt-get install npm; 18 or later)"; exit 1; }
mkdir -p "$tools/node"
say "installing $pins into $tools/node"
rm -f "$tools/node/pins"
# shellcheck disable=SC2086 # a list of packages
timeout "$limit_s" npm install --prefix "$tools/node" --no-audit --no-fund --save-exact --loglevel=error $pins >&2
"$tools/node/node_modules/.bin/wasm-opt" --version >&2
"$tools/node/node_modules/.bin/cast" --version | head -1 >&2
echo "$pins" >"$tools/node/pins"
