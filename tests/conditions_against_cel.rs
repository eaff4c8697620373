//! Conditions against the `cel` crate: where both know the language, both decide the same, or both fault.
//!
//! Known differences, which the generated expressions leave out: `cel` faults where NaN is ordered (the standard
//! says false), and it compares integers with floats after rounding them to floats (the standard says exactly).

use std::cell::Cell;
use std::sync::Arc;

use cel::objects::{Key, Map};
use cel::{Context, Program, Value as CelValue};
use proptest::prelude::*;

use windtunnel::rollout::condition::{ConditionFault, SlotId, Slots, Symbols, Value};
use windtunnel::scenario::expression::{NameError, Names, StageName, Type, compile};

/// The values of one subject, as plain data.
#[derive(Clone, Debug)]
struct Subject {
    segment: Option<&'static str>,
    name: Option<&'static str>,
    score: Option<i64>,
    code: i64,
    ratio: f64,
    beta: bool,
    /// Ranks on the ladder `S0` to `S3`.
    stage: u16,
    peer: u16,
}

struct Language {
    symbols: Symbols,
    stages: Vec<StageName>,
}

fn language() -> Language {
    let stages = (0..4).map(|rank| StageName { name: format!("S{rank}"), rank: Some(rank) }).collect();
    Language { symbols: Symbols::default(), stages }
}

impl Names for Language {
    fn path(&mut self, path: &[&str]) -> Result<(SlotId, Type), NameError> {
        match path {
            ["tenant", "segment"] => Ok((SlotId(0), Type::Text)),
            ["tenant", "name"] => Ok((SlotId(1), Type::Text)),
            ["tenant", "score"] => Ok((SlotId(2), Type::Int)),
            ["code"] => Ok((SlotId(3), Type::Int)),
            ["ratio"] => Ok((SlotId(4), Type::Float)),
            ["beta"] => Ok((SlotId(5), Type::Bool)),
            ["stage"] => Ok((SlotId(6), Type::Stage(0))),
            ["peer"] => Ok((SlotId(7), Type::Stage(0))),
            _ => Err(NameError { message: format!("{} is unknown", path.join(".")), nearest: None }),
        }
    }

    fn call(&mut self, function: &str, _: &[&str]) -> Result<(SlotId, Type), NameError> {
        Err(NameError { message: format!("{function} is unknown"), nearest: None })
    }

    fn capability(&mut self, _: Option<&str>, capability: &str) -> Result<(u16, u16), NameError> {
        Err(NameError { message: format!("{capability} is unknown"), nearest: None })
    }

    fn stages(&self, _: u16) -> &[StageName] {
        &self.stages
    }

    fn symbols(&mut self) -> &mut Symbols {
        &mut self.symbols
    }
}

struct Answers {
    symbols: Symbols,
    values: [Value; 8],
}

impl Slots for Answers {
    fn value(&mut self, slot: SlotId) -> Value {
        self.values[slot.0 as usize]
    }

    fn can(&mut self, _: u16, _: u16) -> bool {
        unreachable!("no generated expression asks for a capability")
    }

    fn symbols(&self) -> &Symbols {
        &self.symbols
    }
}

fn ours(text: &str, subject: &Subject) -> Result<bool, ConditionFault> {
    let mut language = language();
    let condition = compile(text, &mut language).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    let mut symbols = language.symbols;
    let mut attribute = |text: Option<&str>| text.map_or(Value::Missing, |text| Value::Text(symbols.intern(text)));
    let values = [
        attribute(subject.segment),
        attribute(subject.name),
        subject.score.map_or(Value::Missing, Value::Int),
        Value::Int(subject.code),
        Value::Float(subject.ratio),
        Value::Bool(subject.beta),
        Value::Stage { feature: 0, stage: subject.stage },
        Value::Stage { feature: 0, stage: subject.peer },
    ];
    condition.eval(&mut Answers { symbols, values })
}

