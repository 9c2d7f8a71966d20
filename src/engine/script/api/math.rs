//! Numbers. Whole numbers and fractions mix: `pow(0.5, 3)` is as good as `pow(0.5, 3.0)`.

use rhai::{Engine, EvalAltResult};

type Whole = Result<i64, Box<EvalAltResult>>;
type Fraction = Result<f64, Box<EvalAltResult>>;

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("clamp", |x: i64, low: i64, high: i64| x.max(low).min(high))
        .register_fn("clamp", |x: f64, low: f64, high: f64| x.max(low).min(high))
        .register_fn("min", |a: i64, b: i64| a.min(b))
        .register_fn("min", |a: f64, b: f64| a.min(b))
        .register_fn("max", |a: i64, b: i64| a.max(b))
        .register_fn("max", |a: f64, b: f64| a.max(b))
        .register_fn("abs", |x: i64| -> Whole { x.checked_abs().ok_or_else(|| "integer overflow".into()) })
        .register_fn("abs", f64::abs)
        .register_fn("round", round)
        .register_fn("round", |x: i64| x)
        .register_fn("to_float", |x: i64| x as f64)
        .register_fn("to_float", |x: f64| x)
        .register_fn("exp", |x: f64| finite(x.exp()))
        .register_fn("exp", |x: i64| finite((x as f64).exp()))
        .register_fn("pow", |x: f64, y: f64| finite(x.powf(y)))
        .register_fn("pow", |x: i64, y: f64| finite((x as f64).powf(y)))
        .register_fn("pow", |x: f64, y: i64| finite(x.powf(y as f64)))
        .register_fn("pow", |x: i64, y: i64| finite((x as f64).powf(y as f64)));
}

/// Halves go away from zero.
fn round(x: f64) -> Whole {
    let rounded = x.round();
    // 2^63 is the first float beyond the whole numbers.
    if rounded.is_finite() && rounded.abs() < 9_223_372_036_854_775_808.0 {
        Ok(rounded as i64)
    } else {
        Err("this number is too large to round".into())
    }
}

/// Infinity and NaN would poison every comparison after them without a word.
fn finite(x: f64) -> Fraction {
    if x.is_finite() { Ok(x) } else { Err("the result is not a number".into()) }
}
