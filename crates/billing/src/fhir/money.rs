//! Money: `{ "currency": "EUR", "value": 12.34 }`.
use super::{
    Fault, Refused,
    read::{Node, Object},
    write::{Element, number},
};
use crate::{Amount, Currency, amount::Decimal};

impl Node<'_> {
    /// # Errors
    /// [`Fault::Missing`], [`Fault::Type`], [`Fault::Money`].
    pub(super) fn money(self) -> Result<Amount, Refused> {
        let money = self.object(&["value", "currency"])?;
        let (currency, value) = (money.required("currency")?, money.required("value")?);
        let known = Currency::from_alpha(&currency.text()?).map_err(|error| currency.refused(error))?;
        Amount::parse(known, value.number()?).map_err(|error| value.refused(error))
    }

    /// # Errors
    /// [`Fault::Type`], [`Fault::Money`].
    pub(super) fn decimal(&self) -> Result<Decimal, Refused> {
        Decimal::parse(self.number()?).map_err(|error| self.refused(error))
    }
}

impl Object<'_> {
    pub(super) fn money(&self, name: &str) -> Result<Option<Amount>, Refused> {
        self.optional(name).map(Node::money).transpose()
    }

    pub(super) fn decimal(&self, name: &str) -> Result<Option<Decimal>, Refused> {
        self.optional(name).map(|node| node.decimal()).transpose()
    }
}

pub(super) fn money(amount: Amount) -> Element {
    Element::new()
        .with("currency", amount.currency.alpha())
        .with("value", number(amount.decimal()))
}

/// # Errors
/// [`Fault::TwoCurrencies`], [`Fault::Money`].
pub(super) fn sum(amounts: impl IntoIterator<Item = Amount>) -> Result<Option<Amount>, Fault> {
    let mut all: Option<Amount> = None;
    for amount in amounts {
        all = Some(match all {
            Some(before) => before.checked_add(amount).map_err(|error| match error {
                crate::AmountError::TwoCurrencies => Fault::TwoCurrencies,
                error => Fault::Money(error),
            })?,
            None => amount,
        });
    }
    Ok(all)
}
