//! The configuration: three sources, one result.
//!
//! Power comes from the machine-level `config.toml`; the workspace's `farthing.toml` and the editor's settings can only
//! narrow it: `effective = machine ⊓ workspace ⊓ settings`. There is no operation here that widens.
//!
//! Nothing here reads a file or the environment: the caller passes texts and a function. What is wrong in a source
//! becomes a [`Problem`] with a place, and what is right in it holds all the same, with one exception: a problem where
//! power is at stake stops runs ([`Config::stopped`]), because a limit that the user wrote may not be in force.

mod budget;
mod file;
mod format;
mod problem;
mod read;
mod setup;
mod team;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

use agent::Action;
use globset::{GlobSet, GlobSetBuilder};
use ledger::{LimitKind, Money};
use provider::Effort;
use review::{RuleId, Team, Thresholds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::budget::Budget;
pub use self::file::schemas;
use self::file::{MachineFile, Settings, WorkspaceFile};
pub use self::problem::Problem;
pub use self::setup::{DEFAULT_BASE_URL, Endpoint, Key, KeyHeader, ProviderKind, ProviderSetup};

/// The name that problems give to the settings an editor sends.
pub const SETTINGS: &str = "editor settings";

/// What may be spent where the machine-level file says nothing: $0.50 a run, $5 a day, $50 a month.
pub const SHIPPED: ledger::Limits = ledger::Limits {
    run: Some(Money::from_picodollars(500_000_000_000)),
    day: Some(Money::from_picodollars(5_000_000_000_000)),
    month: Some(Money::from_picodollars(50_000_000_000_000)),
    session: None,
    workspace: None,
    model_day: None,
    model_month: None,
};

/// Nothing may be spent.
pub const NOTHING: ledger::Limits = ledger::Limits {
    run: Some(Money::ZERO),
    session: Some(Money::ZERO),
    workspace: Some(Money::ZERO),
    day: Some(Money::ZERO),
    month: Some(Money::ZERO),
    model_day: Some(Money::ZERO),
    model_month: Some(Money::ZERO),
};

/// Everything that a configuration is made from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The machine-level `config.toml`, if there is one.
    pub machine: Option<Source<'a>>,
    /// The `farthing.toml` of the workspace folder that the configuration is for, if there is one.
    pub workspace: Option<Source<'a>>,
    /// The settings the editor sent, if it sent any.
    pub settings: Option<&'a Value>,
    /// The value of an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// A configuration file that has been read.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file's name, for problems.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// What holds in one workspace folder.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which model API to use, or what is missing.
    pub provider: ProviderSetup,
    /// Which model does which work.
    pub models: Models,
    /// What may be spent: [`NOTHING`] while [`Config::stopped`] is set.
    pub budget: Budget,
    /// What the machine-level file alone would allow.
    granted: Budget,
    /// What one run may use besides money.
    pub limits: Limits,
    /// Names that no run may change, besides those that are always protected; `*` stands for any characters.
    pub protected: Vec<String>,
    /// A file of prices that come before the shipped ones; an absolute path.
    pub prices: Option<PathBuf>,
    /// What no run reads or changes.
    pub deny: Deny,
    /// The architecture rules' thresholds.
    pub rules: Thresholds,
    /// What the team says about itself and its code, as far as rules check it.
    pub team: Team,
    /// Whether findings about code that has not changed since the work of now began are mere hints.
    pub new_code: bool,
    /// The same as words for agents and reviews; data to the model, never an instruction.
    pub context: Option<String>,
    /// Where the server shows what it knows.
    pub surfaces: Surfaces,
    /// When what a run changes comes into the text.
    pub mode: Mode,
    /// Why no run may start, if so: the first problem in a place where power is at stake.
    pub stopped: Option<Problem>,
}

impl Config {
    /// Whether nobody bills what the models do.
    pub fn is_free(&self) -> bool {
        matches!(&self.provider, ProviderSetup::Ready(endpoint) if endpoint.free)
    }

