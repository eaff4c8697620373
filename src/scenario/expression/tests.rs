//! What conditions mean, and what is told of the mistakes in them.

use super::*;
use crate::rollout::condition::{ConditionFault, Slots, Symbol, Value};

/// A feature `new-checkout` with a ladder and a stage off it, and a feature `beta`.
struct Shop {
    symbols: Symbols,
    stages: [Vec<StageName>; 2],
}

const SEGMENT: SlotId = SlotId(0);
const COUNTRY: SlotId = SlotId(1);
const CODE: SlotId = SlotId(2);
const RATIO: SlotId = SlotId(3);
const STAGE: SlotId = SlotId(4);
const BETA: SlotId = SlotId(5);
const FLAG: SlotId = SlotId(6);
const NAME: SlotId = SlotId(7);

fn shop() -> Shop {
    let stage = |(name, rank): &(&str, Option<u16>)| StageName { name: (*name).to_owned(), rank: *rank };
    let ladder = [("off", Some(0)), ("VISIBLE", Some(1)), ("canary-10", Some(2)), ("on", Some(3)), ("DRAINING", None)];
    let beta = [("off", Some(0)), ("on", Some(1))];
    let stages = [ladder.iter().map(stage).collect(), beta.iter().map(stage).collect()];
    Shop { symbols: Symbols::default(), stages }
}

impl Names for Shop {
    fn path(&mut self, path: &[&str]) -> Result<(SlotId, Type), NameError> {
        let texts = |values: &[&str]| Type::TextOf(values.iter().map(|value| (*value).to_owned()).collect());
        match path {
            ["tenant", "segment"] => Ok((SEGMENT, texts(&["staff", "pilot", "sme"]))),
            ["tenant", "country"] => Ok((COUNTRY, texts(&["DE", "FR", "NO"]))),
            ["tenant", "name"] => Ok((NAME, Type::Text)),
            ["code"] => Ok((CODE, Type::Int)),
            ["ratio"] => Ok((RATIO, Type::Float)),
            ["stage"] => Ok((STAGE, Type::Stage(0))),
            ["beta"] => Ok((FLAG, Type::Bool)),
            _ => Err(NameError { message: format!("`{}` is not known", path.join(".")), nearest: Some("code".into()) }),
        }
    }

    fn call(&mut self, function: &str, args: &[&str]) -> Result<(SlotId, Type), NameError> {
        match (function, args) {
            ("stage", ["new-checkout"]) => Ok((STAGE, Type::Stage(0))),
            ("stage", ["beta"]) => Ok((BETA, Type::Stage(1))),
            ("flag", ["dark-mode"]) => Ok((FLAG, Type::Bool)),
            _ => Err(NameError { message: format!("`{function}` does not know {args:?}"), nearest: None }),
        }
    }

    fn capability(&mut self, feature: Option<&str>, capability: &str) -> Result<(u16, u16), NameError> {
        match (feature, capability) {
            (None | Some("new-checkout"), "request") => Ok((0, 7)),
            _ => Err(NameError {
                message: format!("`{capability}` is not a capability"),
                nearest: Some("request".into()),
            }),
        }
    }

    fn stages(&self, feature: u16) -> &[StageName] {
        &self.stages[feature as usize]
    }

    fn symbols(&mut self) -> &mut Symbols {
        &mut self.symbols
    }
}

/// A subject, and the slots it was asked for.
struct Subject {
    symbols: Symbols,
    values: [Value; 8],
    asked: Vec<SlotId>,
}

impl Slots for Subject {
    fn value(&mut self, slot: SlotId) -> Value {
        self.asked.push(slot);
        self.values[slot.0 as usize]
    }

    fn can(&mut self, feature: u16, capability: u16) -> bool {
        (feature, capability) == (0, 7)
    }

    fn symbols(&self) -> &Symbols {
        &self.symbols
    }
}

/// A subject of segment `pilot`, named Zoë, at stage `VISIBLE`, whose country is not known.
fn subject(mut shop: Shop) -> Subject {
    let mut text = |text: &str| -> Symbol { shop.symbols.intern(text) };
    let values = [
        Value::Text(text("pilot")),
        Value::Missing,
        Value::Int(2),
        Value::Float(1.5),
        Value::Stage { feature: 0, stage: 1 },
        Value::Stage { feature: 1, stage: 1 },
        Value::Bool(true),
        Value::Text(text("Zoë")),
    ];
    Subject { symbols: shop.symbols, values, asked: Vec::new() }
}

fn compiled(text: &str) -> (Condition, Subject) {
    let mut shop = shop();
    let condition = compile(text, &mut shop).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    (condition, subject(shop))
}

fn decide(text: &str) -> Result<bool, ConditionFault> {
    let (condition, mut subject) = compiled(text);
    condition.eval(&mut subject)
}

