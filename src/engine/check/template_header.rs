//! A template's first line, and its literal text.

use crate::domain::sms::SmsCategory;
use crate::engine::diagnostic::names;
use crate::engine::ruleset::Catalogue;
use crate::engine::source::{Place, Problems, SourceFile};
use crate::engine::syntax::did_you_mean;

pub(super) struct Header {
    pub category: SmsCategory,
    pub immediate: bool,
    /// Parts that the text may take for a typical contact.
    pub parts_max: usize,
    /// Staff sends it by hand.
    pub staff: bool,
    /// May name the examination: the patient has agreed to it.
    pub privacy_standard: bool,
    /// The template without the header.
    pub source: String,
}

/// Keys of the first line.
const KEYS: &[&str] = &["category", "immediate", "parts", "staff", "privacy"];
/// Most parts that `parts` can allow.
const PARTS_MAX: usize = 6;

/// The SMS alphabet: 160 characters in a part instead of 70.
const GSM7: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\u{c}^{}\\[~]|€";

/// `sms_templates/lead_ack.hbs` → `lead_ack`.
pub(crate) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().and_then(|f| f.strip_suffix(".hbs")).unwrap_or(path)
}

/// `None` when the header is wrong.
pub(super) fn read(file: &SourceFile, problems: &mut Problems) -> Option<Header> {
    let mut header = Header {
        category: SmsCategory::Transactional,
        immediate: false,
        parts_max: 1,
        staff: false,
        privacy_standard: false,
        source: file.text.clone(),
    };
    let first = file.text.lines().next().unwrap_or("");
    let start = Place { line: 1, column: 1, width: first.chars().count().max(1) };
    let Some(inside) = first.trim().strip_prefix("{{!--").and_then(|t| t.strip_suffix("--}}")) else {
        let help = Some("begin with `{{!-- category: transactional --}}` (or recall, or marketing)".to_owned());
        problems.warning(names::TEMPLATE_HEADER, &file.path, start, "the template does not say what category it is", help);
        return Some(header);
    };
    let body = file.text.get(first.len()..).unwrap_or("");
    body.trim_start_matches('\r').trim_start_matches('\n').clone_into(&mut header.source);
    let mut good = true;
    for item in inside.split([',', ';']).map(str::trim).filter(|i| !i.is_empty()) {
        let at = place_in(first, item);
        if let Err((message, help)) = set(&mut header, item) {
            problems.error(names::TEMPLATE_HEADER, &file.path, at, message, help);
            good = false;
        }
    }
    good.then_some(header)
}

fn set(header: &mut Header, item: &str) -> Result<(), (String, Option<String>)> {
    let (key, value) = item.split_once(':').map_or((item, ""), |(k, v)| (k.trim(), v.trim()));
    match key {
        "category" => {
            let wrong =
                || (format!("`{value}` is not a category"), Some("it can be: transactional, recall, marketing".to_owned()));
            header.category = SmsCategory::parse(value).ok_or_else(wrong)?;
        }
        "immediate" => header.immediate = yes_or_no(key, value)?,
        "staff" => header.staff = yes_or_no(key, value)?,
        "parts" => {
            let wrong = || (format!("`parts` is 1 to {PARTS_MAX}, not `{value}`"), None);
            header.parts_max = value.parse().ok().filter(|n| (1..=PARTS_MAX).contains(n)).ok_or_else(wrong)?;
        }
        "privacy" if value == "standard" || value == "strict" => header.privacy_standard = value == "standard",
        "privacy" => {
            let help = Some("`strict` (as without it) or `standard`: the patient has agreed to details".to_owned());
            return Err((format!("`privacy` cannot be `{value}`"), help));
        }
        other => {
            return Err((format!("the header has no key `{other}`"), did_you_mean(other, KEYS, "keys are")));
        }
    }
    Ok(())
}

fn yes_or_no(key: &str, value: &str) -> Result<bool, (String, Option<String>)> {
    value.parse().map_err(|_| (format!("`{key}` is true or false, not `{value}`"), None))
}

fn place_in(line: &str, item: &str) -> Place {
    let before = line.find(item).and_then(|at| line.get(..at)).unwrap_or("");
    Place { line: 1, column: before.chars().count() + 1, width: item.chars().count().max(1) }
}

/// Warnings about the literal text.
pub(super) fn check_text(file: &SourceFile, catalogue: &Catalogue, names_clinic: bool, problems: &mut Problems) {
    let name = catalogue.clinic.name.as_str();
    if !names_clinic && (name.is_empty() || !file.text.contains(name)) {
        let at = Place { line: 1, column: 1, width: 1 };
        let help = Some("use `{{clinic.name}}`".to_owned());
        problems.warning(names::NO_SENDER, &file.path, at, "the text does not say who sends it", help);
    }
    for (at, character) in unicode(&file.text).into_iter().take(UNICODE_TOLD_MAX) {
        let (message, help) = match (plain(character), similar(character)) {
            (Some(twin), _) => {
                (format!("`{character}` is not in the SMS alphabet and is sent as `{twin}`"), Some(format!("write `{twin}`")))
            }
            (None, twin) => (
                format!("`{character}` makes every part of the text 70 characters long instead of 160"),
                twin.map(|twin| format!("write `{twin}`")),
            ),
        };
        problems.warning(names::UNICODE, &file.path, at, message, help);
    }
}

/// Characters outside the SMS alphabet that one text is told of.
const UNICODE_TOLD_MAX: usize = 5;

/// Each character of the literal text that the SMS alphabet lacks, once.
fn unicode(text: &str) -> Vec<(Place, char)> {
    let mut found: Vec<(Place, char)> = Vec::new();
    let mut depth = 0_usize;
    for (index, line) in text.lines().enumerate() {
        for (column, character) in line.chars().enumerate() {
            match character {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ if depth == 0 && !GSM7.contains(character) && !found.iter().any(|(_, c)| *c == character) => {
                    found.push((Place { line: index + 1, column: column + 1, width: 1 }, character));
                }
                _ => {}
            }
        }
    }
    found
}

/// A character that the SMS alphabet has, and that people read in the same way.
fn similar(character: char) -> Option<&'static str> {
    match character {
        'á' | 'â' | 'ã' | 'ā' => Some("a"),
        'ç' | 'ć' | 'č' => Some("c"),
        'ê' | 'ë' | 'ē' | 'ě' => Some("e"),
        'í' | 'î' | 'ï' | 'ī' => Some("i"),
        'ó' | 'ô' | 'õ' | 'ō' => Some("o"),
        'ú' | 'û' | 'ū' => Some("u"),
        'š' | 'ś' => Some("s"),
        'ž' | 'ź' | 'ż' => Some("z"),
        '`' | '´' => Some("'"),
        '•' | '·' => Some("-"),
        '×' => Some("x"),
        '½' => Some("1/2"),
        '°' => Some(" degrees"),
        '\t' => Some(" "),
        _ => None,
    }
}

/// What typographic characters are sent as.
fn plain(character: char) -> Option<&'static str> {
    match character {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some("-"),
        '\u{2018}'..='\u{201b}' | '\u{2032}' => Some("'"),
        '\u{201c}'..='\u{201f}' | '\u{2033}' => Some("\""),
        '\u{2026}' => Some("..."),
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(" "),
        _ => None,
    }
}
