//! The scenario language: what plans, what is refused, and how mistakes are told.

use proptest::prelude::*;
use windtunnel::models::estate::{Arrivals, DecidesFrom, Estate, Quantity, When};
use windtunnel::models::program::{Action, RuleWhen};
use windtunnel::scenario::plan::{ComesOut, During, Expected};
use windtunnel::scenario::{
    Assumption, Diagnostics, EMBEDDED, Loaded, Origin, Problem, Request, Scenario, Severity, Sources, assumptions,
    json_schema,
};

/// A bookshop with two features, events and a timeline: everything this version can do, and in two variants.
const SHOP: &str = r#"windtunnel: 1
name: bookshop
summary: Can gift wrapping go live while the ledger is upgraded?
start: 2026-03-02T06:00:00+01:00
duration: 4h
params:
  poll: 20s
population:
  regions: { north: 60%, south: 40% }
  tenants:
    count: 40
    users: 500
    traffic: { zipf: 0.9 }
    attributes:
      plan: { free: 80%, paid: 20% }
features:
  gift-wrap:
    risk: high
    owner: shop-team
    retire_by: 2027-01-31
    stages:
      - NONE
      - OFFERED: { grants: [offer] }
      - WRAPPED: { grants: [offer, wrap] }
      - WINDING_DOWN: { off_ladder: true, grants: [wrap] }
    commit_stage: WRAPPED
    stale_after: 10m
    when_unknown: { default: fail_closed, ledger: { code_default: NONE } }
    contract:
      paths:
        - { from: NONE, bill: old, book: old }
        - { from: WRAPPED, bill: new, book: new }
      moments:
        sold: { authority: ledger, tolerance: 2m, since: WRAPPED }
  quick-search: { stages: ["off", "on"] }
control_plane:
  home: north
  replication: { south: { mean: 300ms } }
network: { within: 200us, between: { between: [8ms, 12ms] }, loss: 0.1% }
defaults:
  service: { replicas: { north: 2, south: 1 }, sdk: { poll: "${poll}" } }
  call: { timeout: 400ms, retries: 1 }
services:
  web:
    edge: true
    operations:
      order:
        - { when: '!can("offer") || tenant.plan == "free"', path: old, do: [{ call: shop.order }] }
        - { path: new, do: [{ call: shop.order, times: 2, on_error: ignore }] }
      search:
        - { when: 'stage == "on" && request.device == "phone"', path: new, do: [{ wait: 3ms }] }
        - { path: old, do: [{ wait: { p50: 2ms, p99: 9ms } }] }
  shop:
    outbox: { relay: 250ms }
    decides_from: [kill, context, sdk, safe_stage]
    local: { gift-wrap: WRAPPED }
    operations:
      order:
        by_stage:
          NONE: { path: old, do: [{ effect: bill }, { set: ordered }, { emit: orders, type: Ordered }] }
          WRAPPED: { path: new, do: [{ effect: bill, irreversible: true }, { set: ordered }, { emit: orders, type: Ordered, domain_version: 2 }] }
          WINDING_DOWN: { like: NONE }
  ledger:
    code: { 1: { understands: [1] }, 2: { understands: [1, 2] } }
    otherwise: { process_as: 1 }
    consumes: { orders: { group: books, members: 4, client: librdkafka-2, takes: 5ms } }
    decides_from: [event, safe_stage]
    operations:
      on Ordered:
        takes: 7ms
        feature: gift-wrap
        by_stage:
          NONE: { path: old, do: [{ queue_until: { daily: "22:00" } }, { effect: book, once_by: entity.id }, { set: booked }, { mark: sold }] }
          WRAPPED: { path: new, do: [{ effect: book }, { set: booked }, { mark: sold }] }
          else: { do: [{ reject: winding_down }] }
  printer: { external: true, takes: 90ms, calls: [] , ignores: [gift-wrap] }
topics:
  orders: { partitions: 6, key: entity, carries: [domain_version, effective_feature_states] }
journeys:
  buy:
    arrivals: 20/s
    first: web.order
    feature: gift-wrap
    entity:
      name: order
      transitions: { none: [ordered], ordered: [booked] }
  search:
    arrivals: { every: 100ms }
    first: web.search
    feature: quick-search
    attributes: { device: { phone: 70%, desk: 30% } }
rollout:
  gift-wrap:
    bucket_by: tenant
    starts: 10m
    salt: 4711
    steps:
      - { name: staff, move: [{ of: 'tenant.plan == "paid"', to: OFFERED }], hold: 30m }
      - { name: half, move: [{ to: WRAPPED, percent: 50% }], hold: 30m }
      - { name: all, at: 2h, move: [{ to: WRAPPED }] }
  quick-search:
    steps: [{ at: 1h, move: [{ to: "on" }] }]
timeline:
  - { at: 5m, deploy: { ledger: 2 }, rolling: { batch: 1, every: 30s } }
  - { at: half + 5m, fault: control_plane.down, region: south, lasts: { mean: 4m } }
  - { at: gift-wrap/all + 10m, kill: gift-wrap, scope: { region: south }, to: WINDING_DOWN, lift_after: 20m }
  - { at: 3h, replay: ledger/orders, from: 1h }
  - { random: [service.crash, link.slow], rate: 2/h, lasts: 1m, by: 80ms, from: 1h, until: 2h }
invariants:
  convergence: { at_most: 90s }
expect:
  split-brain: holds
  kill-latency: { at_most: 60s, quantile: p99 }
  completion: { at_most: 1%, of: runs, confidence: 90% }
  error_rate: { at_most: 5% }
  latency.p99: "< 800ms"
  reached: ["restarted while control_plane.down", "effect while half"]
variants:
  streaming: { services: { "*": { sdk: { stream: true } } } }
  slower: { rollout: { gift-wrap: { steps: { staff: { hold: 45m } } } } }
"#;

fn no_files(path: &str) -> Result<Vec<u8>, String> {
    Err(format!("there is no {path} in this test"))
}

fn scenario(text: &str) -> Scenario {
    Scenario::read("a.yaml", text.as_bytes(), &mut no_files).unwrap_or_else(|told| panic!("{told}"))
}

fn plan_of(text: &str, variant: Option<&str>) -> Result<Loaded, Diagnostics> {
    Scenario::read("a.yaml", text.as_bytes(), &mut no_files)?.plan(&Request { variant, set: &[] })
}

fn plan(text: &str) -> Loaded {
    plan_of(text, None).unwrap_or_else(|told| panic!("{told}"))
}

/// A problem in one line: place, message, label and help.
fn told(problem: &Problem, sources: &Sources) -> String {
    let at = problem.span.map_or_else(
        || "-".to_owned(),
        |span| {
            let (line, column) = sources.line_column(span);
            format!("{line}:{column}")
        },
    );
    format!("{at} {} [{}] {}", problem.message, problem.label, problem.help.join(" / "))
}

fn problems(text: &str) -> Vec<String> {
    match plan_of(text, None) {
        Ok(_) => Vec::new(),
        Err(Diagnostics { problems, sources }) => problems.iter().map(|problem| told(problem, &sources)).collect(),
    }
}

/// The shop with one text in place of another.
fn shop(from: &str, to: &str) -> String {
    assert_eq!(SHOP.matches(from).count(), 1, "{from:?} stands once in the shop");
    SHOP.replace(from, to)
}

/// Everything that is part of the language and not of this version: each is refused at its place.
const LATER: &str = r#"windtunnel: 1
name: lending
timezone: Europe/Vienna
population:
  regions: { a: 50%, b: 50% }
  clients: { app: { share: 40%, refetch: on_app_start, session: { p50: 5m, p99: 1h }, old_versions: 3% } }
