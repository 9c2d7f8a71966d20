//! What a provider reports of a text after it was taken in, and in which order.

use super::faults::ReceiptFault;
use super::numbers::Fate;
use serde::Serialize;

/// How ClickSend writes what it sends us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Form,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    OnItsWay,
    Trouble,
    Delivered,
    Failed(Failure),
    Expired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    UnknownSubscriber,
    Blocked,
    Duplicate,
    NoRoute,
    /// Nobody says why.
    Unexplained,
}

/// One receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub report: Report,
    pub is_late: bool,
}

/// The receipts of a text, in the order in which they are sent.
pub(super) fn receipts(fate: Fate, fault: Option<ReceiptFault>) -> Vec<Step> {
    let fault = fault.or(match fate {
        Fate::Twice => Some(ReceiptFault::Twice),
        Fate::Late => Some(ReceiptFault::Late),
        Fate::Disordered => Some(ReceiptFault::Disordered),
        Fate::Contradicted => Some(ReceiptFault::Contradicted),
        _ => None,
    });
    spoil(story(fate), fault)
}

fn story(fate: Fate) -> Vec<Report> {
    match fate {
        Fate::Silent | Fate::Invalid => Vec::new(),
        Fate::Duplicate => vec![Report::Failed(Failure::Duplicate)],
        Fate::NoRoute => vec![Report::Failed(Failure::NoRoute)],
        Fate::Fails(why) => vec![Report::OnItsWay, Report::Failed(why)],
        Fate::Expires => vec![Report::OnItsWay, Report::Expired],
        Fate::DeliveredLater => vec![Report::OnItsWay, Report::Trouble, Report::Delivered],
        _ => vec![Report::OnItsWay, Report::Delivered],
    }
}

fn spoil(mut story: Vec<Report>, fault: Option<ReceiptFault>) -> Vec<Step> {
    let is_late = fault == Some(ReceiptFault::Late);
    match fault {
        Some(ReceiptFault::Missing) => story.clear(),
        Some(ReceiptFault::Disordered) => story.reverse(),
        Some(ReceiptFault::Twice) => story = story.into_iter().flat_map(|report| [report, report]).collect(),
        Some(ReceiptFault::Contradicted) => story.extend(story.last().copied().map(opposite)),
        Some(ReceiptFault::Late) | None => {}
    }
    story.into_iter().map(|report| Step { report, is_late: is_late && report != Report::OnItsWay }).collect()
}

const fn opposite(last: Report) -> Report {
    match last {
        Report::Delivered => Report::Failed(Failure::Unexplained),
        _ => Report::Delivered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_spoil_what_a_number_would_get() {
        let told = |fate, fault| receipts(fate, fault).into_iter().map(|step| step.report).collect::<Vec<_>>();
        let failed = Report::Failed(Failure::Unexplained);
        assert_eq!(told(Fate::Delivered, None), [Report::OnItsWay, Report::Delivered]);
        assert_eq!(told(Fate::Delivered, Some(ReceiptFault::Disordered)), [Report::Delivered, Report::OnItsWay]);
        assert_eq!(told(Fate::Contradicted, None), [Report::OnItsWay, Report::Delivered, failed]);
        assert_eq!(told(Fate::Expires, Some(ReceiptFault::Contradicted)), [Report::OnItsWay, Report::Expired, Report::Delivered]);
        assert_eq!(told(Fate::Twice, None).len(), 4);
        assert!(told(Fate::Delivered, Some(ReceiptFault::Missing)).is_empty() && told(Fate::Silent, None).is_empty());
        let late: Vec<bool> = receipts(Fate::Late, None).into_iter().map(|step| step.is_late).collect();
        assert_eq!(late, [false, true], "only the last word is late");
    }
}
