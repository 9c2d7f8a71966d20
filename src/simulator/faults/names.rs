//! Every fault by its name.

use std::fmt;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFault {
    /// Nothing: for scripts, "the first two are fine".
    Fine,
    TooManyRequests {
        says_when: bool,
    },
    Status(u16),
    NoCredit,
    /// Taken from the wire, never answered.
    Timeout,
    /// TCP reset instead of an answer.
    Reset,
    /// A tidy end of the connection instead of an answer.
    Close,
    /// Bytes that are no HTTP.
    Garbage,
    /// 200 with a page, as a captive portal answers.
    Html,
    Redirect,
    /// 200 with a body of 100 MB.
    Huge,
    /// The right envelope, that speaks of no text; of a message that is looked up: not found.
    Empty,
    /// The right answer, once it is released.
    Hang,
    /// The right answer, and a reset in the middle of it.
    ResetMidBody,
    /// The right answer but for its last bytes, and a tidy end.
    Cut,
    /// The right answer, a byte at a time.
    Slow,
    /// The right answer in whole HTTP, but its JSON ends in the middle.
    Truncated,
}

/// What goes wrong with the receipts of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptFault {
    Twice,
    Late,
    Disordered,
    Contradicted,
    Missing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// True: the texts are taken in before it goes wrong.
    Call(CallFault, bool),
    Receipt(ReceiptFault),
}

/// Whether texts are taken in before a fault.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Never,
    /// As `sent-` in front of the name says.
    Either,
    Always,
}

use CallFault as C;

const CALLS: &[(&str, CallFault, Sent)] = &[
    ("fine", C::Fine, Sent::Always),
    ("429", C::TooManyRequests { says_when: true }, Sent::Never),
    ("429-bare", C::TooManyRequests { says_when: false }, Sent::Never),
    ("400", C::Status(400), Sent::Never),
    ("401", C::Status(401), Sent::Never),
    ("402", C::Status(402), Sent::Never),
    ("403", C::Status(403), Sent::Never),
    ("404", C::Status(404), Sent::Never),
    ("408", C::Status(408), Sent::Either),
    ("no-credit", C::NoCredit, Sent::Never),
    ("500", C::Status(500), Sent::Either),
    ("502", C::Status(502), Sent::Either),
    ("503", C::Status(503), Sent::Either),
    ("timeout", C::Timeout, Sent::Either),
    ("reset", C::Reset, Sent::Either),
    ("close", C::Close, Sent::Either),
    ("garbage", C::Garbage, Sent::Either),
    ("html", C::Html, Sent::Either),
    ("redirect", C::Redirect, Sent::Either),
    ("huge", C::Huge, Sent::Either),
    ("empty", C::Empty, Sent::Either),
    ("hang", C::Hang, Sent::Always),
    ("reset-mid-body", C::ResetMidBody, Sent::Always),
    ("cut", C::Cut, Sent::Always),
    ("slow", C::Slow, Sent::Always),
    ("truncated", C::Truncated, Sent::Always),
];

const RECEIPTS: &[(&str, ReceiptFault)] = &[
    ("receipt-twice", ReceiptFault::Twice),
    ("receipt-late", ReceiptFault::Late),
    ("receipt-disordered", ReceiptFault::Disordered),
    ("receipt-contradicted", ReceiptFault::Contradicted),
    ("receipt-missing", ReceiptFault::Missing),
];

/// In front of a fault before which the texts are taken in.
pub(super) const SENT: &str = "sent-";

impl Fault {
    /// Every name that can be written.
    pub fn names() -> impl Iterator<Item = String> {
        let calls = CALLS.iter().map(|(name, ..)| (*name).to_owned());
        let sent = CALLS.iter().filter(|(.., sent)| *sent == Sent::Either).map(|(name, ..)| format!("{SENT}{name}"));
        calls.chain(sent).chain(RECEIPTS.iter().map(|(name, _)| (*name).to_owned()))
    }

    pub(super) fn named(text: &str) -> Option<Self> {
        if let Some((_, fault)) = RECEIPTS.iter().find(|(name, _)| *name == text) {
            return Some(Self::Receipt(*fault));
        }
        if let Some((_, fault, sent)) = CALLS.iter().find(|(name, ..)| *name == text) {
            return Some(Self::Call(*fault, *sent == Sent::Always));
        }
        let inner = text.strip_prefix(SENT)?;
        CALLS.iter().find(|(name, _, sent)| *name == inner && *sent == Sent::Either).map(|(_, fault, _)| Self::Call(*fault, true))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receipt(fault) => f.write_str(RECEIPTS.iter().find(|(_, other)| other == fault).map_or("", |(name, _)| name)),
            Self::Call(fault, is_sent) => {
                let (name, _, sent) = CALLS.iter().find(|(_, other, _)| other == fault).unwrap_or(&CALLS[0]);
                let prefix = if *is_sent && *sent == Sent::Either { SENT } else { "" };
                write!(f, "{prefix}{name}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_it_is_written() {
        for name in Fault::names() {
            assert_eq!(Fault::named(&name).map(|fault| fault.to_string()), Some(name));
        }
        for never in ["sent-429", "sent-401", "sent-slow", "sent-fine", "", "rest"] {
            assert_eq!(Fault::named(never), None, "{never}");
        }
    }
}
