//! Money as the ledger has it: a currency of ISO 4217 and a whole number of its minor units. Never a float, never negative.
use std::fmt;

/// A currency of ISO 4217 (list one, 2025) that this code knows. The number of decimals is part of what a commitment means, so an
/// unknown currency is refused and not guessed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    numeric: u16,
    alpha: &'static str,
    decimals: u8,
}

const fn currency(alpha: &'static str, numeric: u16, decimals: u8) -> Currency {
    Currency {
        numeric,
        alpha,
        decimals,
    }
}

const KNOWN: [Currency; 46] = [
    currency("AED", 784, 2),
    currency("ARS", 32, 2),
    currency("AUD", 36, 2),
    currency("BHD", 48, 3),
    currency("BRL", 986, 2),
    currency("CAD", 124, 2),
    currency("CHF", 756, 2),
    currency("CLP", 152, 0),
    currency("CNY", 156, 2),
    currency("COP", 170, 2),
    currency("CZK", 203, 2),
    currency("DKK", 208, 2),
    currency("EGP", 818, 2),
    currency("EUR", 978, 2),
    currency("GBP", 826, 2),
    currency("HKD", 344, 2),
    currency("HUF", 348, 2),
    currency("IDR", 360, 2),
    currency("ILS", 376, 2),
    currency("INR", 356, 2),
    currency("ISK", 352, 0),
    currency("JPY", 392, 0),
    currency("KES", 404, 2),
    currency("KRW", 410, 0),
    currency("KWD", 414, 3),
    currency("MXN", 484, 2),
    currency("MYR", 458, 2),
    currency("NGN", 566, 2),
    currency("NOK", 578, 2),
    currency("NZD", 554, 2),
    currency("OMR", 512, 3),
    currency("PHP", 608, 2),
    currency("PKR", 586, 2),
    currency("PLN", 985, 2),
    currency("RON", 946, 2),
    currency("SAR", 682, 2),
    currency("SEK", 752, 2),
    currency("SGD", 702, 2),
    currency("THB", 764, 2),
    currency("TRY", 949, 2),
    currency("TWD", 901, 2),
    currency("UAH", 980, 2),
    currency("USD", 840, 2),
    currency("VND", 704, 0),
    currency("XOF", 952, 0),
    currency("ZAR", 710, 2),
];

impl Currency {
    /// All that are known, by their letters.
    pub const ALL: &'static [Self] = &KNOWN;

    /// `EUR`, in capitals.
    ///
    /// # Errors
    /// [`AmountError::UnknownCurrency`], which lists those that are known.
    pub fn from_alpha(alpha: &str) -> Result<Self, AmountError> {
        Self::find(|known| known.alpha == alpha)
    }

    /// As it stands on chain: 978 is the euro.
    ///
    /// # Errors
    /// [`AmountError::UnknownCurrency`].
    pub fn from_numeric(numeric: u16) -> Result<Self, AmountError> {
        Self::find(|known| known.numeric == numeric)
    }

    fn find(is_it: impl Fn(&Self) -> bool) -> Result<Self, AmountError> {
        let found = Self::ALL.iter().copied().find(is_it);
        found.ok_or(AmountError::UnknownCurrency)
    }

    #[must_use]
    pub fn numeric(self) -> u16 {
        self.numeric
    }

    #[must_use]
    pub fn alpha(self) -> &'static str {
        self.alpha
    }

    /// One unit is 10 to the power of this in minor units.
    #[must_use]
    pub fn decimals(self) -> u8 {
        self.decimals
    }
}

/// Why a text is no amount. None repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    #[error("the currency is none of those that are known: {}", known())]
    UnknownCurrency,
    #[error("an amount is digits, with a point and more digits after it where there are minor units, such as 12.34")]
    Malformed,
    #[error("amounts are never negative; what is to be given back is another claim's reversal")]
    Negative,
    #[error("write the amount without an exponent")]
    Exponent,
    #[error("the currency has {most} decimals, and the amount more")]
    Decimals { most: u8 },
    #[error("the amount is over the most, 2^64 - 1 minor units")]
    Overflow,
    #[error("amounts of two currencies cannot be added")]
    TwoCurrencies,
}

fn known() -> String {
    let alphas: Vec<_> = Currency::ALL.iter().map(|known| known.alpha).collect();
    alphas.join(", ")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    pub currency: Currency,
    /// In minor units: cents.
    pub minor: u64,
}

impl Amount {
    #[must_use]
    pub fn new(currency: Currency, minor: u64) -> Self {
        Self { currency, minor }
    }

