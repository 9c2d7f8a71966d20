//! Changes gathered by topic, never more than can be told at once.

use super::Topic;
use std::collections::{BTreeMap, BTreeSet};

/// More ids than this of one topic are told as "many": whoever shows the topic reads it anew.
pub const IDS_MAX: usize = 50;

/// Which records of which topics have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Gathered(BTreeMap<Topic, Ids>);

/// Of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ids {
    Some(BTreeSet<String>),
    Many,
}

impl Gathered {
    /// An empty `id` stands for many.
    pub(in crate::store) fn add(&mut self, topic: Topic, id: &str) {
        let ids = self.0.entry(topic).or_insert_with(|| Ids::Some(BTreeSet::new()));
        let Ids::Some(known) = ids else { return };
        if id.is_empty() || (known.len() >= IDS_MAX && !known.contains(id)) {
            *ids = Ids::Many;
        } else if !known.contains(id) {
            known.insert(id.to_owned());
        }
    }

    /// No ids: many.
    pub(in crate::store) fn add_all(&mut self, topic: Topic, ids: &[String]) {
        if ids.is_empty() {
            self.add(topic, "");
        }
        for id in ids {
            self.add(topic, id);
        }
    }

    pub(in crate::store) fn merge(&mut self, other: Self) {
        for (topic, ids) in other.into_topics() {
            self.add_all(topic, &ids);
        }
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ids of each topic; none: many.
    pub(in crate::store) fn into_topics(self) -> impl Iterator<Item = (Topic, Vec<String>)> {
        self.0.into_iter().map(|(topic, ids)| match ids {
            Ids::Some(ids) => (topic, ids.into_iter().collect()),
            Ids::Many => (topic, Vec::new()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_has_few_ids_or_many() {
        let mut gathered = Gathered::default();
        for number in 0..IDS_MAX {
            gathered.add(Topic::Tasks, &number.to_string());
        }
        gathered.add(Topic::Tasks, "0");
        gathered.add(Topic::Rules, "");
        let sizes = |g: &Gathered| g.clone().into_topics().map(|(topic, ids)| (topic, ids.len())).collect::<Vec<_>>();
        assert_eq!(sizes(&gathered), [(Topic::Tasks, IDS_MAX), (Topic::Rules, 0)]);
        gathered.add(Topic::Tasks, "one more");
        assert_eq!(sizes(&gathered), [(Topic::Tasks, 0), (Topic::Rules, 0)]);
    }
}
