//! ArbGasInfo (0x6c): prices. There is no L1 here, so everything about its costs is zero.

use alloy::primitives::{I256, U256};
use alloy::sol_types::{SolCall, SolInterface};
use revm::{
    Database,
    context::{Block, ContextTr},
    primitives::Address,
};

use super::{Answer, Call, Failure, Purity, WRITE_GAS, abi};
use crate::{block::BASE_FEE_WEI, chain::TX_GAS_MAX};

/// Nitro's initial parameters of pricing on a new chain.
const SPEED_LIMIT_PER_SECOND: u64 = 7_000_000;
const PRICING_INERTIA: u64 = 102;
const BACKLOG_TOLERANCE: u64 = 10;
const L1_INERTIA: u64 = 10;
const PER_BATCH_GAS: i64 = 210_000;
const EQUILIBRATION_UNITS: u64 = 160_000_000;

pub(super) fn answer<DB: Database>(call: &mut Call<'_, DB>, data: &[u8]) -> Answer<DB> {
    use abi::ArbGasInfo as A;
    use abi::ArbGasInfo::ArbGasInfoCalls as C;
    let method = C::abi_decode(data).map_err(|_| Failure::Refused)?;
    call.begin(Purity::View)?;
    call.burn_reads(match method {
        C::getCurrentTxL1GasFees(_) => 0,
        C::getPricesInWei(_) | C::getPricesInWeiWithAggregator(_) | C::getGasAccountingParams(_) => 2,
        C::getL1PricingSurplus(_) => 3,
        _ => 1,
    })?;
    /// The encoded return values of a method.
    macro_rules! give {
        ($call:ident: $value:expr) => {
            A::$call::abi_encode_returns(&$value)
        };
    }
    let zero = U256::ZERO;
    let minimum = U256::from(BASE_FEE_WEI);
    let price = U256::from(call.ctx.block().basefee());
    let base = minimum.min(price);
    let slot_gas = U256::from(WRITE_GAS);
    let prices_wei = (zero, zero, price * slot_gas, base, price - base, price);
    let prices_gas = (zero, zero, slot_gas);
    Ok(match method {
        C::getPricesInWei(_) => give!(getPricesInWeiCall: A::getPricesInWeiReturn::from(prices_wei)),
        C::getPricesInWeiWithAggregator(_) => {
            give!(getPricesInWeiWithAggregatorCall: A::getPricesInWeiWithAggregatorReturn::from(prices_wei))
        }
        C::getPricesInArbGas(_) => give!(getPricesInArbGasCall: A::getPricesInArbGasReturn::from(prices_gas)),
        C::getPricesInArbGasWithAggregator(_) => {
            give!(getPricesInArbGasWithAggregatorCall: A::getPricesInArbGasWithAggregatorReturn::from(prices_gas))
        }
        C::getGasAccountingParams(_) => {
            let limits = (
                U256::from(SPEED_LIMIT_PER_SECOND),
                U256::from(TX_GAS_MAX),
                U256::from(TX_GAS_MAX),
            );
            give!(getGasAccountingParamsCall: A::getGasAccountingParamsReturn::from(limits))
        }
        C::getMaxTxGasLimit(_) => give!(getMaxTxGasLimitCall: U256::from(TX_GAS_MAX)),
        C::getMinimumGasPrice(_) => give!(getMinimumGasPriceCall: minimum),
        C::getL1BaseFeeEstimate(_) => give!(getL1BaseFeeEstimateCall: zero),
        C::getL1BaseFeeEstimateInertia(_) => give!(getL1BaseFeeEstimateInertiaCall: L1_INERTIA),
        C::getL1RewardRate(_) => give!(getL1RewardRateCall: 0),
        C::getL1RewardRecipient(_) => give!(getL1RewardRecipientCall: Address::ZERO),
        C::getL1GasPriceEstimate(_) => give!(getL1GasPriceEstimateCall: zero),
        C::getCurrentTxL1GasFees(_) => give!(getCurrentTxL1GasFeesCall: zero),
        C::getGasBacklog(_) => give!(getGasBacklogCall: 0),
        C::getPricingInertia(_) => give!(getPricingInertiaCall: PRICING_INERTIA),
        C::getGasBacklogTolerance(_) => give!(getGasBacklogToleranceCall: BACKLOG_TOLERANCE),
        C::getL1PricingSurplus(_) => give!(getL1PricingSurplusCall: I256::ZERO),
        C::getPerBatchGasCharge(_) => give!(getPerBatchGasChargeCall: PER_BATCH_GAS),
        C::getAmortizedCostCapBips(_) => give!(getAmortizedCostCapBipsCall: 0),
        C::getL1FeesAvailable(_) => give!(getL1FeesAvailableCall: zero),
        C::getL1PricingEquilibrationUnits(_) => {
            give!(getL1PricingEquilibrationUnitsCall: U256::from(EQUILIBRATION_UNITS))
        }
        C::getLastL1PricingUpdateTime(_) => give!(getLastL1PricingUpdateTimeCall: 0),
        C::getL1PricingFundsDueForRewards(_) => give!(getL1PricingFundsDueForRewardsCall: zero),
        C::getL1PricingUnitsSinceUpdate(_) => give!(getL1PricingUnitsSinceUpdateCall: 0),
        C::getLastL1PricingSurplus(_) => give!(getLastL1PricingSurplusCall: I256::ZERO),
        C::getMaxBlockGasLimit(_) => give!(getMaxBlockGasLimitCall: TX_GAS_MAX),
        C::getGasPricingConstraints(_) => give!(getGasPricingConstraintsCall: Vec::<[u64; 3]>::new()),
    })
}
