//! The numbers behind the names (`medlock_abi::terms`), and the way from a name to its number.

pub use medlock_abi::terms::*;

use crate::error::{Error, Result};

/// The number of a name in one of the lists here.
///
/// # Errors
/// [`Error::Usage`], which lists the names.
pub fn number_of<N: Copy>(list: &[(&str, N)], name: &str) -> Result<N> {
    let known = list.iter().find(|(known, _)| *known == name);
    known.map(|(_, number)| *number).ok_or_else(|| {
        let names = list.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        Error::Usage(format!("there is no {name}; there are {names}"))
    })
}

/// The name of a number in one of the lists here; of one that is not there, its digits.
pub fn name_of<N: Copy + PartialEq + ToString>(list: &[(&str, N)], number: N) -> String {
    let known = list.iter().find(|(_, known)| *known == number);
    known.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_listed_is_answered_with_those_that_are() {
        assert_eq!(number_of(&amendment::ALL, "safety").unwrap(), amendment::SAFETY);
        let error = number_of(&recall::CLASSES, "class-iv").unwrap_err();
        assert!(matches!(error, Error::Usage(_)));
        assert_eq!(
            error.to_string(),
            "there is no class-iv; there are class-i, class-ii, class-iii"
        );
    }
}
