//! `[lookup.]NAME[=N|=N%]`.

use super::names::SENT;
use super::{Fault, Rule, Scope, When};
use crate::config::nearest;
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("there is no fault `{name}`{}", near.as_ref().map(|near| format!(": did you mean `{near}`?")).unwrap_or_default())]
    Name { name: String, near: Option<String> },
    #[error("`{0}` is neither a number of calls, such as 3, nor a share, such as 5%")]
    When(String),
    #[error("only calls that send texts can be told to go wrong after the texts were taken in; and receipts are no lookups")]
    Scope,
}

/// In front of a fault of calls that send nothing.
const LOOKUP: &str = "lookup.";

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (name, when) = text.split_once('=').map_or((text, None), |(name, when)| (name, Some(when)));
        let (scope, name) = name.trim().strip_prefix(LOOKUP).map_or((Scope::Send, name.trim()), |name| (Scope::Lookup, name));
        let fault = Fault::named(name).ok_or_else(|| unknown(name))?;
        let fits = match fault {
            Fault::Receipt(_) => scope == Scope::Send,
            // Whoever only asks gets the right answer spoilt, but sends nothing.
            Fault::Call(..) => scope == Scope::Send || !name.starts_with(SENT),
        };
        if !fits {
            return Err(RuleError::Scope);
        }
        Ok(Self { scope, fault, when: when.map_or(Ok(When::Share(1.0)), |when| self::when(when.trim()))? })
    }
}

fn unknown(name: &str) -> RuleError {
    let names: Vec<String> = Fault::names().collect();
    let near = nearest(name, names.iter().map(String::as_str)).map(ToOwned::to_owned);
    RuleError::Name { name: name.to_owned(), near }
}

fn when(text: &str) -> Result<When, RuleError> {
    let wrong = || RuleError::When(text.to_owned());
    match text.strip_suffix('%') {
        Some(percent) => {
            let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
            if (0.0..=100.0).contains(&percent) { Ok(When::Share(percent / 100.0)) } else { Err(wrong()) }
        }
        None => text.parse().ok().filter(|count| *count > 0).map(When::Next).ok_or_else(wrong),
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = if self.scope == Scope::Lookup { LOOKUP } else { "" };
        match self.when {
            When::Next(count) => write!(f, "{scope}{}={count}", self.fault),
            When::Share(share) => write!(f, "{scope}{}={}%", self.fault, share * 100.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_are_written() {
        for text in ["reset=5%", "429=3", "sent-500=1", "lookup.503=10%", "receipt-late=20%", "lookup.slow=2", "fine=2"] {
            assert_eq!(text.parse::<Rule>().expect(text).to_string(), text);
        }
        assert_eq!("slow".parse::<Rule>().expect("always").to_string(), "slow=100%");
    }

    #[test]
    fn mistakes_say_what_could_be_meant() {
        let said = |text: &str| text.parse::<Rule>().expect_err(text).to_string();
        assert_eq!(said("rest=5%"), "there is no fault `rest`: did you mean `reset`?");
        assert_eq!(said("reset=some"), "`some` is neither a number of calls, such as 3, nor a share, such as 5%");
        for wrong in ["reset=0", "reset=101%", "reset=-1", "reset="] {
            assert!(said(wrong).contains("neither"), "{wrong}");
        }
        for wrong in ["lookup.sent-500=1", "lookup.receipt-late"] {
            assert!(said(wrong).starts_with("only calls that send"), "{wrong}");
        }
    }
}
