//! `/api/session/mfa`: one's own second factor.

use super::session::{SessionView, by_cookie, opened_as, own, refused};
use crate::automation::sign_in;
use crate::http::auth::set_token;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const BEGIN: Route = Route::post("/api/session/mfa", Permission::SignedIn);
const CONFIRM: Route = Route::post("/api/session/mfa/confirm", Permission::SignedIn);
const RECOVERY: Route = Route::post("/api/session/mfa/recovery-codes", Permission::SignedIn);
const TURN_OFF: Route = Route::post("/api/session/mfa/off", Permission::SignedIn);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = |summary| Doc::new("Session", summary);
    vec![
        writing(BEGIN, shared, begin).doc(doc("Makes a secret for an authenticator app.").answers::<Enrolling>().secret()),
        writing(CONFIRM, shared, confirm).doc(
            doc("Proves that the app shows the right codes; from now on they are asked for.")
                .takes::<WithCode>()
                .answers::<Confirmed>()
                .secret(),
        ),
        writing(RECOVERY, shared, recovery).doc(
            doc("Makes new recovery codes in place of all earlier ones.").takes::<WithCode>().answers::<RecoveryCodes>().secret(),
        ),
        writing(TURN_OFF, shared, turn_off)
            .doc(doc("Ends the second factor.").takes::<TurningOff>().answers::<SessionView>().secret()),
    ]
}

#[derive(Serialize, ToSchema)]
#[schema(as = MfaEnrolment)]
struct Enrolling {
    /// To be typed into the app.
    secret: String,
    /// To be shown as a QR code.
    uri: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MfaCode, example = json!({ "code": "123456" }))]
struct WithCode {
    code: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = MfaConfirmed)]
struct Confirmed {
    /// Each counts once, in place of a code. Shown this once.
    recovery_codes: Vec<String>,
    /// For whoever has no cookie: the old one counts no more.
    token: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MfaOff, example = json!({ "password": "correct horse battery staple", "code": "123456" }))]
struct TurningOff {
    password: String,
    code: String,
}

async fn begin(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let enrolment = sign_in::begin_enrolment(own(&call)?, &call.context.clinic.name).await.map_err(refused)?;
    Ok(reply::json(&Enrolling { secret: enrolment.secret, uri: enrolment.uri }))
}

async fn confirm(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let WithCode { code } = call.json()?;
    let (opened, recovery_codes) = sign_in::confirm_enrolment(own(&call)?, &code).await.map_err(refused)?;
    if by_cookie(&call) {
        return Ok(set_token(reply::json(&Confirmed { recovery_codes, token: None }), &opened.token));
    }
    Ok(reply::json(&Confirmed { recovery_codes, token: Some(opened.token) }))
}

async fn recovery(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let WithCode { code } = call.json()?;
    let recovery_codes = sign_in::renew_recovery_codes(own(&call)?, &code).await.map_err(refused)?;
    Ok(reply::json(&RecoveryCodes { recovery_codes }))
}

async fn turn_off(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let TurningOff { password, code } = call.json()?;
    let opened = sign_in::turn_off(own(&call)?, &password, &code).await.map_err(refused)?;
    opened_as(&call, &opened, by_cookie(&call)).await
}
