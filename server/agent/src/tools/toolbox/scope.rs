use gate::{Region, Rule};
use text::Range;

use super::{Done, Toolbox, cancelled, refused};
use crate::Grant;
use crate::journal::Verdict;
use crate::source::shown_path;
use crate::tools::read;

impl Toolbox<'_> {
    /// Asks the user for more symbols or lines, but for those that the run has.
    pub(super) async fn request_scope(&mut self, symbols: Vec<String>, reason: &str) -> Done {
        let file = self.scope.file.clone();
        let Some(source) = self.source(&file) else {
            return refused(
                None,
                "the file cannot be read, so nothing can be asked for in it".to_owned(),
            );
        };
        let mut wanted: Vec<String> = Vec::new();
        for symbol in symbols {
            let named = source.named_lines(&symbol).is_some() || source.symbol(&symbol).is_some();
            if !named {
                return refused(
                    Some(Rule::Scope),
                    source.no_such(&shown_path(&self.host.snapshot(), &file), &symbol),
                );
            }
            let targets = &self.scope.targets;
            let has = targets
                .iter()
                .any(|target| target.edit && target.symbol == symbol)
                || Region::is_name(&symbol) && source.symbol(&symbol).is_some();
            if !has && !wanted.contains(&symbol) {
                wanted.push(symbol);
            }
        }
        if !wanted.is_empty() {
            let granted = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return cancelled(),
                granted = self.host.grant(&wanted, reason) => granted,
            };
            let scope = self.scope.describe();
            match granted {
                Grant::Given => {}
                Grant::Refused => {
                    let message = format!(
                        "the user did not widen the scope, which stays {scope}; do the task within it, or say why that cannot be done"
                    );
                    return refused(Some(Rule::Scope), message);
                }
                Grant::Busy { symbol, run } => {
                    let message = format!(
                        "another run, “{run}”, works on `{symbol}`; the scope stays {scope}; do the task within it, or say what is left to do"
                    );
                    return refused(Some(Rule::Scope), message);
                }
            }
        }
        let mut text = "granted".to_owned();
        // What the user has typed while the question was open is in here too.
        let source = self.source(&file).unwrap_or(source);
        for symbol in wanted {
            if let Some(symbol) = source.symbol(&symbol) {
                text.push('\n');
                if symbol.range.len() <= read::MAX_BODY {
                    text.push_str(&source.shown(symbol));
                } else {
                    text.push_str(&source.header_of(symbol));
                }
            }
            if Region::is_name(&symbol) {
                // Only told: where it is from now on is the host's to know.
                let range = source
                    .symbol(&symbol)
                    .map_or(Range::at(0), |lines| lines.range);
                self.scope = self.scope.clone().granted_region(Region {
                    name: symbol,
                    range,
                });
            } else {
                self.scope = self.scope.clone().granted(symbol);
            }
        }
        Done {
            text,
            verdict: Verdict::Answered,
        }
    }
}