features:
  fast-track:
    stages: [SLOW, SHADOWED, FAST]
    requires: { FAST: ["core.code >= 1"] }
teams: { lending: { on_call: always, acts_in: 5m, wrong_action: 1% } }
services:
  front:
    sdk: { preset: unleash-node, poll: 15s }
    edge: { features: [fast-track], expires: 2h }
    operations:
      apply: [{ do: [{ call: core.decide }, { call: bureau.score }, { effect: book }] }]
      undo: [{ do: [{ compensate: decide }, { set: undone }] }]
  core:
    saga: { context: keep, timeout: { old: 1h }, on_timeout: compensate }
    sdk: { poll: 15s }
    code: { 1: { defects: [{ slower: 2, when: 'true', path: new }] } }
    operations:
      decide:
        by_stage:
          SLOW: { path: old, do: [{ dual_write: { of: new, effect: decide } }, { effect: decide }, { set: decided }] }
          SHADOWED: { path: old, do: [{ shadow: { of: new, disagrees: 1% } }, { effect: decide }, { set: decided }] }
          FAST: { path: new, do: [{ effect: decide, compensated_by: front.undo }, { set: decided }] }
  bureau: { external: true, operations: { score: [] } }
journeys:
  apply:
    arrivals: { mean: 3/s, curve: business_day }
    first: front.apply
    feature: fast-track
    entity: { name: loan, final: [decided, undone], amount: { currency: EUR, p50: 100.00, p99: 900.00 } }
  undo: { on_existing: loan, when: 'status == "decided"', share: 1%, after: 1h, first: front.undo }
reconciliation:
  nightly: { left: decide, right: book, key: entity.id, every: 1h, settles_after: { SLOW: 1h }, metric: gap, exceptions: { park: true } }
rollout:
  fast-track:
    bucket_by: user
    analysis: { every: 1m, window: 5m, failures: 2, no_data: pause, against: control }
    gate: ["error_rate.delta < 1%"]
    on_failure: { back_to: SLOW }
    approvals: [{ before: [FAST], by: [board], need: 1, takes: 5m, bypass: chief }]
    steps:
      - { name: shadow, at: 1m, move: [{ to: SHADOWED, percent: 50% }], hold: 2m, exit: ["gap < 1%"] }
      - { name: fast, at: 5m, move: [{ to: FAST }] }
timeline:
  - { at: fast + 1m, fault: record.reorder, target: core }
alerts:
  - { name: hot, when: 'error_rate{journey: apply} > 2%', over: 2m, scrape: 15s, pages: lending, does: { kill: fast-track } }
expect:
  split-brain: holds
  loan_success: { at_least: 99%, from: fast }
"#;

#[test]
fn the_embedded_scenario_plans_in_both_variants() {
    let base = plan(EMBEDDED).plan;
    assert_eq!((base.scenario.as_str(), base.variant.as_str(), base.hash.len()), ("split-brain", "base", 16));
    let violated =
        Expected::Invariant { name: "split-brain", comes_out: ComesOut::Violated { cause: None, about: None } };
    assert_eq!(base.expectations.iter().map(|expectation| &expectation.of).collect::<Vec<_>>(), [&violated]);
    let estate = &base.estate;
    let gateway = &estate.services[estate.service_named("gateway").expect("the service")];
    assert_eq!(
        (gateway.replicas.len(), gateway.decides_from.as_slice()),
        (3, &[DecidesFrom::Sdk, DecidesFrom::SafeStage][..])
    );
    assert!(matches!(estate.journeys.as_slice()[0].arrivals, Arrivals::Poisson { per_second } if per_second == 200.0));

    let repaired = plan_of(EMBEDDED, Some("edge-context")).expect("it plans").plan;
    let billing = &repaired.estate.services[repaired.estate.service_named("billing").expect("the service")];
    assert_eq!(billing.decides_from, [DecidesFrom::Context]);
    assert_ne!(repaired.hash, base.hash);
    assert!(plan_of(EMBEDDED, Some("edge-contxt")).expect_err("no such").to_string().contains("`edge-context`?"));
}

#[test]
fn a_chain_of_calls_reads_the_stage_in_every_link() {
    let estate = plan(EMBEDDED).plan.estate;
    let feature = estate.feature_named("new-checkout").expect("the feature");
    let mut links = Vec::new();
    let mut next = Some(estate.journeys.as_slice()[0].first);
    while let Some(id) = next.take() {
        let operation = &estate.operations[id];
        links.push(estate.services[operation.service].name.as_str());
        assert_eq!(operation.reads, [feature]);
        let paths: Vec<_> = operation.rules.iter().map(|rule| rule.path.map(|path| estate.paths.text(path))).collect();
        assert_eq!(paths, [Some("old"), Some("new")]);
        for rule in &operation.rules {
            assert!(matches!(rule.when, RuleWhen::Stages { .. }));
            next = rule.actions.iter().find_map(|action| match action {
                Action::Call(site) => Some(site.operation),
                _ => None,
            });
        }
    }
    assert_eq!(links, ["gateway", "checkout", "billing"]);
}

#[test]
fn a_whole_estate_plans_as_written() {
    let loaded = plan(SHOP);
    let (plan, estate) = (&loaded.plan, &loaded.plan.estate);
    assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
    assert_eq!(estate.starts_at_second_of_day, 5 * 3600);
    assert_eq!(estate.drain.to_string(), "1d 1h", "the nightly batch and an hour");
    assert_eq!(plan.params, [("poll".to_owned(), "20s".to_owned())]);
    let names = |of: &[&str]| of.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    let services: Vec<String> = estate.services.iter().map(|service| service.name.clone()).collect();
    assert_eq!(services, names(&["ledger", "printer", "shop", "web"]));
    let shop = &estate.services[estate.service_named("shop").expect("the service")];
    assert_eq!(estate.replicas[shop.replicas[2]].name, "shop/south/1");
    let group = &estate.groups.as_slice()[0];
    assert_eq!((group.name.as_str(), group.members.len(), group.handlers.len()), ("books", 4, 1));
    let labels: Vec<&str> = estate.timeline.iter().map(|entry| entry.label.as_str()).collect();
    let expected = [
        "deploy ledger 2",
        "control_plane.down south",
        "kill gift-wrap south",
        "replay ledger/orders",
        "service.crash (random)",
        "link.slow (random)",
    ];
    assert_eq!(labels, expected);
    let step = estate.timeline[1].when.clone();
    assert!(matches!(step, When::AfterStep { rollout: 0, step: 1, offset } if offset.to_string() == "5m"));
    let expected: Vec<&str> = plan.expectations.iter().map(|expectation| expectation.text.as_str()).collect();
    let as_written = [
        "split-brain: holds",
        "kill-latency: { at_most: 60s, quantile: p99 }",
        "convergence: { at_most: 90s }",
        "completion: { at_most: 1%, of: runs, confidence: 90% }",
        "error_rate: { at_most: 5% }",
        "latency.p99: < 800ms",
        "reached: restarted while control_plane.down",
        "reached: effect while half",
    ];
    assert_eq!(expected, as_written);
    assert_eq!(plan.settings_of("kill-latency").quantile, Some(0.99));
    assert!(matches!(&plan.expectations[7].of, Expected::Reached { during: During::Step { rollout: 0, step: 1 }, .. }));
}

#[test]
fn every_variant_of_the_shop_plans() {
    let scenario = scenario(SHOP);
    assert_eq!(scenario.variants(), ["streaming", "slower"]);
    assert_eq!(scenario.check().len(), 0);
    for variant in scenario.variants() {
        let request = Request { variant: Some(&variant), set: &[] };
        scenario.plan(&request).unwrap_or_else(|told| panic!("{told}"));
    }
}

