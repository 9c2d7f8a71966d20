//! Numbers with a fate of their own, for rehearsals. All but ClickSend's four are kept free for fiction by ACMA: they belong to nobody.

use super::reports::Failure;

/// What becomes of a text to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Sent, then delivered.
    Delivered,
    /// Sent, a trouble of the network, then delivered.
    DeliveredLater,
    Fails(Failure),
    Expires,
    /// Refused at once: this is no number.
    Invalid,
    /// Refused at once: the same text went to the same number just now.
    Duplicate,
    /// Refused at once: the account may not send there.
    NoRoute,
    /// "Something is wrong", and it was sent all the same.
    Muddled,
    /// Nobody ever says.
    Silent,
    Twice,
    Late,
    Disordered,
    Contradicted,
    Replies(&'static str),
}

/// Number, fate, and what happens in words.
pub const NUMBERS: &[(&str, Fate, &str)] = &[
    ("+61491570157", Fate::Fails(Failure::UnknownSubscriber), "fails: unknown subscriber"),
    ("+61491570158", Fate::DeliveredLater, "a trouble of the network, then delivered"),
    ("+61491570159", Fate::Silent, "no receipt ever comes"),
    ("+61491570110", Fate::Invalid, "refused: no number (MessageMedia refuses the whole call)"),
    ("+61491570313", Fate::Fails(Failure::Blocked), "fails: blocked"),
    ("+61491570737", Fate::Duplicate, "refused: the same text was sent just now"),
    ("+61491571266", Fate::NoRoute, "refused: no route to this number"),
    ("+61491571491", Fate::Muddled, "answered with an internal error, sent all the same"),
    ("+61491571804", Fate::Contradicted, "delivered, then failed"),
    ("+61491572549", Fate::Disordered, "delivered, then on its way"),
    ("+61491572665", Fate::Twice, "every receipt comes twice"),
    ("+61491572983", Fate::Late, "the receipt comes late"),
    ("+61491573770", Fate::Replies("YES"), "delivered, and answers YES"),
    ("+61491573087", Fate::Replies("STOP"), "delivered, and answers STOP"),
    ("+61491574118", Fate::Replies("Can I come an hour later?"), "delivered, and asks something"),
    ("+61491574632", Fate::Expires, "expires"),
    ("+61411111111", Fate::Silent, "ClickSend's free test number: accepted, not sent, no receipt"),
    ("+61422222222", Fate::Silent, "ClickSend's free test number: accepted, not sent, no receipt"),
    ("+61433333333", Fate::Silent, "ClickSend's free test number: accepted, not sent, no receipt"),
    ("+61444444444", Fate::Silent, "ClickSend's free test number: accepted, not sent, no receipt"),
];

/// Everybody else gets the text.
pub(super) fn fate_of(number: &str) -> Fate {
    if !is_number(number) {
        return Fate::Invalid;
    }
    NUMBERS.iter().find(|(known, ..)| *known == number).map_or(Fate::Delivered, |(_, fate, _)| *fate)
}

/// E.164, as both providers want it.
fn is_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
}
