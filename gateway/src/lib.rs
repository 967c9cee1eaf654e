//! medlock-gateway