fn mistakes(text: &str) -> Vec<ExpressionError> {
    let errors = compile(text, &mut shop()).expect_err(text);
    for error in &errors {
        assert!(text.get(error.range.clone()).is_some(), "{text}: {error:?}");
    }
    errors
}

#[test]
fn stages_compare_in_their_declared_order_by_text_name_and_stage() {
    for holds in [
        "stage == \"VISIBLE\"",
        "stage >= VISIBLE",
        "VISIBLE <= stage",
        "stage < \"canary-10\"",
        "stage(\"new-checkout\") != 'on'",
        "stage in [off, \"VISIBLE\"]",
        "stage(\"new-checkout\") >= stage",
        "(code == 2 ? stage : stage(\"new-checkout\")) == VISIBLE",
        "stage(\"beta\") > \"off\"",
        "!(stage in [\"on\", \"DRAINING\"])",
    ] {
        assert_eq!(decide(holds), Ok(true), "{holds}");
    }
}

#[test]
fn a_stage_off_the_ladder_is_neither_above_nor_below_and_equal_only_to_itself() {
    let cases = [
        ("stage < on", false),
        ("stage >= \"off\"", false),
        ("stage <= stage(\"new-checkout\")", false),
        ("stage == DRAINING", true),
        ("stage != \"on\"", true),
        ("stage == stage(\"new-checkout\")", true),
    ];
    for (text, expected) in cases {
        let (condition, mut subject) = compiled(text);
        subject.values[STAGE.0 as usize] = Value::Stage { feature: 0, stage: 4 };
        assert_eq!(condition.eval(&mut subject), Ok(expected), "{text}");
    }
    let errors = mistakes("stage < DRAINING");
    assert!(errors[0].message.contains("off the ladder"), "{errors:?}");
}

#[test]
fn a_missing_attribute_is_a_fault_unless_something_else_decides() {
    let missing = Err(ConditionFault::Missing(COUNTRY));
    let cases = [
        ("tenant.country == \"DE\"", missing),
        ("tenant.country != \"DE\"", missing),
        ("!(tenant.country in [\"DE\"])", missing),
        ("has(tenant.country)", Ok(false)),
        ("has(tenant.segment)", Ok(true)),
        ("tenant.country == \"DE\" || code == 2", Ok(true)),
        ("tenant.country == \"DE\" && code == 3", Ok(false)),
        ("tenant.country == \"DE\" || code == 3", missing),
        ("has(tenant.country) && tenant.country == \"DE\"", Ok(false)),
        ("1 / (code - 2) == 1", Err(ConditionFault::DivisionByZero)),
        ("code + 9223372036854775807 > 0", Err(ConditionFault::Overflow)),
    ];
    for (text, expected) in cases {
        assert_eq!(decide(text), expected, "{text}");
    }
}

#[test]
fn nothing_is_asked_that_the_answer_does_not_need() {
    let (condition, mut subject) =
        compiled("code == 3 && tenant.segment == \"staff\" || can(\"request\") || ratio > 1.0");
    assert_eq!(condition.eval(&mut subject), Ok(true));
    assert_eq!(subject.asked, [CODE]);
    assert_eq!(condition.slots().collect::<Vec<_>>(), [SEGMENT, CODE, RATIO]);
    assert_eq!(condition.capabilities().collect::<Vec<_>>(), [(0, 7)]);
    assert_eq!(Condition::always().eval(&mut subject), Ok(true));
}

#[test]
fn integers_and_floats_compare_exactly_on_one_number_line() {
    for holds in [
        "code < 2.5 && code > 1.5 && 2.0 == code && code in [1.0, 2.0]",
        "9007199254740993 > 9007199254740992.0",
        "9223372036854775807 < 9223372036854775808.0",
        "-9223372036854775808 == -9223372036854775808.0",
        "ratio > 1 && -1 < -0.5 && 0 == -0.0",
        "0.0 / 0.0 != 0.0 / 0.0 && !(0.0 / 0.0 <= 1)",
    ] {
        assert_eq!(decide(holds), Ok(true), "{holds}");
    }
}