#[test]
fn a_row_of_a_matrix_holds_until_the_next_one() {
    let estate = plan(SHOP).plan.estate;
    let operation = estate.operations.iter().find(|operation| operation.name == "on Ordered").expect("the operation");
    let stages = |at: usize| match &operation.rules[at].when {
        RuleWhen::Stages { stages, .. } => stages.iter().map(|stage| stage.0).collect::<Vec<_>>(),
        _ => panic!("a matrix has rows by stage"),
    };
    assert_eq!((stages(0), stages(1), stages(2)), (vec![0, 1], vec![2], vec![3]));
}

#[test]
fn mistakes_are_told_at_their_place_with_the_nearest_name() {
    for (from, to, expected) in MISTAKES {
        let told = problems(&shop(from, to));
        assert_eq!(told.iter().map(String::as_str).collect::<Vec<_>>(), *expected, "for {to:?} in place of {from:?}");
    }
}

#[test]
fn all_mistakes_are_told_in_one_go() {
    let text = shop("risk: high", "risk: hihg")
        .replace("home: north", "home: norht")
        .replace("to: OFFERED }]", "to: OFERED }]");
    let told = problems(&text.replace("arrivals: 20/s", "arrivals: 20"));
    assert_eq!(told.len(), 4, "{told:#?}");
}

#[test]
fn what_is_not_supported_yet_is_refused_at_its_place_and_nothing_else_is_wrong() {
    let Err(Diagnostics { problems, sources }) = plan_of(LATER, None) else { panic!("it cannot run yet") };
    assert!(problems.iter().all(|problem| problem.severity == Severity::Unsupported), "{problems:#?}");
    let told: Vec<String> = problems
        .iter()
        .map(|problem| {
            let (line, column) = sources.line_column(problem.span.expect("a place"));
            let what =
                problem.message.strip_prefix("this version of windtunnel does not support ").expect("the sentence");
            format!("{line}:{column} {}", what.strip_suffix(" yet").expect("the sentence"))
        })
        .collect();
    assert_eq!(told, REFUSED);
}

#[test]
fn keys_that_are_refused_are_still_checked() {
    let text = LATER.replace("wrong_action: 1%", "wrong_actoin: 1%").replace("error_rate.delta", "eror_rate.delta");
    let told = problems(&text).join("\n");
    assert!(told.contains("unknown key `wrong_actoin`") && told.contains("did you mean `wrong_action`?"), "{told}");
    assert!(told.contains("there is no metric `eror_rate`"), "{told}");
}

/// The tree of a scenario with the keys of every map the other way round.
fn turned_round(text: &str) -> String {
    fn turn(block: &[&str]) -> Vec<String> {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let Some(least) = block.iter().map(|line| indent(line)).min() else { return Vec::new() };
        let mut parts: Vec<Vec<&str>> = Vec::new();
        for line in block {
            match parts.last_mut() {
                Some(part) if indent(line) > least => part.push(line),
                _ => parts.push(vec![line]),
            }
        }
        let is_list = parts.iter().any(|part| part[0].trim_start().starts_with('-'));
        let mut turned: Vec<Vec<String>> = parts
            .iter()
            .map(|part| {
                let mut lines = vec![part[0].to_owned()];
                lines.extend(turn(&part[1..]));
                lines
            })
            .collect();
        if !is_list {
            turned.reverse();
        }
        turned.concat()
    }
    turn(&text.lines().collect::<Vec<_>>()).join("\n")
}

fn described(estate: &Estate) -> String {
    format!("{estate:?}")
}

#[test]
fn the_order_of_keys_changes_neither_an_id_nor_the_hash() {
    let turned = turned_round(SHOP);
    assert_ne!(turned, SHOP);
    assert!(turned.starts_with("variants:"), "{turned}");
    let (there, back) = (plan(SHOP).plan, plan(&turned).plan);
    assert_eq!(described(&there.estate), described(&back.estate));
    assert_eq!(there.hash, back.hash);
    // Their lines are others, and nothing else is.
    let expected = |of: &windtunnel::scenario::Plan| {
        of.expectations.iter().map(|one| (one.text.clone(), one.of.clone())).collect::<Vec<_>>()
    };
    assert_eq!(expected(&there), expected(&back));
}

#[test]
fn the_hash_follows_what_decides_the_outcome_and_nothing_else() {
    let hash = |text: &str| plan(text).plan.hash;
    let base = hash(SHOP);
    assert_eq!(hash(&shop("summary: Can gift", "summary: Could gift")), base);
    assert_eq!(hash(&shop("split-brain: holds", "split-brain: violated")), base);
    assert_eq!(hash(&shop("duration: 4h", "duration: \"4h\" # as before")), base);
    assert_ne!(hash(&shop("duration: 4h", "duration: 5h")), base);
    assert_ne!(hash(&shop("salt: 4711", "salt: 4712")), base);
}

#[test]
fn set_changes_a_parameter_or_a_path() {
    let scenario = scenario(SHOP);
    let plan = |set: &[&str]| {
        let set: Vec<String> = set.iter().map(|set| (*set).to_owned()).collect();
        scenario.plan(&Request { variant: None, set: &set })
    };
    let changed = plan(&[
        "poll=5s",
        "rollout.gift-wrap.steps.half.hold=50m",
        "services.ledger.code.2=null",
        "timeline=[]",
        "expect.kill-latency=null",
        "expect.reached=null",
    ])
    .unwrap_or_else(|told| panic!("{told}"))
    .plan;
    assert_eq!(changed.params, [("poll".to_owned(), "5s".to_owned())]);
    assert_eq!(changed.estate.rollouts[0].steps[1].hold.to_string(), "50m");
    assert_ne!(changed.hash, plan(&[]).expect("it plans").plan.hash);
    let told = plan(&["pol=5s"]).expect_err("no such key").to_string();
    assert!(told.contains("--set:1:") && told.contains("unknown key `pol`"), "{told}");
    assert!(told.contains("did you mean `poll`?"), "a parameter of the file: {told}");
    let every = plan(&["services.*.workers=7"]).unwrap_or_else(|told| panic!("{told}")).plan;
    assert!(every.estate.services.iter().all(|service| service.workers == 7));
    let told = plan(&["services.shp.workers=3"]).expect_err("no such service").to_string();
    assert!(told.contains("`shop`"), "{told}");
}

#[test]
fn a_variant_replaces_an_expectation_as_a_whole_and_an_sdk_its_delivery() {
    let bad = "bad: { expect: { kill-latency: { violated: { cause: stale cache } } }, services: { shop: { sdk: { ttl: 30s } } } }";
    let text = shop("variants:\n  streaming", &format!("variants:\n  {bad}\n  streaming"));
    let plan = plan_of(&text, Some("bad")).unwrap_or_else(|told| panic!("{told}")).plan;
    let of =
        plan.expectations.iter().find(|expectation| expectation.text.starts_with("kill-latency")).expect("it is there");
    assert!(
        matches!(&of.of, Expected::Invariant { comes_out: ComesOut::Violated { cause: Some(cause), .. }, .. } if cause == "stale cache")
    );
}

#[test]
fn a_mistake_of_a_variant_points_into_the_variant() {
    let text = shop("staff: { hold: 45m }", "stuff: { hold: 45m }");
    let scenario = scenario(&text);
    scenario.plan(&Request::default()).expect("the base is right");
    let told: Vec<String> = scenario.check().iter().map(|problem| told(problem, scenario.sources())).collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].starts_with("120:46") && told[0].contains("`staff`?"), "{told:#?}");
}

