//! How Rhai reads our expressions and scripts. Checker and script host share it, so that both accept exactly the same language.

use rhai::{Engine, LexError, OptimizationLevel, Position, Token, TokenizeState};

/// Nesting of an expression outside functions.
pub const EXPR_DEPTH_MAX: usize = 32;
/// Nesting of an expression inside functions.
pub const FUNCTION_EXPR_DEPTH_MAX: usize = 16;
/// Functions calling functions.
pub const CALL_LEVELS_MAX: usize = 32;
/// Longest text literal or value.
pub const STRING_BYTES_MAX: usize = 8 * 1024;
pub const ARRAY_ITEMS_MAX: usize = 1_000;
pub const MAP_ITEMS_MAX: usize = 500;
pub const VARIABLES_MAX: usize = 256;
pub const FUNCTIONS_MAX: usize = 1_000;

/// Words of Rhai that rules and scripts do not have.
pub const DISABLED_SYMBOLS: &[&str] = &[
    "eval",
    "print",
    "debug",
    "import",
    "export",
    "as",
    "loop",
    "while",
    "do",
    "until",
    "try",
    "catch",
    "throw",
    "global",
    "Fn",
    "call",
    "curry",
    "is_def_fn",
    "is_def_var",
    "is_shared",
    "type_of",
    "this",
    // Numbers are counts and scores here: shifting bits is a slip of the keyboard.
    "<<",
    ">>",
    "^",
    "<<=",
    ">>=",
    "^=",
];

/// Sets the token mapping, the disabled words and the limits. Registers no function.
pub fn configure(engine: &mut Engine) {
    engine.set_optimization_level(OptimizationLevel::None);
    for symbol in DISABLED_SYMBOLS {
        engine.disable_symbol(*symbol);
    }
    engine.set_max_expr_depths(EXPR_DEPTH_MAX, FUNCTION_EXPR_DEPTH_MAX);
    engine.set_max_call_levels(CALL_LEVELS_MAX);
    engine.set_max_string_size(STRING_BYTES_MAX);
    engine.set_max_array_size(ARRAY_ITEMS_MAX);
    engine.set_max_map_size(MAP_ITEMS_MAX);
    engine.set_max_variables(VARIABLES_MAX);
    engine.set_max_functions(FUNCTIONS_MAX);
    map_words(engine);
}

#[expect(deprecated, reason = "not deprecated, only marked volatile; the version of rhai is pinned")]
fn map_words(engine: &mut Engine) {
    engine.on_parse_token(|token, _: Position, _: &TokenizeState| map_token(token));
}

/// `and`, `or`, `not` are operators; text may stand in single quotes.
fn map_token(token: Token) -> Token {
    match token {
        Token::Identifier(word) => match word.as_str() {
            "and" => Token::And,
            "or" => Token::Or,
            "not" => Token::Bang,
            _ => Token::Identifier(word),
        },
        Token::CharConstant(c) => Token::StringConstant(Box::new(c.to_string().into())),
        Token::LexError(error) => match *error {
            LexError::MalformedChar(text) => Token::StringConstant(Box::new(text.into())),
            other => Token::LexError(Box::new(other)),
        },
        other => other,
    }
}
