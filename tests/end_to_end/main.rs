//! End-to-end tests: one module for the promises of DESIGN.md, one for what bad input gets, one for other people's tools.

mod bad_input;
mod program;
mod promises;
mod tools;