#[test]
fn includes_lie_beneath_the_file_and_keep_their_places() {
    let shared = "services:\n  b: { replicas: 2, sdk: { poll: 10s } }\n  c: { replicas: lots }\n";
    let mut files = |path: &str| match path {
        "shared/estate.yaml" => Ok(shared.as_bytes().to_vec()),
        "shared/again.yaml" => Ok(b"include: [shared/again.yaml]".to_vec()),
        other => Err(format!("no file {other}")),
    };
    let text = "windtunnel: 1\ninclude: [shared/estate.yaml]\nservices: { a: { sdk: { poll: 5s } } }\n\
                features: { f: { stages: [x, y] } }\njourneys: { j: { arrivals: 1/s, calls: [a, b], feature: f } }\n";
    let scenario = Scenario::read("a.yaml", text.as_bytes(), &mut files).unwrap_or_else(|told| panic!("{told}"));
    let told = scenario.plan(&Request::default()).expect_err("lots is no number").to_string();
    assert!(told.contains("shared/estate.yaml:3:18") && told.contains("`lots` is not a whole number"), "{told}");
    let twice = text.replace("{ a:", "{ b: { replicas: 1 }, a:");
    let told = Scenario::read("a.yaml", twice.as_bytes(), &mut files).expect_err("twice").to_string();
    assert!(told.contains("`services.b` is defined twice") && told.contains("override: true"), "{told}");
    let round = text.replace("estate.yaml", "again.yaml");
    let told = Scenario::read("a.yaml", round.as_bytes(), &mut files).expect_err("a circle").to_string();
    assert!(told.contains("includes itself"), "{told}");
    let missing = text.replace("estate.yaml", "estat.yaml");
    let told = Scenario::read("a.yaml", missing.as_bytes(), &mut files).expect_err("missing").to_string();
    assert!(told.contains("a.yaml:2:11") && told.contains("cannot be read: no file"), "{told}");
}

const FLAGS: &str = r#"{ "flags": {
  "slow": { "state": "ENABLED", "variants": { "off": 0, "10sec": 10, "5sec": 5 }, "defaultVariant": "off" },
  "fail": { "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "off",
            "targeting": { "if": [ { "==": [ { "var": "product" }, "X" ] }, "on", "off" ] } },
  "gone": { "state": "DISABLED", "variants": { "on": true, "off": false }, "defaultVariant": "on" },
  "theme": { "state": "ENABLED", "variants": { "dark": "black", "light": "white" }, "defaultVariant": "dark" }
} }"#;

const FLAGGED: &str = r#"windtunnel: 1
flags: { file: demo.json }
services:
  web:
    sdk: { poll: 5s }
    operations:
      get:
        - { when: 'flag("fail") || flag("gone")', do: [{ fail: 100% }] }
        - { when: 'flag("slow") > 7.0', do: [{ wait: { flag: slow, times: 10ms } }] }
        - { do: [] }
journeys:
  get: { first: web.get, attributes: { product: { X: 10%, Y: 90% } } }
users:
  crowd: { count: { flag: slow, times: 3 }, journeys: { get: 1 } }
rollout:
  slow: { steps: [{ at: 1m, move: [{ to: 10sec }] }] }
"#;

fn flagged(text: &str) -> Result<Loaded, Diagnostics> {
    let mut files = |path: &str| match path {
        "demo.json" => Ok(FLAGS.as_bytes().to_vec()),
        other => Err(format!("no file {other}")),
    };
    Scenario::read("a.yaml", text.as_bytes(), &mut files)?.plan(&Request::default())
}

#[test]
fn a_flag_file_is_read_as_it_is() {
    let plan = flagged(FLAGGED).unwrap_or_else(|told| panic!("{told}")).plan;
    let estate = &plan.estate;
    let feature = |name: &str| &estate.features[estate.feature_named(name).expect("the flag")];
    let stages = |name: &str| feature(name).stages.iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>();
    assert_eq!((stages("slow"), stages("fail")), (vec!["off", "5sec", "10sec"], vec!["off", "on"]));
    assert_eq!(stages("gone"), ["code-default", "off", "on"]);
    assert_eq!(feature("gone").stage_name(feature("gone").initial_stage), "code-default");
    assert!(estate.feature_named("theme").is_none());
    let (of, rules) = &estate.standing_rules[0];
    assert_eq!((estate.features[*of].name.as_str(), rules.len()), ("fail", 2));
    let crowd = &estate.users.as_slice()[0];
    assert!(matches!(crowd.count, Quantity::Flag { times, .. } if times == 3.0));
    assert_eq!(crowd.most, 30);
}

#[test]
fn a_flag_that_cannot_be_simulated_is_told_only_where_it_is_used() {
    let told = flagged(&FLAGGED.replace("flag(\"gone\")", "stage(\"theme\") == \"dark\"")).expect_err("theme is text");
    assert!(told.to_string().contains("theme"), "{told}");
    let told = flagged(&FLAGGED.replace("{ flag: slow, times: 10ms }", "{ flag: theme }")).expect_err("theme is text");
    assert!(
        told.to_string().contains("does not support the flag `theme` (its variants are texts or objects)"),
        "{told}"
    );
    let told = flagged(&FLAGGED.replace("{ flag: slow, times: 10ms }", "{ flag: slwo }")).expect_err("no such flag");
    assert!(told.to_string().contains("did you mean `slow`?"), "{told}");
}

#[test]
fn the_flags_of_the_opentelemetry_demo_are_read() {
    let Ok(bytes) = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/otel-demo/demo.flagd.json")) else {
        return;
    };
    let text =
        "windtunnel: 1\nflags: { file: f.json }\nservices: { a: {} }\njourneys: { j: { arrivals: 1/s, calls: [a] } }\n";
    let mut files = |_: &str| Ok(bytes.clone());
    let scenario = Scenario::read("a.yaml", text.as_bytes(), &mut files).unwrap_or_else(|told| panic!("{told}"));
    let estate = scenario.plan(&Request::default()).unwrap_or_else(|told| panic!("{told}")).plan.estate;
    let problems = &estate.features[estate.feature_named("kafkaQueueProblems").expect("the flag")];
    assert_eq!(problems.stages.len(), 2);
    assert_eq!(problems.stages[1].value.map(|value| value.number()), Some(100.0));
    assert_eq!(estate.standing_rules.len(), 1, "only productCatalogFailure is targeted");
}

#[test]
fn without_expectations_whatever_can_be_reached_must_hold() {
    let text = "windtunnel: 1\nservices: { a: { sdk: { poll: 5s } }, b: { sdk: { poll: 9s } } }\nfeatures: { f: { stages: [x, y] } }\n\
                journeys: { j: { arrivals: 1/s, calls: [a, b], feature: f } }\nrollout: { f: { steps: [{ at: 1m, move: [{ to: y }] }] } }\n";
    let plan = plan(text).plan;
    let texts: Vec<&str> = plan.expectations.iter().map(|expectation| expectation.text.as_str()).collect();
    assert!(texts.contains(&"split-brain: holds") && texts.contains(&"completion: holds"), "{texts:?}");
    assert!(!texts.iter().any(|text| text.starts_with("kill-latency")), "{texts:?}");
}

#[test]
fn a_bare_stage_is_refused_where_journeys_with_different_features_meet() {
    let text = shop("first: web.search", "first: web.order");
    let told = problems(&text).join("\n");
    assert!(told.contains("stage(\"gift-wrap\")") || told.contains("can(\"gift-wrap\", \"offer\")"), "{told}");
    assert!(told.contains("write `feature: gift-wrap` beside `by_stage:`"), "{told}");
}

