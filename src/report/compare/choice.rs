//! What `compare --best` prints: the variant that was chosen, and how far each of the others came.

use super::{SCHEMA_VERSION, aligned};
use crate::campaign::select::{Choice, Chosen, Contender, Fate};
use crate::report::number::{self, counted, quantity};
use crate::stats::binomial;
use serde_json::{Value as Json, json};

/// For people.
pub fn choice_text(scenario: &str, found: &Chosen, choice: &Choice<'_>) -> String {
    let unit = found.contenders.first().map_or("1", |one| one.unit);
    let indifferent = quantity(choice.indifference, unit);
    let runs: u64 = found.contenders.iter().map(|one| one.runs).sum();
    let all = found.seeds * found.contenders.len() as u64;
    let mut out = match found.best {
        Some(best) => {
            let best = &found.contenders[best];
            format!(
                "{scenario} · the best is {}, with {}% confidence, unless another is within {indifferent} of it in {}\n",
                best.variant,
                number::quantity((1.0 - choice.alpha) * 100.0, "1"),
                choice.primary
            )
        }
        None if found.stopped => format!("{scenario} · INTERRUPTED before the best was found\n"),
        None if found.contenders.iter().all(|one| matches!(one.fate, Fate::Infeasible { .. })) => {
            format!(
                "{scenario} · INCONCLUSIVE: no variant may be chosen, each violates an invariant that the file names\n"
            )
        }
        None => format!(
            "{scenario} · INCONCLUSIVE: {} do not tell which is the best by {indifferent}: more seeds would, or a greater \
             --indifference\n",
            counted(found.seeds, "seed", "seeds")
        ),
    };
    out.push_str(&format!("{} instead of {}\n\n", counted(runs, "run", "runs"), number::count(all)));
    let mut rows = vec![["variant".to_owned(), choice.primary.to_owned(), "runs".to_owned(), "why".to_owned()]];
    rows.extend(
        found
            .contenders
            .iter()
            .map(|one| [one.variant.clone(), quantity(one.mean, one.unit), number::count(one.runs), fate(one)]),
    );
    out.push_str(&aligned(&rows, 1));
    number::with_plain_spaces(&out)
}

fn fate(one: &Contender) -> String {
    match &one.fate {
        Fate::Best => "the best".to_owned(),
        Fate::Undecided => "not told from another".to_owned(),
        // Twenty equal seeds say nothing of what one run in a hundred does.
        Fate::Level => format!(
            "no better, no worse in {}: a difference in fewer than {} of runs need not have shown",
            counted(one.runs, "seed", "seeds"),
            number::percent(binomial::upper_bound(0, one.runs, 0.95))
        ),
        Fate::Worse => format!("worse, left out after {}", counted(one.runs, "seed", "seeds")),
        Fate::Infeasible { invariant, seed } => format!("violates {invariant}, first with seed {seed}"),
    }
}

/// For other tools.
pub fn choice_json(scenario: &str, found: &Chosen, choice: &Choice<'_>) -> String {
    let contender = |one: &Contender| {
        let (fate, by) = match &one.fate {
            Fate::Best => ("best", Json::Null),
            Fate::Undecided => ("undecided", Json::Null),
            Fate::Worse => ("worse", Json::Null),
            Fate::Level => ("level", Json::Null),
            Fate::Infeasible { invariant, seed } => ("infeasible", json!({ "invariant": invariant, "seed": seed })),
        };
        json!({ "variant": one.variant, "runs": one.runs, "mean": one.mean, "fate": fate, "violates": by })
    };
    let whole = json!({
        "schema_version": SCHEMA_VERSION,
        "windtunnel": env!("CARGO_PKG_VERSION"),
        "scenario": scenario,
        "primary": choice.primary,
        "indifference": choice.indifference,
        "alpha": choice.alpha,
        "best": found.best.map(|best| &found.contenders[best].variant),
        "seeds": found.seeds,
        "interrupted": found.stopped,
        "variants": found.contenders.iter().map(contender).collect::<Vec<Json>>(),
    });
    format!("{whole:#}\n")
}
