//! Scenario files: from text to a plan that cannot be wrong.
//!
//! Text becomes a located tree (`tree`), includes, variants, `--set` and parameters are applied to the tree
//! (`overlay`), the tree is held against the tables of the language (`shape`, `shapes`), and what its names mean is
//! resolved (`resolve`) into an estate and expectations ([`Plan`]). Every mistake found on the way is a [`Problem`]
//! with its place; all are told in one go. Nothing here simulates, and nothing here opens a file: whoever reads a
//! scenario says how files are read.

mod defaults;
pub mod expression;
mod files;
mod flagd;
mod hash;
pub mod lint;
mod merged;
mod migration;
mod names;
mod overlay;
pub mod plan;
pub mod problem;
pub mod quantity;
mod resolve;
mod schema;
mod shape;
mod shapes;
mod steps;
pub mod tree;

pub use plan::{Accepted, ComesOut, During, Expectation, Expected, Line, Plan};
pub use problem::{Problem, Severity, Sources, Span, render};
pub use schema::json_schema;
pub use steps::plan_steps;

use files::Files;
use merged::Merged;
use problem::Problems;
use tree::Node;

/// The scenario that runs where no file is named: the smallest one that shows a violation and its repair.
pub static EMBEDDED: &str = include_str!("../../scenarios/split-brain.yaml");

/// The name of the plan without an overlay.
pub const BASE: &str = "base";

/// Which plan of a scenario is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// `None` or `base`: the file as it is.
    pub variant: Option<&'a str>,
    /// Arguments of `--set`, `path=value`, in order.
    pub set: &'a [String],
}

/// A plan, and what its author may want to know.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub plan: Plan,
    /// Advice; nothing that keeps the plan from running.
    pub notes: Vec<Problem>,
}

/// Why a scenario does not run: every problem, with the texts they point into.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    pub problems: Vec<Problem>,
    pub sources: Sources,
}

impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&render(&self.problems, &self.sources, false))
    }
}

impl std::error::Error for Diagnostics {}

/// Where a value of a plan is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Written in the file, a variant or `--set`.
    Given,
    Default {
        source: &'static str,
    },
}

/// A number that a plan rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// As `--set` names it.
    pub path: String,
    /// As a file writes it.
    pub value: String,
    pub origin: Origin,
}

/// A scenario file, read once with its includes and the files it names; good for any number of variants.
#[derive(Debug)]
pub struct Scenario {
    name: String,
    summary: String,
    root: Node,
    sources: Sources,
    files: Files,
    /// What was found while reading: advice, and mistakes that concern every plan.
    found: Problems,
}

