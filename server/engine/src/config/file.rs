//! What the three kinds of configuration may say, as types; their JSON schemas are made from these.
//!
//! The comments on the fields are the descriptions in the schemas, so they are written for the user.

use std::collections::BTreeMap;

use agent::Action;
use ledger::Money;
use provider::Effort;
use review::all_rules;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use super::read::{self, Document};
use super::team::{
    DecisionTable, ExceptionTable, ForbidTable, LayerTable, LoadTable, OneOfTable, OrgTable,
    OwnerTable, ReviewTable, ShapeTable, SkillsTable, Tables,
};
use super::{Budget, Limits, Models, format};

/// The machine-level file, `config.toml` in the user's configuration folder: everything that grants power.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Farthing: the machine-level config.toml")]
pub(super) struct MachineFile {
    /// Which model API to use, and where its key is. Without this table the environment decides.
    pub(super) provider: ProviderTable,
    /// Which model does which work.
    pub(super) models: ModelsTable,
    /// What may be spent, each amount in quotes like "$0.50". "$0" means that nothing may be spent.
    #[schemars(extend("default" = {"per_run": "$0.50", "per_day": "$5.00", "per_month": "$50.00"}))]
    pub(super) budget: BudgetTable,
    /// What one run may use besides money.
    pub(super) limits: Limits,
    /// Files that no run may change.
    pub(super) protected: ProtectedTable,
    /// Prices beyond those that ship with the server.
    pub(super) prices: PricesTable,
}

/// Which model API to use, and where its key is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("not" = {"required": ["key_env", "key_command"]}))]
pub(super) struct ProviderTable {
    /// The API's kind.
    #[schemars(with = "super::ProviderKind", extend("default" = "anthropic"))]
    pub(super) kind: Option<super::ProviderKind>,
    /// The address of the API, without a path such as /v1/messages or /chat/completions.
    #[schemars(with = "String", extend("format" = format::ENDPOINT, "default" = super::DEFAULT_BASE_URL))]
    pub(super) base_url: Option<String>,
    /// The name of the environment variable that holds the key.
    #[schemars(with = "String", extend("format" = format::VARIABLE))]
    pub(super) key_env: Option<String>,
    /// A program, by absolute path, and its arguments; it prints the key. No shell reads it.
    #[schemars(with = "Vec<String>", extend("format" = format::COMMAND))]
    pub(super) key_command: Option<Vec<String>>,
    /// Whether requests may go unencrypted to a host that is not this machine. Anyone on the way can then read the
    /// code and the key.
    #[schemars(extend("default" = false))]
    pub(super) allow_cleartext: bool,
    /// How the key is sent: in the x-api-key header, or as a bearer token as some gateways want it.
    #[schemars(with = "super::KeyHeader")]
    pub(super) key_header: Option<super::KeyHeader>,
    /// Whether nobody bills what its models do, because they run on machines of your own. Tokens are then counted, and
    /// no budget of money holds. True for Ollama unless you say otherwise.
    #[schemars(with = "bool", extend("default" = false))]
    pub(super) free: Option<bool>,
}

/// Which model does which work. An id is as the provider writes it. A server of your own needs at least `default`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ModelsTable {
    /// The model of ordinary actions.
    #[schemars(with = "String", extend("default" = Models::default().default))]
    pub(super) default: Option<String>,
    /// The model of small, mechanical work.
    #[schemars(with = "String", extend("default" = Models::default().small))]
    pub(super) small: Option<String>,
    /// The model of work that needs the most thought.
    #[schemars(with = "String", extend("default" = Models::default().large))]
    pub(super) large: Option<String>,
    /// How hard models think; without it, each model's own default holds.
    #[schemars(with = "String", extend("enum" = ["low", "medium", "high", "xhigh", "max"]))]
    pub(super) effort: Option<Effort>,
    /// Whether they were trained to edit by patches that begin with `*** Begin Patch`, as OpenAI's were. They are then
    /// offered such a tool besides the others. True for the models that are chosen for OpenAI itself.
    #[schemars(with = "bool", extend("default" = false))]
    pub(super) patches: Option<bool>,
    /// The actions that `small` tries first. When nothing of what it sends passes the checks, `default` begins anew, at
    /// the expense of both. What is checked is that an edit fits, parses and stays in its scope, not that it is right.
    #[schemars(with = "Vec<ActionName>")]
    pub(super) small_first: Vec<Action>,
    /// Whether a request that no budget has room for goes to `small` instead of ending the run.
    #[schemars(extend("default" = false))]
    pub(super) small_when_short: bool,
}

