//! End-to-end tests: the promises of DESIGN.md, who holds which keys, what bad input and
//! lying services get, the program as people use it, and other people's tools.

mod accounts;
mod bad_input;
mod claims;
mod cluster;
mod consumers;
mod deploy;
mod emergency;
mod exchange;
mod keys;
mod killed;
mod large;
mod logs;
mod lying;
mod members;
mod operator;
mod program;
mod promises;
mod relay;
mod stores;
mod suites;
mod supply;
mod tools;
mod trials;
mod typescript;
mod verdict;
