#!/bin/sh
# Installs cargo-stylus, the tool of those who write Stylus contracts, for tools/stylus.sh and the tests of the local
# chain. Compiles once (about 5 minutes on two idle cores). Where it goes: tools/cargo-tool.sh. tools/stylus.sh names the
# version too.
set -eu
# Little optimisation: it is used for seconds, and most of its libraries' code never runs.
exec "$(dirname "$0")/cargo-tool.sh" cargo-stylus 0.10.10 "stylus --version" CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
