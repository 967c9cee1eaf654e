//! The trials ledger: plans, sites, data and results. All of it stands on chain for everybody; participants are not listed.
use axum::{Json, extract::State};
use medlock_abi::terms;
use medlock_api::{
    Kind, Problem,
    schema::Hex32,
    trials::{
        Trial, TrialBatch, TrialBatches, TrialHistory, TrialLock, TrialResults, TrialSite, TrialSites, TrialVersion,
        Trials,
    },
};
use medlock_indexer as indexer;

use super::{charts::next, name};
use crate::{
    extract::{Caller, PageQuery, Path, Query, TrialPath, page},
    problem::{Failure, Result},
    state::Gateway,
};

/// All trials, in the order in which they were registered.
#[utoipa::path(get, path = "/v1/trials", tag = "trials", security(("session" = [])),
    params(("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,)),
    responses((status = 200, body = Trials), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn trials(
    State(gateway): State<Gateway>,
    _caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Trials>> {
    let page = page(query.after.as_deref(), query.limit)?;
    let mut index = gateway.index_at(&gateway.latest().await?).await?;
    let found = index.trials(page).await?;
    Ok(Json(Trials {
        next: next(&found, page.limit, |trial| trial.position.to_string()),
        trials: found.into_iter().map(trial_body).collect(),
    }))
}

/// A trial, its versions and its results.
#[utoipa::path(get, path = "/v1/trials/{trial}", tag = "trials", security(("session" = [])),
    params(("trial" = Hex32, Path,)),
    responses((status = 200, body = TrialHistory), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn trial(
    State(gateway): State<Gateway>,
    _caller: Caller,
    Path(TrialPath { trial }): Path<TrialPath>,
) -> Result<Json<TrialHistory>> {
    let mut index = gateway.index_at(&gateway.latest().await?).await?;
    let found = index.trial(trial).await?;
    let found = found.ok_or_else(|| Failure::from(Kind::ForbiddenOrUnknown))?;
    let versions = index.trial_versions(trial).await?.into_iter();
    let results = index.trial_results(trial).await?.into_iter();
    let version_body = |version: indexer::TrialVersion| TrialVersion {
        version: version.version,
        protocol: version.protocol,
        plan: version.plan,
        form: version.form,
        reason_code: version.reason_code,
        reconsent: version.reconsent,
        enrolled_before: version.enrolled_before,
        at: version.at,
    };
    let results_body = |results: indexer::TrialResult| TrialResults {
        number: results.number,
        version: results.version,
        plan: results.plan,
        data: results.data,
        results: results.results,
        at: results.at,
    };
    Ok(Json(TrialHistory {
        trial: trial_body(found),
        versions: versions.map(version_body).collect(),
        results: results.map(results_body).collect(),
    }))
}

/// The sites that were ever named in a trial.
#[utoipa::path(get, path = "/v1/trials/{trial}/sites", tag = "trials", security(("session" = [])),
    params(("trial" = Hex32, Path,), ("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,)),
    responses((status = 200, body = TrialSites), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn sites(
    State(gateway): State<Gateway>,
    _caller: Caller,
    Path(TrialPath { trial }): Path<TrialPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<TrialSites>> {
    let page = page(query.after.as_deref(), query.limit)?;
    let mut index = gateway.index_at(&gateway.latest().await?).await?;
    let found = index.sites(trial, page).await?;
    let body = |site: &indexer::Site| TrialSite {
        site: site.site,
        active: site.active,
        enrolled: site.enrolled,
        withdrawn: site.withdrawn,
        last_sequence: site.last_sequence,
    };
    Ok(Json(TrialSites {
        sites: found.iter().map(body).collect(),
        next: next(&found, page.limit, |site| site.position.to_string()),
    }))
}

/// The data that were anchored in a trial, in the order of the chain.
#[utoipa::path(get, path = "/v1/trials/{trial}/batches", tag = "trials", security(("session" = [])),
    params(("trial" = Hex32, Path,), ("after" = Option<String>, Query,), ("limit" = Option<u32>, Query,)),
    responses((status = 200, body = TrialBatches), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn batches(
    State(gateway): State<Gateway>,
    _caller: Caller,
    Path(TrialPath { trial }): Path<TrialPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<TrialBatches>> {
    let page = page(query.after.as_deref(), query.limit)?;
    let mut index = gateway.index_at(&gateway.latest().await?).await?;
    let found = index.data_batches(trial, page).await?;
    let next = next(&found, page.limit, |batch| batch.position.to_string());
    let body = |batch: indexer::DataBatch| TrialBatch {
        site: batch.site,
        sequence: batch.sequence,
        from: batch.from,
        to: batch.to,
        root: batch.root,
        count: batch.count,
        participants: batch.participants,
        flags: batch.flags,
        version: batch.version,
        anchored_at: batch.anchored_at,
    };
    Ok(Json(TrialBatches {
        batches: found.into_iter().map(body).collect(),
        next,
    }))
}

fn trial_body(trial: indexer::Trial) -> Trial {
    Trial {
        trial: trial.trial,
        sponsor: trial.sponsor,
        registration: trial.registration,
        registered_at: trial.registered_at,
        version: trial.version,
        consent_version: trial.consent_version,
        state: name(&terms::trial::STATES, trial.state),
        enrolled: trial.enrolled,
        withdrawn: trial.withdrawn,
        batches: trial.batches,
        results: trial.results,
        lock: trial.lock.map(|lock| TrialLock {
            batches: lock.batches,
            data: lock.data,
            at: lock.at,
        }),
    }
}
