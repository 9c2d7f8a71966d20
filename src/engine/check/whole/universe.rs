//! All values that a path can ever have, when that is a short list.

use super::literal::Literal;
use crate::engine::ruleset::Catalogue;
use crate::engine::schema::{Field, Type, find_record};

/// `None` when it can be anything.
pub(super) fn universe(path: &str, catalogue: &Catalogue) -> Option<Vec<Literal>> {
    let (field, may_lack) = field_of(path)?;
    let words = |names: Vec<&str>| names.into_iter().map(|n| Literal::Text(n.to_owned())).collect::<Vec<_>>();
    let pipelines = &catalogue.pipelines.pipelines;
    let mut all = match (path, field.ty) {
        ("contact.current_pipeline", _) => words(pipelines.iter().map(|p| p.name.as_str()).collect()),
        ("contact.current_stage", _) => words(pipelines.iter().flat_map(|p| &p.stages).map(|s| s.name.as_str()).collect()),
        (_, Type::Bool) => vec![Literal::Bool(true), Literal::Bool(false)],
        (_, Type::Enum(names)) => words(names.to_vec()),
        _ => return None,
    };
    if may_lack {
        all.push(Literal::Nothing);
    }
    Some(all)
}

/// The field at the end of a path, and whether anything on the way may be missing.
fn field_of(path: &str) -> Option<(&'static Field, bool)> {
    let mut parts = path.split('.');
    let mut record = find_record(parts.next()?)?;
    let mut may_lack = false;
    loop {
        let field = record.find_field(parts.next()?)?;
        may_lack |= field.optional;
        match (field.ty, parts.clone().next()) {
            (_, None) => return Some((field, may_lack)),
            (Type::Record(name), Some(_)) => record = find_record(name)?,
            _ => return None,
        }
    }
}
