//! The facade from outside: facts to resources and back, compared with FHIR R4's own definitions, with a validator of others, and
//! with what the contracts decide.
mod book;
mod definitions;
mod fuzz;
mod pcf;
mod peers;
mod round_trip;
mod searching;
mod strict;
mod support;
mod validated;