fn theirs(text: &str, subject: &Subject) -> Result<bool, String> {
    let program = Program::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut context = Context::default();
    let attributes: [Option<(Key, CelValue)>; 3] = [
        subject.segment.map(|text| ("segment".into(), text.into())),
        subject.name.map(|text| ("name".into(), text.into())),
        subject.score.map(|score| ("score".into(), score.into())),
    ];
    let tenant = Map { map: Arc::new(attributes.into_iter().flatten().collect()) };
    context.add_variable_from_value("tenant", CelValue::Map(tenant));
    context.add_variable_from_value("code", subject.code);
    context.add_variable_from_value("ratio", subject.ratio);
    context.add_variable_from_value("beta", subject.beta);
    context.add_variable_from_value("stage", i64::from(subject.stage));
    context.add_variable_from_value("peer", i64::from(subject.peer));
    match program.execute(&context) {
        Ok(CelValue::Bool(value)) => Ok(value),
        Ok(other) => panic!("{text} is {other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

/// A stream of small decisions; when it runs out, every decision is the first, which ends the expression.
struct Choices<'b> {
    bytes: std::slice::Iter<'b, u8>,
}

impl Choices<'_> {
    fn one_of(&mut self, count: usize) -> usize {
        self.bytes.next().map_or(0, |byte| *byte as usize % count)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.one_of(from.len())]
    }
}

/// One expression as we and as `cel` write it, and how tight its outermost operator binds.
#[derive(Clone, Debug)]
struct Written {
    ours: String,
    cel: String,
    binds: u8,
}

const OR: u8 = 1;
const AND: u8 = 2;
const RELATION: u8 = 3;
const SUM: u8 = 4;
const PRODUCT: u8 = 5;
const UNARY: u8 = 6;
const ATOM: u8 = 7;

fn atom(text: impl Into<String>) -> Written {
    let text = text.into();
    Written { ours: text.clone(), cel: text, binds: ATOM }
}

impl Written {
    /// In parentheses, if it binds less tight than `least`.
    fn within(self, least: u8) -> Written {
        if self.binds >= least {
            return self;
        }
        Written { ours: format!("({})", self.ours), cel: format!("({})", self.cel), binds: ATOM }
    }

    fn prefixed(self, sign: &str) -> Written {
        let of = self.within(ATOM);
        Written { ours: format!("{sign}{}", of.ours), cel: format!("{sign}{}", of.cel), binds: UNARY }
    }
}

fn infix(left: Written, operator: &str, right: Written, binds: u8) -> Written {
    let (left, right) = (left.within(binds), right.within(binds + 1));
    let join = |left: String, right: String| format!("{left} {operator} {right}");
    Written { ours: join(left.ours, right.ours), cel: join(left.cel, right.cel), binds }
}

fn choice(when: Written, then: Written, otherwise: Written) -> Written {
    let (when, then) = (when.within(OR), then.within(OR));
    let join = |when: String, then: String, otherwise: String| format!("{when} ? {then} : {otherwise}");
    Written { ours: join(when.ours, then.ours, otherwise.ours), cel: join(when.cel, then.cel, otherwise.cel), binds: 0 }
}

const RELATIONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];
const TEXTS: [&str; 7] = ["", "a", "ab", "b", "staff", "Zoë", "a\"b\n"];

