//! Sign-in with Ethereum.
use std::sync::atomic::Ordering::Relaxed;

use axum::{Json, extract::State, http::StatusCode};
use medlock_api::{Challenge, ChallengeRequest, Kind, Problem, Session, SessionRequest};

use crate::{
    extract::{self, Anybody, CODE_ASKED_COSTS, Caller},
    problem::Result,
    session::{self, CODE_SESSION_SECONDS, Refusal, SESSION_SECONDS, token_hash},
    state::{Gateway, random},
};

/// A message to sign. It stands for five minutes and opens one session.
#[utoipa::path(post, path = "/v1/sessions/challenge", tag = "sessions", request_body = ChallengeRequest,
    responses((status = 200, body = Challenge), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn challenge(
    State(gateway): State<Gateway>,
    _: Anybody,
    extract::Json(request): extract::Json<ChallengeRequest>,
) -> Result<Json<Challenge>> {
    let random = random()?;
    let message = session::challenge(
        &gateway.site,
        gateway.db.challenge_key(),
        request.account,
        random,
        gateway.now(),
    );
    Ok(Json(Challenge {
        message: message.to_text(),
    }))
}

/// Opens a session for the account that signed the challenge: eight hours where its key did, one where its code says that it did.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", request_body = SessionRequest,
    responses((status = 200, body = Session), (status = "4XX", body = Problem, content_type = "application/problem+json"), (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub async fn open(
    State(gateway): State<Gateway>,
    anybody: Anybody,
    extract::Json(request): extract::Json<SessionRequest>,
) -> Result<Json<Session>> {
    let now = gateway.now();
    let refused = |why: Refusal| Problem::new(Kind::SignInRefused).reason(why.text());
    let key = gateway.db.challenge_key();
    let answered = session::check(&gateway.site, key, &request.message, &request.signature, now).map_err(refused)?;
    let message = answered.message;
    let mut seconds = SESSION_SECONDS;
    if !answered.by_key {
        anybody.take(&gateway, CODE_ASKED_COSTS)?;
        let (latest, hash) = (gateway.latest().await?.hash, message.signing_hash());
        if !gateway
            .chain
            .confirms(latest, message.address, hash, &request.signature)
            .await?
        {
            return Err(refused(Refusal::Signature).into());
        }
        seconds = CODE_SESSION_SECONDS;
    }
    let token = hex::encode(random::<32>()?);
    let session = Session {
        account: message.address,
        expires_at: now + seconds,
        token,
    };
    let nonce = (message.nonce.as_str(), message.expiration_time);
    match gateway
        .db
        .open_session(
            nonce,
            token_hash(&session.token),
            session.account,
            now,
            session.expires_at,
        )
        .await?
    {
        true => {
            gateway.metrics.sessions_opened.fetch_add(1, Relaxed);
            Ok(Json(session))
        }
        false => Err(refused(Refusal::Nonce).into()),
    }
}

/// Ends every session of the caller's account, on whichever device and at whichever gateway of this operator.
#[utoipa::path(delete, path = "/v1/sessions/all", tag = "sessions", security(("session" = [])),
    responses((status = 204), (status = 401, body = Problem, content_type = "application/problem+json")))]
pub async fn close_all(State(gateway): State<Gateway>, caller: Caller) -> Result<StatusCode> {
    gateway.db.close_sessions(caller.account).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the session of the token.
#[utoipa::path(delete, path = "/v1/sessions", tag = "sessions", security(("session" = [])),
    responses((status = 204), (status = 401, body = Problem, content_type = "application/problem+json")))]
pub async fn close(State(gateway): State<Gateway>, caller: Caller) -> Result<StatusCode> {
    gateway.db.close_session(caller.token_hash).await?;
    Ok(StatusCode::NO_CONTENT)
}
