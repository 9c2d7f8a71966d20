//! The house rules, as tests. Each message says what to do.

#[cfg(test)]
mod rules {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    const FILE_LINES_MAX: usize = 500;

    /// A room of `src/`, and the rooms it may use besides itself and `domain`.
    const ROOMS: &[(&str, &[&str])] = &[
        ("domain", &[]),
        ("config", &[]),
        ("inbound", &[]),
        ("engine", &["alloc"]),
        ("telemetry", &["config"]),
        ("store", &["config"]),
        ("gateway", &["config"]),
        ("automation", &["config", "inbound", "engine", "telemetry", "store", "gateway"]),
        ("jobs", &["config", "telemetry", "automation", "store", "engine"]),
        ("http", &["config", "telemetry", "automation", "store", "inbound", "engine"]),
        ("alloc", &[]),
        // A provider to rehearse with: it knows nothing of the clinic, and only cli, tests and benches start it.
        ("simulator", &["config", "engine", "gateway", "inbound"]),
    ];
    /// May use everything.
    const TOP: &[&str] = &["cli", "main.rs", "lib.rs"];

    /// A crate, and the only rooms that may name it.
    const CONFINED: &[(&str, &[&str])] = &[
        ("diesel", &["store"]),
        ("diesel_migrations", &["store"]),
        ("warp", &["http"]),
        ("rhai", &["engine"]),
        ("handlebars", &["engine"]),
        ("saphyr_parser", &["engine"]),
        ("serde_yaml", &["config", "engine", "inbound"]),
        ("reqwest", &["gateway"]),
    ];

    const MODULES_BANNED: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc"];

    /// Text that no file may hold. Written in two parts, so that this file does not hold it either.
    fn words_banned() -> Vec<(String, &'static str)> {
        vec![
            (["TO", "DO"].concat(), "do it, or describe the limit in docs/"),
            (["FIX", "ME"].concat(), "fix it, or describe the limit in docs/"),
            (["/ro", "ot/"].concat(), "name no path of one machine"),
            (["/wo", "rk/"].concat(), "name no path of one machine"),
            (["/ho", "me/"].concat(), "name no path of one machine"),
        ]
    }

