//! `medlock-anvil exec`: run a program outside any chain and print what it did, as JSON.
