#!/bin/sh
# Finds or installs what compiles the contracts: a Rust compiler with the standard library's source
# (for build-std) and a linker for wasm32. Can run twice; says what it does.
#
#   tools/setup-wasm.sh            first rustup, then Debian's packages
#   MEDLOCK_WASM=rustup|debian     only this way (the test of the fallback uses it)
#   MEDLOCK_TOOLS=DIR              where the note goes; default: .tools beside this folder
#
# Writes DIR/wasm-toolchain: the toolchain's name for rustup, `default` for the default one. It is read by
# `medlock-contracts build`. Prints the cargo command to use as its last line.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
tools=${MEDLOCK_TOOLS:-$root/.tools}
way=${MEDLOCK_WASM:-any}
# A refusal comes at once; a registry that hangs must not hold up the second way.
rustup_limit_s=90
apt_limit_s=600
# Debian's compiler that has the source of its own standard library (1.96).
debian_packages="rustc-web cargo-web rust-web-src rust-web-llvm lld-22"

say() { echo "setup-wasm: $*" >&2; }

# usable TOOLCHAIN: it has the source of the standard library, and that source is its own.
usable() {
    sysroot=$(rustup run "$1" rustc --print sysroot 2>/dev/null) || return 1
    [ -f "$sysroot/lib/rustlib/src/rust/library/std/Cargo.toml" ] || return 1
    # The linker: rustup's toolchains bring theirs, Debian's is a package.
    rustup run "$1" rustc --print target-libdir --target wasm32-unknown-unknown >/dev/null 2>&1 || return 1
    [ -x "$sysroot/lib/rustlib/$(host)/bin/rust-lld" ] || command -v wasm-ld-22 >/dev/null 2>&1 ||
        command -v rust-lld >/dev/null 2>&1 || command -v wasm-ld >/dev/null 2>&1
}

host() { rustc -vV | sed -n 's/^host: //p'; }

note() {
    mkdir -p "$tools"
    echo "$1" >"$tools/wasm-toolchain.$$"
    mv "$tools/wasm-toolchain.$$" "$tools/wasm-toolchain"
    say "using the toolchain $2: $(rustup run "$3" rustc --version)"
    if [ "$1" = default ]; then echo "cargo"; else echo "cargo +$1"; fi
    exit 0
}

by_rustup() {
    name=$(rustup default 2>/dev/null | cut -d' ' -f1)
    [ -n "$name" ] || { say "rustup has no default toolchain"; return 1; }
    if ! usable "$name"; then
        say "adding rust-src and wasm32-unknown-unknown to $name (at most $rustup_limit_s s each)"
        timeout "$rustup_limit_s" rustup component add --toolchain "$name" rust-src >&2 || return 1
        timeout "$rustup_limit_s" rustup target add --toolchain "$name" wasm32-unknown-unknown >&2 || return 1
        usable "$name" || return 1
    fi
    note default "$name" "$name"
}

by_debian() {
    if ! usable debian; then
        command -v apt-get >/dev/null 2>&1 || { say "no apt-get here"; return 1; }
        say "installing $debian_packages"
        DEBIAN_FRONTEND=noninteractive timeout "$apt_limit_s" apt-get update -qq >&2 || return 1
        # shellcheck disable=SC2086 # a list of names
        DEBIAN_FRONTEND=noninteractive timeout "$apt_limit_s" \
            apt-get install -y -qq --no-install-recommends $debian_packages >&2 || return 1
        say "linking /usr as the toolchain 'debian'"
        rustup toolchain link debian /usr >&2 || return 1
        usable debian || return 1
    fi
    note debian debian debian
}

command -v rustup >/dev/null 2>&1 || { say "rustup is not installed; it is the only thing this script cannot bring"; exit 1; }
case $way in
    rustup) by_rustup || { say "rustup did not give a usable toolchain"; exit 1; } ;;
    debian) by_debian || { say "Debian did not give a usable toolchain"; exit 1; } ;;
    any)
        by_rustup || say "the first way failed; trying Debian's packages"
        by_debian || { say "no way to a usable WASM toolchain; see the messages above"; exit 1; }
        ;;
    *) say "MEDLOCK_WASM=$way: rustup, debian, or unset"; exit 2 ;;
esac
