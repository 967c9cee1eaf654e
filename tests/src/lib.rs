//! medlock-tests
