//! The page on metrics says what the catalogue says.

use windtunnel::models::metric::{ALL, named};

const PAGE: &str = include_str!("../docs/metrics.md");

#[test]
fn the_page_lists_every_metric_of_the_catalogue_with_its_formula_in_its_order() {
    let (_, table) = PAGE.split_once("| metric | unit | formula |\n|---|---|---|\n").expect("the page has the table");
    let line = |metric: &windtunnel::models::metric::Metric| {
        format!("| `{}` | {} | {} |\n", metric.name, metric.unit, metric.formula)
    };
    let wanted: String = ALL.iter().map(line).collect();
    assert_eq!(table, wanted, "the table is, in full:\n{wanted}");
}

#[test]
fn every_question_on_strategies_is_answered_by_metrics_that_there_are_or_says_why_not() {
    let (_, questions) = PAGE.split_once("| question | metrics |\n|---|---|\n").expect("the page has the questions");
    let questions: Vec<&str> = questions.lines().take_while(|line| line.starts_with("| ")).collect();
    assert_eq!(questions.len(), 22);
    for question in questions {
        let quoted: Vec<&str> = question.split('`').skip(1).step_by(2).collect();
        let whole = |name: &&&str| named(name).is_some();
        assert!(
            quoted.iter().any(|name| whole(&name))
                || question.contains("not measured")
                || question.contains("invariant")
        );
        for name in quoted.iter().filter(|name| name.contains('_') && !name.starts_with('.')) {
            assert!(whole(&name), "{question}: there is no metric {name}");
        }
    }
}