    /// A refusal as a sentence that says where the limit can be changed.
    pub fn explain(&self, over: &ledger::OverLimit) -> String {
        match budget::limit(&self.granted.of(&over.model), over.which) {
            Some(granted) if granted <= over.limit => over.to_string(),
            None if over.which == LimitKind::Share => over.to_string(),
            Some(_) | None => over.set_in("farthing.toml or the editor's settings"),
        }
    }

    /// Puts the sources together, and reports what is wrong in them, in the order of the sources and their lines.
    pub fn resolve(sources: &Sources<'_>) -> (Config, Vec<Problem>) {
        Config::resolve_all(sources, &[])
    }

    /// The same where the editor has several folders open: the files of the others can narrow budgets and scopes too.
    pub fn resolve_all(sources: &Sources<'_>, others: &[Source<'_>]) -> (Config, Vec<Problem>) {
        let (machine, machine_problems) = parse::<MachineFile>(sources.machine);
        let (mut workspace, mut workspace_problems) = parse::<WorkspaceFile>(sources.workspace);
        let mut narrower = Vec::new();
        for other in others {
            let (file, problems) = parse::<WorkspaceFile>(Some(*other));
            workspace_problems.extend(problems);
            narrower.push(file);
        }
        let (settings, settings_problems) =
            sources.settings.map_or_else(Default::default, |value| {
                read::json::<Settings>(SETTINGS, value)
            });
        let (provider, environment_problem) =
            setup::resolve(&machine.provider, &machine.models, sources.env);
        let models = setup::models(&machine.models, &provider);

        let mut narrowing = workspace_problems.iter().chain(&settings_problems);
        let stopped = machine_problems
            .first()
            .or_else(|| narrowing.find(|problem| narrows(problem)))
            .cloned();
        let rules = thresholds(&workspace);
        let tables = workspace.team();
        let granted = Budget::from(machine.budget).or_shipped();
        let budget = match stopped {
            Some(_) => Budget::nothing(),
            None => (granted.clone())
                .narrow(workspace.budget.into())
                .narrow(settings.budget.into()),
        };
        let budget = (narrower.iter()).fold(budget, |budget, file| {
            budget.narrow(file.budget.clone().into())
        });
        let denied = narrower.into_iter().flat_map(|file| file.scope.deny);

        let config = Config {
            provider,
            models,
            budget,
            granted,
            limits: machine.limits,
            protected: machine.protected.names,
            prices: machine.prices.file.map(PathBuf::from),
            deny: Deny::new(
                (workspace.scope.deny.into_iter())
                    .chain(denied)
                    .chain(settings.scope.deny),
            ),
            rules,
            context: tables.quoted(),
            new_code: tables.review.new_code.unwrap_or(true),
            team: tables.team(sources.workspace),
            surfaces: Surfaces {
                hover: settings.hover.enable,
                code_lens: settings.code_lens.enable,
                priced_actions: settings.actions.prices,
                progress_cost: settings.progress.cost,
                priced_lenses: settings.code_lens.actions,
                inlay_hints: settings.inlay_hints.enable,
                priced_hints: settings.inlay_hints.prices,
                diagnostics: settings.diagnostics.enable,
            },
            mode: settings.review.mode,
            stopped,
        };
        let mut problems = machine_problems;
        problems.extend(workspace_problems);
        problems.extend(settings_problems);
        problems.extend(environment_problem);
        (config, problems)
    }
}

fn parse<T: read::Document>(source: Option<Source<'_>>) -> (T, Vec<Problem>) {
    source.map_or_else(Default::default, |source| {
        read::toml(source.name, source.text)
    })
}

/// Whether the problem is where a workspace or an editor narrows power, or may have meant to.
fn narrows(problem: &Problem) -> bool {
    let table = problem.key.split(['.', '[']).next().unwrap_or("");
    table.is_empty() || problem::closest(table, &["budget", "scope"]).is_some()
}