#[test]
fn assumptions_name_every_default_with_its_source() {
    let scenario = scenario(EMBEDDED);
    let listed = assumptions(&scenario, &Request::default());
    let of = |path: &str| listed.iter().find(|assumption| assumption.path == path).expect(path);
    let poll = Assumption { path: "services.billing.sdk.poll".into(), value: "30s".into(), origin: Origin::Given };
    assert_eq!(*of("services.billing.sdk.poll"), poll);
    let Origin::Default { source } = of("services.billing.workers").origin else { panic!("it is not given") };
    assert!(source.contains("Tomcat"));
    assert!(listed.windows(2).all(|pair| pair[0].path <= pair[1].path));
}

#[test]
fn the_schema_knows_every_key_that_files_may_have() {
    let schema = json_schema();
    let text = schema.to_string();
    for word in
        ["by_stage", "queue_until", "max_poll_records", "when_unknown", "lift_after", "confidence", "off_ladder"]
    {
        assert!(text.contains(&format!("\"{word}\":")), "{word}");
    }
    assert!(!text.contains(":null"), "every definition is made");
    let references: Vec<&str> =
        text.split("\"$ref\":\"#/$defs/").skip(1).map(|rest| rest.split('"').next().unwrap_or("")).collect();
    assert!(references.len() > 30);
    for reference in references {
        let name = reference.replace("%20", " ");
        assert!(schema["$defs"].get(&name).is_some(), "{name} is defined");
    }
}

#[test]
fn hostile_files_end_in_a_problem() {
    let many = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let head = "windtunnel: 1\nservices:\n";
    let tail = "journeys: { j: { arrivals: 1/s, calls: [s0] } }\n";
    let chain = many(1_900, &|at| format!("  s{at}: {{ calls: [s{}] }}\n", at + 1));
    let cases = [
        (format!("{head}{}{tail}", many(5_000, &|at| format!("  s{at}: {{}}\n"))), "at most 2000"),
        (
            format!("{head}{}{tail}", many(11, &|at| format!("  s{at}: {{ replicas: 10000 }}\n"))),
            "more than 100000 replicas",
        ),
        (format!("{head}{chain}  s1900: {{ calls: [s0] }}\n{tail}"), "calls go round in a circle"),
        (format!("{head}  s0: {{ sdk: {{ poll: 0s }} }}\n{tail}"), "`poll` of 0s never ends"),
        (format!("{head}  s0: {{}}\n{tail}duration: 0s\n"), "`duration` of 0s never ends"),
        (format!("{head}  s0: {{}}\n{tail}duration: 36525d\ndrain: 36525d\n"), "longer than 100 years"),
        (
            format!("{head}  s0: {{ takes: {{ p50: 36525d, p99: 36525d }} }}\n{}", tail.replace("1/s", "1000000000/s")),
            "",
        ),
        (
            format!(
                "{head}  s0: {{ operations: {{ {} }} }}\n{tail}",
                many(3_000, &|at| format!("o{at}: [{{ do: [{{ effect: e{at} }}] }}], "))
            ),
            "",
        ),
        (
            format!(
                "{head}  s0: {{}}\n{tail}features: {{ f: {{ stages: [{}] }} }}\n",
                many(70_000, &|at| format!("x{at}, "))
            ),
            "more than 200 stages",
        ),
        (
            format!(
                "{head}  s0: {{}}\n{tail}timeline: [{}]\n",
                "{ at: 1s, fault: service.restart, target: s0 }, ".repeat(20_000)
            ),
            "more than 10000 entries",
        ),
        (format!("{head}  s0: {{}}\n{tail}defaults: {{ service: {{ takes: 1ms }} }}\nexpect: [holds]\n"), "`expect`"),
        ("windtunnel: 1\n".to_owned(), "needs `services`"),
        ("[]".to_owned(), "a scenario"),
        ("just text".to_owned(), "a scenario"),
    ];
    for (text, expected) in cases {
        let told = match plan_of(&text, None) {
            Ok(_) => String::new(),
            Err(told) => told.to_string(),
        };
        assert!(
            told.contains(expected),
            "{:?}: {}",
            &text[..text.len().min(80)],
            &told[..told.floor_char_boundary(2_000)]
        );
    }
}

/// Values that stand where they were not expected.
const NASTY: &[&str] = &[
    "",
    "~",
    "[]",
    "{}",
    "0",
    "-1",
    "99999999999999999999",
    "0s",
    "36525d",
    "1e999",
    "NaN",
    "\"\"",
    "[[[]]]",
    "{ a: { a: {} } }",
    "\"*\"",
    "on",
    "a.b.c",
    "\u{1f600}",
    "${poll}",
    "${",
    "'stage >= \"x\"'",
    "[~, ~]",
    "{ at_most: 0s }",
    "100%",
    "0%",
    "true",
    "{ flag: x }",
    "{ p50: 0s, p99: 1s }",
    "step + 1s",
    "18446744073709551615",
    "36524d",
    "windtunnel",
];