fn bool_of(choices: &mut Choices, depth: u8) -> Written {
    let kinds = if depth == 0 { 5 } else { 16 };
    match choices.one_of(kinds) {
        0 => atom("beta"),
        1 => atom("true"),
        2 => atom(choices.pick(&["has(tenant.segment)", "has(tenant.score)"])),
        3 => stages(choices),
        4 => infix(atom("tenant.segment"), "==", atom("'staff'"), RELATION),
        5 | 6 => infix(bool_of(choices, depth - 1), "&&", bool_of(choices, depth - 1), AND),
        7 | 8 => infix(bool_of(choices, depth - 1), "||", bool_of(choices, depth - 1), OR),
        9 => bool_of(choices, depth - 1).prefixed("!"),
        10 | 11 => {
            let relation = choices.pick(&RELATIONS);
            infix(number(choices, depth - 1), relation, number(choices, depth - 1), RELATION)
        }
        12 => {
            let relation = choices.pick(&RELATIONS);
            infix(text(choices, depth - 1), relation, text(choices, depth - 1), RELATION)
        }
        13 => {
            let method = choices.pick(&["startsWith", "endsWith", "contains"]);
            let (within, what) = (text(choices, depth - 1).within(ATOM), text(choices, depth - 1));
            let join = |within: String, what: String| format!("{within}.{method}({what})");
            Written { ours: join(within.ours, what.ours), cel: join(within.cel, what.cel), binds: ATOM }
        }
        14 => listed(choices, depth - 1),
        _ => match choices.one_of(2) {
            0 => choice(bool_of(choices, depth - 1), bool_of(choices, depth - 1), bool_of(choices, depth - 1)),
            _ => infix(bool_of(choices, depth - 1), choices.pick(&RELATIONS), bool_of(choices, depth - 1), RELATION),
        },
    }
}

/// A comparison of stages: by name for us, by rank for `cel`.
fn stages(choices: &mut Choices) -> Written {
    let relation = choices.pick(&RELATIONS);
    let rank = choices.one_of(4);
    let name = Written { ours: format!("\"S{rank}\""), cel: rank.to_string(), binds: ATOM };
    let bare = Written { ours: format!("S{rank}"), ..name.clone() };
    match choices.one_of(5) {
        0 => infix(atom("stage"), relation, name, RELATION),
        1 => infix(bare, relation, atom("stage"), RELATION),
        2 => infix(atom("stage"), relation, atom("peer"), RELATION),
        3 => infix(choice(atom("beta"), atom("stage"), atom("peer")), relation, name, RELATION),
        _ => Written { ours: format!("peer in [S{rank}, 'S0']"), cel: format!("peer in [{rank}, 0]"), binds: RELATION },
    }
}

fn listed(choices: &mut Choices, depth: u8) -> Written {
    let of_texts = choices.one_of(2) == 0;
    let item = |choices: &mut Choices| if of_texts { text(choices, depth) } else { number(choices, depth) };
    let needle = item(choices);
    let items: Vec<Written> = (0..=choices.one_of(3)).map(|_| item(choices)).collect();
    let join = |of: fn(&Written) -> &str| format!("[{}]", items.iter().map(of).collect::<Vec<_>>().join(", "));
    let list = Written { ours: join(|item| &item.ours), cel: join(|item| &item.cel), binds: ATOM };
    infix(needle, "in", list, RELATION)
}

fn number(choices: &mut Choices, depth: u8) -> Written {
    if choices.one_of(3) < 2 { int(choices, depth) } else { float(choices, depth) }
}

fn int(choices: &mut Choices, depth: u8) -> Written {
    let kinds = if depth == 0 { 4 } else { 12 };
    match choices.one_of(kinds) {
        0 => atom("code"),
        1 => atom(choices.pick(&["0", "1", "2", "7", "0x1F", "9223372036854775807"])),
        2 => Written { binds: UNARY, ..atom(choices.pick(&["-1", "-3", "-9223372036854775808"])) },
        3 => atom("tenant.score"),
        4 | 5 => infix(int(choices, depth - 1), choices.pick(&["+", "-"]), int(choices, depth - 1), SUM),
        6..=8 => infix(int(choices, depth - 1), choices.pick(&["*", "/", "%"]), int(choices, depth - 1), PRODUCT),
        9 => int(choices, depth - 1).prefixed("-"),
        10 => {
            let of = text(choices, depth - 1);
            if choices.one_of(2) == 0 {
                Written { ours: format!("size({})", of.ours), cel: format!("size({})", of.cel), binds: ATOM }
            } else {
                let of = of.within(ATOM);
                Written { ours: format!("{}.size()", of.ours), cel: format!("{}.size()", of.cel), binds: ATOM }
            }
        }
        _ => choice(bool_of(choices, depth - 1), int(choices, depth - 1), int(choices, depth - 1)),
    }
}

