//! The engine against theory, family by family, over enough samples to see a bias of 5%.

use std::sync::OnceLock;
use windtunnel::validation::{ALL, Effort, Measured, document, judge, measure, plot};

/// Each family is measured once per process, by whoever asks first.
static MEASURED: [OnceLock<Vec<Measured>>; ALL_MOST] = [const { OnceLock::new() }; ALL_MOST];
const ALL_MOST: usize = 32;

fn measured(family: &str) -> &'static [Measured] {
    let index = ALL.iter().position(|one| one.name == family).expect("the family is in ALL");
    MEASURED[index].get_or_init(|| ALL[index].cases().map(|case| measure(case, Effort::Quick)).collect())
}

fn agrees(family: &str) {
    let agreement = judge(measured(family), Effort::Quick);
    assert!(agreement.disagreements.is_empty(), "{}", agreement.disagreements.join("\n"));
}

/// One test per family, so that they run side by side; and one that there is a test for each.
macro_rules! families {
    ($($name:ident),*) => {
        const TESTED: &[&str] = &[$(stringify!($name)),*];

        mod family {
            $(#[test]
            fn $name() {
                super::agrees(&stringify!($name).replace('_', "-"));
            })*
        }
    };
}

families!(caches, chains, on_demand, streaming, herd, queues, retries, lag, bucketing, exposure);

#[test]
fn every_family_is_tested_above() {
    let all: Vec<&str> = ALL.iter().map(|family| family.name).collect();
    let tested: Vec<String> = TESTED.iter().map(|name| name.replace('_', "-")).collect();
    assert_eq!(tested, all);
}

#[test]
fn the_deviations_of_all_families_together_are_those_of_chance() {
    let all: Vec<Measured> = ALL.iter().flat_map(|family| measured(family.name).iter().cloned()).collect();
    let agreement = judge(&all, Effort::Quick);
    assert!(agreement.disagreements.is_empty(), "{}", agreement.disagreements.join("\n"));
}

/// The section of a page that begins with this title.
fn section<'a>(page: &'a str, title: &str) -> &'a str {
    let begin = page.find(&format!("\n## {title}\n")).expect("the page has the family's section") + 1;
    let end = page[begin + 1..].find("\n## ").map_or(page.len(), |end| begin + 1 + end);
    page[begin..end].trim_end()
}

#[test]
fn the_committed_page_and_plot_of_a_family_are_what_the_program_makes_of_it() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let committed = |name: &str| std::fs::read_to_string(docs.join(name)).expect("the page is in the repository");
    let herd = ALL.iter().find(|family| family.name == "herd").expect("the family is in ALL");
    let measured: Vec<Measured> = herd.cases().map(|case| measure(case, Effort::Full)).collect();
    let repair = "`windtunnel validate --full --out docs` writes it";
    assert_eq!(committed("validation/herd.svg"), plot(herd, &measured), "{repair}");
    let page = document(&[(*herd, measured)], Effort::Full);
    assert_eq!(section(&committed("validation.md"), herd.title), section(&page, herd.title), "{repair}");
}
