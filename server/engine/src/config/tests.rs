#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use expect_test::{Expect, expect, expect_file};
use proptest::prelude::*;
use serde_json::json;

use ledger::OverLimit;

use super::*;

mod budget;
mod provider;
mod schema;

/// Resolves the sources; `env` is `NAME=value` pairs.
fn resolve(
    machine: &str,
    workspace: &str,
    settings: Option<&Value>,
    env: &[&str],
) -> (Config, Vec<Problem>) {
    let env = |name: &str| {
        let pairs = env.iter().filter_map(|pair| pair.split_once('='));
        pairs
            .clone()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.to_owned())
    };
    Config::resolve(&Sources {
        machine: Some(Source {
            name: "config.toml",
            text: machine,
        }),
        workspace: Some(Source {
            name: "farthing.toml",
            text: workspace,
        }),
        settings,
        env: &env,
    })
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("{problem}\n"))
        .collect();
    lines.concat()
}

fn check_problems(machine: &str, workspace: &str, expected: Expect) {
    expected.assert_eq(&lines(&resolve(machine, workspace, None, &[]).1));
}

#[test]
fn an_empty_configuration_has_the_shipped_limits() {
    let (config, problems) = resolve("", "", None, &[]);
    assert_eq!(problems, []);
    assert_eq!(config.budget.overall(), SHIPPED);
    assert_eq!(config.stopped, None);
    assert_eq!(config.rules, Thresholds::default());
    assert_eq!(
        config.surfaces,
        Surfaces {
            priced_actions: true,
            progress_cost: true,
            hover: true,
            code_lens: true,
            priced_lenses: Vec::new(),
            inlay_hints: true,
            priced_hints: false,
            diagnostics: true,
        }
    );
}