/// Floats stay small and are never divided by zero, so that no NaN comes up.
fn float(choices: &mut Choices, depth: u8) -> Written {
    let kinds = if depth == 0 { 3 } else { 9 };
    match choices.one_of(kinds) {
        0 => atom("ratio"),
        1 => atom(choices.pick(&["0.0", "0.5", "1.0", ".25", "2.5e1", "7e-1"])),
        2 => Written { binds: UNARY, ..atom("-1.5") },
        3 | 4 => infix(float(choices, depth - 1), choices.pick(&["+", "-"]), float(choices, depth - 1), SUM),
        5 => infix(float(choices, depth - 1), "*", float(choices, depth - 1), PRODUCT),
        6 => infix(float(choices, depth - 1), "/", atom(choices.pick(&["2.0", "0.5", "3.0"])), PRODUCT),
        7 => float(choices, depth - 1).prefixed("-"),
        _ => choice(bool_of(choices, depth - 1), float(choices, depth - 1), float(choices, depth - 1)),
    }
}

fn text(choices: &mut Choices, depth: u8) -> Written {
    let kinds = if depth == 0 { 4 } else { 5 };
    match choices.one_of(kinds) {
        0 => atom("tenant.segment"),
        1 => atom("tenant.name"),
        2 => atom(format!("{:?}", choices.pick(&TEXTS))),
        3 => atom(choices.pick(&["'a'", "r'ab'", "'''staff'''", "\"\"\"b\"\"\"", "'\\x61\\142'", "'Zo\\u00eb'"])),
        _ => choice(bool_of(choices, depth - 1), text(choices, depth - 1), text(choices, depth - 1)),
    }
}

fn subjects() -> impl Strategy<Value = Subject> {
    let texts = || proptest::option::weighted(0.8, proptest::sample::select(&TEXTS[..]));
    let ints = || proptest::sample::select(vec![0, 1, 2, 3, 7, -1, -3, i64::MAX, i64::MIN]);
    let floats = proptest::sample::select(vec![0.0, -0.0, 0.5, 1.0, 2.0, -1.5, 3.25, 7.0]);
    let fields = (texts(), texts(), proptest::option::weighted(0.8, ints()), ints(), floats, any::<bool>(), 0..4_u16);
    (fields, 0..4_u16).prop_map(|((segment, name, score, code, ratio, beta, stage), peer)| Subject {
        segment,
        name,
        score,
        code,
        ratio,
        beta,
        stage,
        peer,
    })
}

