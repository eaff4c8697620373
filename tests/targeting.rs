//! Policy and targeting as a file describes them: shipped vocabularies, overrides, precedence, carried contexts.

use windtunnel::rollout::{BucketBy, Who};
use windtunnel::scenario::{Loaded, Request, Scenario};

fn no_files(path: &str) -> Result<Vec<u8>, String> {
    Err(format!("there is no {path} in this test"))
}

fn planned(text: &str) -> Result<Loaded, String> {
    let scenario = Scenario::read("a.yaml", text.as_bytes(), &mut no_files).unwrap_or_else(|told| panic!("{told}"));
    scenario.plan(&Request { variant: None, set: &[] }).map_err(|told| told.to_string())
}

/// A shop with two services; `more` is put beside the features.
fn shop(stages: &str, rollout: &str) -> String {
    format!(
        r#"windtunnel: 1
name: shop
duration: 10m
features:
  wrap: {{ stages: {stages} }}
services:
  web: {{ replicas: 2, sdk: {{ poll: 30s }} }}
  pack: {{ replicas: 2, sdk: {{ poll: 30s }} }}
journeys:
  buy: {{ arrivals: 5/s, calls: [web, pack], feature: wrap }}
rollout:
  wrap: {rollout}
"#
    )
}

fn told(text: &str) -> String {
    planned(text).map(|_| ()).expect_err("the file is wrong")
}

#[test]
fn a_feature_may_have_a_shipped_vocabulary_of_stages() {
    let plan = planned(&shop("standard", "{ steps: [{ move: [{ to: DUAL_WRITE }] }] }")).expect("it plans").plan;
    let feature = &plan.estate.features.as_slice()[0];
    assert_eq!(feature.stages.len(), 10);
    assert_eq!(feature.stage_name(feature.safe_stage), "HIDDEN");
    let can = |stage: &str, capability: &str| {
        let at = feature.capabilities.iter().position(|known| known == capability).expect("a capability");
        feature.grants(feature.stage(stage).expect("a stage"), u16::try_from(at).expect("few capabilities"))
    };
    assert!(can("CREATE_ONLY", "create") && !can("SELECTABLE", "create") && !can("CREATE_ONLY", "update"));
    assert!(can("AUTHORITATIVE", "decide") && !can("DUAL_WRITE", "decide"));
    let rollback = feature.stage("ROLLBACK_ONLY").expect("a stage");
    assert_eq!(feature.stages[rollback.index()].rank, None);
    planned(&shop("migration", "{ steps: [{ move: [{ to: dualwrite }] }, { move: [{ to: shadow }] }] }"))
        .expect("LaunchDarkly's stages plan, too");
}

#[test]
fn an_unknown_vocabulary_is_told_with_the_nearest() {
    let told = told(&shop("standart", "{ steps: [{ move: [{ to: ACTIVE }] }] }"));
    assert!(told.contains("standart"), "{told}");
}

#[test]
fn overrides_of_the_rollout_hold_from_its_first_step_and_a_steps_own_come_first() {
    let rollout = r#"
    bucket_by: session
    assignment: { on_restart: redraw }
    overrides: [{ user: 3, to: ACTIVE }, { tenant: 0, to: VISIBLE }]
    steps:
      - { overrides: [{ user: 3, to: SHADOWED }], move: [{ to: VISIBLE, percent: 10% }] }
      - { move: [{ to: ACTIVE }] }
"#;
    let plan = planned(&shop("standard", rollout)).expect("it plans").plan;
    let steps = &plan.estate.rollouts[0].steps;
    let given: Vec<_> = steps[0].overrides.iter().map(|given| (given.who, given.to.0)).collect();
    assert_eq!(given, [(Who::User(3), 5), (Who::Tenant(0), 1)]);
    assert!(steps[1].overrides.is_empty() && steps.iter().all(|step| step.redraws));
    assert_eq!(plan.estate.bucket_by, [BucketBy::Session]);
}

#[test]
fn mistakes_in_whom_a_rollout_names_are_told() {
    let step = "steps: [{ move: [{ to: ACTIVE }] }]";
    let told = told(&shop("standard", &format!("{{ {step}, overrides: [{{ tenant: 5, to: ACTIVE }}] }}")));
    assert!(told.contains("there is no tenant 5"), "{told}");
    let told = self::told(&shop("standard", &format!("{{ {step}, overrides: [{{ user: 1, to: ON }}] }}")));
    assert!(told.contains("has no stage `ON`"), "{told}");
    let twice = "overrides: [{ user: 1, to: ACTIVE }, { user: 1, to: HIDDEN }]";
    let told = self::told(&shop("standard", &format!("{{ {step}, {twice} }}")));
    assert!(told.contains("given a stage twice"), "{told}");
    let told = self::told(&shop("standard", &format!("{{ {step}, bucket_by: device }}")));
    assert!(told.contains("unit to bucket by"), "{told}");
}

/// A web edge, a partner edge and a service behind them.
fn edges(web: &str, pack: &str) -> String {
    let file = shop("standard", "{ steps: [{ move: [{ to: ACTIVE }] }] }");
    let file = file.replace("web: { replicas: 2,", &format!("web: {{ edge: {web}, replicas: 2,"));
    file.replace("pack: { replicas: 2,", &format!("pack: {{ {pack}, replicas: 2,"))
}

#[test]
fn an_edge_lets_its_decisions_expire_and_a_service_says_whom_it_trusts() {
    let plan = planned(&edges("{ expires: 24h }", "trusts: [web]")).expect("it plans").plan;
    let web = plan.estate.service_named("web").expect("a service");
    let pack = plan.estate.service_named("pack").expect("a service");
    assert_eq!(plan.estate.services[web].edge_expires.map(|expires| expires.to_string()).as_deref(), Some("1d"));
    assert_eq!(plan.estate.services[pack].trusts, [web]);
    let told = told(&edges("true", "trusts: [wep]"));
    assert!(told.contains("no service") || told.contains("wep"), "{told}");
}

#[test]
fn an_sdk_may_ask_another_environment_and_leave_attributes_out() {
    let told = told(&edges("true", "ignores: []").replace("poll: 30s", "poll: 30s, leaves_out: [tenant.plan]"));
    assert!(told.contains("tenant.plan"), "{told}");
}
