//! Tokens to a tree, with CEL's precedences and within the bounds on length and depth.

use std::ops::Range;

use super::ast::{Expression, Kind, Word};
use super::lex::{Located, Token, lex};
use super::{ExpressionError, MAX_DEPTH, MAX_LENGTH};
use crate::rollout::condition::code::{Arithmetic, Relation};

/// What CEL keeps for itself; none of these can be the name of a thing.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Reads one expression that takes up the whole text.
pub(super) fn parse(text: &str) -> Result<Expression, ExpressionError> {
    if text.len() > MAX_LENGTH {
        let message = format!("a condition is at most {MAX_LENGTH} bytes long, this one is {}", text.len());
        return Err(
            ExpressionError::new(0..text.len(), message).help("split it, or give it to the tenants as an attribute")
        );
    }
    let tokens = lex(text)?;
    if tokens.len() == 1 {
        return Err(ExpressionError::new(0..text.len(), "this condition is empty")
            .help("write true for a condition that always holds"));
    }
    let mut parser = Parser { tokens, at: 0, nesting: 0 };
    let expression = parser.expression()?;
    match parser.token() {
        Token::End => Ok(expression),
        _ => Err(parser.unexpected("the condition to end here, or an operator")),
    }
}

#[derive(Clone, Copy)]
enum Operator {
    Any,
    All,
    Relation(Relation),
    In,
    Arithmetic(Arithmetic),
}

impl Operator {
    /// Higher binds tighter; all are left-associative.
    fn precedence(self) -> u8 {
        match self {
            Operator::Any => 1,
            Operator::All => 2,
            Operator::Relation(_) | Operator::In => 3,
            Operator::Arithmetic(Arithmetic::Add | Arithmetic::Subtract) => 4,
            Operator::Arithmetic(Arithmetic::Multiply | Arithmetic::Divide | Arithmetic::Remainder) => 5,
        }
    }
}

struct Parser {
    tokens: Vec<Located>,
    at: usize,
    /// How many calls of [`Parser::expression`] are open.
    nesting: usize,
}

type Parsed = Result<Expression, ExpressionError>;

impl Parser {
    fn token(&self) -> &Token {
        &self.tokens[self.at].token
    }

    fn range(&self) -> Range<usize> {
        self.tokens[self.at].range.clone()
    }

    fn eat(&mut self, sign: &str) -> bool {
        let eaten = matches!(self.token(), Token::Sign(found) if *found == sign);
        self.at += usize::from(eaten);
        eaten
    }