    struct File {
        /// Relative, with `/`.
        path: String,
        text: String,
    }

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    /// Every text file that belongs to the project.
    fn project() -> Vec<File> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(root()).expect("the project").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let skipped = matches!(name.as_str(), "target" | "data" | ".git" | "Cargo.lock");
            if !skipped {
                collect(entry.path(), &mut files);
            }
        }
        files
    }

    fn collect(path: PathBuf, files: &mut Vec<File>) {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if matches!(name.as_str(), "node_modules" | "dist") {
            return;
        }
        if path.is_dir() {
            for entry in std::fs::read_dir(&path).expect("a folder of the project").flatten() {
                collect(entry.path(), files);
            }
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let path = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.push(File { path, text });
        }
    }

    /// The room of a source file: `src/store/x.rs` → `store`, `src/alloc.rs` → `alloc`; `None` outside of `src/`.
    fn room(path: &str) -> Option<&str> {
        let rest = path.strip_prefix("src/")?;
        let first = rest.split('/').next()?;
        Some(if TOP.contains(&first) { first } else { first.strip_suffix(".rs").unwrap_or(first) })
    }

    /// Lines of code with their numbers: without comments and without what stands in double quotes.
    fn code(text: &str) -> impl Iterator<Item = (usize, String)> {
        text.lines().enumerate().map(|(i, line)| {
            let mut kept = String::new();
            let mut quoted = false;
            let mut characters = line.chars().peekable();
            while let Some(c) = characters.next() {
                match c {
                    '\\' if quoted => {
                        characters.next();
                    }
                    '"' => quoted = !quoted,
                    '/' if !quoted && characters.peek() == Some(&'/') => break,
                    _ if !quoted => kept.push(c),
                    _ => {}
                }
            }
            (i + 1, kept)
        })
    }

    /// Names after `prefix` in a line, such as `store` in `crate::store::Tx`, also those of `crate::{store, jobs::X}`.
    fn names_after(line: &str, prefix: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (at, _) in line.match_indices(prefix) {
            let rest = &line[at + prefix.len()..];
            match rest.strip_prefix('{') {
                None => found.push(rest.to_owned()),
                Some(list) => {
                    let mut depth = 0;
                    let split = list.split(|c| {
                        depth += i32::from(c == '{') - i32::from(c == '}');
                        c == ',' && depth == 0
                    });
                    found.extend(split.map(|item| item.trim().to_owned()));
                }
            }
        }
        let name = |text: String| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        found.into_iter().map(name).filter(|n| !n.is_empty()).collect()
    }

    /// True when the line uses the crate: `rhai::…`, `use rhai;`, but not `crate::http::warp_like`.
    fn uses_crate(line: &str, name: &str) -> bool {
        line.match_indices(name).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = &line[at + name.len()..];
            let starts = before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':');
            let absolute = line[..at].ends_with(" ::") || line[..at].ends_with("(::");
            (starts || absolute) && (after.starts_with("::") || (line.trim_start().starts_with("use ") && after.starts_with(';')))
        })
    }

    fn layering(file: &File) -> Vec<String> {
        let Some(here) = room(&file.path).filter(|room| !TOP.contains(room)) else { return Vec::new() };
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == here) else {
            return vec![format!("{}: `{here}` is a new room: say in tests/architecture.rs what it may use", file.path)];
        };
        let rooms: BTreeSet<&str> = ROOMS.iter().map(|(name, _)| *name).chain(["cli"]).collect();
        let mut problems = Vec::new();
        for (number, line) in code(&file.text) {
            for name in names_after(&line, "crate::").iter().chain(&names_after(&line, "avatar::")) {
                let fine = name == here || name == "domain" || allowed.contains(&name.as_str()) || !rooms.contains(name.as_str());
                if !fine {
                    problems.push(format!(
                        "{}:{number}: `{here}` may not use `{name}`: move the code, or pass what it needs as an argument (docs/ARCHITECTURE.md)",
                        file.path
                    ));
                }
            }
        }
        problems
    }

    fn confinement(file: &File) -> Vec<String> {
        let Some(here) = room(&file.path) else { return Vec::new() };
        let mut problems = Vec::new();
        for (number, line) in code(&file.text) {
            for (name, rooms) in CONFINED {
                if !rooms.contains(&here) && uses_crate(&line, name) {
                    problems.push(format!(
                        "{}:{number}: `{name}` is used in {} only: ask that room for a function",
                        file.path,
                        rooms.join(" and ")
                    ));
                }
            }
        }
        problems
    }

    fn hygiene(file: &File) -> Vec<String> {
        let mut problems = Vec::new();
        let is_rust = Path::new(&file.path).extension().is_some_and(|e| e == "rs");
        let lines = file.text.lines().count();
        if is_rust && lines > FILE_LINES_MAX {
            problems.push(format!("{}: {lines} lines; split it by what it is about, at most {FILE_LINES_MAX}", file.path));
        }
        let banned = file.path.split('/').any(|part| MODULES_BANNED.contains(&part.strip_suffix(".rs").unwrap_or(part)));
        if is_rust && banned {
            problems.push(format!("{}: name the module after what it does", file.path));
        }
        for (number, line) in file.text.lines().enumerate() {
            let trimmed = line.trim_start();
            if is_rust && (trimmed.starts_with("#[allow(") || trimmed.starts_with("#![allow(")) {
                problems.push(format!("{}:{}: write #[expect(lint, reason = \"…\")]", file.path, number + 1));
            }
            for (word, what_to_do) in words_banned() {
                let inside = line.match_indices(&word).any(|(at, _)| is_word(line, at, &word));
                if inside {
                    problems.push(format!("{}:{}: `{word}` is banned: {what_to_do}", file.path, number + 1));
                }
            }
        }
        problems
    }

    /// A banned word counts on its own, not as a part of another; a path counts unless a longer path goes before it.
    fn is_word(line: &str, at: usize, word: &str) -> bool {
        let apart = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.' && c != '}';
        let before = line[..at].chars().next_back().is_none_or(apart);
        let after = word.ends_with('/') || line[at + word.len()..].chars().next().is_none_or(apart);
        before && after
    }

    fn no_problems(problems: Vec<String>) {
        assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
    }

    #[test]
    fn rooms_use_only_the_rooms_below_them() {
        no_problems(project().iter().flat_map(layering).collect());
    }

    #[test]
    fn confined_crates_stay_in_their_rooms() {
        no_problems(project().iter().flat_map(confinement).collect());
    }

    #[test]
    fn files_are_short_well_named_and_finished() {
        no_problems(project().iter().flat_map(hygiene).collect());
    }

    #[test]
    fn both_databases_have_the_same_migrations() {
        let names = |folder: &str| -> BTreeSet<String> {
            let entries = std::fs::read_dir(root().join("migrations").join(folder)).into_iter().flatten().flatten();
            entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
        };
        let (sqlite, postgres) = (names("sqlite"), names("postgres"));
        let different: Vec<&String> = sqlite.symmetric_difference(&postgres).collect();
        assert!(different.is_empty(), "write the migration for the other database too, under the same name: {different:?}");
    }

    /// For such a check SQLite makes a small table, and throws it away, at every row that is written.
    #[test]
    fn checks_of_many_words_are_chains_on_sqlite() {
        let many = |line: &str| line.split("CHECK (").skip(1).any(|c| c.contains(" IN (") && c.matches(", '").count() > 1);
        let files = project().into_iter().filter(|f| f.path.starts_with("migrations/sqlite/") && f.path.ends_with("up.sql"));
        let found: Vec<String> = files
            .flat_map(|f| f.text.lines().filter(|l| many(l)).map(|l| format!("{}: {l}", f.path)).collect::<Vec<_>>())
            .collect();
        assert!(found.is_empty(), "write `x = 'a' OR x = 'b' OR x = 'c'`:\n{}", found.join("\n"));
        assert!(many("x TEXT CHECK (x IN ('a', 'b', 'c')),") && !many("x TEXT CHECK (x IN ('a', 'b')),"));
    }

    fn sample(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn the_scanner_finds_a_use_of_a_room_above() {
        for text in [
            "use crate::store::Tx;",
            "fn f() { crate::store::find() }",
            "use crate::{domain::time::Millis, store::Tx};",
            "use avatar::store::Tx;",
        ] {
            let found = layering(&sample("src/engine/x.rs", text));
            assert_eq!(found.len(), 1, "{text}");
            assert!(found[0].starts_with("src/engine/x.rs:1: `engine` may not use `store`"), "{}", found[0]);
        }
        assert_eq!(layering(&sample("src/jobs/x.rs", "use crate::http::X;")).len(), 1);
        assert_eq!(layering(&sample("src/http/x.rs", "use crate::jobs::X;")).len(), 1);
        assert_eq!(layering(&sample("src/extra/mod.rs", "")).len(), 1, "a room that nobody has described");
        for text in
            ["// use crate::store::Tx;", "use crate::domain::time::Millis;", "let s = \"crate::store::x\";", "use super::store;"]
        {
            assert!(layering(&sample("src/engine/x.rs", text)).is_empty(), "{text}");
        }
        assert!(layering(&sample("src/cli/x.rs", "use crate::store::Tx;")).is_empty(), "cli knows everything");
    }

    #[test]
    fn the_scanner_finds_a_crate_outside_of_its_room() {
        for text in
            ["use diesel::prelude::*;", "fn f(c: &mut diesel::PgConnection) {}", "use ::diesel::prelude::*; fn g(x: ::diesel::A)"]
        {
            assert_eq!(confinement(&sample("src/http/x.rs", text)).len(), 1, "{text}");
            assert!(confinement(&sample("src/store/x.rs", text)).is_empty(), "{text}");
        }
        assert!(confinement(&sample("src/jobs/x.rs", "use crate::http::warp_like::X; // warp::path")).is_empty());
    }

    #[test]
    fn the_scanner_finds_what_is_unfinished_long_or_badly_named() {
        let word = ["TO", "DO"].concat();
        assert_eq!(hygiene(&sample("docs/x.md", &format!("{word}: later"))).len(), 1);
        assert!(hygiene(&sample("src/x.rs", &format!("{word}_STATUS"))).is_empty());
        assert_eq!(hygiene(&sample("docs/x.md", &["see /wo", "rk/notes"].concat())).len(), 1);
        assert!(hygiene(&sample("docs/x.md", &["see data/wo", "rk/notes"].concat())).is_empty());
        assert_eq!(hygiene(&sample("src/jobs/helpers.rs", "")).len(), 1);
        assert_eq!(hygiene(&sample("src/x.rs", "    #[allow(dead_code)]")).len(), 1);
        assert_eq!(hygiene(&sample("src/x.rs", &"\n".repeat(FILE_LINES_MAX + 1))).len(), 1);
    }
}