/// The shop with some of its values in the flow of a line replaced.
fn spoilt(places: &[(usize, usize)]) -> String {
    let mut text = SHOP.to_owned();
    for (place, nasty) in places {
        let starts: Vec<usize> = text.match_indices(": ").map(|(at, _)| at + 2).collect();
        let Some(start) = starts.get(place % starts.len().max(1)).copied() else { continue };
        let end = text[start..].find([',', '}', ']', '\n']).map_or(text.len(), |end| start + end);
        text.replace_range(start..end, NASTY[nasty % NASTY.len()]);
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_value_in_the_wrong_place_does_harm(places in proptest::collection::vec((0..2_000_usize, 0..100_usize), 1..6)) {
        match Scenario::read("a.yaml", spoilt(&places).as_bytes(), &mut no_files) {
            Ok(scenario) => {
                scenario.check();
                assumptions(&scenario, &Request::default());
            }
            Err(told) => prop_assert!(!told.problems.is_empty()),
        }
    }

    #[test]
    fn no_missing_line_does_harm(from in 0..120_usize, count in 1..30_usize) {
        let lines: Vec<&str> = SHOP.lines().collect();
        let kept = lines.iter().enumerate().filter(|(at, _)| !(from..from + count).contains(at)).map(|(_, line)| *line);
        let text = kept.collect::<Vec<_>>().join("\n");
        if let Ok(scenario) = Scenario::read("a.yaml", text.as_bytes(), &mut no_files) {
            scenario.check();
        }
    }
}

/// What the scenario above asks for in vain.
const REFUSED: &[&str] = &[
    "3:11 time zones other than UTC",
    "14:12 SDK presets",
    "32:28 arrival curves",
    "50:29 the fault `record.reorder`",
];

/// In the shop, in place of the first text the second is a mistake: this is what is told.
#[rustfmt::skip]
const MISTAKES: &[(&str, &str, &[&str])] = &[
    ("duration: 4h", "duraton: 4h", &[
        "5:1 unknown key `duraton` [not a key of a scenario] did you mean `duration`?",
        "98:9 the step `staff` is published at 10m, when nobody arrives any more [arrivals end at 10m] ",
        "99:9 the step `half` is published at 40m, when nobody arrives any more [arrivals end at 10m] ",
        "100:9 the step `all` is published at 2h 10m, when nobody arrives any more [arrivals end at 10m] ",
        "102:13 the step `step-1` is published at 1h, when nobody arrives any more [arrivals end at 10m] ",
    ]),
    ("duration: 4h", "duration: 4", &[
        "5:11 `4` is not a duration [a duration needs a unit: 4s?] ",
        "98:9 the step `staff` is published at 10m, when nobody arrives any more [arrivals end at 10m] ",
        "99:9 the step `half` is published at 40m, when nobody arrives any more [arrivals end at 10m] ",
        "100:9 the step `all` is published at 2h 10m, when nobody arrives any more [arrivals end at 10m] ",
        "102:13 the step `step-1` is published at 1h, when nobody arrives any more [arrivals end at 10m] ",
    ]),
    ("windtunnel: 1", "windtunnel: 2", &[
        "1:13 `windtunnel` is never `2` [expected one of 1] ",
    ]),
    ("name: bookshop", "name: bookshop
servises: {}", &[
        "3:1 unknown key `servises` [not a key of a scenario] did you mean `services`?",
    ]),
    ("{ north: 60%, south: 40% }", "{ north: 60%, south: 50% }", &[
        "9:12 the shares sum to 110%, not to 100% [expected shares of a whole] ",
    ]),
    ("{ free: 80%, paid: 20% }", "{ free: 80%, paid: 10% }", &[
        "15:13 the shares sum to 90%, not to 100% [expected shares of a whole] ",
    ]),
    ("count: 40", "count: 9999999", &[
        "11:12 `9999999` is not a whole number [expected a whole number from 1 to 1000000] ",
    ]),
    ("risk: high", "risk: hihg", &[
        "18:11 `risk` is never `hihg` [expected one of high, low] did you mean `high`?",
    ]),
    ("commit_stage: WRAPPED", "commit_stage: WRAPED", &[
        "26:19 `gift-wrap` has no stage `WRAPED` [not known] did you mean `WRAPPED`?",
    ]),
    ("- WINDING_DOWN: { off_ladder: true, grants: [wrap] }", "- WRAPPED", &[
        "25:9 the stage `WRAPPED` is listed twice [again here] ",
        "62:11 `gift-wrap` has no stage `WINDING_DOWN` [expected one of NONE, OFFERED, WRAPPED] ",
        "106:79 `gift-wrap` has no stage `WINDING_DOWN` [expected one of NONE, OFFERED, WRAPPED] ",
    ]),
    ("ledger: { code_default: NONE }", "leger: { code_default: NONE }", &[
        "28:43 there is no context `leger` [not known] did you mean `ledger`?",
    ]),
    ("ledger: { code_default: NONE }", "ledger: { code_default: NOE }", &[
        "28:67 `gift-wrap` has no stage `NOE` [not known] did you mean `NONE`?",
    ]),
    ("ledger: { code_default: NONE }", "ledger: NONE", &[
        "28:51 the context `ledger` is never `NONE` [expected one of fail_closed, last_known_good] ",
    ]),
    ("{ from: NONE, bill: old, book: old }", "{ from: NONE, bil: old, book: odl }", &[
        "31:25 there is no effect `bil` [not known] did you mean `bill`?",
        "31:41 there is no path `odl` [expected one of old, new] ",
    ]),
    ("sold: { authority", "solde: { authority", &[
        "34:9 there is no moment `solde` [not known] did you mean `sold`?",
    ]),
    ("authority: ledger", "authority: ledgr", &[
        "34:28 there is no context `ledgr` [not known] did you mean `ledger`?",
    ]),
    ("home: north", "home: norht", &[
        "37:9 there is no region `norht` [not known] did you mean `north`?",
    ]),
    ("{ south: { mean: 300ms } }", "{ suoth: { mean: 300 } }", &[
        "38:18 there is no region `suoth` [not known] did you mean `south`?",
        "38:33 `300` is not a duration [a duration needs a unit: 300s?] ",
    ]),
    ("replicas: { north: 2, south: 1 }", "replicas: { norh: 2 }", &[
        "41:26 there is no region `norh` [not known] did you mean `north`?",
    ]),
    (r#"sdk: { poll: "${poll}" }"#, r#"sdk: { pol: "${poll}" }"#, &[
        "41:53 an sdk that does not say how policy reaches it [expected exactly one of poll, ttl, stream, remote, file, topic] ",
        "41:55 unknown key `pol` [not a key of an sdk] did you mean `poll`?",
    ]),
    (r#"sdk: { poll: "${poll}" }"#, r#"sdk: { poll: "${pol}" }"#, &[
        r#"7:3 nothing uses the parameter `poll` [changing it changes nothing] use it as "${poll}""#,
        "41:61 unknown parameter `pol` [expected one of poll] did you mean `poll`? / to mean the text itself, write `$${pol}`",
    ]),
    (r#"sdk: { poll: "${poll}" }"#, "sdk: { poll: 20s, remote: true }", &[
        r#"7:3 nothing uses the parameter `poll` [changing it changes nothing] use it as "${poll}""#,
        "41:53 an sdk has one delivery, not poll and remote [expected exactly one of poll, ttl, stream, remote, file, topic] ",
    ]),
    (r#"'!can("offer") || tenant.plan == "free"'"#, r#"'!can("ofer") || tenant.pln == "free"'"#, &[
        "48:21 no stage of `gift-wrap` grants `ofer` [in this condition] did you mean `offer`?",
        "48:36 `tenant.pln` is not an attribute: population.tenants.attributes has none of this name [in this condition] did you mean `tenant.plan`?",
    ]),
    (r#"'!can("offer") || tenant.plan == "free"'"#, r#"'tenant.plan == "fre"'"#, &[
        r#"48:35 this is never "fre" [in this condition] did you mean "free"?"#,
    ]),
    (r#"'!can("offer") || tenant.plan == "free"'"#, "", &[
        "48:13 `when` has no condition [expected a condition in quotes] a condition cannot vanish: leave the key out where everything is meant",
    ]),
    (r#"'!can("offer") || tenant.plan == "free"'"#, r#"!can("offer")"#, &[
        r#"48:19 `!can("offer")` without quotes is a YAML tag, not text [expected quotes around this text] quote it: '!can("offer")'"#,
    ]),
    ("[{ call: shop.order }]", "[{ call: shp.order }]", &[
        "48:85 there is no service `shp` [not known] did you mean `shop`?",
    ]),
    ("[{ call: shop.order }]", "[{ call: shop.ordr }]", &[
        "48:85 `shop` has no operation `ordr` [not known] did you mean `order`?",
    ]),
    ("[{ call: shop.order }]", "[{ cal: shop.order }]", &[
        "48:77 an action has one of the keys call, emit, effect, set, mark, wait, reject, ignore, fail, queue_until, shadow, dual_write, compensate [none of them is here] did you mean `call`?",
    ]),
    ("[{ call: shop.order }]", "[{ call: shop.order, emit: orders, type: Ordered }]", &[
        "48:97 `call` together with `emit` [an action is one of them] make two items of the list",
    ]),
    ("[{ call: shop.order }]", "[{ call: web.order }]", &[
        "47:7 calls go round in a circle: web.order -> web.order [this call would never be answered] answer first and go on by an event, or call another operation",
    ]),
    ("[{ wait: 3ms }]", "[{ call: web.search }]", &[
        "50:7 calls go round in a circle: web.search -> web.search [this call would never be answered] answer first and go on by an event, or call another operation",
    ]),
    (r#"'stage == "on" &&"#, r#"'stage == "onn" &&"#, &[
        r#"51:29 `onn` is not a stage of this feature [in this condition] did you mean "on"?"#,
    ]),
    (r#"request.device == "phone""#, r#"request.devise == "phone""#, &[
        "51:37 `request.devise` is not an attribute: the `attributes` of a journey has none of this name [in this condition] did you mean `request.device`?",
    ]),
    ("decides_from: [kill, context, sdk, safe_stage]", "decides_from: [kil, context, sdk]", &[
        "55:20 an item of `decides_from` is never `kil` [expected one of kill, local, entity, context, event, sdk, safe_stage] did you mean `kill`?",
    ]),
    ("decides_from: [kill, context, sdk, safe_stage]", "decides_from: [kill, context]
    sdk: null", &[
        "55:20 `shop` decides from `kill` and has no sdk [it is the sdk's cache that is read] write sdk: { poll: 30s }",
    ]),
    ("local: { gift-wrap: WRAPPED }", "local: { gift-warp: WRAPPED }", &[
        "56:14 there is no feature `gift-warp` [not known] did you mean `gift-wrap`?",
    ]),
    ("          NONE: { path: old, do: [{ effect: bill }", "          OFFERED: { path: old, do: [{ effect: bill }", &[
        "60:11 `shop.order` has no row for the stage `NONE`: it is the initial stage [the first row is above it] begin with a row NONE:",
        "60:11 `shop.order` has no row for the stage `WINDING_DOWN`: a kill can set it [a stage off the ladder needs a row of its own] write WINDING_DOWN: { like: NONE }, or `else:`",
        "62:33 no row of this matrix holds at `NONE` [expected a stage with a row that is not itself like another] ",
    ]),
    ("          WINDING_DOWN: { like: NONE }
", "", &[
        "60:11 `shop.order` has no row for the stage `WINDING_DOWN`: a kill can set it [a stage off the ladder needs a row of its own] write WINDING_DOWN: { like: NONE }, or `else:`",
    ]),
    ("WINDING_DOWN: { like: NONE }", "WINDING_DOWN: { like: NOEN }", &[
        "60:11 `shop.order` has no row for the stage `WINDING_DOWN`: a kill can set it [a stage off the ladder needs a row of its own] write WINDING_DOWN: { like: NONE }, or `else:`",
        "62:33 `gift-wrap` has no stage `NOEN` [not known] did you mean `NONE`?",
    ]),
    ("WINDING_DOWN: { like: NONE }", "WINDINGDOWN: { like: NONE }", &[
        "60:11 `shop.order` has no row for the stage `WINDING_DOWN`: a kill can set it [a stage off the ladder needs a row of its own] write WINDING_DOWN: { like: NONE }, or `else:`",
        "62:11 `gift-wrap` has no stage `WINDINGDOWN` [not known] did you mean `WINDING_DOWN`?",
    ]),
    ("feature: gift-wrap
        by_stage", "feature: gift-wrp
        by_stage", &[
        "71:18 there is no feature `gift-wrp` [not known] did you mean `gift-wrap`?",
    ]),
    ("{ emit: orders, type: Ordered }", "{ emit: order, type: Ordered }", &[
        "60:79 there is no topic `order` [not known] did you mean `orders`? / topics are declared under `topics:`",
    ]),
    ("{ emit: orders, type: Ordered }", "{ emit: orders }", &[
        "60:71 an event needs `type` [`type` is missing] type: The type of the event.",
    ]),
    ("on Ordered:", "on Orderd:", &[
        "66:17 `ledger` consumes `orders` and handles none of its events [nothing would ever happen here] its events are Ordered: write `on Ordered:`",
        "69:7 there is no event `Orderd` [not known] did you mean `Ordered`? / `ledger` gets the events of the topics it consumes",
    ]),
    ("consumes: { orders:", "consumes: { ordres:", &[
        "66:17 there is no topic `ordres` [not known] did you mean `orders`? / topics are declared under `topics:`",
        "69:7 `ledger` handles `Ordered` and consumes nothing [never called] name the topic: consumes: { topic: {} }",
        "107:23 there is no consumer group `ledger/orders` [none is declared] a consumer group is written `service/topic`",
    ]),
    ("members: 4", "members: many", &[
        "66:50 `many` is not a whole number [expected a whole number from 1 to 10000] ",
    ]),
    ("{ set: booked }, { mark: sold }] }
          WRAPPED", "{ set: boked }, { mark: sold }] }
          WRAPPED", &[
        "73:117 `order` has no status `boked` [not known] did you mean `booked`?",
    ]),
    (r#"{ queue_until: { daily: "22:00" } }"#, "{ queue_until: { daily: 22:61 } }", &[
        r#"73:59 `22:61` is not a time of day [expected a time of day from 00:00 to 23:59, such as "16:00"] "#,
    ]),
    ("ignores: [gift-wrap]", "ignores: [gift-wrapp]", &[
        "76:65 there is no feature `gift-wrapp` [not known] did you mean `gift-wrap`?",
    ]),
    ("    outbox: { relay: 250ms }", "    ignores: [gift-wrap]", &[
        "54:14 `shop` declares to ignore `gift-wrap`, and its operation `order` reads it [declared here] ",
    ]),
    ("first: web.order", "first: web.oder", &[
        "82:12 `web` has no operation `oder` [not known] did you mean `order`?",
    ]),
    ("first: web.order", "first: wbe.order", &[
        "82:12 there is no service `wbe` [expected one of ledger, printer, shop, web] ",
    ]),
    ("    first: web.order
", "", &[
        "80:3 the journey `buy` begins nowhere [`first` or `calls` is missing] write `first: service.operation` or `calls: [service, service]`",
    ]),
    ("arrivals: 20/s", "arrivals: 20", &[
        "81:15 `20` is not a rate [a rate needs a unit: 20/s?] ",
    ]),
    ("arrivals: 20/s", "arrivals: 900000000/s", &[
        "81:15 1.3e13 arrivals in one run, at most 2^40 are possible [expected a lower rate, or a shorter duration] ",
    ]),
    ("    arrivals: 20/s
", "", &[
        "80:3 nothing begins the journey `buy` [it has no `arrivals`, and no `users` choose it] write arrivals: 10/s",
    ]),
    ("feature: gift-wrap
    entity", "feature: gift-wrappp
    entity", &[
        "83:14 there is no feature `gift-wrappp` [not known] did you mean `gift-wrap`?",
    ]),
    ("bucket_by: tenant", "bucket_by: tenants", &[
        "94:16 there is no unit to bucket by `tenants` [not known] did you mean `tenant`?",
    ]),
    ("  gift-wrap:
    bucket_by", "  gift-wap:
    bucket_by", &[
        "93:3 there is no feature `gift-wap` [not known] did you mean `gift-wrap`?",
    ]),
    ("to: OFFERED }]", "to: OFERED }]", &[
        "98:66 `gift-wrap` has no stage `OFERED` [not known] did you mean `OFFERED`?",
    ]),
    ("{ name: half,", "{ name: staff,", &[
        "99:9 two steps are called `staff` [the second] ",
        "105:11 there is no step `half` [expected one of staff, staff, all, step-1] a time is written `2m`, `step + 30m` or `feature/step + 30m`",
        "117:51 nothing in this plan is called `half` [expected a fault of the timeline, kill or a step] ",
    ]),
    ("at: 2h, move", "at: 20m, move", &[
        "100:26 the step `all` is due at 30m, before the step before it is over [expected at least 1h] ",
    ]),
    ("at: half + 5m", "at: haf + 5m", &[
        "105:11 there is no step `haf` [not known] did you mean `half`? / a time is written `2m`, `step + 30m` or `feature/step + 30m`",
    ]),
    ("at: half + 5m", "at: half - 5m", &[
        "105:11 an entry hangs on a step and comes after it, not before [`5m` before it] hang it on the step before `half`, or give a time",
    ]),
    ("at: half + 5m", "at: half + 5", &[
        "105:11 `half + 5` is not a time after a step [a duration needs a unit: 5s?] ",
    ]),
    ("fault: control_plane.down", "fault: control_plane.dwn", &[
        "105:29 there is no fault `control_plane.dwn` [not known] did you mean `control_plane.down`? / `windtunnel list faults` prints them all",
        "117:13 nothing in this plan is called `control_plane.down` [expected a fault of the timeline, kill or a step] ",
    ]),
    ("fault: control_plane.down", "fault: service.crash", &[
        "105:5 the fault `service.crash` needs `target` [expected target: service] ",
        "117:13 nothing in this plan is called `control_plane.down` [expected a fault of the timeline, kill or a step] ",
    ]),
    ("fault: control_plane.down, region: south", "fault: control_plane.down, target: web", &[
        "105:57 the fault `control_plane.down` does not take `target` [not expected here] ",
    ]),
    ("fault: control_plane.down", "fault: clock.skew", &[
        "105:29 this version of windtunnel does not support the fault `clock.skew` yet [this fault] ",
        "117:13 nothing in this plan is called `control_plane.down` [expected a fault of the timeline, kill or a step] ",
    ]),
    ("deploy: { ledger: 2 }", "deploy: { ledger: 3 }", &[
        "104:33 `ledger` has no code version 3 [expected one of 1, 2] code versions are declared under `code:`",
    ]),
    ("deploy: { ledger: 2 }", "deploy: { leger: 2 }", &[
        "104:25 there is no service `leger` [not known] did you mean `ledger`?",
    ]),
    ("kill: gift-wrap, scope", "kill: giftwrap, scope", &[
        "106:38 there is no feature `giftwrap` [not known] did you mean `gift-wrap`?",
    ]),
    ("scope: { region: south }", "scope: { region: sout, tenant: 77, journey: by }", &[
        "106:66 there is no region `sout` [not known] did you mean `south`?",
        "106:80 there is no tenant 77 [they are numbered 0 to 39] ",
        "106:93 there is no journey `by` [expected one of buy, search] ",
    ]),
    ("replay: ledger/orders", "replay: ledger/order", &[
        "107:23 there is no consumer group `ledger/order` [not known] did you mean `ledger/orders`? / a consumer group is written `service/topic`",
    ]),
    ("at: 3h, replay", "at: 30h, replay", &[
        "107:11 the replay never happens: it is due at 1d 6h, and the run ends at 1d 5h [after the end of the run] make `duration` longer",
    ]),
    ("rate: 2/h", "rate: 2", &[
        "108:49 `2` is not a rate [a rate needs a unit: 2/s?] ",
    ]),
    ("until: 2h", "until: 30m", &[
        "108:92 random faults from 1h until 30m never strike [expected later than 1h] ",
    ]),
    ("convergence: { at_most: 90s }", "convergense: { at_most: 90s }", &[
        "110:3 `convergense` is neither an invariant nor a metric [not known] did you mean `convergence`? / `windtunnel list` prints both",
    ]),
    ("convergence: { at_most: 90s }", "convergence: { at_most: 90 }", &[
        "110:27 `90` is not a duration [a duration needs a unit: 90s?] ",
    ]),
    ("split-brain: holds", "split-brian: holds", &[
        "112:3 `split-brian` is neither an invariant nor a metric [not known] did you mean `split-brain`? / `windtunnel list` prints both",
    ]),
    ("split-brain: holds", "split-brain: hold", &[
        "112:16 `split-brain` never comes out as `hold` [expected holds, violated or a bound such as { at_most: 60s }] did you mean `holds`?",
    ]),
    ("split-brain: holds", "split-brain: { violated: { cause: stale cash } }", &[
        "112:37 `split-brain` is never violated because of `stale cash` [expected one of stripped context, expired context, untrusted context, fallback, other salt, wrong environment, other attributes, old code, stale cache, carried context, carried by an event, kept by the entity, unexplained] did you mean `stale cache`?",
    ]),
    ("split-brain: holds", "rollback-safe: holds", &[
        "112:3 `rollback-safe` is inactive without a bound [a bound is missing] write rollback-safe: { at_most: 5m }",
    ]),
    ("kill-latency: { at_most: 60s, quantile: p99 }", "kill-latency: { at_most: 1% }", &[
        "113:28 `kill-latency` is bounded by a duration [expected a duration such as 60s] for a share of runs: { at_most: 1%, of: runs, confidence: 95% }",
    ]),
    ("error_rate: { at_most: 5% }", "eror_rate: { at_most: 5% }", &[
        "115:3 `eror_rate` is neither an invariant nor a metric [not known] did you mean `error_rate`? / `windtunnel list` prints both",
    ]),
    ("error_rate: { at_most: 5% }", "error_rate: { at_most: 5s }", &[
        "115:26 `error_rate` is measured in another unit [expected a share such as 5%] ",
    ]),
    (r#""< 800ms""#, r#""< 800""#, &[
        "116:16 `latency.p99` is measured in another unit [expected a duration such as 300ms] ",
    ]),
    (r#""effect while half""#, r#""efect while haf""#, &[
        "117:51 nothing in this plan is called `haf` [expected a fault of the timeline, kill or a step] did you mean `half`?",
        "117:51 there is no observation `efect` [not known] did you mean `effect`?",
    ]),
    ("topics:
  orders: { partitions: 6", "topics:
  orders: { partitions: 60000", &[
        "78:25 `60000` is not a whole number [expected a whole number from 1 to 10000] ",
    ]),
    ("  - { at: gift-wrap/all + 10m, kill: gift-wrap, scope: { region: south }, to: WINDING_DOWN, lift_after: 20m }
", "", &[
        "112:3 `kill-latency` is never exercised by this plan [exercised when an effect of the killed feature, on an old or a new path, took place in the scope of a kill in force] ",
    ]),
    ("start: 2026-03-02T06:00:00+01:00", "timezone: Europe/Berlin", &[
        "4:11 this version of windtunnel does not support time zones other than UTC yet [expected UTC] ",
    ]),
    ("salt: 4711", r#"gate: ["eror_rate < 2%"]"#, &[
        "96:12 there is no metric `eror_rate` [not known] did you mean `error_rate`? / what can be measured while a rollout is under way: error_rate, success_rate, reject_rate, latency, answers, shadow_mismatch, lag, exceptions, latency with a quantile",
    ]),
    ("edge: true
    operations", "edge: yes
    operations", &[
        "45:11 `yes` is not true or false [expected true or false: true?] ",
    ]),
    ("outbox: { relay: 250ms }", "outbox: 250ms", &[
        "54:13 `outbox` is a map, not text [expected keys such as relay] ",
    ]),
];