    fn expect(&mut self, sign: &str) -> Result<usize, ExpressionError> {
        let end = self.range().end;
        if self.eat(sign) { Ok(end) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> ExpressionError {
        let found = match self.token() {
            Token::Name(name) => format!("`{name}`"),
            Token::Int(_) | Token::Float(_) => "a number".to_owned(),
            Token::Text(_) => "a text".to_owned(),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".to_owned(),
        };
        let error = ExpressionError::new(self.range(), format!("expected {wanted}, found {found}"));
        let word = if let Token::Name(name) = self.token() { name.to_lowercase() } else { String::new() };
        match word.as_str() {
            "and" => error.help("\"and\" is written &&"),
            "or" => error.help("\"or\" is written ||"),
            "is" => error.help("equality is written =="),
            "not" => error.help("\"not\" is written !, and \"not in\" as !(... in [...])"),
            _ => error,
        }
    }

    /// `kind`, unless that would be too deep.
    fn node(&self, kind: Kind, range: Range<usize>) -> Parsed {
        let expression = Expression::new(kind, range);
        if expression.depth > MAX_DEPTH {
            return Err(too_deep(expression.range));
        }
        Ok(expression)
    }

    fn expression(&mut self) -> Parsed {
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            return Err(too_deep(self.range()));
        }
        let when = self.binary(1)?;
        let result = if self.eat("?") {
            let then = self.binary(1)?;
            self.expect(":")?;
            let otherwise = self.expression()?;
            let range = when.range.start..otherwise.range.end;
            let (when, then, otherwise) = (Box::new(when), Box::new(then), Box::new(otherwise));
            self.node(Kind::If { when, then, otherwise }, range)?
        } else {
            when
        };
        self.nesting -= 1;
        Ok(result)
    }

    fn operator(&self) -> Option<Operator> {
        match self.token() {
            Token::Name(name) if name == "in" => Some(Operator::In),
            Token::Sign(sign) => Some(match *sign {
                "||" => Operator::Any,
                "&&" => Operator::All,
                "==" => Operator::Relation(Relation::Equal),
                "!=" => Operator::Relation(Relation::Different),
                "<" => Operator::Relation(Relation::Less),
                "<=" => Operator::Relation(Relation::AtMost),
                ">" => Operator::Relation(Relation::Greater),
                ">=" => Operator::Relation(Relation::AtLeast),
                "+" => Operator::Arithmetic(Arithmetic::Add),
                "-" => Operator::Arithmetic(Arithmetic::Subtract),
                "*" => Operator::Arithmetic(Arithmetic::Multiply),
                "/" => Operator::Arithmetic(Arithmetic::Divide),
                "%" => Operator::Arithmetic(Arithmetic::Remainder),
                _ => return None,
            }),
            Token::Name(_) | Token::Int(_) | Token::Float(_) | Token::Text(_) | Token::End => None,
        }
    }

    /// A run of operators that bind at least as tight as `least`.
    fn binary(&mut self, least: u8) -> Parsed {
        let mut left = self.unary()?;
        while let Some(operator) = self.operator().filter(|operator| operator.precedence() >= least) {
            self.at += 1;
            let right = self.binary(operator.precedence() + 1)?;
            let range = left.range.start..right.range.end;
            let kind = match operator {
                Operator::Any => match left.kind {
                    Kind::Any(parts) => Kind::Any(with(parts, right)),
                    _ => Kind::Any(vec![left, right]),
                },
                Operator::All => match left.kind {
                    Kind::All(parts) => Kind::All(with(parts, right)),
                    _ => Kind::All(vec![left, right]),
                },
                Operator::Relation(relation) => {
                    Kind::Compare { relation, left: Box::new(left), right: Box::new(right) }
                }
                Operator::In => Kind::In { needle: Box::new(left), list: Box::new(right) },
                Operator::Arithmetic(operation) => {
                    Kind::Arithmetic { operation, left: Box::new(left), right: Box::new(right) }
                }
            };
            left = self.node(kind, range)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let mut signs = Vec::new();
        loop {
            let start = self.range().start;
            if self.eat("!") {
                signs.push((start, '!'));
            } else if self.eat("-") {
                signs.push((start, '-'));
            } else {
                break;
            }
        }
        // A minus before a number is part of it: the smallest integer has no positive twin.
        let literal_sign = match (signs.last(), self.token()) {
            (Some((_, '-')), Token::Int(_) | Token::Float(_)) => signs.pop().map(|(start, _)| start),
            _ => None,
        };
        let mut expression = self.member(literal_sign)?;
        for (start, sign) in signs.into_iter().rev() {
            let range = start..expression.range.end;
            let of = Box::new(expression);
            expression = self.node(if sign == '!' { Kind::Not(of) } else { Kind::Negate(of) }, range)?;
        }
        Ok(expression)
    }

    /// A value with its fields and methods.
    fn member(&mut self, minus: Option<usize>) -> Parsed {
        let mut expression = self.primary(minus)?;
        loop {
            let start = expression.range.start;
            if self.eat(".") {
                let word = self.word()?;
                let kind = if self.eat("(") {
                    let args = self.list(")")?;
                    Kind::Method { target: Box::new(expression), method: word, args }
                } else if let Kind::Path(words) = expression.kind {
                    Kind::Path(with(words, word))
                } else {
                    return Err(ExpressionError::new(word.range, "only a name has fields"));
                };
                let end = self.tokens[self.at - 1].range.end;
                expression = self.node(kind, start..end)?;
            } else if matches!(self.token(), Token::Sign("[")) {
                return Err(ExpressionError::new(self.range(), "conditions do not index with [ ]")
                    .help("write a field as name.field, and a choice as name in [\"a\", \"b\"]"));
            } else {
                return Ok(expression);
            }
        }
    }

    fn word(&mut self) -> Result<Word, ExpressionError> {
        match self.token() {
            Token::Name(name) if !["true", "false", "null", "in"].contains(&name.as_str()) => {
                let word = Word { text: name.clone(), range: self.range() };
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.unexpected("the name of a field or method")),
        }
    }

    /// Expressions with commas between them, up to `closing`; CEL allows a comma after the last one of a list.
    fn list(&mut self, closing: &str) -> Result<Vec<Expression>, ExpressionError> {
        let mut items = Vec::new();
        while !self.eat(closing) {
            if !items.is_empty() {
                self.expect(",").map_err(|_| self.unexpected(&format!("`,` or `{closing}`")))?;
                if closing == "]" && self.eat(closing) {
                    break;
                }
            }
            items.push(self.expression()?);
        }
        Ok(items)
    }

    fn primary(&mut self, minus: Option<usize>) -> Parsed {
        let Located { token, range } = self.tokens[self.at].clone();
        let start = minus.unwrap_or(range.start);
        let end = range.end;
        self.at += 1;
        let kind = match token {
            Token::Int(digits) => {
                let value =
                    if minus.is_some() { 0_i64.checked_sub_unsigned(digits) } else { i64::try_from(digits).ok() };
                Kind::Int(value.ok_or_else(|| ExpressionError::new(start..end, "this number is too large"))?)
            }
            Token::Float(value) => Kind::Float(if minus.is_some() { -value } else { value }),
            Token::Text(text) => Kind::Text(text),
            Token::Name(name) => return self.named(name, range),
            Token::Sign("(") => {
                let inner = self.expression()?;
                let end = self.expect(")")?;
                return Ok(Expression { range: start..end, ..inner });
            }
            Token::Sign("[") => {
                let items = self.list("]")?;
                let end = self.tokens[self.at - 1].range.end;
                return self.node(Kind::List(items), start..end);
            }
            Token::Sign(_) | Token::End => {
                self.at -= 1;
                let error = self.unexpected("a value");
                let after_percent = self.at > 0 && self.tokens[self.at - 1].token == Token::Sign("%");
                return Err(if after_percent {
                    error.help("a share is written as a number: 0.02 for 2%")
                } else {
                    error
                });
            }
        };
        self.node(kind, start..end)
    }

    fn named(&mut self, name: String, range: Range<usize>) -> Parsed {
        match name.as_str() {
            "true" | "false" => return self.node(Kind::Bool(name == "true"), range),
            "null" => {
                return Err(ExpressionError::new(range, "nothing is null in a condition")
                    .help("has(tenant.segment) asks whether a subject has an attribute"));
            }
            "in" => {
                self.at -= 1;
                return Err(self.unexpected("a value"));
            }
            reserved if RESERVED.contains(&reserved) => {
                return Err(ExpressionError::new(range, format!("`{name}` is a word that CEL keeps for itself")));
            }
            _ => {}
        }
        let start = range.start;
        let word = Word { text: name, range: range.clone() };
        if !self.eat("(") {
            return self.node(Kind::Path(vec![word]), range);
        }
        let args = self.list(")")?;
        let end = self.tokens[self.at - 1].range.end;
        self.node(Kind::Call { function: word, args }, start..end)
    }
}

fn with<T>(mut items: Vec<T>, item: T) -> Vec<T> {
    items.push(item);
    items
}

fn too_deep(range: Range<usize>) -> ExpressionError {
    ExpressionError::new(range, format!("a condition is at most {MAX_DEPTH} levels deep"))
        .help("take parentheses away, or join conditions with && and ||")
}