/// Files that no run may change, besides the names that are always protected.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ProtectedTable {
    /// Names of files or folders, at any depth; `*` stands for any characters.
    pub(super) names: Vec<String>,
}

/// Prices beyond those that ship with the server.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PricesTable {
    /// The absolute path of a price file, whose rows come before the shipped ones.
    #[schemars(with = "String", extend("format" = format::ABSOLUTE_PATH))]
    pub(super) file: Option<String>,
}

/// The workspace file, `farthing.toml` at the root: the team's rules and words, and narrower limits.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Farthing: farthing.toml at the root of a workspace")]
pub(super) struct WorkspaceFile {
    /// The architecture rules, by code.
    #[schemars(extend("propertyNames" = {"enum": all_rules()}))]
    pub(super) rules: BTreeMap<String, RuleTable>,
    /// Lower limits for this workspace. An amount above the machine's has no effect.
    pub(super) budget: BudgetTable,
    /// What runs may not touch in this workspace.
    pub(super) scope: ScopeTable,
    /// What the team wants every agent and every review to know.
    pub(super) context: ContextTable,
    /// The team: its size and its kind.
    pub(super) org: OrgTable,
    /// What the team knows, and what nobody knows.
    pub(super) skills: SkillsTable,
    /// How large the system may be.
    pub(super) shape: ShapeTable,
    /// What the system has to bear.
    pub(super) load: LoadTable,
    /// The layers, those that import others first.
    pub(super) layer: Vec<LayerTable>,
    /// One library for each job.
    pub(super) one_of: Vec<OneOfTable>,
    /// Imports that are not wanted.
    pub(super) forbid: Vec<ForbidTable>,
    /// Who answers for what.
    pub(super) owner: Vec<OwnerTable>,
    /// Decisions and their documents.
    pub(super) decision: Vec<DecisionTable>,
    /// What rules let pass for a while.
    pub(super) exception: Vec<ExceptionTable>,
    /// What a review is asked for.
    pub(super) review: ReviewTable,
}

impl WorkspaceFile {
    /// What it says about the team.
    pub(super) fn team(&mut self) -> Tables {
        Tables {
            text: self.context.text.take(),
            org: std::mem::take(&mut self.org),
            skills: std::mem::take(&mut self.skills),
            shape: std::mem::take(&mut self.shape),
            load: std::mem::take(&mut self.load),
            layer: std::mem::take(&mut self.layer),
            one_of: std::mem::take(&mut self.one_of),
            forbid: std::mem::take(&mut self.forbid),
            owner: std::mem::take(&mut self.owner),
            decision: std::mem::take(&mut self.decision),
            exception: std::mem::take(&mut self.exception),
            review: std::mem::take(&mut self.review),
        }
    }
}

/// One architecture rule.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RuleTable {
    /// Whether the rule reports anything.
    #[schemars(extend("default" = true))]
    pub(super) enabled: bool,
    /// The highest figure that passes; the rule's page says of what.
    #[schemars(with = "u32")]
    pub(super) threshold: Option<u32>,
}

impl Default for RuleTable {
    fn default() -> RuleTable {
        RuleTable {
            enabled: true,
            threshold: None,
        }
    }
}

/// What runs may not touch.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ScopeTable {
    /// Path patterns that no run reads or changes: `*` stays inside one name, `**` crosses folders, and a pattern
    /// without `/` fits a name at any depth.
    #[schemars(with = "Vec<PathPattern>")]
    pub(super) deny: Vec<String>,
}

/// What the team wants every agent and every review to know.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ContextTable {
    /// Free text: size, skills, constraints, decisions. It is data to the model and grants nothing.
    #[schemars(with = "String", extend("maxLength" = 4000))]
    pub(super) text: Option<String>,
}

