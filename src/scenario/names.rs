//! What conditions may name, and the slots that stand for it.

use super::expression::{NameError, Names, StageName, Type};
use super::problem::nearest;
use crate::models::estate::Asked;
use crate::rollout::condition::SlotId;
use crate::rollout::{Feature, FeatureId, FlagValue, Symbols};
use crate::units::{Id, IdVec};

/// Everything that conditions of a scenario can name, wherever they stand.
#[derive(Debug, Default)]
pub struct Vocabulary {
    pub symbols: Symbols,
    /// What each slot means; the same question has one slot.
    pub slots: Vec<Asked>,
    pub stages: Vec<Vec<StageName>>,
    pub tenant_attributes: Vec<(String, Vec<String>)>,
    pub request_attributes: Vec<(String, Vec<String>)>,
    pub regions: Vec<String>,
    pub journeys: Vec<String>,
    pub services: Vec<String>,
    /// Whether tenants join during the run.
    pub tenants_join: bool,
    /// The clients users can have.
    pub clients: Vec<String>,
}

impl Vocabulary {
    pub fn slot(&mut self, asked: Asked) -> SlotId {
        let at = self.slots.iter().position(|known| *known == asked).unwrap_or_else(|| {
            self.slots.push(asked);
            self.slots.len() - 1
        });
        SlotId(u16::try_from(at).expect("validation bounds features and attributes, so that slots are fewer than 2^16"))
    }
}

/// Where a condition stands.
#[derive(Clone, Debug)]
pub enum Standing {
    /// In the targeting of a rollout or a flag file: whom a decision is about.
    Audience,
    /// Where a journey comes back to an entity that exists, which can have these statuses.
    Existing(Vec<String>),
    /// In a rule of an operation.
    Rule(RuleScope),
}

/// What a rule can name because of the journeys that reach it.
#[derive(Clone, Debug, Default)]
pub struct RuleScope {
    /// Features of the journeys from which the operation can be reached, in order.
    pub features: Vec<FeatureId>,
    /// Statuses of the entities it can be about.
    pub statuses: Vec<String>,
    /// Whether any journey reaches it.
    pub reached: bool,
}

/// What is told of a bare `stage` in an operation that is reached by no journey with a feature.
pub const OPEN_STAGE: &str = "no journey with a feature reaches this operation, so that it is open whose stage is meant; \
                              name the feature: stage(\"…\")";
/// What is told of `status` in an operation that is reached by no journey with an entity.
pub const OPEN_STATUS: &str = "no journey with an entity reaches this operation, so that nothing has a status";

/// The names of one condition.
pub struct ConditionNames<'a> {
    pub vocabulary: &'a mut Vocabulary,
    pub features: &'a IdVec<Feature>,
    pub standing: &'a Standing,
}

/// Of a tenant that was not there when the run began.
pub const JOINED: &str = "joined_after_start";
/// For how long a tenant has been one.
pub const AGE: &str = "age";

const AUDIENCE_WORDS: [&str; 6] = ["tenant", "user", "client", "request", "journey", "region"];
const EXISTING_WORDS: [&str; 6] = ["status", "tenant", "user", "client", "request", "journey"];
const RULE_WORDS: [&str; 12] = [
    "stage",
    "status",
    "tenant",
    "user",
    "client",
    "request",
    "journey",
    "region",
    "code",
    "attempt",
    "replayed",
    "domain_version",
];

fn error(message: impl Into<String>, nearest: Option<&str>) -> NameError {
    NameError { message: message.into(), nearest: nearest.map(str::to_owned) }
}

