//! A demand on a measured figure.

use super::rounds::{Spread, short};
use super::table::Table;

/// Which side of the figure is good.
#[derive(Clone, Copy, Debug)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// What was demanded, and what was measured. The median is what is judged.
#[derive(Clone, Debug)]
pub struct Bar {
    what: String,
    limit: Limit,
    measured: Spread,
}

impl Bar {
    pub fn at_most(what: impl Into<String>, most: f64, measured: Spread) -> Bar {
        Bar { what: what.into(), limit: Limit::AtMost(most), measured }
    }

    pub fn at_least(what: impl Into<String>, least: f64, measured: Spread) -> Bar {
        Bar { what: what.into(), limit: Limit::AtLeast(least), measured }
    }

    pub fn is_met(&self) -> bool {
        self.times_better() >= 1.0
    }

    /// How many times as good as demanded.
    fn times_better(&self) -> f64 {
        match self.limit {
            Limit::AtMost(most) => most / self.measured.median,
            Limit::AtLeast(least) => self.measured.median / least,
        }
    }

    fn verdict(&self) -> String {
        let better = self.times_better();
        if self.is_met() {
            format!("met, {better:.2} times as good")
        } else {
            format!("MISSED by a factor of {:.2}", 1.0 / better)
        }
    }

    fn row(&self) -> [String; 4] {
        let demand = match self.limit {
            Limit::AtMost(most) => format!("≤ {}", plain(most)),
            Limit::AtLeast(least) => format!("≥ {}", plain(least)),
        };
        [self.what.clone(), demand, self.measured.to_string(), self.verdict()]
    }

    /// All bars of a benchmark.
    pub fn table(title: &str, bars: &[Bar]) -> Table {
        let mut table = Table::new(title, &["bar", "demand", "measured", "verdict"]);
        for bar in bars {
            table.row(bar.row());
        }
        table
    }
}

/// The demand as the bar's author wrote it: no zeros at the end.
fn plain(value: f64) -> String {
    let text = short(value);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
