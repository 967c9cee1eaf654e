# Two commands do all the set-up on a fresh machine:
#   make demo    the main job on embedded defaults, with real input
#   make test    everything, with real components, which it installs and starts itself
.PHONY: demo test test-journeys test-parts test-contracts test-toolchain check dapp screens client-typescript vectors-wasm contracts setup setup-tests build reproducible coverage bench-build bench-anvil bench-signatures bench-gas bench-vault bench-store bench-indexer bench-gateway bench-ledgers soak clean

# How our code is compiled. With LINT, as continuous integration has it, the lints come with it: `cargo clippy` would compile all of it
# a second time, and every library. Only what is run here is compiled so, never what is deployed or served.
CARGO := cargo
ifdef LINT
CARGO := CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__ cargo --config 'build.rustc-workspace-wrapper="clippy-driver"'
endif
export MEDLOCK_CARGO := $(CARGO)

# The program as `build` makes it.
MEDLOCK := target/debug/medlock
CONTRACTS := target/debug/medlock-contracts
TSC := .tools/node/node_modules/.bin/tsc --project clients/typescript
# As dapp/build.sh builds the client for browsers, into the same folder: nothing is compiled twice.
BUILD_WASM := build --quiet --profile web -Z build-std=std,panic_abort --target wasm32-unknown-unknown --target-dir target/web

demo: build contracts
	$(MEDLOCK) demo

# Two at a time: what waits leaves the cores to the other. The services' tests are the longest; by the first letter of a test's name each
# of them is in one of the two (there are no documentation tests).
test: setup-tests contracts build
	$(CARGO) test --workspace --lib --bins --tests --no-run
	$(MAKE) --no-print-directory --jobs=2 test-journeys test-parts test-contracts test-toolchain

# What people go through, end to end: `browser`, `end_to_end`.
test-journeys:
	$(CARGO) test --workspace --test '[be]*'

test-parts:
	$(CARGO) test --workspace --lib --bins --test '[!be]*'

test-contracts:
	cd contracts && $(CARGO) test --workspace

# After each other: both compile.
test-toolchain:
	$(MAKE) --no-print-directory vectors-wasm
	tools/test-toolchain.sh

# What the indexer must bear, at full size (indexer/README.md, "Reliability"): about an hour. SOAK: how many per cent of it.
SOAK := 100
soak: setup-tests
	MEDLOCK_SOAK=$(SOAK) cargo test -p medlock-indexer --test indexer -- reliability:: --nocapture --test-threads=2

# Formatting, lints, and drift of what is generated and committed.
check: contracts build
	cargo fmt --all --check
	cd contracts && cargo fmt --all --check
ifdef LINT
	$(CARGO) test --workspace --lib --bins --tests --no-run
	cd contracts && $(CARGO) test --workspace --no-run
else
	cargo clippy --workspace --all-targets -- -D warnings
	cd contracts && cargo clippy --workspace --all-targets -- -D warnings
endif
	$(CONTRACTS) abi --check
	tools/setup-node.sh --tests
	node clients/typescript/generate.mjs --check
	$(TSC) --noEmit
	dapp/node_modules/.bin/tsc --project dapp

# The vault's vectors, good and bad, by the code that reads them natively, compiled to WASM: under Node and in Chromium.
vectors-wasm:
	tools/setup-node.sh --tests
	cargo=$$(tools/setup-wasm.sh) && RUSTFLAGS='--cfg getrandom_backend="wasm_js"' RUSTC_BOOTSTRAP=1 $$cargo $(BUILD_WASM) -p medlock-vault-wasm
	node tests/vault-wasm/run.mjs target/web/wasm32-unknown-unknown/web/medlock_vault_wasm.wasm "$$(tools/setup-chromium.sh)"

# The contracts as WASM, by their recipe. Asks for nothing that `dapp` makes, so that both can be made at once.
contracts: setup
	$(CARGO) build --workspace --bin medlock-contracts
	$(CONTRACTS) build

# The gateway has the web application in it.
build: dapp
	$(CARGO) build --workspace

# The web application, into dapp/dist.
dapp: setup
	dapp/build.sh

setup:
	tools/setup-wasm.sh >/dev/null
	tools/setup-node.sh

# The TypeScript client as JavaScript, into clients/typescript/dist.
client-typescript:
	tools/setup-node.sh --tests
	$(TSC)

# What only the tests need. The first time, cargo-stylus and Kubo take some minutes each to compile.
setup-tests:
	tools/setup-node.sh --tests
	tools/setup-cargo-stylus.sh
	tools/setup-kubo.sh
	tools/setup-postgres.sh >/dev/null
	tools/setup-python.sh
	tools/setup-hapi-validator.sh
	tools/setup-caddy.sh >/dev/null
	tools/setup-chromium.sh >/dev/null

# Two clean builds in two folders give the same bytes, and those of contracts/README.md.
reproducible: setup
	tools/check-reproducible.sh

# Which lines of the contracts their native tests reach; `tools/coverage.sh --html DIR` for pages.
coverage:
	tools/coverage.sh

# What is measured is optimised (bench/profile.toml). The first time, our own code takes some minutes to compile.
bench-build: contracts dapp
	cargo build --workspace --config bench/profile.toml

# The local chain beside Foundry's anvil: one JSON line a figure. Both run on this machine, in turns.
bench-anvil: setup-tests bench-build
	target/debug/medlock-bench anvil

# What the contracts cost, beside a twin in Solidity: one JSON line a figure, and bench/results/gas.json. Fails where a bound
# is exceeded.
bench-gas: setup-tests contracts build
	target/debug/medlock-bench gas

# Ways for a contract to verify signatures: bytes on chain and gas, one JSON line each.
bench-signatures: build
	target/debug/medlock-bench signatures

# Sealing and opening, beside bare AES-256-GCM and rage: one JSON line a figure. The first time, rage takes some minutes to compile.
bench-vault: bench-build
	tools/setup-rage.sh
	target/debug/medlock-bench vault

# The embedded store beside a real Kubo node behind the same interface: one JSON line a figure.
bench-store: setup-tests bench-build
	target/debug/medlock-bench store

# The indexer beside a bare loop, on Foundry's anvil, into SQLite and PostgreSQL: one JSON line a figure. Beside other indexers
# too: tools/setup-indexer-peers.sh, then `target/debug/medlock-bench indexer backfill --peers`.
bench-indexer: setup-tests bench-build
	target/debug/medlock-bench indexer

# The gateway beside a bare handler, its own store, and HAPI FHIR (from Maven, 300 MB): one JSON line a figure. Wants Java 17 and Maven.
bench-gateway: setup-tests bench-build
	tools/setup-hapi.sh
	target/debug/medlock-bench gateway

# Claims from the provider to an insurer who has opened them, beside the same calls without documents; serials of a batch of 1,000,000 by their
# proofs, beside bare keccak256: one JSON line a figure.
bench-ledgers: bench-build
	target/debug/medlock-bench ledgers

# Pictures of the web application's pages, into docs/img.
screens: setup-tests contracts build
	node dapp/test/screens.mjs

clean:
	cargo clean
	cd contracts && cargo clean
	rm -rf .medlock