    /// Reads the decimal text of a FHIR Money (R4, `datatypes.html`, "decimal"), exactly.
    ///
    /// # Errors
    /// [`AmountError`], for whatever is no plain decimal that the currency can pay.
    pub fn parse(currency: Currency, text: &str) -> Result<Self, AmountError> {
        let Decimal { digits, scale } = Decimal::parse(text)?;
        let missing = currency.decimals.checked_sub(scale).ok_or(AmountError::Decimals {
            most: currency.decimals,
        })?;
        let minor = digits.checked_mul(power_of_ten(missing)).ok_or(AmountError::Overflow)?;
        let minor = u64::try_from(minor).map_err(|_| AmountError::Overflow)?;
        Ok(Self { currency, minor })
    }

    /// As FHIR writes it, with all its decimals: `12.30`.
    #[must_use]
    pub fn decimal(self) -> String {
        Decimal::from(self).to_string()
    }

    /// # Errors
    /// [`AmountError::TwoCurrencies`], [`AmountError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, AmountError> {
        if self.currency != other.currency {
            return Err(AmountError::TwoCurrencies);
        }
        let minor = self.minor.checked_add(other.minor).ok_or(AmountError::Overflow)?;
        Ok(Self { minor, ..self })
    }
}

/// `12.30 EUR`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency.alpha)
    }
}

/// A decimal as it was written: its precision is part of its value (FHIR R4 section 2.24.0.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    digits: u128,
    scale: u8,
}

/// Digits that are sure to fit 128 bits.
const DIGITS_MAX: usize = 38;

impl Decimal {
    /// # Errors
    /// [`AmountError::Malformed`], [`AmountError::Negative`], [`AmountError::Exponent`]; [`AmountError::Overflow`] past 38 digits.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        if text
            .bytes()
            .any(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'))
        {
            return Err(AmountError::Malformed);
        }
        if text.contains(['e', 'E']) {
            return Err(AmountError::Exponent);
        }
        if text.starts_with('-') {
            return Err(AmountError::Negative);
        }
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return Err(AmountError::Malformed),
            Some(parts) => parts,
            None => (text, ""),
        };
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let has_padding = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || has_padding || !is_digits(whole) || !is_digits(fraction) {
            return Err(AmountError::Malformed);
        }
        if whole.len() + fraction.len() > DIGITS_MAX {
            return Err(AmountError::Overflow);
        }
        let bytes = whole.bytes().chain(fraction.bytes());
        Ok(Self {
            digits: bytes.fold(0, |all, byte| all * 10 + u128::from(byte - b'0')),
            scale: fraction.len() as u8,
        })
    }

    /// `None` where 128 bits do not hold it.
    pub(crate) fn checked_mul(self, other: Self) -> Option<Self> {
        Some(Self {
            digits: self.digits.checked_mul(other.digits)?,
            scale: self.scale.checked_add(other.scale)?,
        })
    }

    /// `None` where the currency cannot pay it exactly, or not at all.
    pub(crate) fn to_amount(self, currency: Currency) -> Option<Amount> {
        let extra = 10_u128.checked_pow(self.scale.saturating_sub(currency.decimals).into())?;
        if !self.digits.is_multiple_of(extra) {
            return None;
        }
        let missing = power_of_ten(currency.decimals.saturating_sub(self.scale));
        let minor = u64::try_from((self.digits / extra).checked_mul(missing)?).ok()?;
        Some(Amount { currency, minor })
    }

    /// Whether `amount` is this, rounded up or down where the currency cannot pay it exactly.
    pub(crate) fn rounds_to(self, amount: Amount) -> Option<bool> {
        let extra = self.scale.saturating_sub(amount.currency.decimals);
        let missing = amount.currency.decimals.saturating_sub(self.scale);
        let exact = self.digits.checked_mul(power_of_ten(missing))?;
        let unit = 10_u128.checked_pow(extra.into())?;
        let given = u128::from(amount.minor).checked_mul(unit)?;
        Some(given.abs_diff(exact) < unit)
    }
}

impl From<Amount> for Decimal {
    fn from(amount: Amount) -> Self {
        Self {
            digits: amount.minor.into(),
            scale: amount.currency.decimals,
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0width$}", self.digits, width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        if fraction.is_empty() {
            f.write_str(whole)
        } else {
            write!(f, "{whole}.{fraction}")
        }
    }
}

