//! medlock-api
