//! What an endpoint says of itself, for the OpenAPI document.

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
    pub takes: Option<Shape>,
    pub answers: Vec<Answer>,
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
        Self { name: T::name().into_owned(), schema: T::schema(), parts }
    }
}

impl Doc {
    pub(super) fn new(tag: &'static str, summary: &'static str) -> Self {
        Self { tag, summary, ..Self::default() }
    }

    /// Names every parameter of the query.
    pub(super) fn query(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
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
