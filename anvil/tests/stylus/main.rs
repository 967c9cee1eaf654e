//! Programs in transactions, the precompiles, and the contracts of genesis, without a chain around them.

mod calls;
mod deployer;
mod hooks;
mod precompiles;
mod world;