#[test]
fn generated_conditions_decide_as_cel_does() {
    let config = ProptestConfig { cases: 2500, failure_persistence: None, ..ProptestConfig::default() };
    let bytes = proptest::collection::vec(any::<u8>(), 4..60);
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    // How many were true, false and faults: each has to come up for the test to mean anything.
    let decided = Cell::new([0_u32; 3]);
    let outcome = runner.run(&(bytes, proptest::collection::vec(subjects(), 4)), |(bytes, subjects)| {
        let written = bool_of(&mut Choices { bytes: bytes.iter() }, 4);
        for subject in subjects {
            let (ours, theirs) = (ours(&written.ours, &subject), theirs(&written.cel, &subject));
            prop_assert_eq!(ours.ok(), theirs.ok(), "{} as {} for {:?}", written.ours, written.cel, subject);
            let mut counts = decided.get();
            counts[ours.map_or(2, usize::from)] += 1;
            decided.set(counts);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(decided.get().iter().all(|count| *count > 500), "true, false, faults: {:?}", decided.get());
}

/// Someone without a score, at `S1`.
fn pilot() -> Subject {
    let (segment, name) = (Some("pilot"), Some("Zoë"));
    Subject { segment, name, score: None, code: 2, ratio: 1.5, beta: true, stage: 1, peer: 2 }
}

#[test]
fn the_table_of_precedence_absorption_and_escapes_holds_here_and_in_cel() {
    let (yes, no, fault) = (Some(true), Some(false), None);
    let cases = [
        // Precedence and associativity.
        ("1 + 2 * 3 == 7", yes),
        ("10 - 3 - 2 == 5", yes),
        ("100 / 10 / 2 == 5", yes),
        ("7 - -2 == 9", yes),
        ("-2 * -3 == 6", yes),
        ("true || false && false", yes),
        ("(true || false) && false", no),
        ("!false && false", no),
        ("1 < 2 == true", yes),
        ("false ? true : true ? false : true", no),
        ("true ? true : false ? false : false", yes),
        ("false || true ? false : true", no),
        ("2 in [1, 1 + 1] && beta", yes),
        ("-7 / 2 == -3 && -7 % 2 == -1 && 7 % -2 == 1", yes),
        ("--1 == 1 && !!true", yes),
        // Errors are absorbed by what decides, on either side.
        ("1 / 0 == 1 && false", no),
        ("false && 1 / 0 == 1", no),
        ("1 / 0 == 1 || true", yes),
        ("true || 1 % 0 == 1", yes),
        ("1 / 0 == 1 && true", fault),
        ("1 / 0 == 1 || false", fault),
        ("1 / 0 == 1 && true && false", no),
        ("tenant.score > 1 || false || beta", yes),
        ("tenant.score > 1", fault),
        ("!(tenant.score > 1)", fault),
        ("!has(tenant.score)", yes),
        ("has(tenant.score) && tenant.score > 1", no),
        ("(tenant.score > 1 ? true : true)", fault),
        ("beta ? true : tenant.score > 1", yes),
        ("2 in [2, tenant.score]", fault),
        // Arithmetic at the ends.
        ("9223372036854775807 + 1 > 0", fault),
        ("-9223372036854775808 - 1 < 0", fault),
        ("-9223372036854775808 / -1 > 0", fault),
        ("-(-9223372036854775807 - 1) > 0", fault),
        ("-9223372036854775808 < -9223372036854775807", yes),
        ("3000000000 * 4000000000 > 0", fault),
        ("0xff == 255 && -0x10 == -16", yes),
        (".5 + 1e1 == 10.5 && 1.0 / 0.0 > 1e300", yes),
        ("1 == 1.0 && 1 < 1.5 && 2.5 > 2 && 1 in [1.0]", yes),
        // Literals.
        (r#""a\"b" == 'a"b' && "\x41\u0042\U00000043\104" == 'ABCD'"#, yes),
        (r#"r"a\n" == "a\\n" && R'\\' == "\\\\""#, yes),
        ("'''it's\n''' == \"it's\\n\"", yes),
        ("\"\"\"say \"hi\" \"\"\" == 'say \"hi\" '", yes),
        (r#""\a\b\f\n\r\t\v\?\`\'" == '\007\010\014\012\015\011\013?`\''"#, yes),
        ("size('Zoë') == 3 && tenant.name.size() == 3", yes),
        ("tenant.name.startsWith('Zo') && tenant.name.endsWith('ë') && tenant.name.contains('')", yes),
        ("'abc' < 'abd' && 'Z' < 'a' && 'z' < 'ë' && 'a' < 'aa'", yes),
        ("false < true && !(true < true) && true >= false", yes),
        ("tenant.segment in ['staff', 'pilot',]", yes),
        ("true // a comment\n && beta", yes),
        ("tenant.segment\n\t==\r\n'pilot'", yes),
    ];
    for (text, expected) in cases {
        assert_eq!(ours(text, &pilot()).ok(), expected, "here: {text}");
        assert_eq!(theirs(text, &pilot()).ok(), expected, "in cel: {text}");
    }
}
