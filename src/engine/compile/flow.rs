//! Steps that lead to others: each list of steps in its own scope, with what the ones before have made certain.

use super::outline::RUN_DEPTH_MAX;
use super::rule::Lowering;
use crate::domain::event::{INTERNAL_EVENTS, KNOWN_EVENTS};
use crate::engine::check::{Part, Scope, Ty, Wanted, check_expression, of};
use crate::engine::diagnostic::names;
use crate::engine::ruleset::{Branch, Expr, Step, StepAction, Text, Value, Wait};
use crate::engine::schema::Type;
use crate::engine::source::{Place, Scalar};
use crate::engine::syntax::{ActionSyntax, BranchSyntax, StepSyntax, WaitSyntax, all_steps, did_you_mean, is_word};

/// Steps of one rule, those inside of others included.
const STEPS_MAX: usize = 100;
/// Waits of one rule.
const WAITS_MAX: usize = 20;

/// Where a step stands.
#[derive(Clone, Copy)]
pub(super) struct Inside<'a> {
    pub rule_id: &'a str,
    pub rule_name: &'a str,
    pub in_each: bool,
}

impl Lowering<'_> {
    /// Whether the rule waits. Reports more steps or waits than there may be.
    pub fn waits(&mut self, steps: &[StepSyntax]) -> bool {
        let all = all_steps(steps);
        if let Some(step) = all.get(STEPS_MAX) {
            self.error(names::TOO_MANY, step.at, format!("a rule has at most {STEPS_MAX} steps"), None);
        }
        let waits: Vec<Place> = all.iter().filter(|s| matches!(s.action, ActionSyntax::Wait(_))).map(|s| s.at).collect();
        if let Some(at) = waits.get(WAITS_MAX) {
            self.error(names::BAD_WAIT, *at, format!("a rule waits at most {WAITS_MAX} times"), None);
        }
        !waits.is_empty()
    }

    /// A list of steps. `path` is that of the list: `do`, `do/2/choose/1/do`.
    pub fn steps(&mut self, path: &str, steps: Vec<StepSyntax>, scope: &mut Scope, inside: Inside<'_>) -> Vec<Step> {
        let mut compiled = Vec::with_capacity(steps.len());
        for (index, step) in steps.into_iter().enumerate() {
            compiled.extend(self.step(format!("{path}/{index}"), step, scope, inside));
        }
        compiled
    }

    fn step(&mut self, path: String, syntax: StepSyntax, scope: &mut Scope, inside: Inside<'_>) -> Option<Step> {
        let mut own = scope.clone();
        let (if_, disproved) = self.conditions_both(&syntax.if_, &mut own);
        let stops = matches!(syntax.action, ActionSyntax::Stop { .. });
        let action = self.action(syntax.action, syntax.at, &path, &mut own, inside)?;
        let step = Step { path, line: syntax.at.line, if_, action };
        if stops {
            // Whoever comes past it did not stop.
            scope.know(disproved);
        } else if step.waits() {
            scope.forget_fields();
        }
        Some(step)
    }

    /// Conditions, and what is there when they do not hold: known only of a single one.
    fn conditions_both(&mut self, lines: &[Scalar], scope: &mut Scope) -> (Vec<Expr>, Vec<String>) {
        let mut compiled = Vec::new();
        let mut disproved = Vec::new();
        for line in lines {
            let part = Part::whole(self.file, line);
            if let Some(checked) = check_expression(self.env, part, scope, &Wanted::Truth, self.problems) {
                scope.know(checked.proves);
                disproved = checked.disproves;
                compiled.push(checked.expr);
            }
        }
        if lines.len() != 1 {
            disproved.clear();
        }
        (compiled, disproved)
    }

    /// The actions that [`Lowering::action`] leaves.
    pub fn flow(
        &mut self,
        action: ActionSyntax,
        at: Place,
        path: &str,
        scope: &mut Scope,
        inside: Inside<'_>,
    ) -> Option<StepAction> {
        match action {
            ActionSyntax::Stop { reason } => Some(StepAction::Stop { reason: reason.map(|r| r.text) }),
            ActionSyntax::Choose(branches) => Some(self.choose(branches, path, scope, inside)),
            ActionSyntax::Alert(body) => Some(StepAction::Alert(self.text(&body, scope)?)),
            ActionSyntax::Emit { event, data } => self.emit(&event, data, scope),
            ActionSyntax::Tag(name) => self.tag(name, "tag", at, scope).map(StepAction::Tag),
            ActionSyntax::Untag(name) => self.tag(name, "untag", at, scope).map(StepAction::Untag),
            ActionSyntax::Each { list, name, steps } => self.each(&list, &name, steps, path, scope, inside),
            ActionSyntax::Run(id) => self.run(&id, scope, inside),
            ActionSyntax::Plan(call) => self.plan(&call, scope),
            ActionSyntax::Wait(wait) => self.wait(wait, at, scope, inside),
            _ => None,
        }
    }

    fn choose(&mut self, branches: Vec<BranchSyntax>, path: &str, scope: &Scope, inside: Inside<'_>) -> StepAction {
        let mut so_far = scope.clone();
        let mut compiled = Vec::with_capacity(branches.len());
        for (index, branch) in branches.into_iter().enumerate() {
            let mut own = so_far.clone();
            let (if_, disproved) = self.conditions_both(&branch.if_, &mut own);
            let steps = self.steps(&format!("{path}/choose/{index}/do"), branch.steps, &mut own, inside);
            so_far.know(disproved);
            compiled.push(Branch { line: branch.at.line, if_, steps });
        }
        StepAction::Choose(compiled)
    }

    fn emit(&mut self, event: &Scalar, data: Vec<(Scalar, Scalar)>, scope: &Scope) -> Option<StepAction> {
        let name = event.text.as_str();
        let declared = self.env.catalogue.declared_events.iter().any(|e| e == name);
        let problem = if !is_word(name) {
            Some(format!("`{name}` is not a name for an event"))
        } else if KNOWN_EVENTS.contains(&name) || INTERNAL_EVENTS.contains(&name) {
            Some(format!("`{name}` is an event of the program: no rule may pretend that it happened"))
        } else if declared {
            Some(format!("`{name}` is an event of a webhook: no rule may pretend that it happened"))
        } else {
            None
        };
        if let Some(message) = problem {
            let help = Some("choose a name of your own, such as `lead_lost`: small letters, digits and `_`".to_owned());
            self.error(names::BAD_EMIT, event.at, message, help);
            return None;
        }
        let count = data.len();
        let texts: Vec<(String, Text)> =
            data.into_iter().filter_map(|(key, value)| Some((self.data_name(key)?, self.text(&value, scope)?))).collect();
        (texts.len() == count).then(|| StepAction::Emit { event: name.to_owned(), data: texts })
    }

    fn data_name(&mut self, key: Scalar) -> Option<String> {
        if is_word(&key.text) {
            return Some(key.text);
        }
        let help = Some("use small letters, digits and `_`: rules read it as `event.data.name`".to_owned());
        self.error(names::BAD_NAME, key.at, format!("`{}` is not a name for a text", key.text), help);
        None
    }

    fn tag(&mut self, name: Scalar, step: &str, at: Place, scope: &Scope) -> Option<String> {
        let here = self.needs("contact", step, at, scope);
        if is_word(&name.text) {
            return here.then_some(name.text);
        }
        let help = Some("use small letters, digits and `_`, such as `vip`".to_owned());
        self.error(names::BAD_NAME, name.at, format!("`{}` is not a name for a tag", name.text), help);
        None
    }

    fn each(
        &mut self,
        list: &Scalar,
        name: &Scalar,
        steps: Vec<StepSyntax>,
        path: &str,
        scope: &Scope,
        inside: Inside<'_>,
    ) -> Option<StepAction> {
        let found = self.expression(list, scope, &Wanted::Anything)?;
        let Some(item) = found.1.item().filter(|_| !found.1.maybe) else {
            let message = format!("`each` goes through a list, and this is {}", found.1.describe());
            let help = Some("for example `in: =contact.bookings`".to_owned());
            self.error(names::WRONG_RESULT, list.at, message, help);
            return None;
        };
        let mut own = scope.clone();
        if !self.is_free_name(name, scope) {
            return None;
        }
        own.declare(&name.text, item);
        let of_bookings = item.is(Type::Record("booking"));
        if of_bookings {
            own.turn_to_booking(&name.text);
        }
        let steps = self.steps(&format!("{path}/each/do"), steps, &mut own, Inside { in_each: true, ..inside });
        Some(StepAction::Each { list: found.0, name: name.text.clone(), of_bookings, steps })
    }

    fn run(&mut self, id: &Scalar, scope: &Scope, inside: Inside<'_>) -> Option<StepAction> {
        let outlines = self.outlines;
        let Some(outline) = outlines.find(&id.text) else {
            let help = did_you_mean(&id.text, &outlines.ids(), "rules are");
            self.error(names::UNKNOWN_RULE, id.at, format!("there is no rule `{}`", id.text), help);
            return None;
        };
        let way = outlines.endless(inside.rule_id, &id.text);
        if !way.is_empty() {
            let round = way.last().is_some_and(|last| last == inside.rule_id);
            let what = if round {
                "rules run one another in a circle".to_owned()
            } else {
                format!("rules run one another more than {RUN_DEPTH_MAX} deep")
            };
            self.error(names::RUN_CYCLE, id.at, format!("{what}: {}", way.join(" → ")), None);
            return None;
        }
        if outline.waits {
            let help = Some("let this rule `emit` an event, and that one listen to it".to_owned());
            self.error(names::UNKNOWN_RULE, id.at, format!("`{}` waits, and cannot be run by another rule", id.text), help);
            return None;
        }
        for (record, always) in &outline.records {
            let here = scope.find(record);
            if *always && here.is_none_or(|ty| ty.maybe) {
                let (message, help) = if here.is_some() {
                    (
                        format!("`{}` needs a {record}, which may be missing here", id.text),
                        format!("add `if: {record} != ()` to the step"),
                    )
                } else {
                    (
                        format!("`{}` needs a {record}, and this rule has none", id.text),
                        format!("this rule listens to {}", scope.because),
                    )
                };
                self.error(names::UNKNOWN_RULE, id.at, message, Some(help));
                return None;
            }
        }
        Some(StepAction::Run(id.text.clone()))
    }

    fn plan(&mut self, call: &Scalar, scope: &Scope) -> Option<StepAction> {
        let wanted = Wanted::Value { ty: of(Type::Steps), what: "`plan`" };
        self.expression(call, scope, &wanted).map(|(expr, _)| StepAction::Plan(expr))
    }

    fn wait(&mut self, wait: WaitSyntax, at: Place, scope: &mut Scope, inside: Inside<'_>) -> Option<StepAction> {
        if inside.in_each {
            let help = Some("let each round `emit` an event, and another rule wait".to_owned());
            self.error(names::BAD_WAIT, at, "`each` does not wait", help);
            return None;
        }
        if !self.needs("contact", "wait", at, scope) {
            return None;
        }
        let wait = match wait {
            WaitSyntax::For(span) => Wait::For(span),
            WaitSyntax::Until(until) => match self.value(&until, scope, of(Type::Time), "`until`")? {
                Value::Expr(expr) => Wait::Until(Value::Expr(expr)),
                other => Wait::Until(other),
            },
            WaitSyntax::Event { name, limit } => {
                self.event_exists(&name)?;
                Wait::Event { name: name.text, limit }
            }
        };
        Some(StepAction::Wait(wait))
    }

    /// An `=expression`, with its type.
    fn expression(&mut self, scalar: &Scalar, scope: &Scope, wanted: &Wanted<'_>) -> Option<(Expr, Ty)> {
        let Some(text) = scalar.text.strip_prefix('=') else {
            let help = Some(format!("begin it with `=`: `={}`", scalar.text));
            self.error(names::WRONG_RESULT, scalar.at, "this is an expression", help);
            return None;
        };
        let part = Part { file: self.file, scalar, text, skip: 1 };
        check_expression(self.env, part, scope, wanted, self.problems).map(|checked| (checked.expr, checked.ty))
    }
}
