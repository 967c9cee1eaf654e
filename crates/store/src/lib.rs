//! medlock-store
