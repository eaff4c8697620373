//! Regions, tenants, attributes.

use super::Draft;
use super::place::Place;
use crate::models::estate::{Attribute, Population, Region};
use crate::rollout::Symbol;
use crate::scenario::defaults;
use crate::scenario::names::{AGE, JOINED};
use crate::scenario::problem::{Problem, Span};
use crate::units::{IdVec, Share};

impl<'a> Draft<'a> {
    pub(super) fn population(&mut self, place: &Place<'a>) {
        let regions = place.key("regions");
        if regions.is_given() {
            for (name, share, span) in self.shares(&regions, "region") {
                self.check_name("region", &name, span);
                self.estate.regions.push(Region { name, share });
            }
        }
        if self.estate.regions.is_empty() {
            self.estate.regions.push(Region { name: "local".to_owned(), share: Share::ALL });
        }
        let names: Vec<String> = self.estate.regions.iter().map(|region| region.name.clone()).collect();
        for name in &names {
            let symbol = self.vocabulary.symbols.intern(name);
            self.estate.region_symbols.push(symbol);
        }
        self.vocabulary.regions = names;
        let tenants = place.key("tenants");
        let count = self.count(&tenants.key("count"), 1_000_000, defaults::TENANTS).max(1);
        let users = self.count(&tenants.key("users"), 10_000_000, defaults::USERS).max(1);
        let zipf = self.number(&tenants.key("traffic").key("zipf"), 0.0, 10.0, defaults::ZIPF);
        let mut attributes = Vec::new();
        for (entry, values) in tenants.key("attributes").named() {
            let name = entry.name();
            if matches!(name, "region" | "id" | JOINED | AGE) {
                let message = format!("`tenant.{name}` is known without being declared");
                self.error(entry.key.span, message, "expected another name");
                continue;
            }
            let values = self.attribute_values(&values);
            let texts = values.iter().map(|(text, ..)| text.clone()).collect();
            self.vocabulary.tenant_attributes.push((name.to_owned(), texts));
            let values = values.into_iter().map(|(_, symbol, share)| (symbol, share)).collect();
            attributes.push(Attribute { name: name.to_owned(), values });
        }
        let clients = place.key("clients").named();
        self.vocabulary.clients = clients.iter().map(|(entry, _)| entry.name().to_owned()).collect();
        for (entry, _) in clients {
            let symbol = self.vocabulary.symbols.intern(entry.name());
            self.estate.client_symbols.push(symbol);
        }
        let (all, joining) = self.joining(count, &tenants.key("joining"));
        self.estate.population = Population {
            tenants: all,
            joining,
            from_the_start: count,
            users_per_tenant: users,
            zipf,
            attributes,
            clients: IdVec::default(),
        };
    }

    /// All tenants there will be, and how many join in a second.
    fn joining(&mut self, count: u32, place: &Place<'a>) -> (u32, f64) {
        const MOST: f64 = 1_000_000.0;
        let Some(per_second) = self.maybe_rate(place) else { return (count, 0.0) };
        self.vocabulary.tenants_join = true;
        let all = f64::from(count) + (per_second * self.estate.duration.as_secs_f64()).floor();
        if all > MOST {
            self.error(
                place.span,
                format!("with those that join there are {all:.0} tenants"),
                "at most 1000000 are possible",
            );
            return (count, 0.0);
        }
        if all < f64::from(count) + 1.0 {
            let message = "no tenant joins before the last customer comes";
            let problem = Problem::error(place.span, message).label("too slow for this duration");
            self.problems.push(problem.help("write a higher rate, such as 1/h, or a longer duration"));
        }
        (all as u32, per_second)
    }

    /// The values of an attribute with their shares, by name.
    pub(super) fn attribute_values(&mut self, place: &Place<'a>) -> Vec<(String, Symbol, Share)> {
        let shares = self.shares(place, "value");
        let with_symbol = shares.into_iter().map(|(text, share, _)| {
            let symbol = self.vocabulary.symbols.intern(&text);
            (text, symbol, share)
        });
        with_symbol.collect()
    }

    /// Shares by name; they must make a whole.
    fn shares(&mut self, place: &Place<'a>, what: &str) -> Vec<(String, Share, Span)> {
        /// What rounding in a file may leave: a tenth of a percent.
        const TOLERANCE: f64 = 0.001;
        let mut shares = Vec::new();
        let mut sum = 0.0;
        let entries = place.named();
        let complete = entries.len();
        for (entry, value) in entries {
            if let Some(share) = self.maybe_share(&value) {
                sum += share.fraction();
                shares.push((entry.name().to_owned(), share, entry.key.span));
            }
        }
        if complete == 0 && place.is_given() {
            self.error(place.span, format!("no {what} at all"), "expected names with shares that sum to 100%");
        } else if shares.len() == complete && place.is_given() && (sum - 1.0_f64).abs() > TOLERANCE {
            let sum = format!("{:.3}", sum * 100.0);
            let sum = sum.trim_end_matches('0').trim_end_matches('.');
            let problem = Problem::error(place.span, format!("the shares sum to {sum}%, not to 100%"));
            self.problems.push(problem.label("expected shares of a whole"));
        }
        shares
    }

    /// Names of things are what paths, targets and conditions can name.
    pub(super) fn check_name(&mut self, what: &str, name: &str, span: Span) {
        const LONGEST: usize = 80;
        let wrong = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '.' | '/' | '"' | '\'' | '*' | ',');
        if name.len() > LONGEST || name.contains(wrong) {
            let message = format!("`{}` cannot be the name of a {what}", super::shown(name));
            self.error(span, message, "expected letters, digits, `-` and `_`, at most 80 of them");
        }
    }
}
