#!/bin/sh
# Runs `cargo stylus` (0.10.10, of tools/setup-cargo-stylus.sh) on the contracts:
#
#   tools/stylus.sh check --endpoint http://127.0.0.1:8545
#   tools/stylus.sh deploy --no-verify --contract medlock-registry --private-key-path FILE --endpoint http://127.0.0.1:8545
#   tools/stylus.sh -C DIR ARGUMENTS...      on another Stylus project
#   MEDLOCK_TOOLS=DIR                        where the tools are; default: .tools beside this folder
#
# It demands a rust-toolchain.toml that names an exact version. This repository has none: rustup would refuse to
# work in the contracts' folder wherever that version is installed under another name ("stable") or is Debian's. So
# `cargo stylus` gets a view of the project, made of links, with such a file beside them, and runs with the toolchain
# that the file tells the version of. Give it absolute paths.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${MEDLOCK_TOOLS:-$root/.tools}
# As tools/setup-cargo-stylus.sh has it.
version=0.10.10

say() { echo "stylus: $*" >&2; }

project=$root/contracts
if [ "${1:-}" = -C ]; then
    project=$(cd "$2" && pwd)
    shift 2
fi
bin=$tools/cargo-stylus-$version/bin
[ -x "$bin/cargo-stylus" ] || { say "cargo-stylus $version is not installed: run tools/setup-cargo-stylus.sh"; exit 1; }
[ -s "$tools/wasm-toolchain" ] || { say "no WASM toolchain is set up: run tools/setup-wasm.sh"; exit 1; }
toolchain=$(cat "$tools/wasm-toolchain")
[ "$toolchain" != default ] || toolchain=$(rustup default | cut -d' ' -f1)
rustc=$(rustup run "$toolchain" rustc --version | cut -d' ' -f2)

view=$root/contracts/target/stylus/$toolchain/$(basename "$project")
mkdir -p "$view"
for entry in "$project"/* "$project/.cargo"; do
    case ${entry##*/} in
        target | rust-toolchain*) ;;
        # A link that is right stays: another run may be reading through it.
        *) [ ! -e "$entry" ] || [ "$(readlink "$view/${entry##*/}")" = "$entry" ] || ln -sfn "$entry" "$view/${entry##*/}" ;;
    esac
done
printf '[toolchain]\nchannel = "%s"\n' "$rustc" >"$view/rust-toolchain.toml.$$"
mv "$view/rust-toolchain.toml.$$" "$view/rust-toolchain.toml"

# Debian's compiler comes without a built standard library for WASM: build it, from its source.
if [ ! -d "$(rustup run "$toolchain" rustc --print target-libdir --target wasm32-unknown-unknown)" ]; then
    export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_abort
fi
# For `export-abi --json`: the solc of tools/setup-node.sh --tests.
export MEDLOCK_NODE="$tools/node"
export PATH="$bin:$root/tools:$tools/node/node_modules/.bin:$PATH"
export RUSTUP_TOOLCHAIN="$toolchain" CARGO_TARGET_DIR="$root/contracts/target/stylus/$toolchain/target"
cd "$view"
exec cargo stylus "$@"
