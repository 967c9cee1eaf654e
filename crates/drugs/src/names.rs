//! Names of accounts, for people. They come from others, so they are shown without what a terminal would obey.
use std::collections::BTreeMap;

use alloy_primitives::Address;

/// Longer ones are cut: a line on a scanner's screen has to fit.
const CHARACTERS_MOST: usize = 60;

/// What is known about who is behind an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<Address, String>);

impl Names {
    /// The name, where one is known. Controls, and what turns the direction of writing, are left out.
    pub fn get(&self, account: Address) -> Option<&str> {
        self.0.get(&account).map(String::as_str)
    }

    /// The name, or the address.
    pub fn of(&self, account: Address) -> String {
        self.get(account).map_or_else(|| account.to_string(), str::to_owned)
    }

    /// The name with the address behind it, or the address: for an account that is not to be taken for another.
    pub fn full(&self, account: Address) -> String {
        match self.get(account) {
            Some(name) => format!("{name} ({account})"),
            None => account.to_string(),
        }
    }
}

impl FromIterator<(Address, String)> for Names {
    fn from_iter<I: IntoIterator<Item = (Address, String)>>(names: I) -> Self {
        let shown = |(account, name): (Address, String)| {
            let name: String = name.chars().filter(|c| is_shown(*c)).take(CHARACTERS_MOST).collect();
            let name = name.trim();
            (!name.is_empty()).then(|| (account, name.to_owned()))
        };
        Self(names.into_iter().filter_map(shown).collect())
    }
}

fn is_shown(character: char) -> bool {
    let is_bidi = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !character.is_control() && !is_bidi && !matches!(character, '\u{2028}' | '\u{2029}')
}

/// The name of a number in one of the lists of `medlock_abi::terms`.
pub(crate) fn term(list: &[(&'static str, u8)], number: u8) -> &'static str {
    list.iter()
        .find(|(_, known)| *known == number)
        .map_or("unknown", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_command_a_terminal_nor_hide_the_account() {
        let [one, two, three] = [1, 2, 3].map(Address::repeat_byte);
        let names: Names = [
            (one, "Nord\x1b[2J\r\n \u{202e}Pharma".to_owned()),
            (two, " \n".to_owned()),
            (three, "x".repeat(1000)),
        ]
        .into_iter()
        .collect();
        assert_eq!(names.get(one), Some("Nord[2J Pharma"));
        assert_eq!((names.get(two), names.of(two)), (None, two.to_string()));
        assert_eq!(names.of(three).len(), CHARACTERS_MOST);
    }
}
