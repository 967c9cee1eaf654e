//! Charts, directories, keyrings, grants and listings, to the controller and to whoever has a right at present: by a grant,
//! as a delegate, or in an emergency.
use axum::{Json, extract::State, response::Response};
use medlock_abi::terms::{COMPARTMENTS, reason, record_status};
use medlock_api::{
    Actions, Chart, Charts, Compartments, Grant, Grants, Kind, Problem, Purposes, Records, Version, Versions,
    schema::{Binary, Hex20, Hex32},
};
use medlock_indexer::Record;

use crate::{
    access::{forbidden, unreadable},
    extract::{Caller, ChartPath, PageQuery, Path, Query, RecordPath, RecordsQuery, cursor, page, page_limit},
    handlers::dag_cbor,
    problem::{Failure, Result},
    state::Gateway,
};

/// The charts that the caller controls, in the order in which they came to be the caller's. The chain says whether it is true.
#[utoipa::path(get, path = "/v1/charts", tag = "charts", security(("session" = [])),
    params(("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,)),
    responses((status = 200, body = Charts), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn charts(
    State(gateway): State<Gateway>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Charts>> {
    let page = page(query.after.as_deref(), query.limit)?;
    let block = gateway.latest().await?;
    let charts = gateway.index_at(&block).await?.charts_of(caller.account, page).await?;
    let next = next(&charts, page.limit, |chart| chart.position.to_string());
    let body = |chart: medlock_indexer::Chart| Chart {
        chart: chart.chart,
        controller: chart.controller,
        grant_epoch: chart.grant_epoch,
        directory_version: chart.directory_version,
        directory: chart.directory,
        controlled_since_block: chart.position.block_number,
        controlled_since: chart.controlled_since,
    };
    Ok(Json(Charts {
        charts: charts.into_iter().map(body).collect(),
        next,
    }))
}

/// A chart as the chain has it.
#[utoipa::path(get, path = "/v1/charts/{chart}", tag = "charts", security(("session" = [])),
    params(("chart" = Hex32, Path,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Chart), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn chart(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(ChartPath { chart }): Path<ChartPath>,
) -> Result<Json<Chart>> {
    let standing = gateway.standing(chart, caller.acting()).await?;
    let indexed = gateway.index_at(&standing.block).await?.chart(chart).await?;
    let indexed = indexed.ok_or_else(|| Failure::from(Kind::IndexBehind))?;
    Ok(Json(Chart {
        chart,
        controller: standing.controller,
        grant_epoch: standing.grant_epoch,
        directory_version: standing.directory_version,
        directory: standing.directory,
        controlled_since_block: indexed.position.block_number,
        controlled_since: indexed.controlled_since,
    }))
}

/// The chart's current directory block. Check it against `directory` of the chart on chain.
#[utoipa::path(get, path = "/v1/charts/{chart}/directory", tag = "charts", security(("session" = [])),
    params(("chart" = Hex32, Path,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Binary, content_type = "application/vnd.ipld.dag-cbor"), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn directory(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(ChartPath { chart }): Path<ChartPath>,
) -> Result<Response> {
    let standing = gateway.standing(chart, caller.acting()).await?;
    gateway.directory(chart, &standing).await.map(dag_cbor)
}

/// The caller's own keyring block, or that of the organisation that they act for.
#[utoipa::path(get, path = "/v1/charts/{chart}/keyring", tag = "charts", security(("session" = [])),
    params(("chart" = Hex32, Path,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Binary, content_type = "application/vnd.ipld.dag-cbor"), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn keyring(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(ChartPath { chart }): Path<ChartPath>,
) -> Result<Response> {
    let standing = gateway.standing(chart, caller.acting()).await?;
    // The controller derives its keys and has no keyring.
    let digest = gateway
        .index_at(&standing.block)
        .await?
        .grant(chart, caller.acting().grantee())
        .await?
        .map(|grant| grant.keyring);
    let digest = digest.ok_or_else(|| forbidden(reason::NO_GRANT))?;
    gateway
        .keyring(chart, caller.acting().grantee(), digest)
        .await
        .map(dag_cbor)
}

/// The grants that stand on a chart: all to the controller and to delegates who may grant, revoke or rotate keys; to anybody else their own.
#[utoipa::path(get, path = "/v1/charts/{chart}/grants", tag = "charts", security(("session" = [])),
    params(("chart" = Hex32, Path,), ("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Grants), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn grants(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(ChartPath { chart }): Path<ChartPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Grants>> {
    let page = page(query.after.as_deref(), query.limit)?;
    let standing = gateway.standing(chart, caller.acting()).await?;
    let mut index = gateway.index_at(&standing.block).await?;
    let grants = match standing.sees_grants() {
        true => index.grants(chart, page).await?,
        false => index
            .grant(chart, caller.acting().grantee())
            .await?
            .into_iter()
            .collect(),
    };
    Ok(Json(grants_body(grants, page.limit)))
}

/// The grants that stand and were given to the caller, or to the organisation that they act for, on whatever chart.
#[utoipa::path(get, path = "/v1/grants", tag = "charts", security(("session" = [])),
    params(("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Grants), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn my_grants(
    State(gateway): State<Gateway>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Grants>> {
    let page = page(query.after.as_deref(), query.limit)?;
    let (block, acting) = (gateway.latest().await?, caller.acting());
    gateway.require_member(&block, acting).await?;
    let grants = gateway
        .index_at(&block)
        .await?
        .grants_to(acting.grantee(), page)
        .await?;
    Ok(Json(grants_body(grants, page.limit)))
}

/// The latest version of each record in the compartments that the caller may read at present, oldest record first. Whether one
/// of them may be read is decided when it is: a rule may deny it, or it was shredded. One that a rule alone allows is not listed.
#[utoipa::path(get, path = "/v1/charts/{chart}/records", tag = "charts", security(("session" = [])),
    params(("chart" = Hex32, Path,), ("compartment" = Option<u8>, Query,), ("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Records), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn records(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(ChartPath { chart }): Path<ChartPath>,
    Query(query): Query<RecordsQuery>,
) -> Result<Json<Records>> {
    let page = page(query.after.as_deref(), query.limit)?;
    let wanted = match query.compartment {
        None => u64::MAX,
        Some(compartment) if compartment < COMPARTMENTS => 1 << compartment,
        Some(_) => {
            return Err(Failure::bad_request("compartment", "compartments are 0 to 63"));
        }
    };
    let standing = gateway.standing(chart, caller.acting()).await?;
    let found = gateway
        .index_at(&standing.block)
        .await?
        .records(chart, standing.readable() & wanted, page)
        .await?;
    let next = next(&found, page.limit, |record| record.position.to_string());
    Ok(Json(Records {
        records: found.iter().map(version_body).collect(),
        next,
    }))
}

/// The versions of a record, oldest first.
#[utoipa::path(get, path = "/v1/charts/{chart}/records/{record}/versions", tag = "charts", security(("session" = [])),
    params(("chart" = Hex32, Path,), ("record" = Hex32, Path,), ("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,), ("medlock-organisation" = Option<Hex20>, Header,)),
    responses((status = 200, body = Versions), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn versions(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(RecordPath { chart, record }): Path<RecordPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Versions>> {
    let (after, limit) = (cursor(query.after.as_deref())?.unwrap_or(0), page_limit(query.limit));
    let standing = gateway.standing(chart, caller.acting()).await?;
    let on_chain = gateway.chain.record_of(&standing.block, chart, record).await?;
    if on_chain.version == 0 || !Compartments(standing.readable()).contains(on_chain.compartment) {
        return Err(unreadable(reason::UNKNOWN_RECORD, on_chain.version != 0));
    }
    let mut found = gateway
        .index_at(&standing.block)
        .await?
        .versions(chart, record, after)
        .await?;
    found.truncate(limit as usize);
    let next = next(&found, limit, |version| version.version.to_string());
    Ok(Json(Versions {
        versions: found.iter().map(version_body).collect(),
        next,
    }))
}

fn version_body(record: &Record) -> Version {
    Version {
        record_id: record.record_id,
        version: record.version,
        compartment: record.compartment,
        status: record_status::text(record.status).into(),
        author: record.author,
        created_at: record.created_at,
        pointer: record.pointer,
        block: record.block_number,
        tx: record.tx_hash,
    }
}

fn grants_body(grants: Vec<medlock_indexer::Grant>, limit: u32) -> Grants {
    let next = next(&grants, limit, |grant| grant.position.to_string());
    let body = |grant: medlock_indexer::Grant| Grant {
        chart: grant.chart,
        grantee: grant.grantee,
        compartments: Compartments(grant.compartments),
        purposes: Purposes(grant.purposes),
        actions: Actions(grant.actions),
        not_before: grant.not_before,
        expiry: grant.expiry,
        keyring: grant.keyring,
        granted_block: grant.position.block_number,
        granted_at: grant.granted_at,
    };
    Grants {
        grants: grants.into_iter().map(body).collect(),
        next,
    }
}

/// The cursor after a full page; a shorter one is the last.
pub fn next<T>(items: &[T], limit: u32, cursor: impl Fn(&T) -> String) -> Option<String> {
    items.last().filter(|_| items.len() >= limit as usize).map(cursor)
}
