//! What an HMAC is made over: a text with places for the body, the signed time, method and path.

/// `{timestamp}.{body}` and the like, split once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Body,
    Timestamp,
    Method,
    Path,
}

const TEMPLATE_BYTES_MAX: usize = 256;

impl Template {
    /// The message of an error is for the person who wrote the file.
    pub fn parse(text: &str, has_timestamp: bool) -> Result<Self, String> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(format!("`signed_content` is longer than {TEMPLATE_BYTES_MAX} bytes"));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}').ok_or("`signed_content` has a { without a }")?;
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            parts.push(match name {
                "body" => Part::Body,
                "timestamp" => Part::Timestamp,
                "method" => Part::Method,
                "path" => Part::Path,
                _ => {
                    return Err(format!(
                        "`signed_content` knows {{body}}, {{timestamp}}, {{method}} and {{path}}, not {{{name}}}"
                    ));
                }
            });
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        if parts.iter().filter(|p| **p == Part::Body).count() != 1 {
            return Err("`signed_content` must hold {body} once: a signature that leaves the body out proves nothing".to_owned());
        }
        if parts.contains(&Part::Timestamp) != has_timestamp {
            return Err("`{timestamp}` in `signed_content` and `timestamp_header` need each other".to_owned());
        }
        Ok(Self(parts))
    }

    pub fn fill<'a>(&'a self, body: &'a [u8], timestamp: &'a str, method: &'a str, path: &'a str) -> Vec<&'a [u8]> {
        let of = |part: &'a Part| match part {
            Part::Literal(text) => text.as_bytes(),
            Part::Body => body,
            Part::Timestamp => timestamp.as_bytes(),
            Part::Method => method.as_bytes(),
            Part::Path => path.as_bytes(),
        };
        self.0.iter().map(of).collect()
    }
}