#[test]
fn a_mistake_of_meaning_is_told_with_its_repair() {
    let cases = [
        ("", "empty", "true"),
        (" // nothing", "empty", "true"),
        ("tenant.segment", "true or false", "tenant.segment == \"staff\""),
        ("stage", "true or false", "stage == \"DRAINING\""),
        ("tenant.segment == \"staf\"", "never", "\"staff\""),
        ("tenant.segment in [\"staff\", \"enterprize\"]", "never", "staff, pilot, sme"),
        ("tenant.country == NO", "not a name", "\"NO\""),
        ("stage == \"VISIBEL\"", "not a stage", "\"VISIBLE\""),
        ("stage >= canary-10", "subtraction", "write \"canary-10\""),
        ("new-checkout == \"on\"", "subtraction", "stage(\"new-checkout\")"),
        ("dark-mode", "subtraction", "flag(\"dark-mode\")"),
        ("stage(new-checkout) == \"on\"", "in quotes", "stage(\"new-checkout\")"),
        ("stage(\"beta\") == stage", "two features", "name"),
        ("stage == 3", "name of a stage", ""),
        ("code == \"2\"", "never be equal", "quotes away"),
        ("tenant.segment == tenant.country", "no value in common", "DE"),
        ("code * 2.0 > 3.0", "do not mix", "write 2"),
        ("ratio * 2 > 3", "do not mix", "write 2.0"),
        ("ratio % 2.0 > 0.0", "remainder", "%"),
        ("tenant.name + \"x\" == \"yx\"", "joined", "startsWith"),
        ("tenant.name.beginsWith(\"x\")", "no method", "startsWith"),
        ("tenant.name.starts_with(\"x\")", "no method", "startsWith"),
        ("can(\"reqest\")", "not a capability", "request"),
        ("coed == 2", "not known", "code"),
        ("has(code)", "a name of its own", "has(tenant.segment)"),
        ("code in []", "empty list", ""),
        ("code && true", "true or false", ""),
        ("tenant.country == null", "null", "has("),
        ("code = 2", "means nothing", "=="),
        ("code == 2 and true", "found `and`", "&&"),
        ("code == 5s", "no unit", "quotes"),
        ("ratio > 5%", "a value", "0.02"),
        ("tenant[\"segment\"] == \"sme\"", "index", "name.field"),
        ("tenant.name == \"Zo", "closing quote", "\""),
        ("tenant.name == \"\\q\"", "escape", "\\\\"),
        ("code == 9223372036854775808", "too large", ""),
        ("(code == 2", "`)`", ""),
        ("code == 2)", "end here", ""),
        ("(code == 2 ? \"a\" : 1) == \"a\"", "one type", ""),
    ];
    for (text, message, help) in cases {
        let errors = mistakes(text);
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert!(errors[0].message.contains(message), "{text}: {errors:?}");
        let told = errors[0].help.as_deref().unwrap_or_default();
        assert!(told.contains(help), "{text}: {errors:?}");
    }
}

#[test]
fn all_mistakes_of_meaning_are_told_at_once_in_the_order_of_the_text() {
    let text = "tenant.segment == \"x\" && (coed > 1 || can(\"see\")) && stage < DRAINING && !code";
    let ranges: Vec<&str> = mistakes(text).iter().map(|error| &text[error.range.clone()]).collect();
    assert_eq!(ranges, ["\"x\"", "coed", "can(\"see\")", "DRAINING", "code"]);
}

#[test]
fn a_subtraction_of_names_that_mean_something_stays_one() {
    assert_eq!(decide("code-code == 0"), Ok(true));
}

#[test]
fn hostile_text_meets_a_bound_and_not_the_end_of_the_stack() {
    let deep = [
        "(".repeat(2000),
        "!".repeat(4000) + "true",
        "-".repeat(4000) + "1 == 1",
        "true ? ".repeat(500),
        "true ? true : ".repeat(250) + "true",
        "1 + ".repeat(900) + "1 == 1",
        "[".repeat(4000),
        "f(".repeat(1000),
        "true == ".repeat(400) + "true",
        "x".repeat(5000),
    ];
    for text in deep {
        assert_eq!(mistakes(&text).len(), 1);
    }
    assert_eq!(decide(&("code == 2 && ".repeat(300) + "true")), Ok(true));
    assert_eq!(decide(&("(".repeat(60) + "true" + &")".repeat(60))), Ok(true));
}

#[test]
fn no_text_makes_the_compiler_panic() {
    use proptest::prelude::*;
    let pieces = [
        "code",
        "stage",
        "on",
        "tenant",
        ".",
        "segment",
        "(",
        ")",
        "[",
        "]",
        "in",
        "==",
        "<",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "%",
        "?",
        ":",
        ",",
        "1",
        "2.5",
        "\"on\"",
        "'",
        "\\",
        "\"",
        " ",
        "can",
        "has",
        "size",
        "é",
        "0x",
        "//",
        "\n",
        "r'",
        "\"\"\"",
        "canary-10",
    ];
    let texts = proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..24);
    proptest!(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() }, |(words in texts)| {
        let text = words.concat();
        match compile(&text, &mut shop()) {
            Ok(condition) => drop(condition),
            Err(errors) => {
                prop_assert!(!errors.is_empty(), "{}", text);
                for error in errors {
                    prop_assert!(text.get(error.range.clone()).is_some(), "{}: {:?}", text, error);
                }
            }
        }
        let _ = bound(&text);
    });
}
