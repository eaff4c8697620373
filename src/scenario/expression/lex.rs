//! The text of a condition as tokens, with CEL's literals and escapes.

use std::ops::Range;

use super::ExpressionError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    /// The digits of an integer, without a sign.
    Int(u64),
    Float(f64),
    Text(String),
    Sign(&'static str),
    End,
}

#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) token: Token,
    pub(super) range: Range<usize>,
}

/// Longer signs first, so that `<=` is not read as `<`.
const SIGNS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ",", ".", "(", ")", "[", "]",
    "{", "}",
];

/// Splits `text` into tokens; the last one is always [`Token::End`].
pub(super) fn lex(text: &str) -> Result<Vec<Located>, ExpressionError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank();
        let start = lexer.at;
        let token = lexer.token()?;
        let end = token == Token::End;
        tokens.push(Located { token, range: start..lexer.at });
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, expected: &str) -> bool {
        let eaten = self.rest().starts_with(expected);
        if eaten {
            self.at += expected.len();
        }
        eaten
    }

    fn eat_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip_blank(&mut self) {
        loop {
            self.eat_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            if !self.eat("//") {
                return;
            }
            self.eat_while(|c| c != '\n');
        }
    }

    fn token(&mut self) -> Result<Token, ExpressionError> {
        let Some(first) = self.peek() else { return Ok(Token::End) };
        let rest = self.rest();
        if first == '"' || first == '\'' {
            return self.text_literal(Raw::No);
        }
        if ["r\"", "r'", "R\"", "R'"].iter().any(|raw| rest.starts_with(raw)) {
            self.at += 1;
            return self.text_literal(Raw::Yes);
        }
        if ["b\"", "b'", "B\"", "B'"].iter().any(|bytes| rest.starts_with(bytes)) {
            return Err(ExpressionError::new(self.at..self.at + 1, "conditions have texts, not bytes")
                .help("leave the letter before the quote out"));
        }
        if first.is_ascii_alphabetic() || first == '_' {
            return Ok(Token::Name(self.eat_while(|c| c.is_ascii_alphanumeric() || c == '_').to_owned()));
        }
        let second = rest.chars().nth(1);
        if first.is_ascii_digit() || (first == '.' && second.is_some_and(|c| c.is_ascii_digit())) {
            return self.number();
        }
        match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            Some(sign) => {
                self.at += sign.len();
                Ok(Token::Sign(sign))
            }
            None => Err(self.unknown(first)),
        }
    }

    fn unknown(&self, first: char) -> ExpressionError {
        let range = self.at..self.at + first.len_utf8();
        let error = ExpressionError::new(range, format!("`{first}` means nothing in a condition"));
        match first {
            '=' => error.help("equality is written =="),
            '&' => error.help("\"and\" is written &&"),
            '|' => error.help("\"or\" is written ||"),
            '“' | '”' | '„' | '‘' | '’' | '`' => error.help("write plain quotes, \" or '"),
            '≤' => error.help("write <="),
            '≥' => error.help("write >="),
            '≠' => error.help("write !="),
            '$' => error.help("a parameter is written \"${name}\" and needs to be one the file declares"),
            _ => error,
        }
    }

    fn number(&mut self) -> Result<Token, ExpressionError> {
        let start = self.at;
        let hexadecimal = self.eat("0x");
        let token = if hexadecimal {
            let digits = self.eat_while(|c| c.is_ascii_hexdigit());
            if digits.is_empty() {
                return Err(ExpressionError::new(start..self.at, "a hexadecimal number needs digits after 0x"));
            }
            u64::from_str_radix(digits, 16).ok().map(Token::Int)
        } else {
            let fractional = self.decimal();
            let digits = &self.text[start..self.at];
            if fractional {
                digits.parse::<f64>().ok().filter(|value| value.is_finite()).map(Token::Float)
            } else {
                digits.parse::<u64>().ok().map(Token::Int)
            }
        };
        let token = token.ok_or_else(|| ExpressionError::new(start..self.at, "this number is too large"))?;
        let unit = self.eat_while(|c| c.is_alphanumeric() || c == '_');
        if unit.is_empty() {
            return Ok(token);
        }
        let range = self.at - unit.len()..self.at;
        Err(match unit {
            "u" | "U" => ExpressionError::new(range, "conditions have no unsigned integers").help("leave the u out"),
            "ns" | "us" | "ms" | "s" | "m" | "h" | "d" => {
                let written = format!("a length of time in a condition is written duration(\"30{unit}\"), with quotes");
                ExpressionError::new(range, format!("a number in a condition has no unit, but here is `{unit}`"))
                    .help(written)
            }
            _ => ExpressionError::new(range, format!("a number in a condition has no unit, but here is `{unit}`"))
                .help("write the bare number; a text belongs in quotes"),
        })
    }

    /// Eats a decimal number; whether it has a fraction or an exponent.
    fn decimal(&mut self) -> bool {
        let is_digit = |c: char| c.is_ascii_digit();
        self.eat_while(is_digit);
        let mut fractional = false;
        if self.rest().strip_prefix('.').is_some_and(|rest| rest.starts_with(is_digit)) {
            self.at += 1;
            self.eat_while(is_digit);
            fractional = true;
        }
        if let Some(exponent) = self.rest().strip_prefix(['e', 'E']) {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.starts_with(is_digit) {
                self.at += 1 + exponent.len() - digits.len();
                self.eat_while(is_digit);
                fractional = true;
            }
        }
        fractional
    }

    fn text_literal(&mut self, raw: Raw) -> Result<Token, ExpressionError> {
        let start = self.at;
        let quote = if self.rest().starts_with('"') { '"' } else { '\'' };
        let triple: String = [quote; 3].iter().collect();
        let long = self.eat(&triple);
        if !long {
            self.at += 1;
        }
        let mut text = String::new();
        loop {
            let at = self.at;
            if long && self.eat(&triple) {
                return Ok(Token::Text(text));
            }
            match self.peek() {
                Some(c) if c == quote && !long => {
                    self.at += 1;
                    return Ok(Token::Text(text));
                }
                Some('\n' | '\r') | None if !long || self.peek().is_none() => {
                    let closing = if long { triple } else { quote.to_string() };
                    return Err(ExpressionError::new(start..at, "this text has no closing quote")
                        .help(format!("close it with {closing}")));
                }
                Some('\\') if raw == Raw::No => {
                    self.at += 1;
                    let escaped = self.escape();
                    let end = (self.at..=self.text.len()).find(|end| self.text.is_char_boundary(*end));
                    text.push(escaped.ok_or_else(|| {
                        ExpressionError::new(at..end.unwrap_or(at), "this escape is none of CEL's")
                            .help("a backslash itself is written \\\\, or the text as r\"...\"")
                    })?);
                }
                Some(c) => {
                    self.at += c.len_utf8();
                    text.push(c);
                }
                None => unreachable!("the end of the text was met above"),
            }
        }
    }

    /// The character of an escape whose backslash was eaten.
    fn escape(&mut self) -> Option<char> {
        let escape = self.peek()?;
        self.at += escape.len_utf8();
        match escape {
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            '\\' | '?' | '"' | '\'' | '`' => Some(escape),
            'x' | 'X' => self.code_point(2, 16),
            'u' => self.code_point(4, 16),
            'U' => self.code_point(8, 16),
            '0'..='3' => {
                self.at -= 1;
                self.code_point(3, 8)
            }
            _ => None,
        }
    }

    fn code_point(&mut self, digits: usize, radix: u32) -> Option<char> {
        let code = self.rest().get(..digits)?;
        if !code.chars().all(|c| c.is_digit(radix)) {
            return None;
        }
        self.at += digits;
        char::from_u32(u32::from_str_radix(code, radix).ok()?)
    }
}

/// Whether a text literal is taken as it stands, without escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Raw {
    No,
    Yes,
}
