//! `farthing doctor`: what is configured, what is missing, what to do.

use std::process::ExitCode;

use engine::Purse;
use engine::config::{Endpoint, ProviderKind, ProviderSetup};
use jiff::Zoned;
use serde::Serialize;

use crate::setup::{Places, configuration};
use crate::ui;

/// One thing that was looked at.
#[derive(Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    what_to_do: Option<String>,
}

/// Looks at everything that a run needs. Exit code 1 if something is missing. Sends nothing anywhere.
pub(crate) fn doctor(as_json: bool) -> anyhow::Result<ExitCode> {
    let checks = checks(&Places::find()?);
    let all_well = checks.iter().all(|check| check.ok);
    if as_json {
        ui::json(
            &serde_json::json!({"version": env!("CARGO_PKG_VERSION"), "ok": all_well, "checks": checks}),
        )?;
    } else {
        ui::line(format!("farthing {}", env!("CARGO_PKG_VERSION")))?;
        for check in &checks {
            let mark = if check.ok {
                ui::paint(ui::GREEN, "ok  ")
            } else {
                ui::paint(ui::RED, "miss")
            };
            ui::line(format!("{mark}  {:<14} {}", check.name, check.found))?;
            if let Some(what_to_do) = &check.what_to_do {
                ui::line(format!(
                    "      {:<14} {}",
                    "",
                    ui::paint(ui::YELLOW, what_to_do)
                ))?;
            }
        }
    }
    Ok(if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn checks(places: &Places) -> Vec<Check> {
    let (config, problems) = configuration(places, None, &[]);
    let path = places.config.display();
    let exists = places.config.exists();
    let mut checks = vec![Check {
        name: "configuration",
        ok: problems.is_empty(),
        found: if exists {
            path.to_string()
        } else {
            format!("{path} does not exist; the defaults hold")
        },
        what_to_do: (!problems.is_empty()).then(|| {
            problems
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n                     ")
        }),
    }];
    checks.push(match &config.provider {
        ProviderSetup::Ready(Endpoint {
            kind,
            base_url,
            key,
            ..
        }) => Check {
            name: "provider",
            ok: true,
            found: format!("{} at {base_url}, with {key:?}", spoken(*kind)),
            what_to_do: None,
        },
        ProviderSetup::Missing { what_to_do } => Check {
            name: "provider",
            ok: false,
            found: "no model can be asked".to_owned(),
            what_to_do: Some(what_to_do.clone()),
        },
    });
    let purse = Purse::open(&places.ledger(), config.prices.as_deref());
    let model = &config.models.default;
    checks.push(match purse.prices() {
        _ if config.is_free() => Check {
            name: "price",
            ok: true,
            found: format!("{model} is free: nobody bills it, so tokens are counted and no money"),
            what_to_do: None,
        },
        Ok(prices) => {
            let now = jiff::Timestamp::now();
            match prices.lookup(model, now) {
                Some(row) => Check {
                    name: "price",
                    ok: true,
                    found: format!(
                        "{model}, checked on {}{}",
                        row.checked_at(),
                        if row.is_stale(now) {
                            ", which is long ago"
                        } else {
                            ""
                        }
                    ),
                    what_to_do: None,
                },
                None => Check {
                    name: "price",
                    ok: false,
                    found: format!("no price is known for {model}"),
                    what_to_do: Some(format!(
                        "add one with `[prices] file`, or choose one of: {}",
                        prices.models(now).join(", ")
                    )),
                },
            }
        }
        Err(error) => Check {
            name: "price",
            ok: false,
            found: error,
            what_to_do: Some("correct the file".to_owned()),
        },
    });
    let spent = purse.ledger().and_then(|ledger| {
        ledger
            .totals(&Zoned::now())
            .map_err(|error| error.to_string())
    });
    checks.push(match spent {
        Ok(totals) => Check {
            name: "ledger",
            ok: true,
            found: format!(
                "{}, {} today",
                places.ledger().display(),
                totals.today.total()
            ),
            what_to_do: None,
        },
        Err(error) => Check {
            name: "ledger",
            ok: false,
            found: places.ledger().display().to_string(),
            what_to_do: Some(error),
        },
    });
    let show = |limit: Option<ledger::Money>| {
        limit.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string())
    };
    let budget = config.budget.overall();
    checks.push(Check {
        name: "budget",
        ok: config.stopped.is_none(),
        found: format!(
            "{} a run, {} a day, {} a month",
            show(budget.run),
            show(budget.day),
            show(budget.month)
        ),
        what_to_do: config
            .stopped
            .as_ref()
            .map(|problem| format!("nothing may be spent until this is mended: {problem}")),
    });
    let languages: Vec<&str> = grammars::all()
        .iter()
        .map(|grammar| grammar.title)
        .collect();
    checks.push(Check {
        name: "languages",
        ok: true,
        found: languages.join(", "),
        what_to_do: None,
    });
    checks
}

/// What a provider of this kind speaks, for people.
fn spoken(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Anthropic => "the Messages API",
        ProviderKind::OpenAi => "chat completions",
        ProviderKind::Ollama => "Ollama",
    }
}
