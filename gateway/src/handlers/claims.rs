//! The claims ledger: to the parties of a claim, to their members, and to whoever controls the chart that it is about.
use alloy::primitives::{Address, B256};
use axum::{Json, extract::State, response::Response};
use medlock_abi::terms::power;
use medlock_api::{
    Kind, Problem,
    claims::{
        AcceptedCurrency, Claim, ClaimFacts, ClaimHistory, ClaimLink, ClaimState, ClaimStep, Claims, ClaimsFacts,
        Insurer, TokenPayment, claim_reason_name,
    },
    schema::{Binary, Hex20, Hex32},
};
use medlock_indexer::{self as indexer, ClaimsOf, CurrencySetting};

use super::{charts::next, dag_cbor, given};
use crate::{
    access::{Acting, Role},
    chain::Block,
    extract::{AccountPath, Caller, ClaimDocumentPath, ClaimPath, ClaimsQuery, FactsQuery, Path, Query, Whose, page},
    problem::{Failure, Result},
    state::Gateway,
};

/// Claims, in the order in which they were submitted: those of the caller (or of the organisation that they act for) as a provider or as an
/// insurer, or, with `chart`, all that are about a chart of the caller's. `state`: those that stand there alone.
#[utoipa::path(get, path = "/v1/claims", tag = "claims", security(("session" = [])),
    params(("as" = inline(Option<Whose>), Query,), ("chart" = Option<Hex32>, Query,), ("state" = Option<ClaimState>, Query,), ("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Claims), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn claims(
    State(gateway): State<Gateway>,
    caller: Caller,
    Query(query): Query<ClaimsQuery>,
) -> Result<Json<Claims>> {
    let page = page(query.after.as_deref(), query.limit)?;
    let (block, acting) = (gateway.latest().await?, caller.acting());
    gateway.require_member(&block, acting).await?;
    let of = of(&gateway, block, acting, query.whose, query.chart).await?;
    let state = query.state.map(ClaimState::number);
    let mut index = gateway.index_at(&block).await?;
    let found = index.claims(of, state, page).await?;
    let next = next(&found, page.limit, |claim| claim.position.to_string());
    Ok(Json(Claims {
        claims: found.into_iter().map(claim_body).collect::<Result<_>>()?,
        next,
    }))
}

/// Claims as above that were submitted at `since` (UNIX seconds) or later, with the records that they rest on: for whoever looks for signs of fraud.
#[utoipa::path(get, path = "/v1/claims/facts", tag = "claims", security(("session" = [])),
    params(("as" = inline(Option<Whose>), Query,), ("chart" = Option<Hex32>, Query,), ("since" = Option<u64>, Query,), ("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = ClaimsFacts), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn facts(
    State(gateway): State<Gateway>,
    caller: Caller,
    Query(query): Query<FactsQuery>,
) -> Result<Json<ClaimsFacts>> {
    let page = page(query.after.as_deref(), query.limit)?;
    let (block, acting) = (gateway.latest().await?, caller.acting());
    gateway.require_member(&block, acting).await?;
    let of = of(&gateway, block, acting, query.whose, query.chart).await?;
    let mut index = gateway.index_at(&block).await?;
    let found = index.claim_facts(of, query.since.unwrap_or(0), page).await?;
    let next = next(&found, page.limit, |facts| facts.claim.position.to_string());
    let body = |facts: indexer::ClaimFacts| {
        Ok(ClaimFacts {
            claim: claim_body(facts.claim)?,
            links: facts.links.into_iter().map(link_body).collect(),
        })
    };
    Ok(Json(ClaimsFacts {
        facts: found.into_iter().map(body).collect::<Result<_>>()?,
        next,
    }))
}

/// Whose claims are asked for, if they are the caller's to see.
async fn of(
    gateway: &Gateway,
    block: Block,
    acting: Acting,
    whose: Option<Whose>,
    chart: Option<B256>,
) -> Result<ClaimsOf> {
    match (whose, chart) {
        (Some(Whose::Provider), None) => Ok(ClaimsOf::Provider(acting.grantee())),
        (Some(Whose::Insurer), None) => Ok(ClaimsOf::Insurer(acting.grantee())),
        (None, Some(chart)) if sees_chart(gateway, block, chart, acting).await? => Ok(ClaimsOf::Chart(chart)),
        (None, Some(_)) => Err(Kind::ForbiddenOrUnknown.into()),
        _ => Err(Failure::bad_request(
            "as",
            "either `as` (provider or insurer) or `chart` is given",
        )),
    }
}

/// A claim, its steps, and the records that it rests on.
#[utoipa::path(get, path = "/v1/claims/{claim}", tag = "claims", security(("session" = [])),
    params(("claim" = Hex32, Path,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = ClaimHistory), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn claim(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(ClaimPath { claim }): Path<ClaimPath>,
) -> Result<Json<ClaimHistory>> {
    let (block, acting) = (gateway.latest().await?, caller.acting());
    gateway.require_member(&block, acting).await?;
    let mut index = gateway.index_at(&block).await?;
    let found = index.claim(claim).await?;
    let found = found.ok_or_else(|| Failure::from(Kind::ForbiddenOrUnknown))?;
    if !is_party(&found, acting) && !sees_chart(&gateway, block, found.chart, acting).await? {
        return Err(Kind::ForbiddenOrUnknown.into());
    }
    let steps = index.claim_steps(claim).await?.into_iter().map(step_body);
    let links = index.claim_links(claim).await?.into_iter().map(link_body);
    Ok(Json(ClaimHistory {
        claim: claim_body(found)?,
        steps: steps.collect::<Result<_>>()?,
        links: links.collect(),
    }))
}

/// A sealed document of a claim, by its digest: to those whom it is sealed to.
#[utoipa::path(get, path = "/v1/claims/{claim}/documents/{document}", tag = "claims", security(("session" = [])),
    params(("claim" = Hex32, Path,), ("document" = Hex32, Path,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Binary, content_type = "application/vnd.ipld.dag-cbor"), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn document(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(ClaimDocumentPath { claim, document }): Path<ClaimDocumentPath>,
) -> Result<Response> {
    let (block, acting) = (gateway.latest().await?, caller.acting());
    gateway.require_member(&block, acting).await?;
    let unknown = || Failure::from(Kind::ForbiddenOrUnknown);
    let mut index = gateway.index_at(&block).await?;
    let found = index.claim(claim).await?.filter(|found| is_party(found, acting));
    let found = found.ok_or_else(unknown)?;
    // What a claim's first step names is about the chart, as the claim had no name yet.
    let subject = match document == found.document {
        true => found.chart,
        false => {
            let steps = index.claim_steps(claim).await?;
            let is_a_steps = |step: &indexer::ClaimStep| step.document == document && step.event != "Paid";
            steps.iter().any(is_a_steps).then_some(claim).ok_or_else(unknown)?
        }
    };
    let (ledger, parties) = (gateway.deployment.claims, [found.provider, found.insurer]);
    let block = gateway
        .case_document(document, ledger, subject, &parties, acting.grantee())
        .await?;
    Ok(dag_cbor(block))
}

/// What an insurer accepts, and whether it shares the registry of services with others.
#[utoipa::path(get, path = "/v1/insurers/{account}", tag = "claims", security(("session" = [])),
    params(("account" = Hex20, Path,)),
    responses((status = 200, body = Insurer), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn insurer(
    State(gateway): State<Gateway>,
    _caller: Caller,
    Path(AccountPath { account }): Path<AccountPath>,
) -> Result<Json<Insurer>> {
    let mut index = gateway.index_at(&gateway.latest().await?).await?;
    let setting = index.insurer_setting(account).await?;
    let currencies = index.currency_settings(account).await?.into_iter();
    let body = |setting: CurrencySetting| AcceptedCurrency {
        currency: setting.currency,
        version: setting.version,
        accepted: setting.accepted,
        token: Some(setting.token).filter(|token| !token.is_zero()),
        scale: setting.scale,
    };
    Ok(Json(Insurer {
        insurer: account,
        serial: setting.map_or(0, |setting| setting.serial),
        shared: setting.is_some_and(|setting| setting.shared),
        currencies: currencies.map(body).collect(),
    }))
}

fn is_party(claim: &indexer::Claim, acting: Acting) -> bool {
    [claim.provider, claim.insurer].contains(&acting.grantee())
}

/// Whoever controls the chart, or reads all of it as their delegate.
async fn sees_chart(gateway: &Gateway, block: Block, chart: B256, acting: Acting) -> Result<bool> {
    match gateway.standing_at(block, chart, acting).await {
        Ok(standing) => Ok(match standing.role {
            Role::Controller => true,
            Role::Other(rights) => rights.powers & power::READ != 0,
        }),
        Err(failure) if failure.kind() == Some(Kind::ForbiddenOrUnknown) => Ok(false),
        Err(failure) => Err(failure),
    }
}

fn claim_body(claim: indexer::Claim) -> Result<Claim> {
    Ok(Claim {
        state: state(claim.state)?,
        claim: claim.claim,
        chart: claim.chart,
        provider: claim.provider,
        insurer: claim.insurer,
        submitted_by: claim.submitted_by,
        submitted_at: claim.submitted_at,
        document: claim.document,
        fingerprint: claim.fingerprint,
        currency: claim.currency,
        billed: claim.billed,
        currency_version: claim.currency_version,
        shared: claim.shared,
        previous: given(claim.previous),
        serial: claim.serial,
        stepped_at: claim.stepped_at,
        deadline: Some(claim.deadline).filter(|time| *time != 0),
        rounds: claim.rounds,
        appeals: claim.appeals,
        approved: given(claim.amount),
        reason: claim_reason_name(claim.reason_code),
        block: claim.position.block_number,
    })
}

fn link_body(link: indexer::ClaimLink) -> ClaimLink {
    ClaimLink {
        record_id: link.record_id,
        pointer: link.pointer,
        written_at: link.written_at,
        created_at: link.created_at,
    }
}

fn step_body(step: indexer::ClaimStep) -> Result<ClaimStep> {
    let (document, remittance) = match step.event.as_str() {
        "Paid" => (B256::ZERO, step.document),
        _ => (step.document, B256::ZERO),
    };
    let payment = (step.token != Address::ZERO).then(|| TokenPayment {
        token: step.token,
        value: step.value.to_string(),
    });
    Ok(ClaimStep {
        serial: step.serial,
        state: state(step.state)?,
        event: step.event,
        by: step.acted_by,
        at: step.at,
        document: given(document),
        remittance: given(remittance),
        amount: given(step.amount),
        reason: claim_reason_name(step.reason_code),
        deadline: Some(step.deadline).filter(|time| *time != 0),
        payment,
        block: step.position.block_number,
        tx: step.tx_hash,
    })
}

/// # Errors
/// `Internal`: the contract knows no other.
fn state(number: u8) -> Result<ClaimState> {
    ClaimState::from_number(number).ok_or_else(|| {
        let cause = anyhow::anyhow!("a claim's state is {number}");
        Failure::caused(Kind::Internal, cause)
    })
}
