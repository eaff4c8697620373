//! A flag file as features: each variant a stage with a value.

use super::Draft;
use super::features::bare_feature;
use super::place::Place;
use crate::rollout::{Stage, StageId};
use crate::scenario::flagd::{self, Flag};
use crate::scenario::problem::Problem;

/// The stage of a flag that answers with the constant in the code.
const CODE_DEFAULT: &str = "code-default";

impl<'a> Draft<'a> {
    pub(super) fn flag_file(&mut self, place: &Place<'a>) {
        let file = place.key("file");
        let Some(path) = file.text() else { return };
        let tree = match self.files.flags(path) {
            None => {
                self.problems.push(crate::scenario::files::was_not_read(path, file.span));
                return;
            }
            Some(Err(problems)) => {
                let placed = |problem: &Problem| Problem { span: problem.span.or(Some(file.span)), ..problem.clone() };
                self.problems.extend(problems.iter().map(placed));
                return;
            }
            Some(Ok(tree)) => tree,
        };
        let known = |name: &str| self.attribute_path(name);
        let (flags, problems) = flagd::read(tree, &known);
        self.problems.extend(problems);
        for flag in flags {
            self.add_flag(flag);
        }
    }

    /// How a condition names an attribute of the evaluation context, where the scenario has it.
    fn attribute_path(&self, name: &str) -> Option<String> {
        let has = |attributes: &[(String, Vec<String>)]| attributes.iter().any(|(known, _)| known == name);
        if has(&self.vocabulary.request_attributes) {
            return Some(format!("request.{name}"));
        }
        has(&self.vocabulary.tenant_attributes).then(|| format!("tenant.{name}"))
    }

    fn add_flag(&mut self, flag: Flag) {
        if self.estate.feature_named(&flag.name).is_some() {
            let message = format!("`{}` is a feature of the scenario and a flag of the flag file", flag.name);
            self.error(flag.span, message, "the second of this name");
            return;
        }
        if let Some(why) = flag.unusable {
            let problem = Problem::unsupported(flag.span, &format!("the flag `{}` ({why})", flag.name));
            self.unusable.insert(flag.name, problem.label("used here"));
            return;
        }
        let mut feature = bare_feature(&flag.name);
        let mut variants = flag.variants;
        let default = flag.default.unwrap_or_else(|| {
            let zero = flagd::zero_like(variants.first().map(|(_, value)| *value));
            variants.push((CODE_DEFAULT.to_owned(), zero));
            CODE_DEFAULT.to_owned()
        });
        // By value, so that the order of keys decides nothing and `at most as permissive` means a smaller value.
        variants.sort_by(|a, b| a.1.number().total_cmp(&b.1.number()).then_with(|| a.0.cmp(&b.0)));
        let mut rank = 0_u16;
        let mut before: Option<f64> = None;
        for (name, value) in variants {
            let number = value.number();
            rank += u16::from(before.is_some_and(|before| before < number));
            before = Some(number);
            feature.stages.push(Stage { name, rank: Some(rank), grants: Vec::new(), value: Some(value) });
        }
        let default = feature.stage(&default).unwrap_or(StageId(0));
        (feature.safe_stage, feature.initial_stage) = (default, default);
        self.flag_targeting.push((flag.name, flag.targeting));
        self.estate.features.push(feature);
    }
}
