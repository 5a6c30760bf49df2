use super::*;

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