impl ConditionNames<'_> {
    fn is_rule(&self) -> bool {
        matches!(self.standing, Standing::Rule(_))
    }

    fn texts(values: &[String]) -> Type {
        Type::TextOf(values.to_vec())
    }

    fn attribute(&mut self, of: &str, name: &str) -> Result<(SlotId, Type), NameError> {
        let tenant = of == "tenant";
        let attributes = if tenant { &self.vocabulary.tenant_attributes } else { &self.vocabulary.request_attributes };
        let found = attributes.iter().position(|(known, _)| known == name);
        let Some(at) = found else {
            let fixed: &[&str] = if tenant { &["region", "id", JOINED, AGE] } else { &[] };
            let known = attributes.iter().map(|(known, _)| known.as_str()).chain(fixed.iter().copied());
            let near = nearest(name, known).map(|near| format!("{of}.{near}"));
            let where_to = if tenant { "population.tenants.attributes" } else { "the `attributes` of a journey" };
            return Err(NameError {
                message: format!("`{of}.{name}` is not an attribute: {where_to} has none of this name"),
                nearest: near,
            });
        };
        let of = Self::texts(&attributes[at].1);
        let index = u16::try_from(at).expect("validation bounds the number of attributes");
        let asked = if tenant { Asked::TenantAttribute(index) } else { Asked::RequestAttribute(index) };
        Ok((self.vocabulary.slot(asked), of))
    }

    fn unknown(&self, name: &str) -> NameError {
        let words: &[&str] = match self.standing {
            Standing::Rule(_) => &RULE_WORDS,
            Standing::Existing(_) => &EXISTING_WORDS,
            Standing::Audience => &AUDIENCE_WORDS,
        };
        if !self.is_rule() && RULE_WORDS.contains(&name) {
            return error(format!("`{name}` is known to a service at work, not when a decision is made"), None);
        }
        if self.features.iter().any(|feature| feature.name == name) {
            return error(format!("`{name}` is a feature: ask for its stage with stage(\"{name}\")"), None);
        }
        error(format!("`{name}` is not a name here"), nearest(name, words.iter().copied()))
    }

    fn bare_feature(&self, word: &str) -> Result<FeatureId, NameError> {
        let Standing::Rule(scope) = self.standing else {
            return Err(error("the stage is what the targeting decides, so that it cannot ask for it", None));
        };
        let call = |feature: FeatureId| match word {
            "stage" => format!("stage(\"{}\")", self.features[feature].name),
            capability => format!("can(\"{}\", \"{capability}\")", self.features[feature].name),
        };
        match scope.features.as_slice() {
            [feature] => Ok(*feature),
            [] => Err(error(OPEN_STAGE, None)),
            several => {
                let calls: Vec<String> = several.iter().map(|feature| call(*feature)).collect();
                Err(error(
                    format!("journeys with different features reach this operation: write {}", calls.join(" or ")),
                    None,
                ))
            }
        }
    }

    fn feature_named(&self, name: &str) -> Result<FeatureId, NameError> {
        let found = self.features.enumerate().find(|(_, feature)| feature.name == name);
        found.map(|(id, _)| id).ok_or_else(|| {
            let names = self.features.iter().map(|feature| feature.name.as_str());
            error(format!("there is no feature `{name}`"), nearest(name, names))
        })
    }
}

/// Position of a feature as conditions count it.
fn index(feature: FeatureId) -> u16 {
    u16::try_from(feature.index()).expect("validation bounds the number of features")
}

