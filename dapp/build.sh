#!/bin/sh
# The web application, into dapp/dist (git-ignored), which `cargo build` puts into the gateway: the client as WASM, then the pages. Does only
# what has changed; the first time, the client's libraries are compiled for browsers (3 minutes on two idle cores).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
wasm=dapp/src/core/wasm
stamp=dapp/dist/.built

say() { echo "dapp: $*" >&2; }

command -v npm >/dev/null 2>&1 || { say "npm is not installed (Debian: apt-get install nodejs npm)"; exit 1; }
if ! cmp -s dapp/package-lock.json dapp/node_modules/.medlock-lock; then
    say "installing the packages of dapp/package-lock.json"
    (cd dapp && timeout 300 npm install --no-save --no-audit --no-fund --loglevel=error >&2)
    cp dapp/package-lock.json dapp/node_modules/.medlock-lock
fi

cargo=$(tools/setup-wasm.sh 2>/dev/null)
tools/setup-node.sh 2>/dev/null
say "compiling the client for browsers, where it has changed"
# As the Makefile has all else compiled, so that nothing is compiled twice.
sh -c "${MEDLOCK_CARGO:-cargo} build --quiet --workspace --bin medlock-dapp-bindgen"
# Random numbers are the browser's, for every version of getrandom that a library of ours has.
RUSTFLAGS='--cfg getrandom_backend="wasm_js"' RUSTC_BOOTSTRAP=1 $cargo build --quiet --profile web -Z build-std=std,panic_abort \
    --target wasm32-unknown-unknown --target-dir target/web -p medlock-dapp --lib
made=target/web/wasm32-unknown-unknown/web/medlock_dapp.wasm
if ! sha256sum --check --status "$wasm/.made" 2>/dev/null; then
    mkdir -p "$wasm"
    target/debug/medlock-dapp-bindgen "$made" "$wasm"
    # Half the size, and of the features that rustc uses and every browser has. More optimisation takes minutes, and comes out larger over the network.
    .tools/node/node_modules/.bin/wasm-opt -O1 --enable-bulk-memory --enable-multivalue --enable-mutable-globals \
        --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext "$wasm/client_bg.wasm" -o "$wasm/client_bg.wasm"
    sha256sum "$made" >"$wasm/.made"
fi

sources="dapp/src dapp/index.html dapp/vite.config.ts dapp/package-lock.json dapp/pack.mjs contracts/abi/generated"
# shellcheck disable=SC2086 # a list of names
if [ -f "$stamp" ] && [ -z "$(find $sources -newer "$stamp" -print -quit)" ]; then
    exit 0
fi
(cd dapp && node_modules/.bin/vite build --logLevel warn && node pack.mjs >&2)
touch "$stamp"
