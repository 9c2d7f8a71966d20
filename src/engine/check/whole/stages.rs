//! Moves that `config/pipelines.yaml` does not have.

use super::outline::EffectKind;
use super::{Look, warn};
use crate::domain::pipeline::{Pipeline, Stage};
use crate::engine::diagnostic::names;
use crate::engine::source::Problems;

pub(super) fn check(look: &Look<'_>, problems: &mut Problems) {
    if look.dead {
        return;
    }
    for step in &look.steps {
        let EffectKind::Move { pipeline, stage } = &step.effect.kind else { continue };
        let Some(found) = look.catalogue.pipelines.find(pipeline) else { continue };
        if found.find_stage(stage).is_none() {
            continue;
        }
        if !has_way_in(found, stage) {
            let message = format!(
                "no stage of `{pipeline}` leads to `{stage}`, so the move is refused unless the contact comes from another pipeline"
            );
            let help = format!("add `{stage}` to the `next` of a stage in config/pipelines.yaml");
            warn(problems, names::NO_WAY_IN, &look.rule.file, step.effect.at, message, &help);
        }
        let known = look.by_step(step);
        let (pipelines, stages) = (known.words("contact.current_pipeline"), known.words("contact.current_stage"));
        let Some(stages) = stages.filter(|s| !s.is_empty()) else { continue };
        let stays = pipelines.as_ref().is_some_and(|p| p.as_slice() == [pipeline.as_str()]);
        if stages.iter().all(|from| is_refused(look, found, from, stage, stays)) {
            let message = format!("`{}` cannot go to `{stage}`: the move would always be refused", stages.join("` or `"));
            let next = stages.first().and_then(|from| found.find_stage(from)).map_or_else(String::new, ways);
            warn(problems, names::NO_TRANSITION, &look.rule.file, step.effect.at, message, &next);
        }
    }
}

/// The contact is certainly in this pipeline, whose stage names other successors.
fn is_refused(look: &Look<'_>, pipeline: &Pipeline, from: &str, to: &str, stays: bool) -> bool {
    let elsewhere = look.catalogue.pipelines.pipelines.iter().any(|p| p.name != pipeline.name && p.find_stage(from).is_some());
    let Some(stage) = pipeline.find_stage(from).filter(|_| stays || !elsewhere) else { return false };
    from != to && !stage.next.is_empty() && !stage.next.iter().any(|n| n == to)
}

fn ways(stage: &Stage) -> String {
    format!("from `{}` a contact can go to: {}", stage.name, stage.next.join(", "))
}

/// The first stage is where contacts come in; a stage that names no successors leads everywhere unless the way ends there.
fn has_way_in(pipeline: &Pipeline, stage: &str) -> bool {
    let first = pipeline.stages.first().is_some_and(|s| s.name == stage);
    let leads = |s: &Stage| s.next.iter().any(|n| n == stage) || (s.next.is_empty() && !s.terminal && s.name != stage);
    first || pipeline.stages.iter().any(leads)
}