/// The settings an editor sends: what is shown, and narrower limits.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
#[schemars(title = "Farthing: the settings an editor sends")]
pub(super) struct Settings {
    /// Hovers: the estimate on a symbol, and the difference, the reason and the cost on a changed hunk.
    pub(super) hover: Surface,
    /// The titles of actions.
    pub(super) actions: ActionSurface,
    /// What is shown while a run works.
    pub(super) progress: ProgressSurface,
    /// Code lenses above the hunks of a run: keep, undo, and what the run cost.
    pub(super) code_lens: LensSurface,
    /// Inlay hints: what each changed hunk did cost, behind its first line.
    pub(super) inlay_hints: HintSurface,
    /// The findings of the architecture review. Hunks that wait to be kept or undone are shown in any case.
    pub(super) diagnostics: Surface,
    /// How what a run changes is reviewed.
    pub(super) review: ReviewSettings,
    /// Lower limits for this editor. An amount above the machine's has no effect.
    pub(super) budget: BudgetSettings,
    /// What runs may not touch from this editor.
    pub(super) scope: ScopeTable,
    /// How the editor starts the server. The server does not read it.
    pub(super) server: Value,
    /// Which files the editor sends. The server does not read it.
    pub(super) languages: Value,
    /// How much of the protocol the editor logs. The server does not read it.
    pub(super) trace: Value,
    /// Whether the user trusts the workspace; said once, when the client starts the server.
    pub(super) trusted: Value,
    /// Whether the client shows what was spent; said once, when it starts the server.
    pub(super) spending: Value,
    /// Whether the client shows reports; said once, when it starts the server.
    pub(super) reports: Value,
}

/// How what a run changes is reviewed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ReviewSettings {
    /// When a change comes into the text: at once, to be kept or undone afterwards, or not before you apply it.
    #[schemars(extend("default" = "live"))]
    pub(super) mode: super::Mode,
}

/// One place where the server shows something.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Surface {
    /// Whether it is shown.
    #[schemars(extend("default" = true))]
    pub(super) enable: bool,
}

impl Default for Surface {
    fn default() -> Surface {
        Surface { enable: true }
    }
}

/// The titles of actions.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ActionSurface {
    /// Whether each says what it would cost.
    #[schemars(extend("default" = true))]
    pub(super) prices: bool,
}

impl Default for ActionSurface {
    fn default() -> ActionSurface {
        ActionSurface { prices: true }
    }
}

/// What is shown while a run works.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ProgressSurface {
    /// Whether it says what the run has cost so far, and was estimated to.
    #[schemars(extend("default" = true))]
    pub(super) cost: bool,
}

impl Default for ProgressSurface {
    fn default() -> ProgressSurface {
        ProgressSurface { cost: true }
    }
}

/// Code lenses.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LensSurface {
    /// Whether they are shown.
    #[schemars(extend("default" = true))]
    pub(super) enable: bool,
    /// Actions that have a lens above each symbol, with what they would cost there.
    #[schemars(with = "Vec<ActionName>")]
    pub(super) actions: Vec<Action>,
}

impl Default for LensSurface {
    fn default() -> LensSurface {
        LensSurface {
            enable: true,
            actions: Vec::new(),
        }
    }
}

/// Inlay hints.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HintSurface {
    /// Whether they are shown.
    #[schemars(extend("default" = true))]
    pub(super) enable: bool,
    /// Whether each symbol has one with its size in tokens and what actions on it would cost.
    #[schemars(extend("default" = false))]
    pub(super) prices: bool,
}

impl Default for HintSurface {
    fn default() -> HintSurface {
        HintSurface {
            enable: true,
            prices: false,
        }
    }
}

/// Limits on money, each amount in quotes like "$0.50". "$0" means that nothing may be spent.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names are those of the keys")]
pub(super) struct BudgetTable {
    /// What one run may spend, subagents included.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_run: Option<Money>,
    /// What one session of the server may spend.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_session: Option<Money>,
    /// What may be spent in a day of your calendar.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_day: Option<Money>,
    /// What may be spent in a month of your calendar.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_month: Option<Money>,
    /// What may ever be spent in one workspace.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_workspace: Option<Money>,
    /// What may be spent on one model, by its id. With or without a date at its end, an id means the same model.
    per_model: BTreeMap<String, ModelBudgetTable>,
}

/// Limits on what one model may spend.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ModelBudgetTable {
    /// What may be spent in a day of your calendar.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_day: Option<Money>,
    /// What may be spent in a month of your calendar.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_month: Option<Money>,
}

impl From<BudgetTable> for Budget {
    fn from(table: BudgetTable) -> Budget {
        Budget {
            limits: ledger::Limits {
                run: table.per_run,
                session: table.per_session,
                day: table.per_day,
                month: table.per_month,
                workspace: table.per_workspace,
                ..ledger::Limits::default()
            },
            models: (table.per_model.into_iter())
                .map(|(model, limits)| (model, of_model(limits.per_day, limits.per_month)))
                .collect(),
        }
    }
}

