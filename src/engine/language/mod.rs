//! The language in tables: every key with the shape of its value and what it means. The JSON Schema for editors and the tables of
//! the manual are made from them; which keys this version has is what the reader of rule files says.

mod definitions;
mod keys;
mod live;
mod reference;
mod schema;
mod shapes;

pub use definitions::definitions;
pub use live::Live;
pub use reference::reference;
pub use schema::schema;

use super::syntax::Keys;
use keys::TABLES;
use shapes::Shape;

/// One key of a map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub name: &'static str,
    pub shape: Shape,
    pub about: &'static str,
}

/// A map of rule files: what messages call it, and all its keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub what: &'static str,
    pub keys: &'static [Key],
    /// Keys that must be there.
    pub needed: &'static [&'static str],
}

/// The keys that this version reads in a map, in the order of the reader, each with its meaning.
fn keys_of(known: &Keys) -> Vec<&'static Key> {
    let Some(table) = find(known.what) else { return Vec::new() };
    known.known.iter().filter_map(|name| table.keys.iter().find(|k| k.name == *name)).collect()
}

fn find(what: &str) -> Option<&'static Table> {
    TABLES.iter().find(|t| t.what == what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::syntax::MAPS;

    #[test]
    fn every_key_that_is_read_is_described() {
        for map in MAPS {
            let Some(table) = find(map.what) else { panic!("describe {} in engine/language/keys.rs", map.what) };
            for name in map.known {
                assert!(
                    table.keys.iter().any(|k| k.name == *name),
                    "describe `{name}` of {} in engine/language/keys.rs",
                    map.what
                );
            }
            for name in table.needed {
                assert!(map.known.contains(name), "{} needs `{name}`, which is not read", map.what);
            }
        }
    }

    #[test]
    fn every_description_says_something_once() {
        for table in TABLES {
            for (index, key) in table.keys.iter().enumerate() {
                assert!(key.about.len() > 8, "{} of {}", key.name, table.what);
                assert!(!table.keys[..index].iter().any(|k| k.name == key.name), "{} twice in {}", key.name, table.what);
            }
        }
    }
}
