use text::FilePath;

/// What holds for every run, whatever its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Folders outside of which nothing is ever changed.
    pub roots: Vec<FilePath>,
    /// Further file or folder names that no run may change, as the user listed them; `*` stands for any characters.
    pub protected: Vec<String>,
    /// The most bytes that one proposal may insert.
    pub max_insert: usize,
}

/// How much protection a path has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protection {
    /// An ordinary file.
    None,
    /// It may change after the user has said yes to exactly this change.
    Confirm,
    /// It never changes.
    Deny,
}

/// Names whose change makes some other program run code or gain power later; refused at any depth.
/// The list follows published attacks on coding agents: tool configuration, hooks, credentials, generated trees.
const DENY: &[&str] = &[
    ".git",
    ".gitmodules",
    ".gitattributes",
    ".gitconfig",
    ".hg",
    ".svn",
    ".jj",
    ".vscode",
    ".vs",
    "*.code-workspace",
    ".idea",
    ".fleet",
    ".zed",
    ".nvim.lua",
    ".nvimrc",
    ".exrc",
    ".lazy.lua",
    ".dir-locals.el",
    ".editorconfig",
    ".cursor*",
    ".windsurf*",
    ".claude",
    ".codex",
    ".gemini",
    ".kiro",
    ".roo*",
    ".cline*",
    ".continue",
    ".mcp.json",
    "mcp.json",
    "agents.md",
    "claude.md",
    "gemini.md",
    ".github",
    ".gitlab-ci.yml",
    ".circleci",
    "jenkinsfile",
    "azure-pipelines.yml",
    ".husky",
    ".pre-commit-config.yaml",
    "lefthook.yml",
    ".envrc",
    ".env*",
    ".npmrc",
    ".yarnrc*",
    ".pypirc",
    ".netrc",
    ".cargo",
    "rust-toolchain*",
    ".devcontainer",
    ".venv",
    "venv",
    "node_modules",
    "target",
    "farthing.toml",
];

/// Names that builds execute or pin; changed only after a question.
const CONFIRM: &[&str] = &[
    "build.rs",
    "makefile",
    "justfile",
    "taskfile*",
    "package.json",
    "*.lock",
    "package-lock.json",
    "go.sum",
    "dockerfile*",
    "compose*.yml",
    "compose*.yaml",
    "conftest.py",
    "setup.py",
    "pyproject.toml",
    "cargo.toml",
];

impl Policy {
    /// The policy for a workspace: nothing protected beyond the built-in names, 64 KiB a proposal.
    pub fn new(roots: Vec<FilePath>) -> Policy {
        Policy {
            roots,
            protected: Vec::new(),
            max_insert: 64 * 1024,
        }
    }

    /// How `file` is protected.
    ///
    /// Only the components below the root count: where the user keeps the project is not the project's doing.
    pub fn protection(&self, file: &FilePath) -> Protection {
        let Some(relative) = self
            .roots
            .iter()
            .filter_map(|root| file.relative_to(root))
            .min_by_key(|path| path.len())
        else {
            return Protection::Deny;
        };
        let mut worst = Protection::None;
        for component in relative.split(['/', '\\']) {
            let name = fold(component);
            if DENY.iter().any(|pattern| matches(pattern, &name))
                || self
                    .protected
                    .iter()
                    .any(|pattern| matches(&fold(pattern), &name))
            {
                return Protection::Deny;
            }
            if CONFIRM.iter().any(|pattern| matches(pattern, &name)) {
                worst = Protection::Confirm;
            }
        }
        worst
    }
}

/// A name as a forgiving file system would see it: lower case, without invisible characters or a trailing dot or space.
fn fold(name: &str) -> String {
    let visible: String = name
        .chars()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect();
    visible.trim_end_matches(['.', ' ']).to_owned()
}

/// Whether `name` has the form of `pattern`, where `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut open = false;
    for part in parts {
        open = true;
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty() || (open && pattern.ends_with('*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protected_at_any_depth_in_any_spelling() {
        let root = FilePath::new("/home/.cargo/project").unwrap();
        let mut policy = Policy::new(vec![root.clone()]);
        policy.protected.push("*.sql".to_owned());
        let of = |path: &str| policy.protection(&root.join(path).unwrap());
        assert_eq!(of("src/main.rs"), Protection::None);
        assert_eq!(of("a/.GIT/hooks/pre-commit"), Protection::Deny);
        assert_eq!(of("a/.git\u{200b}/config"), Protection::Deny);
        assert_eq!(of(".env.local"), Protection::Deny);
        assert_eq!(of("build.rs"), Protection::Confirm);
        assert_eq!(of("Cargo.lock"), Protection::Confirm);
        assert_eq!(of("db/schema.sql"), Protection::Deny);
        assert_eq!(of("../elsewhere.rs"), Protection::Deny);
    }
}