/// The same limits, spelt as editors spell settings.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of the keys")]
pub(super) struct BudgetSettings {
    /// What one run may spend, subagents included.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_run: Option<Money>,
    /// What one session of the server may spend.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_session: Option<Money>,
    /// What may be spent in a day of your calendar.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_day: Option<Money>,
    /// What may be spent in a month of your calendar.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_month: Option<Money>,
    /// What may ever be spent in one workspace.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_workspace: Option<Money>,
    /// What may be spent on one model, by its id. With or without a date at its end, an id means the same model.
    per_model: BTreeMap<String, ModelBudgetSettings>,
}

/// The same limits on one model, spelt as editors spell settings.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ModelBudgetSettings {
    /// What may be spent in a day of your calendar.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_day: Option<Money>,
    /// What may be spent in a month of your calendar.
    #[serde(with = "ledger::dollars")]
    #[schemars(with = "Dollars")]
    per_month: Option<Money>,
}

impl From<BudgetSettings> for Budget {
    fn from(table: BudgetSettings) -> Budget {
        Budget {
            limits: ledger::Limits {
                run: table.per_run,
                session: table.per_session,
                day: table.per_day,
                month: table.per_month,
                workspace: table.per_workspace,
                ..ledger::Limits::default()
            },
            models: (table.per_model.into_iter())
                .map(|(model, limits)| (model, of_model(limits.per_day, limits.per_month)))
                .collect(),
        }
    }
}

fn of_model(day: Option<Money>, month: Option<Money>) -> ledger::Limits {
    ledger::Limits {
        model_day: day,
        model_month: month,
        ..ledger::Limits::default()
    }
}

/// The schema of an amount of money.
pub(super) struct Dollars;

impl JsonSchema for Dollars {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Dollars".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": format::DOLLARS, "pattern": r"^\$?[0-9]+(\.[0-9]{1,12})?$"})
    }
}

/// The schema of an action's name.
struct ActionName;

impl JsonSchema for ActionName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ActionName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Action::all().iter().map(|action| action.id()).collect();
        json_schema!({"type": "string", "enum": names})
    }
}

/// The schema of a path pattern.
pub(super) struct PathPattern;

impl JsonSchema for PathPattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PathPattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": format::GLOB})
    }
}

const POWER: &str = "belongs in the machine-level config.toml; a workspace or an editor can only narrow what that allows";
const TEAM: &str = "belongs in farthing.toml at the root of the workspace";
const SHOWN: &str = "belongs in the editor's settings";
const SECRET: &str = "a key is never written in a file, because files are copied, synchronised and committed; \
                      say where it is: key_env = \"ANTHROPIC_API_KEY\" or key_command = [\"/usr/bin/pass\", \"show\", \"anthropic\"]";

impl Document for MachineFile {
    fn misplaced(key: &str) -> Option<&'static str> {
        match key {
            "provider.key"
            | "provider.api_key"
            | "provider.apikey"
            | "provider.auth_token"
            | "provider.token"
            | "provider.secret"
            | "provider.password"
            | "key"
            | "api_key" => Some(SECRET),
            "rules" | "scope" | "context" => Some(TEAM),
            "actions" | "progress" | "hover" | "codeLens" | "inlayHints" | "diagnostics" => {
                Some(SHOWN)
            }
            _ => None,
        }
    }
}

impl Document for WorkspaceFile {
    fn misplaced(key: &str) -> Option<&'static str> {
        match key {
            "provider" | "models" | "limits" | "protected" | "prices" => Some(POWER),
            "actions" | "progress" | "hover" | "codeLens" | "inlayHints" | "diagnostics" => {
                Some(SHOWN)
            }
            _ => None,
        }
    }
}

impl Document for Settings {
    fn misplaced(key: &str) -> Option<&'static str> {
        match key {
            "provider" | "models" | "limits" | "protected" | "prices" => Some(POWER),
            "rules" | "context" => Some(TEAM),
            _ => None,
        }
    }
}

/// The published schemas: the name of each file under `docs/schema`, and its content.
pub fn schemas() -> [(&'static str, Value); 3] {
    [
        ("config.json", read::schema::<MachineFile>()),
        ("farthing.json", read::schema::<WorkspaceFile>()),
        ("settings.json", read::schema::<Settings>()),
    ]
}
