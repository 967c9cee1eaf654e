//! What holds on a chart for those who have no grant.

use serde_json::{Value, json};

use super::super::element::{coding, meta};
use super::super::facts::Standing;
use super::super::{Site, codes, system, time};
use super::{Empty, denial_or_permission, with_frame};

/// "Deny, except to who breaks the glass", or "deny": the Consent of a chart's emergency access, with the rules that name everybody.
///
/// That only credentialed providers may break the glass, for four hours, and on the compartments that they name, a Consent cannot
/// say: see the contract that `policy` names.
///
/// # Errors
/// [`Empty`].
pub fn standing_consent(standing: &Standing, site: &Site) -> Result<Value, Empty> {
    let denied = standing
        .denied
        .iter()
        .map(|rule| denial_or_permission(&standing.chart, rule));
    let mut exceptions = denied.collect::<Result<Vec<_>, _>>()?;
    if standing.emergency_access {
        exceptions.push(json!({
            "type": "permit",
            "action": codes::actions(medlock_abi::terms::action::READ),
            "purpose": [coding(system::ACT_REASON, codes::BREAK_THE_GLASS, Some("break the glass"))],
        }));
    }
    let resource = json!({
        "id": standing.place.to_string(),
        "meta": meta(standing.set_at),
        "status": "active",
        "dateTime": time::instant(standing.set_at),
        "provision": { "type": "deny", "provision": exceptions },
    });
    Ok(with_frame(resource, site, &standing.chart))
}
