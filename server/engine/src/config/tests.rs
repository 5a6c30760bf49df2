#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use expect_test::{Expect, expect, expect_file};
use proptest::prelude::*;
use serde_json::json;

use ledger::OverLimit;

use super::*;

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

fn check_budget(machine: &str, workspace: &str, settings: &Value, expected: Expect) {
    let (config, problems) = resolve(machine, workspace, Some(settings), &[]);
    let show = |limit: Option<Money>| limit.map_or("-".to_owned(), Money::exact);
    let mut shown = lines(&problems);
    let budget = config.budget.overall();
    for (name, limit) in [
        ("run", budget.run),
        ("session", budget.session),
        ("day", budget.day),
        ("month", budget.month),
        ("workspace", budget.workspace),
    ] {
        let _ = write!(shown, "{name} {} ", show(limit));
    }
    expected.assert_eq(shown.trim_end());
}

fn check_setup(machine: &str, env: &[&str], expected: Expect) {
    let (config, problems) = resolve(machine, "", None, env);
    let shown = match &config.provider {
        ProviderSetup::Ready(Endpoint {
            kind,
            base_url,
            key,
            header,
            free,
            ..
        }) => {
            let free = if *free { ", free" } else { "" };
            let of = &config.models.default;
            let model = if *kind == ProviderKind::Anthropic {
                String::new()
            } else {
                format!(", {of}")
            };
            format!("{kind:?} at {base_url}, {key:?}, {header:?}{free}{model}\n")
        }
        ProviderSetup::Missing { what_to_do } => format!("missing: {what_to_do}\n"),
    };
    expected.assert_eq(&(lines(&problems) + &shown));
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
fn the_schema_tells_the_shipped_limits() {
    let [(_, schema), ..] = schemas();
    let shipped = schema["properties"]["budget"]["default"]
        .as_object()
        .unwrap();
    let lines: Vec<String> = shipped
        .iter()
        .map(|(key, amount)| format!("{key} = {amount}\n"))
        .collect();
    let machine = format!("[budget]\n{}", lines.concat());
    assert_eq!(resolve(&machine, "", None, &[]).0.budget.overall(), SHIPPED);
    assert_eq!(
        ledger::Limits {
            session: None,
            workspace: None,
            ..SHIPPED
        },
        SHIPPED
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
fn a_key_is_never_taken_from_a_file_and_never_shown() {
    check_problems(
        "[provider]\nkey = \"sk-canary\"\nkey_env = \"sk-canary\"\n",
        "",
        expect![[r#"
            config.toml:2:1: provider.key: a key is never written in a file, because files are copied, synchronised and committed; say where it is: key_env = "ANTHROPIC_API_KEY" or key_command = ["/usr/bin/pass", "show", "anthropic"]
            config.toml:3:1: provider.key_env: must be the name of an environment variable, such as "ANTHROPIC_API_KEY", and not the key itself
        "#]],
    );
    check_problems(
        "[provider]\nkey_env = \"A\"\nkey_command = [\"pass\"]\n",
        "",
        expect![[r#"
            config.toml:3:1: provider.key_command: must be an absolute path, so that it means the same file wherever the server starts
        "#]],
    );
    check_problems(
        "[provider]\nkey_env = \"A\"\nkey_command = [\"/usr/bin/pass\"]\n",
        "",
        expect![[r#"
            config.toml:1:2: provider: give one of key_env and key_command, not both
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
fn limits_only_go_down() {
    check_budget(
        "",
        "[budget]\nper_run = \"$9\"\nper_workspace = \"$3\"",
        &json!({}),
        expect!["run $0.50 session - day $5.00 month $50.00 workspace $3.00"],
    );
    check_budget(
        "",
        "",
        &json!({"budget": {"perRun": "$0.01", "perDay": null}}),
        expect!["run $0.01 session - day $5.00 month $50.00 workspace -"],
    );
    check_budget(
        "[budget]\nper_day = \"0\"",
        "[budget]\nper_day = \"$1\"",
        &json!({}),
        expect!["run $0.50 session - day $0.00 month $50.00 workspace -"],
    );
}

#[test]
fn a_model_has_limits_of_its_own_under_any_spelling() {
    let (config, problems) = resolve(
        "[budget.per_model.\"claude-opus-5-5\"]\nper_day = \"$2\"\nper_month = \"$20\"\n",
        "[budget.per_model.\"claude-opus-5-5-20260922\"]\nper_day = \"$1\"\n[budget.per_model.\"m\"]\nper_month = \"0\"\n",
        Some(&json!({"budget": {"perModel": {"claude-opus-5-5": {"perMonth": "$30"}}}})),
        &[],
    );
    assert_eq!(lines(&problems), "");
    let shown = |model: &str| {
        let limits = config.budget.of(model);
        let amount = |limit: Option<Money>| limit.map_or("-".to_owned(), |limit| limit.to_string());
        format!(
            "{} {}",
            amount(limits.model_day),
            amount(limits.model_month)
        )
    };
    assert_eq!(shown("claude-opus-5-5"), "$1.00 $20.00");
    assert_eq!(shown("claude-opus-5-5-20261001"), "$1.00 $20.00");
    assert_eq!(shown("m"), "- $0.00");
    assert_eq!(shown("claude-opus-5"), "- -");
    let names: Vec<&str> = config
        .budget
        .models()
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(names, ["claude-opus-5-5", "m"]);
}

#[test]
fn a_refusal_names_the_file_that_holds_the_limit() {
    let over = |which: LimitKind, limit: &str| OverLimit {
        which,
        model: "claude-opus-5-5".to_owned(),
        limit: limit.parse().unwrap(),
        spent: Money::ZERO,
        reserved: Money::ZERO,
        asked: "5".parse().unwrap(),
    };
    let (config, _) = resolve(
        "[budget]\nper_day = \"$2\"",
        "[budget]\nper_day = \"$1\"\n[budget.per_model.\"claude-opus-5-5\"]\nper_day = \"$0.50\"",
        None,
        &[],
    );
    expect![[r#"
        $1.00 is left of the $1.00 for today ($0.00 spent), and this request can cost $5.00; to allow it, set per_day = "$5.00" under [budget] in farthing.toml or the editor's settings
        $50.00 is left of the $50.00 for this month ($0.00 spent), and this request can cost $5.00; to allow it, set per_month = "$5.00" under [budget] in config.toml
        $0.50 is left of the $0.50 for this model today ($0.00 spent), and this request can cost $5.00; to allow it, set per_day = "$5.00" under [budget.per_model."claude-opus-5-5"] in farthing.toml or the editor's settings
    "#]].assert_eq(&format!(
        "{}\n{}\n{}\n",
        config.explain(&over(LimitKind::Day, "1")),
        config.explain(&over(LimitKind::Month, "50")),
        config.explain(&over(LimitKind::ModelDay, "0.50")),
    ));
}

#[test]
fn a_limit_that_cannot_be_read_stops_spending() {
    check_budget(
        "[budget]\nper_runs = \"$1\"",
        "",
        &json!({}),
        expect![[r#"
        config.toml:2:1: budget.per_runs: unknown key; did you mean per_run? valid keys: per_run, per_session, per_day, per_month, per_workspace, per_model
        run $0.00 session $0.00 day $0.00 month $0.00 workspace $0.00"#]],
    );
    check_budget(
        "",
        "[budgt]\nper_run = \"$0.01\"",
        &json!({}),
        expect![[r#"
            farthing.toml:1:2: budgt: unknown key; did you mean budget? valid keys: rules, budget, scope, context, org, skills, shape, load, layer, one_of, forbid, owner, decision, exception, review
            run $0.00 session $0.00 day $0.00 month $0.00 workspace $0.00"#]],
    );
    check_budget(
        "",
        "[scope]\ndeny = \"secrets\"",
        &json!({}),
        expect![[r#"
        farthing.toml:2:1: scope.deny: must be a list, not a text
        run $0.00 session $0.00 day $0.00 month $0.00 workspace $0.00"#]],
    );
    check_budget(
        "",
        "[rules",
        &json!({}),
        expect![[r#"
        farthing.toml:1:7: unclosed table, expected `]`
        run $0.00 session $0.00 day $0.00 month $0.00 workspace $0.00"#]],
    );
    check_budget(
        "",
        "",
        &json!({"budget": {"perRun": 1}}),
        expect![[r#"
        editor settings: budget.perRun: must be an amount in quotes, such as "$0.50", not a bare number
        run $0.00 session $0.00 day $0.00 month $0.00 workspace $0.00"#]],
    );
}

#[test]
fn a_problem_without_power_stops_nothing() {
    check_budget(
        "",
        "[rules.\"fn/too-long\"]\nthreshold = \"long\"\n[layers]",
        &json!({"theme": 1}),
        expect![[r#"
            farthing.toml:2:1: rules."fn/too-long".threshold: must be a whole number, not a text
            farthing.toml:3:2: layers: unknown key; did you mean layer? valid keys: rules, budget, scope, context, org, skills, shape, load, layer, one_of, forbid, owner, decision, exception, review
            editor settings: theme: unknown key; valid keys: hover, actions, progress, codeLens, inlayHints, diagnostics, review, budget, scope, server, languages, trace, trusted, spending, reports
            run $0.50 session - day $5.00 month $50.00 workspace -"#]],
    );
}

#[test]
fn the_environment_fills_in_what_is_absent() {
    check_setup(
        "",
        &[],
        expect![[r#"
        missing: no key for the model: set ANTHROPIC_API_KEY in the environment that the editor is started from, or say in config.toml where the key is, with provider.key_env or provider.key_command
    "#]],
    );
    check_setup(
        "",
        &["ANTHROPIC_API_KEY=sk-canary"],
        expect![[r#"
        Anthropic at https://api.anthropic.com, the key in ANTHROPIC_API_KEY, XApiKey
    "#]],
    );
    check_setup(
        "",
        &["ANTHROPIC_API_KEY= ", "ANTHROPIC_AUTH_TOKEN=sk-canary"],
        expect![[r#"
        Anthropic at https://api.anthropic.com, the key in ANTHROPIC_AUTH_TOKEN, Bearer
    "#]],
    );
    check_setup(
        "",
        &[
            "ANTHROPIC_API_KEY=sk-canary",
            "ANTHROPIC_BASE_URL=https://gateway.example/v1/",
        ],
        expect![[r#"
            Anthropic at https://gateway.example/v1, the key in ANTHROPIC_API_KEY, XApiKey
        "#]],
    );
    check_setup(
        "",
        &["ANTHROPIC_BASE_URL=http://example.com"],
        expect![[r#"
        missing: ANTHROPIC_BASE_URL must begin with https://, because code and key would travel unencrypted; provider.allow_cleartext = true in config.toml allows it
    "#]],
    );
    check_setup(
        "",
        &["ANTHROPIC_BASE_URL=example"],
        expect![[r#"
        missing: ANTHROPIC_BASE_URL must be an address, such as "https://api.anthropic.com"
    "#]],
    );
    check_setup(
        "",
        &["ANTHROPIC_BASE_URL=http://127.0.0.1:8080"],
        expect![[r#"
        Anthropic at http://127.0.0.1:8080, no key, XApiKey
    "#]],
    );
    check_setup(
        "[provider]\nkey_env = \"WORK_KEY\"",
        &["ANTHROPIC_API_KEY=sk-canary"],
        expect![[r#"
        missing: config.toml says that the key is in WORK_KEY, which is not set in the environment that the editor was started from; set it there, or use provider.key_command
    "#]],
    );
    check_setup(
        "[provider]\nkey_command = [\"/usr/bin/pass\", \"show\", \"key\"]",
        &[],
        expect![[r#"
        Anthropic at https://api.anthropic.com, the key that /usr/bin/pass prints, XApiKey
    "#]],
    );
}

#[test]
fn a_key_of_the_file_goes_only_where_the_file_says() {
    let elsewhere = "ANTHROPIC_BASE_URL=https://elsewhere.example";
    check_setup(
        "[provider]\nkey_env = \"WORK_KEY\"",
        &["WORK_KEY=sk-canary", elsewhere],
        expect![[r#"
        environment: ANTHROPIC_BASE_URL: ignored, because a key that config.toml names goes only where config.toml says; set provider.base_url there
        Anthropic at https://api.anthropic.com, the key in WORK_KEY, XApiKey
    "#]],
    );
    check_setup(
        "[provider]\nbase_url = \"https://gateway.example\"",
        &["ANTHROPIC_API_KEY=sk-canary", elsewhere],
        expect![[r#"
            Anthropic at https://gateway.example, the key in ANTHROPIC_API_KEY, XApiKey
        "#]],
    );
}

#[test]
fn the_environment_names_other_providers() {
    check_setup(
        "",
        &["OPENAI_API_KEY=sk-canary"],
        expect![[r#"
        OpenAi at https://api.openai.com/v1, the key in OPENAI_API_KEY, Bearer, gpt-6.1-terra
    "#]],
    );
    check_setup(
        "",
        &["OPENAI_API_KEY=sk-canary", "ANTHROPIC_API_KEY=sk-canary"],
        expect![[r#"
            Anthropic at https://api.anthropic.com, the key in ANTHROPIC_API_KEY, XApiKey
        "#]],
    );
    check_setup(
        "",
        &["OLLAMA_HOST=127.0.0.1"],
        expect![[r#"
        missing: no model is named for http://127.0.0.1:11434: write models.default = "…" in config.toml, with the name that the server gives the model; it must be one that can call tools
    "#]],
    );
}

#[test]
fn the_host_of_ollama_is_read_as_ollama_reads_it() {
    let mut shown = String::new();
    for host in [
        "127.0.0.1:11434",
        "0.0.0.0",
        ":9000",
        "http://localhost:8080/ollama/",
        "[::]:1234",
        "https://ollama.example",
        "big-machine",
        "what ever",
    ] {
        let machine = "[provider]\nkind = \"ollama\"\n[models]\ndefault = \"qwen3-coder:30b\"";
        let variable = format!("OLLAMA_HOST={host}");
        let of = |machine: &str| match resolve(machine, "", None, &[&variable]).0.provider {
            ProviderSetup::Ready(endpoint) => endpoint.base_url,
            ProviderSetup::Missing { what_to_do } => what_to_do,
        };
        let _ = writeln!(shown, "{host}: {}", of(machine));
        let found = of("[models]\ndefault = \"m\"");
        if found != of(machine) {
            let _ = writeln!(shown, "  without the kind: {found}");
        }
    }
    expect![[r#"
        127.0.0.1:11434: http://127.0.0.1:11434
        0.0.0.0: http://127.0.0.1:11434
        :9000: http://127.0.0.1:9000
        http://localhost:8080/ollama/: http://localhost:8080/ollama
        [::]:1234: http://[::1]:1234
        https://ollama.example: https://ollama.example
          without the kind: OLLAMA_HOST names another machine; write provider.kind = "ollama" in config.toml if code may go there
        big-machine: OLLAMA_HOST must begin with https://, because code and key would travel unencrypted; provider.allow_cleartext = true in config.toml allows it
          without the kind: OLLAMA_HOST names another machine; write provider.kind = "ollama" in config.toml if code may go there
        what ever: OLLAMA_HOST must be a host, such as "127.0.0.1:11434"
    "#]].assert_eq(&shown);
}

#[test]
fn the_file_names_other_providers() {
    let openai = "[provider]\nkind = \"openai\"\n";
    check_setup(
        openai,
        &["ANTHROPIC_API_KEY=sk-canary"],
        expect![[r#"
        missing: no key for the model: set OPENAI_API_KEY in the environment that the editor is started from, or say in config.toml where the key is, with provider.key_env or provider.key_command
    "#]],
    );
    check_setup(
        &format!(
            "{openai}base_url = \"https://openrouter.ai/api/v1\"\nkey_env = \"OPENROUTER_API_KEY\"\n[models]\ndefault = \"m\""
        ),
        &[
            "OPENROUTER_API_KEY=sk-canary",
            "OPENAI_BASE_URL=https://elsewhere.example",
        ],
        expect![[r#"
            OpenAi at https://openrouter.ai/api/v1, the key in OPENROUTER_API_KEY, Bearer, m
        "#]],
    );
    check_setup(
        &format!(
            "{openai}base_url = \"http://127.0.0.1:8080\"\nfree = true\n[models]\ndefault = \"m\""
        ),
        &[],
        expect![[r#"
            OpenAi at http://127.0.0.1:8080, no key, Bearer, free, m
        "#]],
    );
    check_setup(
        &format!("{openai}base_url = \"https://vllm.example/v1\"\n[models]\ndefault = \"m\""),
        &[],
        expect![[r#"
            OpenAi at https://vllm.example/v1, no key, Bearer, m
        "#]],
    );
    check_setup(
        &format!("{openai}base_url = \"https://vllm.example/v1\""),
        &[],
        expect![[r#"
            missing: no model is named for https://vllm.example/v1: write models.default = "…" in config.toml, with the name that the server gives the model; it must be one that can call tools
        "#]],
    );
    check_setup(
        &format!("{openai}key_env = \"WORK_KEY\""),
        &[
            "WORK_KEY=sk-canary",
            "OPENAI_BASE_URL=https://elsewhere.example",
        ],
        expect![[r#"
            environment: OPENAI_BASE_URL: ignored, because a key that config.toml names goes only where config.toml says; set provider.base_url there
            OpenAi at https://api.openai.com/v1, the key in WORK_KEY, Bearer, gpt-6.1-terra
        "#]],
    );
    check_setup(
        "[provider]\nkind = \"ollama\"\nfree = false\n[models]\ndefault = \"gpt-oss:120b-cloud\"",
        &[],
        expect![[r#"
            Ollama at http://127.0.0.1:11434, no key, Bearer, gpt-oss:120b-cloud
        "#]],
    );
}

#[test]
fn an_address_is_encrypted_or_this_machine() {
    let of = |address: &str, machine: &str| {
        let variable = format!("ANTHROPIC_BASE_URL={address}");
        let (config, _) = resolve(
            machine,
            "",
            None,
            &["ANTHROPIC_API_KEY=sk-canary", &variable],
        );
        matches!(config.provider, ProviderSetup::Ready(_))
    };
    for address in [
        "https://example.com",
        "http://localhost:1",
        "http://[::1]:1",
        "http://127.1.2.3",
    ] {
        assert!(of(address, ""), "{address}");
    }
    for address in [
        "http://example.com",
        "http://127.0.0.1@example.com/",
        "http://localhost.example.com",
        "https://user:password@example.com",
        "ftp://localhost",
        "file:///etc/passwd",
        "not an address",
    ] {
        assert!(!of(address, ""), "{address}");
    }
    assert!(of(
        "http://example.com",
        "[provider]\nallow_cleartext = true"
    ));
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
fn nothing_printed_holds_a_key() {
    let (config, _) = resolve("", "", None, &["ANTHROPIC_API_KEY=sk-canary"]);
    assert!(!format!("{config:?}").contains("sk-canary"));
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

#[test]
fn published_schemas_are_those_of_the_types() {
    for (name, schema) in schemas() {
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        expect_file![format!("../../../../docs/schema/{name}")].assert_eq(&text);
    }
}

#[test]
fn every_key_is_documented() {
    fn keys(schema: &Value, found: &mut Vec<String>) {
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            found.push(key.clone());
            keys(inner, found);
        }
        if let Some(inner) = schema.get("additionalProperties") {
            keys(inner, found);
        }
    }
    let page = include_str!("../../../../docs/configuration.md");
    for (name, schema) in schemas() {
        let mut found = Vec::new();
        keys(&schema, &mut found);
        for key in found {
            assert!(
                page.contains(&format!("`{key}`")),
                "docs/configuration.md does not say what `{key}` of {name} is"
            );
        }
    }
}

/// A TOML budget and scope, valid or not.
fn narrowing() -> impl Strategy<Value = (String, Value)> {
    let amount = prop_oneof![
        (0_u32..1000).prop_map(|cents| format!("\"${}.{:02}\"", cents / 100, cents % 100)),
        Just("\"$1e9\"".to_owned()),
        Just("7".to_owned()),
        Just("true".to_owned()),
    ];
    let key = prop::sample::select(vec![
        "per_run",
        "per_session",
        "per_day",
        "per_month",
        "per_workspace",
        "perRun",
        "perDay",
        "per_runs",
    ]);
    let entries = prop::collection::btree_map(key, amount, 0..5);
    let deny = prop::collection::vec(prop::sample::select(vec!["src/**", "*.rs", "a[", ""]), 0..3);
    (entries, deny, any::<bool>()).prop_map(|(entries, deny, powerful)| {
        let mut toml = String::from("[budget]\n");
        let mut json = serde_json::Map::new();
        for (key, amount) in &entries {
            let _ = writeln!(toml, "{key} = {amount}");
            json.insert((*key).to_owned(), serde_json::from_str(amount).unwrap());
        }
        for (key, amount) in &entries {
            if matches!(*key, "per_day" | "per_month") {
                let _ = writeln!(
                    toml,
                    "[budget.per_model.\"claude-opus-5-5\"]\n{key} = {amount}"
                );
                break;
            }
        }
        let _ = writeln!(toml, "[scope]\ndeny = {deny:?}");
        if powerful {
            toml.push_str(
                "[limits]\nturns = 1000\n[models]\nlarge = \"x\"\n[protected]\nnames = []\n",
            );
        }
        (toml, json!({"budget": json, "scope": {"deny": deny}}))
    })
}

proptest! {
    #[test]
    fn a_workspace_or_an_editor_never_widens(
        machine in narrowing(),
        workspace in narrowing(),
        settings in narrowing(),
        path in prop::sample::select(vec!["src/main.rs", "main.rs", "README.md", "a/b"]),
    ) {
        let machine = machine.0.split("[scope]").next().unwrap().to_owned();
        let (alone, _) = resolve(&machine, "", None, &[]);
        let (with_workspace, _) = resolve(&machine, &workspace.0, None, &[]);
        let (with_both, _) = resolve(&machine, &workspace.0, Some(&settings.1), &[]);
        for (wide, narrow) in [(&alone, &with_workspace), (&with_workspace, &with_both)] {
            for model in ["claude-opus-5-5", "claude-opus-5-5-20260922", "another"] {
                let (wide, narrow) = (wide.budget.of(model), narrow.budget.of(model));
                prop_assert_eq!(wide.narrow(narrow), narrow);
            }
            prop_assert!(narrow.deny.denies(path) || !wide.deny.denies(path));
            prop_assert!(wide.stopped.is_none() || narrow.stopped.is_some());
            prop_assert_eq!(&wide.models, &narrow.models);
            prop_assert_eq!(wide.limits, narrow.limits);
            prop_assert_eq!(&wide.protected, &narrow.protected);
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,60}", table in prop::sample::select(vec!["budget", "rules", "provider"])) {
        let _ = resolve(&text, &format!("[{table}]\n{text}"), Some(&Value::String(text.clone())), &[]);
    }
}

#[test]
fn every_folder_can_narrow() {
    let source = |name: &'static str, text: &'static str| Source { name, text };
    let sources = Sources {
        machine: Some(source("config.toml", "[budget]\nper_day = \"$5.00\"\n")),
        workspace: Some(source(
            "a/farthing.toml",
            "[budget]\nper_run = \"$0.40\"\n[scope]\ndeny = [\"a/**\"]\n",
        )),
        settings: None,
        env: &|_| None,
    };
    let other = source(
        "b/farthing.toml",
        "[budget]\nper_run = \"$0.10\"\nper_day = \"$9.00\"\n[scope]\ndeny = [\"b/**\"]\n",
    );
    let (config, problems) = Config::resolve_all(&sources, &[other]);
    assert!(problems.is_empty(), "{problems:?}");
    let limits = config.budget.overall();
    let dollars = |text: &str| Some(text.parse().unwrap());
    assert_eq!(
        (limits.run, limits.day),
        (dollars("$0.10"), dollars("$5.00"))
    );
    assert!(config.deny.denies("a/x.rs") && config.deny.denies("b/x.rs"));

    // What cannot be read might have narrowed.
    let (config, problems) = Config::resolve_all(&sources, &[source("b/farthing.toml", "[budget")]);
    assert_eq!(problems.len(), 1);
    assert!(
        config
            .stopped
            .is_some_and(|problem| problem.file == "b/farthing.toml")
    );
}
