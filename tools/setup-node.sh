#!/bin/sh
# Installs the npm tools that tools/node/package.json pins (with package-lock.json: every package by its hash).
# Can run twice; says what it does.
#
#   tools/setup-node.sh            what the contracts' build needs: wasm-opt (Binaryen)
#   tools/setup-node.sh --tests    and what only checks, tests and benchmarks need: cast, forge and anvil (Foundry), solc,
#                                  ethers, viem, TypeScript, openapi-typescript, Playwright and axe (for Debian's Chromium)
#   MEDLOCK_TOOLS=DIR              where they go (DIR/node); default: .tools beside this folder
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${MEDLOCK_TOOLS:-$root/.tools}
pins=$root/tools/node
limit_s=300

say() { echo "setup-node: $*" >&2; }

case "${1:-}" in
    "") set=build; npm_flags="--omit=dev" ;;
    --tests) set=tests; npm_flags="" ;;
    *) say "$1: only --tests is known"; exit 2 ;;
esac

# note SET: what an installation is known by: the set, every package's hash, and how it was done.
note() { echo "$1"; cat "$pins/package-lock.json" "$root/tools/setup-node.sh"; }
# present SET: it is installed. The note is an installation's last step.
present() { note "$1" | cmp -s - "$tools/node/installed"; }

if present tests || present "$set"; then
    say "the npm tools for the $set are present in $tools/node"
    exit 0
fi
command -v node >/dev/null 2>&1 || { say "node is not installed (Debian: apt-get install nodejs; 20 or later)"; exit 1; }
command -v npm >/dev/null 2>&1 || { say "npm is not installed (Debian: apt-get install npm)"; exit 1; }

# Beside the place where it goes, so that whoever uses the tools meanwhile sees the old ones or the new ones.
mkdir -p "$tools"
new=$tools/node.$$
trap 'rm -rf "$new" "$new.old"' EXIT INT TERM
mkdir "$new"
cp "$pins/package.json" "$pins/package-lock.json" "$new"
say "installing the npm tools for the $set into $tools/node (about 20 s)"
# shellcheck disable=SC2086 # none or one flag
timeout "$limit_s" npm install --prefix "$new" $npm_flags --no-audit --no-fund --loglevel=error >&2 || {
    say "npm could not install them within $limit_s s; see above, then run this again"
    exit 1
}
bin=$new/node_modules/.bin
"$bin/wasm-opt" --version >&2
if [ "$set" = tests ]; then
    for program in cast forge anvil; do
        # The package's own link is a wrapper that answers 0 where the program failed.
        native=$(cd "$bin" && ls -d ../@foundry-rs/$program-*/bin/$program) || {
            say "the npm package of $program has no program for this machine"
            exit 1
        }
        ln -sf "$native" "$bin/$program"
        "$bin/$program" --version | head -1 >&2
    done
    MEDLOCK_NODE=$new "$root/tools/solc" --version | tail -1 >&2
fi
note "$set" >"$new/installed"
[ ! -e "$tools/node" ] || mv "$tools/node" "$new.old"
mv "$new" "$tools/node"
