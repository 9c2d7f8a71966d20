//! `avatar rules schema`, `definitions` and `reference`: what editors and the manual are fed with.

use super::check::{catalogue_of, folders};
use crate::automation::rulesets::read_sources;
use crate::cli::args::PrintArgs;
use crate::cli::failure::{Done, Failure};
use crate::cli::{Context, Exit};
use crate::engine::language::{self, Live};

/// The names that this clinic has now are part of it.
pub(super) fn schema(context: &Context, args: &PrintArgs) -> Exit {
    let settings = match context.settings() {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let text = || -> Result<String, Failure> {
        let catalogue = catalogue_of(&settings)?;
        let sources = read_sources(&folders(&settings, None))?;
        Ok(format!("{:#}", language::schema(&Live::new(&sources, &catalogue))))
    };
    context.end(text().and_then(|text| print(context, args, &text)))
}

pub(super) fn definitions(context: &Context, args: &PrintArgs) -> Exit {
    context.end(print(context, args, language::definitions().trim_end()))
}

pub(super) fn reference(context: &Context, args: &PrintArgs) -> Exit {
    context.end(print(context, args, language::reference().trim_end()))
}

fn print(context: &Context, args: &PrintArgs, text: &str) -> Done {
    match &args.out {
        None => context.output.line(text),
        Some(path) => {
            std::fs::write(path, format!("{text}\n")).map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
            context.output.hint(&format!("wrote {}", path.display()));
        }
    }
    Ok(Exit::Done)
}
