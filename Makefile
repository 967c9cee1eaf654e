# Two commands do all the set-up on a fresh machine:
#   make demo    the main job on embedded defaults, with real input
#   make test    everything, with real components, which it installs and starts itself
.PHONY: demo test check contracts setup build bench reproducible clean

# The program as `build` makes it.
MEDLOCK := target/debug/medlock
CONTRACTS := target/debug/medlock-contracts

demo: contracts
	$(MEDLOCK) demo

# The services' tests come last: their closing line is the run's.
test: contracts
	tools/test-toolchain.sh
	cd contracts && cargo test --workspace
	cargo test --workspace

# Formatting, lints, and drift of what is generated and committed.
check: contracts
	cargo fmt --all --check
	cd contracts && cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cd contracts && cargo clippy --workspace --all-targets -- -D warnings
	$(CONTRACTS) abi --check

contracts: setup build
	$(CONTRACTS) build

build:
	cargo build --workspace

setup:
	tools/setup-wasm.sh >/dev/null
	tools/setup-node.sh

# Two clean builds in two folders give the same bytes, and those of contracts/README.md.
reproducible: setup
	tools/check-reproducible.sh

clean:
	cargo clean
	cd contracts && cargo clean
	rm -rf .medlock