/// Of a currency's decimals, three at most.
fn power_of_ten(exponent: u8) -> u128 {
    10_u128.pow(exponent.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(alpha: &str, text: &str) -> Result<u64, AmountError> {
        Amount::parse(Currency::from_alpha(alpha)?, text).map(|amount| amount.minor)
    }

    #[test]
    fn each_currency_has_its_own_letters_and_number() {
        for (index, known) in Currency::ALL.iter().enumerate() {
            assert_eq!(Currency::from_alpha(known.alpha), Ok(*known));
            assert_eq!(Currency::from_numeric(known.numeric), Ok(*known));
            assert!(known.decimals <= 3 && (1..=999).contains(&known.numeric));
            assert!(Currency::ALL[..index].iter().all(|other| other.alpha < known.alpha));
        }
    }

    #[test]
    fn an_unknown_currency_is_refused_with_those_that_are_known() {
        for unknown in ["eur", "XXX", "", "EURO"] {
            assert_eq!(Currency::from_alpha(unknown), Err(AmountError::UnknownCurrency));
        }
        assert_eq!(Currency::from_numeric(999), Err(AmountError::UnknownCurrency));
        assert!(AmountError::UnknownCurrency.to_string().contains("EGP, EUR, GBP"));
    }

    #[test]
    fn decimals_become_minor_units_exactly() {
        assert_eq!(of("EUR", "12.34"), Ok(1234));
        assert_eq!(of("EUR", "12.3"), Ok(1230));
        assert_eq!(of("EUR", "12"), Ok(1200));
        assert_eq!(of("EUR", "0"), Ok(0));
        assert_eq!(of("EUR", "0.00"), Ok(0));
        assert_eq!(of("JPY", "1500"), Ok(1500));
        assert_eq!(of("KWD", "1.5"), Ok(1500));
        // No float holds these.
        assert_eq!(of("EUR", "90071992547409.93"), Ok(9_007_199_254_740_993));
        assert_eq!(of("EUR", "184467440737095516.15"), Ok(u64::MAX));
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_reason() {
        for (alpha, text, why) in [
            ("EUR", "-1", AmountError::Negative),
            ("EUR", "-0", AmountError::Negative),
            ("EUR", "1.234", AmountError::Decimals { most: 2 }),
            ("EUR", "1.230", AmountError::Decimals { most: 2 }),
            ("JPY", "1.0", AmountError::Decimals { most: 0 }),
            ("EUR", "1e2", AmountError::Exponent),
            ("EUR", "1E-2", AmountError::Exponent),
            ("EUR", "184467440737095516.16", AmountError::Overflow),
            ("EUR", "1234567890123456789012345678901234567890", AmountError::Overflow),
        ] {
            assert_eq!(of(alpha, text), Err(why), "{text}");
        }
        for malformed in [
            "", ".", "1.", ".5", "01", "00", "+1", "1,5", "1 ", " 1", "1.2.3", "1-", "NaN", "\u{661}", "0x1",
        ] {
            assert_eq!(of("EUR", malformed), Err(AmountError::Malformed), "{malformed}");
        }
    }

    #[test]
    fn an_amount_is_written_with_all_its_decimals_and_read_back() {
        for (alpha, minor, text) in [
            ("EUR", 0, "0.00"),
            ("EUR", 5, "0.05"),
            ("EUR", 1230, "12.30"),
            ("JPY", 7, "7"),
            ("KWD", 1, "0.001"),
            ("EUR", u64::MAX, "184467440737095516.15"),
        ] {
            let amount = Amount::new(Currency::from_alpha(alpha).unwrap(), minor);
            assert_eq!(amount.decimal(), text);
            assert_eq!(amount.to_string(), format!("{text} {alpha}"));
            assert_eq!(of(alpha, text), Ok(minor));
        }
    }

    #[test]
    fn only_amounts_of_one_currency_that_fit_are_added() {
        let (euro, dollar) = (
            Currency::from_numeric(978).unwrap(),
            Currency::from_numeric(840).unwrap(),
        );
        let one = Amount::new(euro, 1);
        assert_eq!(one.checked_add(one), Ok(Amount::new(euro, 2)));
        assert_eq!(one.checked_add(Amount::new(dollar, 1)), Err(AmountError::TwoCurrencies));
        assert_eq!(one.checked_add(Amount::new(euro, u64::MAX)), Err(AmountError::Overflow));
    }

    #[test]
    fn a_product_rounds_to_the_two_amounts_beside_it() {
        let euro = Currency::from_numeric(978).unwrap();
        let product = Decimal::parse("1.05")
            .unwrap()
            .checked_mul(Decimal::parse("0.5").unwrap())
            .unwrap();
        let fits = [51, 52, 53, 54].map(|minor| product.rounds_to(Amount::new(euro, minor)));
        assert_eq!(fits, [Some(false), Some(true), Some(true), Some(false)]);
        assert_eq!(product.to_amount(euro), None);
        let exact = Decimal::parse("2")
            .unwrap()
            .checked_mul(Decimal::parse("3").unwrap())
            .unwrap();
        assert_eq!(exact.to_amount(euro), Some(Amount::new(euro, 600)));
        assert_eq!(exact.rounds_to(Amount::new(euro, 600)), Some(true));
        assert_eq!(exact.rounds_to(Amount::new(euro, 601)), Some(false));
    }
}
