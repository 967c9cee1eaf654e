//! medlock-client
