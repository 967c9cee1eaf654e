//! ArbInfo (0x65) and ArbOwnerPublic (0x6b): accounts, and how the chain is set up.

use alloy::sol_types::{SolCall, SolInterface};
use revm::{
    Database,
    context::{Block, ContextTr, JournalTr},
    primitives::Address,
};

use super::{Answer, CHAIN_OWNER, Call, Failure, Purity, Version, WORD_GAS, abi};
use crate::stylus::code::FRAGMENTS_MAX;

/// Gas of an account's balance (EIP-1884), and of its code.
const BALANCE_GAS: u64 = 700;
const CODE_GAS: u64 = 2_100;
/// Gas of Stylus's parameters: one warm slot.
pub(super) const PARAMETERS_GAS: u64 = 100;
/// The level at which Nitro compresses transactions to price them.
const BROTLI_LEVEL: u64 = 1;

pub(super) fn arb_info<DB: Database>(call: &mut Call<'_, DB>, data: &[u8]) -> Answer<DB> {
    use abi::ArbInfo as A;
    use abi::ArbInfo::ArbInfoCalls as C;
    let method = C::abi_decode(data).map_err(|_| Failure::Refused)?;
    call.begin(Purity::View)?;
    Ok(match method {
        C::getBalance(method) => {
            call.burn(BALANCE_GAS)?;
            let load = call.ctx.journal_mut().load_account(method.account)?;
            A::getBalanceCall::abi_encode_returns(&load.info.balance)
        }
        C::getCode(method) => {
            call.burn(CODE_GAS)?;
            let code = call.ctx.journal_mut().code(method.account)?.data;
            call.burn(WORD_GAS * (code.len() as u64).div_ceil(32))?;
            A::getCodeCall::abi_encode_returns(&code)
        }
    })
}

pub(super) fn arb_owner_public<DB: Database>(call: &mut Call<'_, DB>, data: &[u8]) -> Answer<DB> {
    use abi::ArbOwnerPublic as A;
    use abi::ArbOwnerPublic::ArbOwnerPublicCalls as C;
    let method = C::abi_decode(data).map_err(|_| Failure::Refused)?;
    let since_60 = matches!(
        method,
        C::getMaxStylusContractFragments(_)
            | C::getTransactionFilteringFrom(_)
            | C::isTransactionFilterer(_)
            | C::getAllTransactionFilterers(_)
            | C::getFilteredFundsRecipient(_)
            | C::getCollectTips(_)
    );
    if since_60 && call.ctx.chain().rules.version < Version::V60 {
        return Err(Failure::Refused);
    }
    call.begin(match method {
        C::rectifyChainOwner(_) => Purity::Write,
        _ => Purity::View,
    })?;
    // The sets of addresses have their size in one slot and each member in another.
    match method {
        C::getAllChainOwners(_) | C::getScheduledUpgrade(_) => call.burn_reads(2)?,
        C::getMaxStylusContractFragments(_) => call.burn(PARAMETERS_GAS)?,
        _ => call.burn_reads(1)?,
    }
    let nobody = Vec::<Address>::new();
    Ok(match method {
        C::isChainOwner(method) => A::isChainOwnerCall::abi_encode_returns(&(method.addr == CHAIN_OWNER)),
        // The owners are recorded correctly, so there is nothing to rectify: Nitro refuses that.
        C::rectifyChainOwner(_) => return Err(Failure::Plain),
        C::getAllChainOwners(_) => A::getAllChainOwnersCall::abi_encode_returns(&vec![CHAIN_OWNER]),
        C::isNativeTokenOwner(_) => A::isNativeTokenOwnerCall::abi_encode_returns(&false),
        C::getAllNativeTokenOwners(_) => A::getAllNativeTokenOwnersCall::abi_encode_returns(&nobody),
        C::getNativeTokenManagementFrom(_) => A::getNativeTokenManagementFromCall::abi_encode_returns(&0),
        C::getNetworkFeeAccount(_) => A::getNetworkFeeAccountCall::abi_encode_returns(&call.ctx.block().beneficiary()),
        C::getInfraFeeAccount(_) => A::getInfraFeeAccountCall::abi_encode_returns(&Address::ZERO),
        C::getBrotliCompressionLevel(_) => A::getBrotliCompressionLevelCall::abi_encode_returns(&BROTLI_LEVEL),
        C::getScheduledUpgrade(_) => A::getScheduledUpgradeCall::abi_encode_returns(&A::getScheduledUpgradeReturn {
            arbosVersion: 0,
            scheduledForTimestamp: 0,
        }),
        C::isCalldataPriceIncreaseEnabled(_) => {
            let enabled = call.ctx.chain().rules.calldata_floor;
            A::isCalldataPriceIncreaseEnabledCall::abi_encode_returns(&enabled)
        }
        C::getParentGasFloorPerToken(_) => A::getParentGasFloorPerTokenCall::abi_encode_returns(&0),
        C::getMaxStylusContractFragments(_) => A::getMaxStylusContractFragmentsCall::abi_encode_returns(&FRAGMENTS_MAX),
        C::getTransactionFilteringFrom(_) => A::getTransactionFilteringFromCall::abi_encode_returns(&0),
        C::isTransactionFilterer(_) => A::isTransactionFiltererCall::abi_encode_returns(&false),
        C::getAllTransactionFilterers(_) => A::getAllTransactionFilterersCall::abi_encode_returns(&nobody),
        C::getFilteredFundsRecipient(_) => A::getFilteredFundsRecipientCall::abi_encode_returns(&Address::ZERO),
        C::getCollectTips(_) => A::getCollectTipsCall::abi_encode_returns(&false),
    })
}
