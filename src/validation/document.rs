//! What was measured, as a page: one section per family, with a table and a plot.

use super::verdict::{self, Agreement};
use super::{Effort, Estimate, Family, Law, Measured};
use crate::report::number;
use std::fmt::Write;

/// The page over these families, each with what was measured of it. Depends on nothing but its arguments.
pub fn document(families: &[(&'static Family, Vec<Measured>)], effort: Effort) -> String {
    let all: Vec<Measured> = families.iter().flat_map(|(_, measured)| measured.iter().cloned()).collect();
    let agreement = verdict::judge(&all, effort);
    let mut page = introduction(&all, &agreement, effort);
    for (family, measured) in families {
        section(&mut page, family, measured);
    }
    page
}

fn introduction(all: &[Measured], agreement: &Agreement, effort: Effort) -> String {
    let full = if effort == Effort::Full { " --full" } else { "" };
    let exact = all.iter().filter(|one| one.case.law.estimate == Estimate::Exactly).count();
    let worst = all.iter().filter_map(Measured::z).map(f64::abs).fold(0.0, f64::max);
    let mean_square = agreement.mean_square.map_or("none".to_owned(), |mean| format!("{mean:.2}"));
    let verdict = if agreement.disagreements.is_empty() { "The engine agrees." } else { "**The engine disagrees.**" };
    let mut page = format!(
        "# The engine against theory\n\n\
         Written by `windtunnel validate{full} --out docs`; not by hand.\n\n\
         Where a closed form exists, a scenario text is generated for it, read like any scenario file and run by the \
         ordinary engine, until the samples would show a bias of {} with five standard errors. Samples come from parts \
         of an estate that share nothing, and no two rows share a seed. The closed forms are in `src/theory`, know \
         nothing of the engine, and were confirmed by simulations that do not know it either.\n\n\
         {verdict} {} comparisons with a standard error: the largest |z| is {worst:.2} (bound 4), the mean of z² is \
         {mean_square} (bounds 0.6 and 1.5). {} where every sample must be the value itself. {} runs, {} events.\n",
        number::percent(effort.bias()),
        number::count(agreement.compared as u64),
        number::counted(exact as u64, "comparison", "comparisons"),
        number::count(all.iter().map(|one| one.runs).sum()),
        number::count(all.iter().map(|one| one.events).sum()),
    );
    for disagreement in &agreement.disagreements {
        let _ = write!(page, "\n- {disagreement}");
    }
    page
}

fn section(page: &mut String, family: &Family, measured: &[Measured]) {
    let (title, sentence, name) = (family.title, family.sentence, family.name);
    let _ = write!(
        page,
        "\n## {title}\n\n{sentence}\n\n![Measured points with two standard errors to both sides, theory as a line](validation/{name}.svg)\n\n\
         | quantity | parameter | measured | theory | deviation | z | samples |\n|---|---|---:|---:|---:|---:|---:|\n"
    );
    for one in measured {
        page.push_str(&row(one));
    }
    page.push('\n');
    for law in family.laws {
        page.push_str(&described(law));
    }
}

/// The symbol of a parameter is the last word of its name before the unit.
fn symbol(law: &Law) -> &str {
    law.parameter.split(" (").next().unwrap_or_default().split(' ').next_back().unwrap_or_default()
}

fn row(one: &Measured) -> String {
    let law = one.case.law;
    let exact = law.estimate == Estimate::Exactly;
    let z = one.z().map_or("exact".to_owned(), |z| format!("{z:+.2}"));
    let deviation = if exact { String::new() } else { format!("{:+.2}%", 100.0 * one.deviation()) };
    let error = if exact { String::new() } else { format!(" ± {}", number::plain(one.error)) };
    format!(
        "| `{}` | {} = {} | {}{error} | {} | {deviation} | {z} | {} |\n",
        law.name,
        symbol(law),
        one.case.at,
        number::plain(one.value),
        number::plain(one.theory),
        number::count(one.samples as u64),
    )
}

fn described(law: &Law) -> String {
    format!(
        "- `{}`, {} ({}): `{}`. Assumes {}. Scenario: {}.\n",
        law.name, law.sentence, law.unit, law.formula, law.assumptions, law.scenario_in_short
    )
}
