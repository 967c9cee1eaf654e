//! medlock-anvil
