//! What an endpoint says of itself, for the OpenAPI document.

use super::route::{Route, Verb};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use warp::http::StatusCode;

/// What an endpoint is for, takes and answers.
#[derive(Clone, Default)]
pub(super) struct Doc {
    /// The group it is listed under: `Tasks`.
    pub tag: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Names of the query's parameters, and what each is.
    pub query: &'static [(&'static str, &'static str)],
    /// What the values of parameters look like, where they are not just any text.
    pub kinds: Vec<(&'static str, Kind)>,
    /// Parameters of the query that it cannot do without.
    pub needed: Vec<&'static str>,
    pub takes: Option<Shape>,
    /// Bodies that it takes and that are not JSON.
    pub takes_text: Option<&'static str>,
    pub answers: Vec<Answer>,
    /// What of `If-Match` it takes.
    pub if_match: IfMatch,
    /// Statuses that it refuses with beside those that go with its method and its parameters.
    pub refuses: Vec<StatusCode>,
    /// Its answer holds a secret: it is not kept for repeated calls.
    pub is_secret: bool,
}

/// Whether an endpoint takes `If-Match`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum IfMatch {
    /// PATCH needs it, PUT may have it, others have none.
    #[default]
    ByMethod,
    None,
    Optional,
    /// 428 without.
    Required,
}

/// The values of a parameter.
#[derive(Clone)]
pub(super) enum Kind {
    OneOf(Vec<&'static str>),
    /// 2026-03-05.
    Day,
    /// `true` or `false`.
    Flag,
}

/// One answer of an endpoint that did what was asked.
#[derive(Clone)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub content_type: &'static str,
    /// `None` when there is no body, or text.
    pub shape: Option<Shape>,
}

/// A type, as OpenAPI describes it, with the types inside of it.
#[derive(Clone)]
pub(super) struct Shape {
    pub name: String,
    pub schema: RefOr<Schema>,
    pub parts: Vec<(String, RefOr<Schema>)>,
}

impl Shape {
    pub(super) fn of<T: ToSchema>() -> Self {
        let mut parts = Vec::new();
        T::schemas(&mut parts);
        Self { name: name_of::<T>(), schema: T::schema(), parts }
    }
}

/// `TaskListing` of `Listing<Task>`.
fn name_of<T: ToSchema>() -> String {
    let full = std::any::type_name::<T>();
    let Some((outer, inner)) = full.split_once('<').filter(|(_, inner)| !inner.starts_with('\'')) else {
        return T::name().into_owned();
    };
    let last = |path: &str| path.rsplit("::").next().unwrap_or(path).trim_end_matches('>').to_owned();
    format!("{}{}", last(inner), last(outer))
}

impl Doc {
    pub(super) fn new(tag: &'static str, summary: &'static str) -> Self {
        Self { tag, summary, ..Self::default() }
    }

    /// Names every parameter of the query.
    pub(super) fn query(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }

    /// A parameter that has one of a few values.
    pub(super) fn one_of(self, name: &'static str, values: &[&'static str]) -> Self {
        self.kind(name, Kind::OneOf(values.to_vec()))
    }

    /// A parameter whose values are not just any text.
    pub(super) fn kind(mut self, name: &'static str, kind: Kind) -> Self {
        self.kinds.push((name, kind));
        self
    }

    /// A parameter that it cannot do without.
    pub(super) fn needs(mut self, name: &'static str) -> Self {
        self.needed.push(name);
        self
    }

    /// It changes the version that `If-Match` names, and no other. Every PATCH does.
    pub(super) fn edits(self) -> Self {
        self.takes_if_match(IfMatch::Required)
    }

    pub(super) fn takes_if_match(self, if_match: IfMatch) -> Self {
        Self { if_match, ..self }
    }

    pub(super) fn if_match(&self, route: Route) -> IfMatch {
        match (self.if_match, route.method) {
            (IfMatch::ByMethod, Verb::Patch) => IfMatch::Required,
            (IfMatch::ByMethod, Verb::Put) => IfMatch::Optional,
            (IfMatch::ByMethod, _) => IfMatch::None,
            (said, _) => said,
        }
    }

    /// A refusal that does not go with its method and its parameters.
    pub(super) fn refuses(mut self, status: StatusCode) -> Self {
        self.refuses.push(status);
        self
    }

    /// Its answer holds a secret.
    pub(super) fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    /// A body that is not JSON.
    pub(super) fn takes_text(self, content_type: &'static str) -> Self {
        Self { takes_text: Some(content_type), ..self }
    }

    /// The body that it takes, as JSON.
    pub(super) fn takes<T: ToSchema>(self) -> Self {
        Self { takes: Some(Shape::of::<T>()), ..self }
    }

    /// The body of its 200.
    pub(super) fn answers<T: ToSchema>(self) -> Self {
        self.answers_as::<T>(StatusCode::OK)
    }

    /// The body of its answer with another status.
    pub(super) fn answers_as<T: ToSchema>(mut self, status: StatusCode) -> Self {
        self.answers.push(Answer { status, content_type: "application/json", shape: Some(Shape::of::<T>()) });
        self
    }

    /// An answer without a body (204), or one that is not JSON.
    pub(super) fn answers_text(mut self, status: StatusCode, content_type: &'static str) -> Self {
        self.answers.push(Answer { status, content_type, shape: None });
        self
    }
}
