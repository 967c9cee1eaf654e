//! medlock-dag
