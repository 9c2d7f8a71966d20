//! What an edit says of one field: nothing, a new value, or that it shall be empty.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// In JSON: a field that is not there, one with a value, one that is `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    #[default]
    Keep,
    To(T),
    Clear,
}

impl<T> Edit<T> {
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The value that it gives, if it gives one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::To(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// The same edit of another type.
    pub fn try_map<U, E>(self, convert: impl FnOnce(T) -> Result<U, E>) -> Result<Edit<U>, E> {
        Ok(match self {
            Self::Keep => Edit::Keep,
            Self::Clear => Edit::Clear,
            Self::To(value) => Edit::To(convert(value)?),
        })
    }
}

impl<T: Clone> Edit<T> {
    pub fn apply(&self, target: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::To(value) => *target = Some(value.clone()),
            Self::Clear => *target = None,
        }
    }
}

impl<T: Serialize> Serialize for Edit<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Edit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::To))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Form {
        #[serde(skip_serializing_if = "Edit::is_keep")]
        note: Edit<String>,
    }

    #[test]
    fn absent_null_and_a_value_are_three_things_and_come_back_as_they_went() {
        for (text, note) in [("{}", Edit::Keep), (r#"{"note":null}"#, Edit::Clear), (r#"{"note":"x"}"#, Edit::To("x".to_owned()))]
        {
            let form: Form = serde_json::from_str(text).unwrap();
            assert_eq!(form, Form { note });
            assert_eq!(serde_json::to_string(&form).unwrap(), text);
        }
    }
}
