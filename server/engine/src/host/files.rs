use agent::Outcome;
use gate::{NewFile, Refusal, Rule};

use super::RunHost;

impl RunHost {
    /// A new file that the gate has let through and the user allows.
    pub(super) async fn allowed_file(
        &self,
        name: &str,
        text: &str,
        reason: &str,
    ) -> Result<NewFile, Outcome> {
        let snapshot = self.engine.snapshot_for_runs();
        let file = (snapshot.root_of(&self.lease.file()))
            .and_then(|root| Some((root.clone(), root.join(name).ok()?)));
        let Some((root, file)) = file else {
            let message = format!("{name} is outside the workspace; new files go into its folders");
            return Err(no_file(Rule::Path, message));
        };
        let shown = snapshot.display(&file).to_owned();
        if snapshot.is_closed(&file) {
            let message = format!("{shown} is closed to runs by `[scope] deny`");
            return Err(no_file(Rule::Protected, message));
        }
        let policy = self.engine.policy(&snapshot);
        let (name, text, why) = (name.to_owned(), text.to_owned(), reason.to_owned());
        let lines = text.lines().count();
        let judging = tokio::task::spawn_blocking(move || {
            let is_there = snapshot.open_document(&file).is_some()
                || std::fs::symlink_metadata(file.as_path()).is_ok();
            let grammar = grammars::for_path(file.as_str());
            let leads_out = !workspace::is_within(&root, &file);
            let judged = gate::create(&policy, grammar, (file, is_there), &name, &text, &why);
            (judged, leads_out)
        });
        let Ok((judged, leads_out)) = judging.await else {
            return Err(no_file(Rule::Path, format!("{shown} cannot be looked at")));
        };
        if leads_out {
            let message = format!("{shown} leads out of the workspace by a link");
            return Err(no_file(Rule::Path, message));
        }
        let question = judged.map_err(Outcome::Refused)?;
        let mut asked = format!(
            "“{}” asks to make the file {shown}, of {lines} lines",
            self.run.title
        );
        for (before, part) in [(": ", reason), (". ", &question.warning)] {
            if !part.is_empty() {
                asked.push_str(before);
                asked.push_str(part);
            }
        }
        let yes = tokio::select! {
            () = self.cancel.cancelled() => return Err(Outcome::Cancelled),
            yes = self.engine.shared.editor.ask(&asked) => yes,
        };
        if yes {
            Ok(question.approve())
        } else {
            let message = format!(
                "the user did not allow {shown}; do the task without it, or say why that cannot be done"
            );
            Err(no_file(Rule::Protected, message))
        }
    }
}

pub(super) fn no_file(rule: Rule, message: String) -> Outcome {
    Outcome::Refused(Refusal { rule, message })
}
