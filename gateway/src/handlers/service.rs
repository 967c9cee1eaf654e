//! What this gateway serves, and how it is doing. Public.
use alloy::primitives::Address;
use axum::{Json, extract::State};
use medlock_abi::terms::credential_status;
use medlock_api::{Credential, Deployment, Health, Party, PartyKey, Problem, Roles, Status, schema::Hex20};

use crate::{
    extract::{AccountPath, Anybody, Path},
    problem::Result,
    state::Gateway,
};

/// The process answers.
#[utoipa::path(get, path = "/health", tag = "service", responses((status = 200, body = Health)))]
pub async fn health() -> Json<Health> {
    Json(Health { status: "ok".into() })
}

/// The chain is the deployment's, the index follows it, and the database answers.
#[utoipa::path(get, path = "/ready", tag = "service", responses((status = 200, body = Health), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn ready(State(gateway): State<Gateway>) -> Result<Json<Health>> {
    let block = gateway.pulse().await?;
    gateway.index_at(&block).await?;
    gateway.db.ping().await?;
    Ok(Json(Health { status: "ready".into() }))
}

/// The deployment that this gateway serves, and its own account.
#[utoipa::path(get, path = "/v1/deployment", tag = "service",
    responses((status = 200, body = Deployment), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn deployment(State(gateway): State<Gateway>, _: Anybody) -> Json<Deployment> {
    Json(gateway.described())
}

/// How far the index is behind the chain.
#[utoipa::path(get, path = "/v1/status", tag = "service",
    responses((status = 200, body = Status), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn status(State(gateway): State<Gateway>, _: Anybody) -> Result<Json<Status>> {
    let index_block = gateway.index.head().await?.number;
    // Up to a second old; what the index holds is on the chain.
    let chain_block = gateway.pulse().await?.number.max(index_block);
    Ok(Json(Status {
        index_block,
        chain_block,
        lag_blocks: chain_block - index_block,
    }))
}

/// What the registry has of an account: public facts.
#[utoipa::path(get, path = "/v1/parties/{account}", tag = "service",
    params(("account" = Hex20, Path,)),
    responses((status = 200, body = Party), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn party(
    State(gateway): State<Gateway>,
    _: Anybody,
    Path(AccountPath { account }): Path<AccountPath>,
) -> Result<Json<Party>> {
    let block = gateway.latest().await?;
    let now = block.time.max(gateway.now());
    let found = gateway.index_at(&block).await?.party(account).await?;
    Ok(Json(party_body(account, found, now)))
}

fn party_body(account: Address, found: medlock_indexer::Party, now: u64) -> Party {
    Party {
        account,
        credential: found.credential.map(|credential| Credential {
            issuer: credential.issuer,
            roles: Roles(credential.roles),
            issued_at: credential.issued_at,
            expiry: credential.expiry,
            document: credential.document,
            status: credential_status::text(credential.status).to_owned(),
            current: credential.is_current(now),
        }),
        key: found.key.map(|key| PartyKey {
            version: key.version,
            suite: key.suite,
            valid_from: key.valid_from,
            revoked_at: key.revoked_at.unwrap_or_default(),
            key: key.key,
        }),
    }
}