impl Names for ConditionNames<'_> {
    fn path(&mut self, path: &[&str]) -> Result<(SlotId, Type), NameError> {
        let rule = self.is_rule();
        let (asked, of) = match path {
            ["tenant", "region"] => (Asked::TenantRegion, Self::texts(&self.vocabulary.regions)),
            ["tenant", "id"] => (Asked::TenantId, Type::Int),
            ["tenant", JOINED] if self.vocabulary.tenants_join => (Asked::TenantJoined, Type::Bool),
            ["tenant", AGE] if self.vocabulary.tenants_join => (Asked::TenantAge, Type::Duration),
            ["tenant", JOINED | AGE] => {
                let message = "no tenant joins during the run: population.tenants.joining says how many would";
                return Err(error(message, None));
            }
            ["client", "name" | "old"] if self.vocabulary.clients.is_empty() => {
                return Err(error("nobody has a client: population.clients would say who", None));
            }
            ["client", "name"] => (Asked::Client, Self::texts(&self.vocabulary.clients)),
            ["client", "old"] => (Asked::ClientOld, Type::Bool),
            ["client", other] => {
                return Err(error(
                    format!("`client.{other}` is not known of a client"),
                    nearest(other, ["name", "old"]),
                ));
            }
            ["user", "id"] => (Asked::UserId, Type::Int),
            ["tenant" | "request", name] => return self.attribute(path[0], name),
            ["journey"] => (Asked::Journey, Self::texts(&self.vocabulary.journeys)),
            ["region"] if rule => (Asked::Region, Self::texts(&self.vocabulary.regions)),
            ["region"] => return Err(error("`region` of whom?", Some("tenant.region"))),
            ["stage"] => {
                let feature = self.bare_feature("stage")?;
                (Asked::Stage(feature), Type::Stage(index(feature)))
            }
            ["status"] if matches!(self.standing, Standing::Existing(_)) => {
                let Standing::Existing(statuses) = self.standing else { return Err(self.unknown("status")) };
                (Asked::Status, Self::texts(statuses))
            }
            ["status"] if rule => {
                let Standing::Rule(scope) = self.standing else { return Err(self.unknown("status")) };
                if scope.statuses.is_empty() {
                    return Err(error(OPEN_STATUS, None));
                }
                (Asked::Status, Self::texts(&scope.statuses))
            }
            ["code"] if rule => (Asked::Code, Type::Int),
            ["attempt"] if rule => (Asked::Attempt, Type::Int),
            ["replayed"] if rule => (Asked::Replayed, Type::Bool),
            ["domain_version"] if rule => (Asked::DomainVersion, Type::Int),
            ["tenant" | "user" | "request" | "client"] => {
                return Err(error(
                    format!(
                        "`{}` of a condition has fields, such as {}",
                        path[0],
                        match path[0] {
                            "tenant" => "tenant.region",
                            "user" => "user.id",
                            "client" => "client.name",
                            _ => "request.country",
                        }
                    ),
                    None,
                ));
            }
            [name, ..] => return Err(self.unknown(name)),
            [] => return Err(self.unknown("")),
        };
        Ok((self.vocabulary.slot(asked), of))
    }

    fn call(&mut self, function: &str, args: &[&str]) -> Result<(SlotId, Type), NameError> {
        const FUNCTIONS: [&str; 7] = ["stage", "flag", "can", "has", "size", "healthy", "duration"];
        let [name] = args else {
            return match function {
                "stage" | "flag" => Err(error(format!("{function}() takes the name of a feature"), None)),
                "healthy" => Err(error("healthy() takes the name of a service", None)),
                _ => Err(error(format!("there is no function `{function}`"), nearest(function, FUNCTIONS))),
            };
        };
        match function {
            "stage" if !self.is_rule() => {
                self.feature_named(name)?;
                Err(error("a decision is made for one feature at a time and cannot ask for another's stage", None))
            }
            "stage" => {
                let feature = self.feature_named(name)?;
                Ok((self.vocabulary.slot(Asked::Stage(feature)), Type::Stage(index(feature))))
            }
            "flag" if !self.is_rule() => Err(error("targeting cannot ask for a flag", None)),
            "flag" => {
                let feature = self.feature_named(name)?;
                let values = self.features[feature].stages.iter().map(|stage| stage.value);
                let of = match values.clone().next().flatten() {
                    None => {
                        let message = format!("`{name}` is a feature with stages, not a flag with a value");
                        return Err(NameError { message, nearest: Some(format!("stage(\"{name}\")")) });
                    }
                    Some(FlagValue::Bool(_)) => Type::Bool,
                    Some(FlagValue::Number(_)) => Type::Float,
                };
                Ok((self.vocabulary.slot(Asked::Flag(feature)), of))
            }
            "healthy" if !self.is_rule() => {
                Err(error("a service's health is known to a service at work, not when a decision is made", None))
            }
            "healthy" => {
                let found = self.vocabulary.services.iter().position(|service| service == name);
                let Some(at) = found else {
                    let services = self.vocabulary.services.iter().map(String::as_str);
                    return Err(error(format!("there is no service `{name}`"), nearest(name, services)));
                };
                Ok((self.vocabulary.slot(Asked::Healthy(Id::new(at))), Type::Bool))
            }
            _ => Err(error(format!("there is no function `{function}`"), nearest(function, FUNCTIONS))),
        }
    }

    fn capability(&mut self, feature: Option<&str>, capability: &str) -> Result<(u16, u16), NameError> {
        if !self.is_rule() {
            return Err(error("capabilities follow from the stage, which the targeting decides", None));
        }
        let feature = match feature {
            Some(name) => self.feature_named(name)?,
            None => self.bare_feature(capability)?,
        };
        let capabilities = &self.features[feature].capabilities;
        let found = capabilities.iter().position(|known| known == capability);
        let Some(at) = found.and_then(|at| u16::try_from(at).ok()) else {
            let name = &self.features[feature].name;
            let near = nearest(capability, capabilities.iter().map(String::as_str));
            return Err(error(format!("no stage of `{name}` grants `{capability}`"), near));
        };
        Ok((index(feature), at))
    }

    fn stages(&self, feature: u16) -> &[StageName] {
        &self.vocabulary.stages[usize::from(feature)]
    }

    fn symbols(&mut self) -> &mut Symbols {
        &mut self.vocabulary.symbols
    }
}
