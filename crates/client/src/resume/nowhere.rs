//! In a browser there is no folder to note uploads in: one that was broken off begins anew.

use std::path::Path;

use medlock_dag::Block;
use medlock_vault::{Binding, RootSecret, rand_core::CryptoRng};

use crate::{error::Result, identity::rng, large::Refused};

/// There is none.
pub(crate) enum Upload {}

impl Upload {
    pub(crate) fn open(_: &Path, _: &Binding) -> Result<Self> {
        unreachable!("a browser's client has no folder for uploads")
    }

    pub(crate) fn begin_anew(&mut self) -> Result<()> {
        match *self {}
    }

    pub(crate) fn rng(&self, _: &RootSecret, _: &Binding) -> impl CryptoRng + use<> {
        // Its type is wanted, and nobody has one to ask.
        rng()
    }

    pub(crate) fn admit(&mut self, _: &[Block]) -> std::result::Result<usize, Refused> {
        match *self {}
    }

    pub(crate) fn finish(self) {
        match self {}
    }
}
