//! Prints the Solidity interface, for `cargo stylus export-abi`.
fn main() {
    medlock_trials::print_from_args();
}
