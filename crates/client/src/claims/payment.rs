//! Payment of a claim in the insurer's token: what it moves, the token's leave for it, and the payment itself. A token asks who sends, so its leave
//! is a transaction of the insurer's own account; the payment can be relayed as every other step.

use alloy::{
    primitives::{Address, B256, U256},
    sol,
};
use medlock_abi::claims::IClaims;
use medlock_billing::{Amount, Salt};

use super::{OpenClaim, WHAT};
use crate::{
    Client,
    chain::Mined,
    error::{Error, Result},
    record::tampered,
};

sol! {
    /// As much of ERC-20 as a payment needs.
    interface IErc20 {
        function approve(address spender, uint256 value) external returns (bool);
        function allowance(address owner, address spender) external view returns (uint256);
    }
}

/// What [`Client::pay_claim_in_token`] moves from the insurer's account to the provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimPayment {
    /// Which the insurer had for the currency when the claim was submitted, whatever it has now.
    pub token: Address,
    /// One minor unit of the currency is 10^`scale` units of the token.
    pub scale: u8,
    /// In units of the token.
    pub value: U256,
    /// What the claims contract may move of the insurer's account at present, in units of the token.
    pub allowance: U256,
}

impl Client {
    /// What paying an approved claim in the insurer's token takes, by the chain. `None`: the insurer had no token for the currency when the
    /// claim was submitted.
    ///
    /// # Errors
    /// [`Error::Usage`] where nothing was approved.
    pub async fn claim_payment(&self, open: &OpenClaim) -> Result<Option<ClaimPayment>> {
        let (amount, _) = approved(open)?;
        let claim = open.history.claim.claim;
        let on_chain = self.claims_call(IClaims::claimOfCall { claim }).await?;
        let insurer = on_chain.insurer;
        let call = IClaims::tokenOfCall {
            insurer,
            currency: on_chain.currency,
            version: on_chain.currencyVersion,
        };
        let set = self.claims_call(call).await?;
        if set.token.is_zero() {
            return Ok(None);
        }
        let unit = U256::from(10).checked_pow(U256::from(set.scale));
        let value = unit.and_then(|unit| unit.checked_mul(U256::from(amount.minor)));
        let call = IErc20::allowanceCall {
            owner: insurer,
            spender: self.deployment.claims,
        };
        Ok(Some(ClaimPayment {
            token: set.token,
            scale: set.scale,
            value: value.ok_or_else(|| tampered(WHAT)("its token has a scale that the contract takes none of"))?,
            allowance: self.chain.call(set.token, call).await?,
        }))
    }

    /// Has the token let the claims contract move exactly what [`Client::claim_payment`] says, in the place of what it was let before (the
    /// insurer's own account: no member and no relay can do it).
    ///
    /// # Errors
    /// [`Error::Usage`] for anybody else, for a client that relays, and where nothing is approved or there is no token.
    pub async fn allow_claim_payment(&self, open: &OpenClaim) -> Result<Mined> {
        let insurer = open.history.claim.insurer;
        if insurer != self.address() {
            return Err(Error::Usage(format!(
                "the token asks who sends: only the insurer's own account, {insurer}, can allow this"
            )));
        }
        let payment = self.claim_payment(open).await?;
        let payment =
            payment.ok_or_else(|| Error::Usage("the claim's insurer had no token for its currency".into()))?;
        let approve = |value| IErc20::approveCall {
            spender: self.deployment.claims,
            value,
        };
        // ERC-20 has it so, and some tokens take nothing else.
        if !payment.allowance.is_zero() {
            self.send(payment.token, approve(U256::ZERO)).await?;
        }
        self.send(payment.token, approve(payment.value)).await
    }

    /// Pays what was approved in the insurer's token, which shows the amount to everybody (the insurer, whose account has let the contract move
    /// it: [`Client::allow_claim_payment`]).
    ///
    /// # Errors
    /// [`Error::Usage`] where nothing was approved.
    pub async fn pay_claim_in_token(&self, open: &OpenClaim) -> Result<Mined> {
        let claim = &open.history.claim;
        let (amount, salt) = approved(open)?;
        let call = IClaims::payInTokenCall {
            actor: self.address(),
            claim: claim.claim,
            serial: claim.serial,
            amount: U256::from(amount.minor),
            salt: B256::new(*salt.expose()),
        };
        self.act_on(self.deployment.claims, call).await
    }
}

/// What the last decision approves, and what opens its commitment.
fn approved(open: &OpenClaim) -> Result<(Amount, &Salt)> {
    let decision = open.decision.as_ref();
    let opening = decision.and_then(|(decision, _)| decision.verdict.opening());
    opening.ok_or_else(|| Error::Usage("nothing of this claim is approved".into()))
}
