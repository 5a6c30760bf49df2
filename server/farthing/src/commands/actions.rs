//! `farthing actions`: the light bulb's menu on the command line.

use std::process::ExitCode;

use engine::{Item, Pick};
use serde_json::{Value, json};

use crate::commands::headless::Headless;
use crate::place::At;
use crate::ui;

/// Prints the menu at a place.
pub(crate) fn actions(at: &At, as_json: bool) -> anyhow::Result<ExitCode> {
    let file = at.file()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let Headless { engine, text, .. } = Headless::open(&file).await?;
        let range = at.range(&text)?;
        let menu = engine.menu(&engine.snapshot(), &file, range, &[]);
        engine.shutdown().await;
        if as_json {
            ui::json(&menu.items.iter().map(shown).collect::<Vec<Value>>())?;
        } else if menu.items.is_empty() {
            ui::line("nothing to offer here; try the first line of a function")?;
        } else {
            for item in &menu.items {
                let action = match &item.pick {
                    Pick::Launch(launch) => launch.action.id(),
                    _ => "",
                };
                ui::line(format!(
                    "{}  {}",
                    ui::paint(ui::DIM, format!("{action:<9}")),
                    item.title
                ))?;
            }
            if let Some(Item {
                pick: Pick::Configure,
                ..
            }) = menu.items.last()
            {
                ui::line(ui::paint(ui::DIM, engine.how_to_configure()))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn shown(item: &Item) -> Value {
    match &item.pick {
        Pick::Launch(launch) => {
            json!({"title": item.title, "kind": item.kind, "action": launch.action, "symbol": launch.symbol, "estimate": item.estimate})
        }
        _ => json!({"title": item.title, "kind": item.kind}),
    }
}
