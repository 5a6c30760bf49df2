//! What a hover says: of a hunk, the change, the reason and the cost; of a symbol, what each action on it would cost.

use std::fmt::Write as _;

use agent::Action;
use review::Finding;
use text::{FilePath, Range};
use workspace::Snapshot;

use crate::hunks::{Hunk, HunkState, Waits};
use crate::menu::Packers;
use crate::opinions::Kept;
use crate::{Engine, Launch};

impl Engine {
    /// The hover at `offset` as Markdown, and what it is about. `None` is quick.
    pub fn hover(
        &self,
        snapshot: &Snapshot,
        file: &FilePath,
        offset: usize,
    ) -> Option<(Range, String)> {
        let document = snapshot.open_document(file)?;
        let hunks = self.hunks(file);
        let on_hunk = |hunk: &&Hunk| {
            hunk.range().touches(offset)
                || document.text().full_lines(hunk.range()).contains(offset)
        };
        if let Some(hunk) = hunks.iter().find(on_hunk) {
            return Some((hunk.range(), self.hunk_hover(hunk)));
        }
        let judged = self.opinions_about(snapshot, file).into_iter();
        let mut judged = judged.filter(|(_, finding)| finding.range.touches(offset));
        if let Some((kept, finding)) = judged.next() {
            return Some((finding.range, self.opinion_hover(&kept, &finding)));
        }
        let parsed = document.parsed()?;
        let facts = parsed.facts();
        let symbol = facts.symbol_at(offset).and_then(|id| facts.symbol(id))?;
        if !symbol.name_range.touches(offset) {
            return None;
        }
        if !self.is_configured() || !self.config().surfaces.hover {
            return None;
        }
        let offered: Vec<Action> = Action::all()
            .iter()
            .copied()
            .filter(|action| action.is_offered_on(symbol, facts.grammar))
            .collect();
        let mut rows = String::new();
        let mut packers = Packers::default();
        let for_runs = self.closing(snapshot.clone());
        for action in &offered {
            let launch = Launch::new(*action, &symbol.path);
            if let Ok(estimate) = self.estimate_with(&mut packers, &for_runs, file, &launch) {
                let _ = writeln!(
                    rows,
                    "| {} | {} |",
                    escape(&launch.title()),
                    estimate.title()
                );
            }
        }
        if rows.is_empty() {
            return None;
        }
        let tokens = self
            .shared
            .purse
            .tokens(&document.text().slice(symbol.range), &self.model().id);
        let mut text =
            format!("**Farthing** · {tokens} tokens\n\n| action | price |\n|---|---|\n{rows}");
        let money = self.money_at(snapshot, file, &symbol.path);
        let _ = write!(text, "\n{money}\n");
        if !snapshot.coverage.complete {
            text.push_str("\n*The index is still being built; estimates may rise a little.*\n");
        }
        Some((symbol.name_range, text))
    }

    /// What was spent on a symbol, and what is left today. Reads the ledger.
    fn money_at(&self, snapshot: &Snapshot, file: &FilePath, symbol: &str) -> String {
        let workspace = snapshot.root_of(file).unwrap_or(file).to_string();
        let config = self.config();
        let model = self.model().id;
        let limits = config.budget.of(&model);
        let purse = &self.shared.purse;
        let money = purse.money_at(&workspace, snapshot.display(file), symbol, &limits, &model);
        money.unwrap_or_else(|error| escape(&error))
    }

    fn opinion_hover(&self, kept: &Kept, finding: &Finding) -> String {
        let how = if kept.opinion.is_proved() {
            "Claimed by"
        } else {
            "Not to be proved; judged by"
        };
        let tally = self.tally(finding.rule).kept();
        let mut text = format!(
            "**{}** · `{}`\n\n{}\n\nAdvice: {}\n\n{how} {}",
            finding.rule.title(),
            finding.rule,
            escape(&finding.message),
            escape(kept.opinion.fix()),
            escape(&kept.model),
        );
        if let Some(run) = self.run(&kept.run) {
            let _ = write!(
                text,
                " · the review: {} ({})",
                run.charge(),
                run.estimate.title()
            );
        }
        let _ = write!(text, "\n\nFindings of this rule here: {tally}\n");
        text
    }

    fn hunk_hover(&self, hunk: &Hunk) -> String {
        let mut text = format!("**{}** · {}\n\n", escape(&hunk.title), hunk.charge);
        if !hunk.reason.is_empty() {
            let _ = writeln!(text, "{}\n", escape(&hunk.reason));
        }
        match &hunk.state {
            HunkState::Landed(_) => {}
            HunkState::Pending {
                why: Waits::Staged, ..
            } => {
                text.push_str("Proposed: nothing is changed until you apply it.\n\n");
            }
            HunkState::Pending {
                why: Waits::Trouble(why),
                ..
            } => {
                let _ = writeln!(text, "Not applied: {}\n", escape(why));
            }
        }
        let diff = self.diff_of(hunk);
        // A fence longer than any run of backquotes inside cannot be closed from inside.
        let longest = diff.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let _ = write!(text, "{fence}diff\n{diff}{fence}\n");
        if let Some(run) = self.run(&hunk.run) {
            let _ = write!(
                text,
                "\nThe whole run: {} ({})\n",
                run.charge(),
                run.estimate.title()
            );
        }
        text
    }
}

/// Text from a model or a workspace as inert Markdown: no links, images, HTML or emphasis can come of it.
///
/// A word between backquotes, as titles have for names, stays code: nothing in it means anything.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(code) = code_word(rest) {
            escaped.push_str(code);
            rest = rest.get(code.len()..).unwrap_or_default();
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '\\' | '`' | '[' | ']' | '(' | ')' | '<' | '>' | '*' | '_' | '#' | '!' | '|' | '&'
            | '~' | ':' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\n' | '\r' | '\t' => escaped.push(' '),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The word between backquotes that `text` begins with, the backquotes included. One that would end a cell of a table
/// is none.
fn code_word(text: &str) -> Option<&str> {
    let word = text.strip_prefix('`')?.split('`').next()?;
    let code = text.get(..word.len() + 2)?;
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '|';
    (!word.is_empty() && word.chars().all(plain) && code.ends_with('`')).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_in_a_reason_can_link_or_fetch() {
        let hostile = "see ![x](https://evil/?q) <img src=x> [y](command:run) *b*";
        let shown = escape(hostile);
        assert_eq!(
            shown,
            r"see \!\[x\]\(https\://evil/?q\) \<img src=x\> \[y\]\(command\:run\) \*b\*"
        );
    }

    #[test]
    fn names_between_backquotes_stay_code_and_nothing_else_does() {
        assert_eq!(
            escape("Make `Cart/sub_total#2` faster"),
            "Make `Cart/sub_total#2` faster"
        );
        assert_eq!(escape("a_b `no end_"), r"a\_b \`no end\_");
        assert_eq!(
            escape("`two_ words` `x|y` ``"),
            r"\`two\_ words\` \`x\|y\` \`\`"
        );
    }
}