fn thresholds(workspace: &WorkspaceFile) -> Thresholds {
    let mut thresholds = Thresholds::default();
    for (code, table) in &workspace.rules {
        if let Some(rule) = RuleId::from_code(code) {
            let threshold = table.threshold.unwrap_or(rule.default_threshold());
            thresholds.set(rule, table.enabled.then_some(threshold));
        }
    }
    thresholds
}

/// Which model does which work. An id is as the provider writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Models {
    /// The model of ordinary actions.
    pub default: String,
    /// The model of small, mechanical work.
    pub small: String,
    /// The model of work that needs the most thought.
    pub large: String,
    /// How hard models think; without it, each model's own default holds.
    pub effort: Option<Effort>,
    /// Whether they were trained to edit by patches (`*** Begin Patch`).
    pub patches: bool,
    /// The actions that `small` tries first; `default` begins anew when nothing of it passes the gate.
    pub small_first: Vec<Action>,
    /// Whether a request that no budget has room for goes to `small` instead.
    pub small_when_short: bool,
}

impl Default for Models {
    fn default() -> Models {
        Models {
            default: "claude-sonnet-5-5".to_owned(),
            small: "claude-haiku-5-5".to_owned(),
            large: "claude-opus-5-5".to_owned(),
            effort: None,
            patches: false,
            small_first: Vec::new(),
            small_when_short: false,
        }
    }
}

/// What one run may use besides money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The most requests to the model.
    pub turns: u32,
    /// The most tool calls.
    pub tool_calls: u32,
    /// The most tokens that one turn may answer with, thinking included.
    #[schemars(range(min = 1))]
    pub output_tokens: u32,
    /// The most seconds from start to end.
    pub seconds: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            turns: 12,
            tool_calls: 40,
            output_tokens: 16_000,
            seconds: 600,
        }
    }
}

/// When what a run changes comes into the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// At once; each change can then be kept or undone.
    #[default]
    Live,
    /// When the user applies it; until then it is shown beside the text.
    Staged,
}

/// Where the server shows what it knows. On unless the editor turns one off, but for prices on lenses and hints, which
/// take room in every file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surfaces {
    /// Prices in the titles of actions.
    pub priced_actions: bool,
    /// What a run has cost so far in its progress.
    pub progress_cost: bool,
    /// Hovers on symbols and changed hunks.
    pub hover: bool,
    /// Code lenses above changed hunks.
    pub code_lens: bool,
    /// Actions that have a lens with their price above each symbol.
    pub priced_lenses: Vec<Action>,
    /// Inlay hints: what each changed hunk did cost, behind its first line.
    pub inlay_hints: bool,
    /// Whether each symbol has a hint with its size and what actions on it cost.
    pub priced_hints: bool,
    /// Findings as diagnostics. Hunks that wait for the user are shown in any case.
    pub diagnostics: bool,
}

/// Paths that no run reads or changes.
#[derive(Clone, Default)]
pub struct Deny {
    patterns: Vec<String>,
    globs: GlobSet,
}

impl fmt::Debug for Deny {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.patterns).finish()
    }
}

impl Deny {
    fn new(patterns: impl Iterator<Item = String>) -> Deny {
        let patterns: Vec<String> = patterns.collect();
        let mut globs = GlobSetBuilder::new();
        for glob in patterns
            .iter()
            .filter_map(|pattern| review::path_pattern(pattern).ok())
        {
            globs.add(glob);
        }
        // A set too large to compile denies everything.
        let globs = globs
            .build()
            .or_else(|_| GlobSet::new(review::path_pattern("*")))
            .unwrap_or_default();
        Deny { patterns, globs }
    }

    /// The patterns as they were written.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Whether a pattern fits the path or a folder it is in. The path is relative to the workspace folder, with `/`.
    pub fn denies(&self, path: &str) -> bool {
        let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        folders.chain([path]).any(|path| self.globs.is_match(path))
    }
}
