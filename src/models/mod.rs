//! The moving parts: one state machine per file, typed pools in [`world::World`], one dispatch.
//!
//! Models meet through [`cx::Cx`] and through events; what they did is told by observations only. No handler returns
//! a `Result`: a plan cannot be wrong, and what goes wrong in the estate is an observation.

pub mod aggregate;
mod alarm;
pub mod amount;
mod approval;
pub mod cache;
pub mod carried;
pub mod client;
pub mod compensation;
pub mod control_plane;
pub mod cx;
mod deciding;
pub mod defect;
mod effect;
pub mod estate;
pub mod event;
pub mod exceptions;
pub mod fault;
mod flow;
pub mod gauge;
pub mod group;
pub mod guard;
mod held;
pub mod identity;
pub mod interaction;
pub mod journey;
pub mod keys;
pub mod levers;
pub mod member;
pub mod metric;
mod migration;
pub mod network;
pub mod observation;
mod overrides;
pub mod own_metric;
pub mod planted;
pub mod program;
mod progress;
pub mod reach;
pub mod reconciliation;
pub mod saga;
pub mod service;
mod silence;
pub mod streams;
pub mod sweep;
pub mod task;
pub mod timeline;
pub mod topic;
pub mod way_back;
pub mod world;
