//! Search (R4, `search.html`): parameters in, a typed [`Query`] out, which resources match it, and the Bundle for the answer.
//!
//! What there is to search by stands in one table ([`RESOURCES`]): the parser, the matcher and the CapabilityStatement
//! read it, so that none claims or takes what another does not know. A resource is matched as it is served: what a caller
//! cannot see, no search can find.
mod bundle;
mod date;
mod matching;
mod parameter;
mod parse;
mod view;

pub use bundle::searchset;
pub use date::{DateTest, Prefix};
pub use matching::matches;
pub use parameter::{Parameter, ParameterKind, RESOURCES, Resource, resource};
pub use parse::{CONTROLS, Handling, PARAMETERS_MAX, QUERY_BYTES_MAX, VALUES_MAX, handling, parse};
pub use view::{Summary, trim};

use std::collections::BTreeSet;

use super::facts::{Account, Bytes32};
use super::outcome::Issue;
use super::{Site, element, system};

/// Resources on one page, whatever is asked for: bounds an answer. 500 Consents with all compartments are 5 MB.
pub const COUNT_MOST: usize = 500;
/// Where no `_count` is given.
pub const COUNT_DEFAULT: usize = 50;

/// A search that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub resource: &'static Resource,
    /// All of them hold.
    pub filters: Vec<Filter>,
    /// At most [`COUNT_MOST`]; 0 where only the number of matches is wanted.
    pub count: usize,
    /// Where the page begins: the `next` of the page before, as it was given out.
    pub after: Option<String>,
    pub summary: Summary,
    /// `_elements`, in the order given; empty: all.
    pub elements: Vec<String>,
    /// `_total` was asked for, or the number of matches is all that is.
    pub total: bool,
    /// Parameters that were passed over (lenient handling), as warnings for the answer.
    pub ignored: Vec<Issue>,
}

/// One parameter, as given.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub parameter: &'static Parameter,
    /// `identifier`, or a resource type.
    pub modifier: Option<&'static str>,
    /// One of them holds.
    pub any_of: Vec<Operand>,
    /// The value as it was given, decoded: for the `self` link.
    pub given: String,
}

/// One value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    Token(Token),
    Date(DateTest),
    /// Type and id of a resource of this server.
    Literal(&'static str, String),
}

/// A token (R4, `search.html`, "token").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub system: AnySystem,
    /// `None`: any.
    pub code: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnySystem {
    /// `code`.
    Any,
    /// `|code`.
    None,
    /// `system|code`.
    Is(String),
}

impl Query {
    /// The charts that it is limited to by `patient`; `None`: not at all. An id that is no chart's names none.
    #[must_use]
    pub fn charts(&self) -> Option<BTreeSet<Bytes32>> {
        let chart = |operand: &Operand| match operand {
            Operand::Literal(_, id) => element::bytes32(id),
            _ => None,
        };
        self.limits("patient", chart)
    }

    /// The ids that it is limited to; `None`: not at all.
    #[must_use]
    pub fn ids(&self) -> Option<BTreeSet<String>> {
        let id = |operand: &Operand| match operand {
            Operand::Token(token) => token.code.clone(),
            _ => None,
        };
        self.limits("_id", id)
    }

    /// The accounts that it is limited to by `parameter:identifier`; `None`: not at all.
    #[must_use]
    pub fn accounts(&self, parameter: &str, site: &Site) -> Option<BTreeSet<Account>> {
        let account = |operand: &Operand| match operand {
            Operand::Token(token) if matches!(&token.system, AnySystem::Is(s) if s != system::URI) => None,
            Operand::Token(token) => element::account(site.chain_id, token.code.as_deref()?),
            _ => None,
        };
        self.limits(parameter, account)
    }

    /// What all filters by `parameter` allow.
    fn limits<T: Ord + Clone>(&self, parameter: &str, of: impl Fn(&Operand) -> Option<T>) -> Option<BTreeSet<T>> {
        let filters = self.filters.iter().filter(|filter| filter.parameter.name == parameter);
        filters
            .map(|filter| filter.any_of.iter().filter_map(&of).collect::<BTreeSet<_>>())
            .reduce(|all, one| all.intersection(&one).cloned().collect())
    }
}
