//! What the feeder posts.

use crate::domain::time::Timestamp;
use crate::inbound::sign::Identity;

/// One webhook to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoRequest {
    /// When it arrives.
    pub at: Timestamp,
    pub route: Route,
    pub body: Body,
    pub kind: Kind,
    pub expect: Expect,
    /// Requests of one key are never posted at the same moment, so they arrive in their order.
    pub key: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Wix,
    ManyChat,
    SmsInbound,
    SmsReceipt,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// To be signed as Wix does at the time it is posted.
    Wix {
        event_type: String,
        inner: String,
        identity: Identity,
    },
    /// Well signed, but nothing that anybody understands.
    WixClaims(String),
    /// Signed by somebody else.
    Forged(String),
    Json(String),
    Form(String),
}

/// What it is, for the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    NewBooking,
    BookingChange,
    Lead,
    Message,
    Reply,
    Receipt,
    Nonsense,
}

/// The answer that has to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    Accepted,
    /// 200 again, with the first event's id.
    Duplicate,
    /// 401.
    Refused,
}
