//! # The code map
//!
//! windtunnel tries a feature rollout on a model of an estate. **A run** is one scenario with one seed:
//!
//! ```text
//! scenarios/*.yaml ─ read ─► tree ─ resolve ─► Plan ─ assemble(plan, seed) ─► World
//!    ─ execute: pop → dispatch → handler ─► events + observations
//!    ─► checkers, metrics, trace ─► RunSummary ─► campaign ─► report
//! ```
//!
//! Nothing downstream reads the world; nothing upstream knows a report format. A file may be wrong, a
//! [`Plan`](scenario::Plan) cannot be. [`World`](models::world::World) is `Clone`, which is the checkpoint.
//!
//! **Start reading** at [`models::world`] (what moves, and the one dispatch), then [`models::observation`] (all that
//! checkers see), then one invariant, [`invariants`]. [`run::execute`] is the loop.
//!
//! ## Layers, bottom up
//!
//! A test holds this order; siblings never see each other.
//!
//! - [`theory`]: closed forms of what is simulated, as pure functions of numbers. Nothing of the engine is known here.
//! - [`units`]: integer time, shares, typed dense ids and pools. Nothing about rollouts.
//! - [`kernel`]: the event queue with its total order, keyed random streams, distributions, one digest over events and
//!   draws. No flag is known here.
//! - [`stats`]: what numbers from many seeds say, and how surely. No run is known here.
//! - [`rollout`]: features, stages, policies, conditions, decisions, steps, as pure functions. No time passes here.
//! - [`models`]: the moving parts, one state machine per file, over typed pools in one world. No handler returns a
//!   `Result`; no model holds another; nothing knows which failure a scenario is about.
//! - [`faults`]: one way to hurt per file, through [`levers`](models::levers) only. No fault writes a cache, a decision
//!   or an offset.
//! - [`invariants`]: one promise per file, online, over observations. No invariant draws, sends or waits.
//! - [`scenario`]: from text to plan. The located tree, the language as declarative tables, meaning, expressions,
//!   problems with their places. Nothing is simulated here and no file is opened.
//! - [`run`]: one seed. The loop and its limits, forks, checkpoints, metrics, series, attribution against the run without
//!   the rollout, the story. No second seed.
//! - [`campaign`]: many seeds on scoped threads, folded in seed order into a [`tally`](campaign::tally) of bounded size;
//!   expectations judged, variants compared, the best chosen, parameters swept, the estate broken on purpose. No format.
//! - [`report`]: one format per file, each a pure function of an outcome; the [`record`](report::record) of runs, from which
//!   campaigns go on and shards are merged. No judging, no clock.
//! - [`validation`]: the engine against [`theory`], family by family, through scenario texts like a user's. No shortcut
//!   into a model.
//! - [`cli`]: one subcommand per file. The only place that prints, opens files and looks at the clock.
//!
//! ## Where do I add …
//!
//! | a … | one new file in | and one line in |
//! |---|---|---|
//! | fault | `src/faults/` | [`faults::ALL`] |
//! | invariant | `src/invariants/` | [`invariants::ALL`] |
//! | metric | `src/run/metrics/` (or a line there) | [`models::metric::ALL`] |
//! | report format | `src/report/`, or over a suite of files `src/report/suite/` | [`report::ALL`], [`report::suite::ALL`] |
//! | key of the language | – | its table in `src/scenario/shapes/`, and its meaning in `src/scenario/resolve/` |
//! | default number | – | `src/scenario/defaults.rs`, with its source |
//! | comparison with theory | – | the laws of its family in `src/validation/families/`, its formula in `src/theory/` |
//! | closed form over a response curve | its file in `src/campaign/sweep/laws/` | [`campaign::sweep::laws::ALL`] |
//! | mutant | `src/campaign/mutate/operators/` (or a line there) | [`campaign::mutate::operators::ALL`] |
//! | subcommand | `src/cli/` | the `Command` enum of [`cli`] |
//! | key of what watches a plan | – | `src/scenario/shapes/guard.rs`, `models::guard`, and the course in `models/progress.rs` |
//! | shipped scenario | `scenarios/` | – (tests and CI walk the folder) |
//!
//! ## Determinism
//!
//! Held five times: handlers have no clock and no input; order is `(time, sequence)`; streams are keyed by names and
//! ordinals with ChaCha; clippy bans hash maps, clocks and platform-dependent maths (`clippy.toml`); tests compare
//! digests between runs, processes, numbers of jobs and orders of keys, and with those in `tests/golden`. The digest
//! takes events by name ([`models::identity`]); [`run::walk`] gives a run checkpoint by checkpoint, with which
//! `run --verify` and `replay` find the first differing event of two processes.

pub mod campaign;
pub mod cli;
pub mod faults;
pub mod invariants;
pub mod kernel;
pub mod models;
pub mod report;
pub mod rollout;
pub mod run;
pub mod scenario;
pub mod stats;
pub mod theory;
pub mod units;
pub mod validation;