#[test]
fn a_whole_configuration_is_read() {
    let machine = r#"
        [provider]
        kind = "anthropic"
        base_url = "https://gateway.example/anthropic/"
        key_env = "GATEWAY_KEY"
        key_header = "bearer"
        [models]
        default = "m"
        effort = "low"
        [budget]
        per_run = "$0.10"
        per_session = "2"
        [limits]
        turns = 3
        [protected]
        names = ["*.sql"]
        [prices]
        file = "/etc/farthing/prices.toml"
    "#;
    let workspace = r#"
        [rules."fn/too-long"]
        threshold = 120
        [rules."fn/deep-nesting"]
        enabled = false
        [budget]
        per_day = "$1"
        [scope]
        deny = ["secrets/**", "*.pem"]
        [context]
        text = "Three people, no Kubernetes."
    "#;
    let settings = json!({"codeLens": {"enable": false}, "hover": {"enable": null}, "server": {"path": "farthing"}});
    let (config, problems) = resolve(
        machine,
        workspace,
        Some(&settings),
        &["GATEWAY_KEY=sk-canary"],
    );
    assert_eq!(lines(&problems), "");
    let Config {
        provider,
        models,
        budget,
        limits,
        protected,
        prices,
        deny,
        rules,
        context,
        team: _,
        new_code: _,
        surfaces,
        mode,
        stopped,
        granted: _,
    } = config;
    let power = format!(
        "{provider:?}\n{models:?}\n{budget:?}\n{limits:?}\n{protected:?} {prices:?} {stopped:?}\n"
    );
    let by_itself = Thresholds::default();
    let changed = review::all_rules()
        .iter()
        .map(|rule| (rule, rules.get(*rule)));
    let changed: Vec<String> = changed
        .filter(|(rule, threshold)| *threshold != by_itself.get(**rule))
        .map(|(rule, threshold)| format!("{rule}: {threshold:?}"))
        .collect();
    let changed = changed.join(", ");
    let team = format!("{deny:?} {changed}\n{context:?} {surfaces:?} {mode:?}\n");
    expect![[r#"
        Ready(Endpoint { kind: Anthropic, base_url: "https://gateway.example/anthropic", allow_cleartext: false, key: the key in GATEWAY_KEY, header: Bearer, free: false })
        Models { default: "m", small: "claude-haiku-5-5", large: "claude-opus-5-5", effort: Some(Low), patches: false, small_first: [], small_when_short: false }
        Budget { limits: Limits { run: Some(Money(100000000000)), session: Some(Money(2000000000000)), workspace: None, day: Some(Money(1000000000000)), month: Some(Money(50000000000000)), model_day: None, model_month: None }, models: [] }
        Limits { turns: 3, tool_calls: 40, output_tokens: 16000, seconds: 600 }
        ["*.sql"] Some("/etc/farthing/prices.toml") None
        ["secrets/**", "*.pem"] fn/too-long: Some(120), fn/deep-nesting: None
        Some("Three people, no Kubernetes.") Surfaces { priced_actions: true, progress_cost: true, hover: true, code_lens: false, priced_lenses: [], inlay_hints: true, priced_hints: false, diagnostics: true } Live
    "#]].assert_eq(&(power + &team));
}

#[test]
fn every_problem_names_its_place_and_what_is_valid() {
    check_problems(
        "\n[budget]\nper_runs = \"$1\"\nper_day = 5\nper_month = \"-1\"\nper_session = \"five\"\n\n\
         [limits]\nturns = -1\noutput_tokens = 0\nseconds = 5000000000\ntool_calls = 1.5\n\n\
         [models]\neffort = \"hard\"\n\n[prices]\nfile = \"prices.toml\"\n\n[protected]\nnames = [\"a\", 1]\nname = []\n\n\
         [provider]\nkind = \"gemini\"\nbase_url = \"http://example.com\"\n\n[rules]\n[limit]\n",
        "[rules.\"fn/too-lnog\"]\n[rules.\"fn/too-long\"]\nlimit = 3\n[scope]\ndeny = [\"a[\", \"\"]\n\
         [models]\n[hover]\n\"ä\" = 1\n",
        expect![[r#"
            config.toml:3:1: budget.per_runs: unknown key; did you mean per_run? valid keys: per_run, per_session, per_day, per_month, per_workspace, per_model
            config.toml:4:1: budget.per_day: must be an amount in quotes, such as "$0.50", not a bare number
            config.toml:5:1: budget.per_month: an amount cannot be negative; "$0" means that nothing may be spent
            config.toml:6:1: budget.per_session: not an amount in dollars; write it like "$0.50" or "0.50"
            config.toml:9:1: limits.turns: must be at least 0
            config.toml:10:1: limits.output_tokens: must be at least 1
            config.toml:11:1: limits.seconds: must be at most 4294967295
            config.toml:12:1: limits.tool_calls: must be a whole number, not a fraction
            config.toml:15:1: models.effort: unknown value; valid values: low, medium, high, xhigh, max
            config.toml:18:1: prices.file: must be an absolute path, so that it means the same file wherever the server starts
            config.toml:21:15: protected.names[1]: must be a text in quotes, not a bare number
            config.toml:22:1: protected.name: unknown key; did you mean names? valid keys: names
            config.toml:25:1: provider.kind: unknown value; valid values: anthropic, openai, ollama
            config.toml:28:2: rules: belongs in farthing.toml at the root of the workspace
            config.toml:29:2: limit: unknown key; did you mean limits? valid keys: provider, models, budget, limits, protected, prices
            farthing.toml:1:8: rules."fn/too-lnog": unknown key; did you mean fn/too-long? valid keys: fn/too-long, fn/deep-nesting, fn/too-complex, cycle/load-time, cycle/deferred, cycle/package, module/hub, module/god, layer/inferred-drift, graph/unresolved, layer/violation, interface/bypass, ctx/forbidden-import, ctx/second-library, ctx/unknown-technology, ctx/too-many-deployables, ctx/too-many-datastores, ctx/too-many-languages, ctx/stale-decision, code/unreferenced, code/duplicate, code/duplicate-of-existing, fn/complexity-hotspot, git/change-coupling, git/mirror-edit, abs/single-impl, abs/pass-through, dep/two-for-one, style/error-handling, style/logging, style/naming, dep/unused, dep/undeclared, perf/regex-in-loop, perf/query-in-loop, perf/sync-io-in-async, perf/await-in-loop, perf/concat-in-loop, perf/membership-quadratic, perf/lock-across-await, perf/alloc-in-loop, perf/unbounded-query, sec/shell-true-dynamic, sec/unsafe-deserialise, sec/eval-dynamic, sec/tls-off, sec/sql-format, model/dependency, model/abstraction, model/duplicate, model/size, model/performance, model/decision, model/gap, model/judgement, ignore/unused, ignore/unreasoned
            farthing.toml:3:1: rules."fn/too-long".limit: unknown key; valid keys: enabled, threshold
            farthing.toml:5:9: scope.deny[0]: is no path pattern: unclosed character class; missing ']'
            farthing.toml:5:15: scope.deny[1]: must be a path pattern, such as "secrets/**" or "*.pem"
            farthing.toml:6:2: models: belongs in the machine-level config.toml; a workspace or an editor can only narrow what that allows
            farthing.toml:7:2: hover: belongs in the editor's settings
        "#]],
    );
}

#[test]
fn a_syntax_error_has_a_place() {
    check_problems(
        "a = 1\n[budget\n",
        "x = \"",
        expect![[r#"
        config.toml:2:8: unclosed table, expected `]`
        farthing.toml:1:6: invalid basic string, expected `"`
    "#]],
    );
}

#[test]
fn denied_paths_include_what_is_in_denied_folders() {
    let (config, _) = resolve(
        "",
        "[scope]\ndeny = [\"/Secrets/\", \"*.pem\", \"a/**/b\"]",
        None,
        &[],
    );
    for path in [
        "secrets",
        "secrets/x/y.rs",
        "keys/server.PEM",
        "a/b",
        "a/x/y/b",
        "x.pem/y",
    ] {
        assert!(config.deny.denies(path), "{path}");
    }
    for path in ["src/secrets.rs", "x/secrets/y", "pem", "a/b.rs", ""] {
        assert!(!config.deny.denies(path), "{path}");
    }
}

#[test]
fn a_team_says_what_is_checked_and_what_a_model_is_shown() {
    let workspace = r#"
        [context]
        text = "Spring release first."
        [org]
        name = "Acme"
        maintainers = 3
        stage = "production"
        [skills]
        strong = ["python", "postgres"]
        unknown = ["kafka"]
        [shape]
        style = "modular-monolith"
        max_deployables = 2
        [load]
        peak_rps = 40
        rows = { users = 100_000 }
        [[layer]]
        name = "web"
        paths = ["app/web/**"]
        [[layer]]
        name = "domain"
        paths = ["app/domain/**"]
        public = ["app/domain/api.py"]
        [[one_of]]
        job = "http-client"
        use = "httpx"
        instead_of = ["requests"]
        [[forbid]]
        import = "celery"
        in = ["app/domain/**"]
        adr = "docs/adr/7.md"
        [[owner]]
        paths = ["app/billing/**"]
        people = ["@ana"]
        [[decision]]
        adr = "docs/adr/3.md"
        status = "accepted"
        [[exception]]
        rule = "ctx/unknown-technology"
        match = "kafka"
        until = 2027-03-01
        why = "vendor feed"
        [review]
        never = ["naming"]
    "#;
    let (config, problems) = resolve("", workspace, None, &[]);
    assert_eq!(lines(&problems), "");
    expect![[r#"
        Spring release first.
        Team: Acme, 3 maintainers
        Stage of the code: production
        Style: modular-monolith
        The team is at home in: python, postgres
        Nobody knows: kafka
        At most: 2 deployables
        Load: 40 requests in the busiest second, 100000 rows in users
        Layers, which import downwards only: web, domain
        For http-client: httpx
        Never import: celery in app/domain/**
        Decided in: docs/adr/3.md
        A review never reports: naming"#]]
    .assert_eq(&config.context.unwrap());
    let team = config.team;
    assert_eq!(team.layers[0].layers.len(), 2);
    assert_eq!(team.exceptions[0].until.as_deref(), Some("2027-03-01"));
    assert_eq!(team.owners_of("app/billing/tax.py"), ["@ana"]);
    assert_eq!(team.shape.deployables, Some(2));
    assert_eq!(team.forbidden[0].why.as_deref(), Some("docs/adr/7.md"));
}

#[test]
fn what_a_team_says_wrong_has_a_place() {
    check_problems(
        "",
        "[org]\nmaintainers = \"three\"\nstage = \"done\"\n[[layer]]\nname = \"web\"\n[[layer]]\npath = [\"a\"]\n\
         [[exception]]\nrule = \"ctx/unknown\"\nuntil = 2027-03-01T10:00:00\n[[exception]]\nrule = \"ctx/second-library\"\nuntil = \"soon\"\n\
         [shape]\nmax_deployables = 2027-01-01\n[skill]\n",
        expect![[r#"
            farthing.toml:2:1: org.maintainers: must be a whole number, not a text
            farthing.toml:3:1: org.stage: unknown value; valid values: prototype, production, legacy
            farthing.toml:4:1: layer[0]: needs the key paths
            farthing.toml:6:1: layer[1]: needs the key name
            farthing.toml:7:1: layer[1].path: unknown key; did you mean paths? valid keys: name, paths, public
            farthing.toml:9:1: exception[0].rule: unknown value; valid values: fn/too-long, fn/deep-nesting, fn/too-complex, cycle/load-time, cycle/deferred, cycle/package, module/hub, module/god, layer/inferred-drift, graph/unresolved, layer/violation, interface/bypass, ctx/forbidden-import, ctx/second-library, ctx/unknown-technology, ctx/too-many-deployables, ctx/too-many-datastores, ctx/too-many-languages, ctx/stale-decision, code/unreferenced, code/duplicate, code/duplicate-of-existing, fn/complexity-hotspot, git/change-coupling, git/mirror-edit, abs/single-impl, abs/pass-through, dep/two-for-one, style/error-handling, style/logging, style/naming, dep/unused, dep/undeclared, perf/regex-in-loop, perf/query-in-loop, perf/sync-io-in-async, perf/await-in-loop, perf/concat-in-loop, perf/membership-quadratic, perf/lock-across-await, perf/alloc-in-loop, perf/unbounded-query, sec/shell-true-dynamic, sec/unsafe-deserialise, sec/eval-dynamic, sec/tls-off, sec/sql-format, model/dependency, model/abstraction, model/duplicate, model/size, model/performance, model/decision, model/gap, model/judgement, ignore/unused, ignore/unreasoned
            farthing.toml:10:1: exception[0].until: must be a day, such as 2027-03-01
            farthing.toml:13:1: exception[1].until: must be a day, such as 2027-03-01
            farthing.toml:15:1: shape.max_deployables: must be a whole number, not a date
            farthing.toml:16:2: skill: unknown key; did you mean skills? valid keys: rules, budget, scope, context, org, skills, shape, load, layer, one_of, forbid, owner, decision, exception, review
        "#]],
    );
}
