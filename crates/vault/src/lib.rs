//! medlock-vault
