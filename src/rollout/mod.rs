//! Features, stages, policies and decisions: pure functions of what they are given.
//!
//! Nothing here knows of time passing, of caches or of services. A policy version is a value; deciding is a
//! function of a policy, a feature and a subject.

pub mod condition;
pub mod decide;
pub mod feature;
pub mod policy;
pub mod precedence;
pub mod step;
pub mod strategy;
pub mod vocabulary;

pub use condition::{Condition, Symbol, Symbols};
pub use decide::{Decision, Reason, Subject, decide};
pub use feature::{Contract, Feature, FeatureId, FlagValue, Stage, StageId, WhenUnknown};
pub use policy::{FeaturePolicy, Kill, Override, Policy, PolicyVersion, Rule, Scope, Who};
pub use step::{BucketBy, Move, Step};
