//! One route: method, path template and who may use it; and the warp filter that matches it.

use crate::domain::staff::Role;
use warp::http::Method;
use warp::path::FullPath;
use warp::{Filter, Rejection};

/// Label of requests that no route answers.
pub const NO_ROUTE: &str = "none";

/// A route of the program. There is none without a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub method: Verb,
    /// Segments in braces stand for anything: `/api/tasks/{id}`. At most one of them.
    pub template: &'static str,
    pub permission: Permission,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Answers HEAD, too.
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Anybody who reaches the server.
    Public,
    /// A provider whose delivery is verified by its source.
    Provider,
    /// Whoever is signed in, about themselves.
    SignedIn,
    /// Every member of staff: the clinic's own records.
    Clinic,
    /// Whoever answers for the clinic's figures and for changes to many records: reports, merges, lists to take away.
    Reports,
    /// Whoever looks after the automations: events, runs, jobs, rules.
    Automation,
    /// Whoever decides who may come in, and what is kept.
    Admin,
}

/// The template of the route that answered, in the extensions of its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteLabel(pub &'static str);

impl Permission {
    /// True when a person (or key) with `role` may use the route.
    #[must_use]
    pub const fn allows(self, role: Role) -> bool {
        match self {
            Self::Public | Self::Provider | Self::SignedIn | Self::Clinic => true,
            Self::Reports | Self::Automation => matches!(role, Role::Ops | Role::Manager | Role::Admin),
            Self::Admin => matches!(role, Role::Admin),
        }
    }
}

impl Verb {
    fn accepts(self, method: &Method) -> bool {
        match self {
            Self::Get => method == Method::GET || method == Method::HEAD,
            Self::Post => method == Method::POST,
            Self::Put => method == Method::PUT,
            Self::Patch => method == Method::PATCH,
            Self::Delete => method == Method::DELETE,
        }
    }

    /// The method's name, in upper case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    const fn allow(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD",
            other => other.as_str(),
        }
    }
}

impl Route {
    #[must_use]
    pub const fn get(template: &'static str, permission: Permission) -> Self {
        Self { method: Verb::Get, template, permission }
    }

    #[must_use]
    pub const fn post(template: &'static str, permission: Permission) -> Self {
        Self { method: Verb::Post, template, permission }
    }

    #[must_use]
    pub const fn put(template: &'static str, permission: Permission) -> Self {
        Self { method: Verb::Put, template, permission }
    }

    #[must_use]
    pub const fn patch(template: &'static str, permission: Permission) -> Self {
        Self { method: Verb::Patch, template, permission }
    }

    #[must_use]
    pub const fn delete(template: &'static str, permission: Permission) -> Self {
        Self { method: Verb::Delete, template, permission }
    }

    /// True when no segment stands for anything: such a route goes before one that has braces.
    pub(super) fn is_literal(&self) -> bool {
        !self.template.contains('{')
    }

    /// True of a path that is this route's own, but not with this method.
    pub(super) fn refuses(&self, method: &Method) -> bool {
        !self.method.accepts(method)
    }

    /// The segment in braces (empty when the template has none); `None` when the path is another's.
    pub(super) fn match_path<'p>(&self, path: &'p str) -> Option<&'p str> {
        let mut given = path.split('/');
        let mut parameter = "";
        for segment in self.template.split('/') {
            let found = given.next()?;
            if segment.starts_with('{') {
                if found.is_empty() {
                    return None;
                }
                parameter = found;
            } else if segment != found {
                return None;
            }
        }
        given.next().is_none().then_some(parameter)
    }

    /// Extracts the segment in braces; rejects as not found whatever is not this route's.
    pub(super) fn filter(self) -> impl Filter<Extract = (String,), Error = Rejection> + Clone {
        warp::method().and(warp::path::full()).and_then(move |method: Method, path: FullPath| {
            let parameter = self
                .method
                .accepts(&method)
                .then(|| self.match_path(path.as_str()))
                .flatten()
                .map(str::to_owned)
                .ok_or_else(warp::reject::not_found);
            std::future::ready(parameter)
        })
    }
}

/// The `Allow` header for a path, when some route has it under another method.
pub(super) fn allowed_methods(routes: &[Route], path: &str) -> Option<String> {
    let of_path: Vec<&Route> = routes.iter().filter(|r| r.match_path(path).is_some()).collect();
    // `/api/tasks/bulk` is not a task whose id is `bulk`.
    let has_literal = of_path.iter().any(|r| r.is_literal());
    let of_path = of_path.into_iter().filter(|r| r.is_literal() || !has_literal);
    let mut allowed: Vec<&str> = of_path.map(|r| r.method.allow()).collect();
    allowed.sort_unstable();
    allowed.dedup();
    (!allowed.is_empty()).then(|| allowed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_matches_whole_paths_only() {
        let task = Route::get("/api/tasks/{id}", Permission::Clinic);
        assert_eq!(task.match_path("/api/tasks/7"), Some("7"));
        for other in ["/api/tasks", "/api/tasks/", "/api/tasks/7/", "/api/tasks/7/x", "/api/contacts/7", "api/tasks/7", ""] {
            assert_eq!(task.match_path(other), None, "{other}");
        }
        assert_eq!(Route::get("/health", Permission::Public).match_path("/health"), Some(""));
    }

    #[test]
    fn the_methods_of_a_path_are_gathered_from_all_its_routes() {
        let routes = [
            Route::get("/api/tasks", Permission::Clinic),
            Route::post("/api/tasks", Permission::Clinic),
            Route::get("/api/tasks/{id}", Permission::Clinic),
            Route::post("/api/tasks/bulk", Permission::Clinic),
        ];
        assert_eq!(allowed_methods(&routes, "/api/tasks/bulk").as_deref(), Some("POST"));
        assert_eq!(allowed_methods(&routes, "/api/tasks/7").as_deref(), Some("GET, HEAD"));
        assert_eq!(allowed_methods(&routes, "/api/tasks").as_deref(), Some("GET, HEAD, POST"));
        assert_eq!(allowed_methods(&routes, "/api/nothing"), None);
    }
}