#[test]
fn a_file_that_cannot_be_read_is_told_where_it_is_named() {
    let text = FLAGGED.replace("demo.json", "dmo.json");
    let told = flagged(&text).expect_err("there is no such file").to_string();
    assert!(told.contains("a.yaml:2:16") && told.contains("`dmo.json` cannot be read: no file dmo.json"), "{told}");
    let text = FLAGGED.replace("users:", "network: { within: { empirical: rtt.csv } }\nusers:");
    let told = flagged(&text).expect_err("there is no such file").to_string();
    assert!(told.contains("`rtt.csv` cannot be read: no file rtt.csv"), "{told}");
}

#[test]
fn samples_are_read_from_a_file_with_the_scenario() {
    let read = |csv: &'static str| {
        let mut files = move |_: &str| Ok(csv.as_bytes().to_vec());
        let text = EMBEDDED.replace("duration: 10m", "duration: 10m\nnetwork: { within: { empirical: rtt.csv } }");
        Scenario::read("a.yaml", text.as_bytes(), &mut files).expect("it is readable").plan(&Request::default())
    };
    let plan = read("rtt\n3ms\n1ms\n\n2ms\n").unwrap_or_else(|told| panic!("{told}")).plan;
    assert_eq!(plan.estate.network.within.sample(u64::MAX / 2).to_string(), "2ms");
    assert_ne!(plan.hash, read("rtt\n3ms\n").unwrap_or_else(|told| panic!("{told}")).plan.hash);
    let told = read("rtt\n3ms\nfast\n").expect_err("no duration").to_string();
    assert!(told.contains("rtt.csv:3:1") && told.contains("a line that is no duration"), "{told}");
}
