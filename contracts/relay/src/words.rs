//! Operations whose members are all of one word, kept in the words that they came in: those are at once what is hashed and, without
//! the last two, the arguments of the call that the operation stands for.
//!
//! `Words<T, N>` takes the place of `T` in a `#[public]` method: the same name, selector and encoding. Decoding each struct into
//! its fields and encoding it again, twice, would take 7 kB more of the 24 that a contract may have.
//! It must never hold a word that is no value of its member's type.
use alloc::vec::Vec;
use core::marker::PhantomData;

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::{
    SolType, Word,
    abi::token::{FixedSeqToken, WordToken},
    private::SolTypeValue,
};
use stylus_sdk::abi::{AbiType, ConstString};

use crate::eip712::{Operation, Signed};

/// Of an operation whose members are all of one word: its members, the first of them `signer`, the last two `nonce` and
/// `deadline`, each checked to be a value of its type.
#[derive(Debug)]
pub struct Words<T, const N: usize>([B256; N], PhantomData<T>);

impl<T: Operation<N>, const N: usize> Words<T, N> {
    pub fn signed(&self) -> Signed {
        const { assert!(N >= 3) };
        Signed {
            encoded: [&[T::TYPE.hash], &self.0[..]].concat(),
            signer: Address::from_word(self.0[0]),
            nonce: self.0[N - 2].into(),
            deadline: self.0[N - 1].into(),
        }
    }

    /// All but nonce and deadline.
    pub fn arguments(&self) -> &[B256] {
        &self.0[..N - 2]
    }
}

impl<T: Operation<N> + AbiType, const N: usize> AbiType for Words<T, N> {
    type SolType = Self;

    const ABI: ConstString = T::ABI;
    const SELECTOR_ABI: ConstString = T::SELECTOR_ABI;
    const EXPORT_ABI_ARG: ConstString = T::EXPORT_ABI_ARG;
    const EXPORT_ABI_RET: ConstString = T::EXPORT_ABI_RET;
    const CAN_BE_CALLDATA: bool = T::CAN_BE_CALLDATA;
}

impl<T: Operation<N>, const N: usize> SolType for Words<T, N> {
    type RustType = Self;
    type Token<'a> = FixedSeqToken<WordToken, N>;

    const SOL_NAME: &'static str = "operation";
    const ENCODED_SIZE: Option<usize> = Some(N * 32);
    const PACKED_ENCODED_SIZE: Option<usize> = Some(N * 32);

    fn valid_token(token: &Self::Token<'_>) -> bool {
        are_within(token.as_array(), &T::TYPE.unused)
    }

    fn detokenize(token: Self::Token<'_>) -> Self {
        Self(token.0.map(|word| word.0), PhantomData)
    }
}

impl<T: Operation<N>, const N: usize> SolTypeValue<Self> for Words<T, N> {
    fn stv_to_tokens(&self) -> FixedSeqToken<WordToken, N> {
        FixedSeqToken(self.0.map(WordToken))
    }

    fn stv_abi_encode_packed_to(&self, out: &mut Vec<u8>) {
        out.extend(self.0.concat());
    }

    /// For members of other structs, which no operation is.
    fn stv_eip712_data_word(&self) -> Word {
        Word::ZERO
    }
}

#[inline(never)]
fn are_within(words: &[WordToken], unused: &[u8]) -> bool {
    let leading_zeros = |word: &WordToken| U256::from_be_bytes(word.0.0).leading_zeros();
    words
        .iter()
        .zip(unused)
        .all(|(word, unused)| leading_zeros(word) >= (*unused).into())
}

#[cfg(feature = "export-abi")]
impl<T: Operation<N> + stylus_sdk::abi::export::internal::InnerTypes, const N: usize>
    stylus_sdk::abi::export::internal::InnerTypes for Words<T, N>
{
    fn inner_types() -> Vec<stylus_sdk::abi::export::internal::InnerType> {
        T::inner_types()
    }
}