impl Scenario {
    /// Reads a scenario. `include` reads the files it names, by their paths relative to the scenario.
    ///
    /// # Errors
    /// What is not readable as text, YAML or a merged tree; mistakes of shape and meaning are told by [`Self::plan`].
    pub fn read(
        name: &str,
        bytes: &[u8],
        include: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Scenario, Diagnostics> {
        Scenario::read_for(name, bytes, &[], include)
    }

    /// Reads a scenario for plans with these `--set`s, which may name other files than the scenario does.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_for(
        name: &str,
        bytes: &[u8],
        set: &[String],
        include: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Scenario, Diagnostics> {
        let mut sources = Sources::default();
        let mut found = Problems::default();
        let root = match tree::read(&mut sources, name, bytes) {
            Ok(root) => merged::with_includes(root, &mut sources, include, &mut found),
            Err(problems) => return Err(Diagnostics { problems, sources }),
        };
        if found.has_errors() {
            return Err(Diagnostics { problems: found.into_vec(), sources });
        }
        let text_of = |key: &str| root.get(key).filter(|node| !node.is_null()).and_then(Node::as_text);
        let mut scenario = Scenario {
            name: text_of("name").unwrap_or("scenario").to_owned(),
            summary: text_of("summary").unwrap_or_default().to_owned(),
            root,
            sources,
            files: Files::default(),
            found,
        };
        scenario.read_files(set, include);
        Ok(scenario)
    }

    /// Reads the flag files and samples that the base or a variant names.
    fn read_files(&mut self, set: &[String], include: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>) {
        let mut variants: Vec<Option<String>> = self.variants().into_iter().map(Some).collect();
        variants.insert(0, None);
        for variant in variants {
            let mut ignored = Problems::default();
            // What is wrong with them is told when a plan is asked for.
            let set = merged::arguments(set, &mut Sources::default(), &mut ignored);
            let merged = Merged::new(&self.root, variant.as_deref(), set, &mut ignored);
            self.files.collect(&merged.root, &mut self.sources, include);
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The question the scenario answers; empty where it does not say.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The names of the variants, in the order of the file, without the base.
    pub fn variants(&self) -> Vec<String> {
        let variants = self.root.get("variants").and_then(Node::as_map).unwrap_or_default();
        variants.iter().map(|entry| entry.name().to_owned()).collect()
    }

    /// Every text that was read; problems of [`Self::check`] and notes point into it.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The plan of one variant.
    ///
    /// # Errors
    /// Every mistake of shape and meaning in that variant, and everything this version cannot simulate.
    pub fn plan(&self, request: &Request<'_>) -> Result<Loaded, Diagnostics> {
        let mut sources = self.sources.clone();
        let resolved = self.resolved(request, &mut sources);
        match resolved.plan {
            Some(plan) => Ok(Loaded { plan, notes: resolved.problems.into_vec() }),
            None => Err(Diagnostics { problems: resolved.problems.into_vec(), sources }),
        }
    }

    /// Every problem of the base and of all variants, each once.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        let mut variants: Vec<Option<String>> = self.variants().into_iter().map(Some).collect();
        variants.insert(0, None);
        for variant in variants {
            let request = Request { variant: variant.as_deref(), set: &[] };
            problems.extend(self.resolved(&request, &mut self.sources.clone()).problems.into_vec());
        }
        problems.into_vec()
    }

    fn resolved(&self, request: &Request<'_>, sources: &mut Sources) -> resolve::Resolved {
        self.merged(request, sources).1
    }

    /// The tree of one variant, and what it comes to.
    fn merged(&self, request: &Request<'_>, sources: &mut Sources) -> (Merged, resolve::Resolved) {
        let mut problems = self.found.clone();
        let variant = request.variant.filter(|name| *name != BASE);
        let set = merged::arguments(request.set, sources, &mut problems);
        let merged = Merged::new(&self.root, variant, set, &mut problems);
        shape::check(&merged.root, &shape::Value::Object(&shapes::SCENARIO), "a scenario", &mut problems);
        let subject = resolve::Subject {
            sources,
            files: &self.files,
            variant: variant.unwrap_or(BASE),
            params: &merged.params,
            hashed: &merged.unexpanded,
        };
        let resolved = resolve::resolve(&merged.root, &subject, problems);
        let problems = without_consequences(resolved.problems, &merged.blanks);
        (merged, resolve::Resolved { problems, ..resolved })
    }
}

impl Scenario {
    /// The flag file that a tree names, where it could be read.
    fn flag_file(&self, root: &Node) -> Option<&Node> {
        self.files.flags(root.get("flags")?.get("file")?.as_text()?)?.as_ref().ok()
    }
}

/// Of the problems at one place with an unknown parameter only that it is unknown.
fn without_consequences(problems: Problems, blanks: &[Span]) -> Problems {
    if blanks.is_empty() {
        return problems;
    }
    let consequence = |problem: &Problem| {
        problem.span.is_some_and(|span| blanks.contains(&span)) && !problem.message.contains("parameter")
    };
    let mut kept = Problems::default();
    kept.extend(problems.into_vec().into_iter().filter(|problem| !consequence(problem)));
    kept
}

/// Every number that a plan rests on: given in the file, or a default with its source. Empty where the scenario is
/// too wrong to be read.
pub fn assumptions(scenario: &Scenario, request: &Request<'_>) -> Vec<Assumption> {
    let (merged, resolved) = scenario.merged(request, &mut scenario.sources.clone());
    let mut assumptions = resolved.assumptions;
    for preset in merged.presets {
        // What is read where a preset stands is the preset's.
        let within =
            |path: &str| path.strip_prefix(&preset.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        assumptions.retain(|known| !within(&known.path));
        let origin = Origin::Default { source: preset.source };
        assumptions.push(Assumption { path: preset.path, value: preset.value, origin });
    }
    if let Some(plan) = &resolved.plan {
        let mut default = |path: &str, value: String, source| {
            if !assumptions.iter().any(|known| known.path == path) {
                assumptions.push(Assumption { path: path.to_owned(), value, origin: Origin::Default { source } });
            }
        };
        default("drain", plan.estate.drain.to_string(), "the longest active deadline");
        let patience = crate::models::estate::CUSTOMER_PATIENCE.to_string();
        default("customer's patience (fixed)", patience, "nginx's proxy_read_timeout");
    }
    assumptions.sort_by(|a, b| a.path.cmp(&b.path));
    assumptions.dedup();
    assumptions
}
