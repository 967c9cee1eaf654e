#!/bin/sh
# Installs rage, the file encryption that `make bench-vault` compares with, as its authors release it: optimised. Compiles once
# (about 5 minutes on two idle cores). Where it goes: tools/cargo-tool.sh. bench/src/vault.rs names the version too.
set -eu
exec "$(dirname "$0")/cargo-tool.sh" rage 0.12.1 --version
