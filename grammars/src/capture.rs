use serde::{Deserialize, Serialize};

/// What a symbol is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SymbolKind {
    /// A named part of a file that holds other symbols: a module, a namespace, a group of tests.
    Module,
    /// A class.
    Class,
    /// A record of named or numbered parts, or a union of them.
    Struct,
    /// A type with a fixed set of variants.
    Enum,
    /// What others implement: an interface, a trait, a protocol.
    Interface,
    /// A block that adds members to a type defined elsewhere. It holds symbols and defines no name of its own.
    Impl,
    /// A function that belongs to no type.
    Function,
    /// A function that belongs to a type.
    Method,
    /// A named part of a type that holds a value.
    Field,
    /// One of the cases of an enum.
    Variant,
    /// A value that does not change, by declaration or by an all-capitals name.
    Constant,
    /// Any other named value outside functions.
    Variable,
    /// A name for a type.
    TypeAlias,
    /// A macro.
    Macro,
    /// A test case that is a call rather than a function; its name is the text it is described by.
    Test,
    /// What stands under a heading, or under a name of its own in data: a chapter, a table.
    Section,
    /// A key of data, with its value.
    Entry,
    /// A rule of a style sheet.
    Rule,
    /// An element of a page.
    Element,
}

impl SymbolKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [SymbolKind; 19] = [
        SymbolKind::Module,
        SymbolKind::Class,
        SymbolKind::Struct,
        SymbolKind::Enum,
        SymbolKind::Interface,
        SymbolKind::Impl,
        SymbolKind::Function,
        SymbolKind::Method,
        SymbolKind::Field,
        SymbolKind::Variant,
        SymbolKind::Constant,
        SymbolKind::Variable,
        SymbolKind::TypeAlias,
        SymbolKind::Macro,
        SymbolKind::Test,
        SymbolKind::Section,
        SymbolKind::Entry,
        SymbolKind::Rule,
        SymbolKind::Element,
    ];

    /// The word for it, as in the capture `@definition.<word>` and in what people and models read.
    pub fn word(self) -> &'static str {
        match self {
            SymbolKind::Module => "module",
            SymbolKind::Class => "class",
            SymbolKind::Struct => "struct",
            SymbolKind::Enum => "enum",
            SymbolKind::Interface => "interface",
            SymbolKind::Impl => "impl",
            SymbolKind::Function => "function",
            SymbolKind::Method => "method",
            SymbolKind::Field => "field",
            SymbolKind::Variant => "variant",
            SymbolKind::Constant => "constant",
            SymbolKind::Variable => "variable",
            SymbolKind::TypeAlias => "type",
            SymbolKind::Macro => "macro",
            SymbolKind::Test => "test",
            SymbolKind::Section => "section",
            SymbolKind::Entry => "entry",
            SymbolKind::Rule => "rule",
            SymbolKind::Element => "element",
        }
    }

    /// Whether it has statements of its own: a function, a method, a test case.
    pub fn is_callable(self) -> bool {
        matches!(
            self,
            SymbolKind::Function | SymbolKind::Method | SymbolKind::Test
        )
    }

    /// Whether code can mention it by its name. A block of members has only that of its type, and what data call their
    /// parts is repeated in every file.
    pub fn is_mentioned(self) -> bool {
        !matches!(self, SymbolKind::Impl) && !self.is_data()
    }

    /// Whether it is a part of data, of a page or of a text, and no code.
    pub fn is_data(self) -> bool {
        matches!(
            self,
            SymbolKind::Section | SymbolKind::Entry | SymbolKind::Rule | SymbolKind::Element
        )
    }

    /// Whether functions inside it are methods and values inside it are fields.
    pub fn has_members(self) -> bool {
        self.is_type() || self == SymbolKind::Impl
    }

    /// Whether its name can stand where a type is expected.
    pub fn is_type(self) -> bool {
        matches!(
            self,
            SymbolKind::Class
                | SymbolKind::Struct
                | SymbolKind::Enum
                | SymbolKind::Interface
                | SymbolKind::TypeAlias
        )
    }
}

/// A place in code that is worth a second look whatever the types are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Smell {
    /// A constant pattern is compiled again in each round of a loop.
    RegexInLoop,
    /// A database is asked once in each round of a loop.
    QueryInLoop,
    /// An asynchronous function waits in a way that stops its whole thread.
    BlockingInAsync,
    /// A shell reads a text that is put together from values.
    DynamicShell,
    /// Data that can run code is read.
    UnsafeDeserialise,
    /// A text that is put together at run time is run as code.
    DynamicEval,
    /// The other end of an encrypted connection is not checked.
    TlsOff,
    /// A statement for a database is put together from values.
    SqlFormat,
    /// Rounds of a loop wait for each other although nothing says that they must.
    AwaitInLoop,
    /// A text is made longer in each round of a loop, by being copied.
    ConcatInLoop,
    /// A list is searched from its start in each round of a loop.
    SearchInLoop,
    /// A lock is held while others run.
    LockAcrossAwait,
    /// Something that could be made once is made in each round of a loop.
    AllocInLoop,
    /// A database is asked for all that it has.
    UnboundedQuery,
    /// A function calls another with what it was given, and does nothing else.
    PassThrough,
}

impl Smell {
    /// Every smell, in the order of declaration.
    pub const ALL: [Smell; 15] = [
        Smell::RegexInLoop,
        Smell::QueryInLoop,
        Smell::BlockingInAsync,
        Smell::DynamicShell,
        Smell::UnsafeDeserialise,
        Smell::DynamicEval,
        Smell::TlsOff,
        Smell::SqlFormat,
        Smell::AwaitInLoop,
        Smell::ConcatInLoop,
        Smell::SearchInLoop,
        Smell::LockAcrossAwait,
        Smell::AllocInLoop,
        Smell::UnboundedQuery,
        Smell::PassThrough,
    ];

    /// The word for it in the capture `@smell.<word>`.
    pub fn word(self) -> &'static str {
        match self {
            Smell::RegexInLoop => "regex-in-loop",
            Smell::QueryInLoop => "query-in-loop",
            Smell::BlockingInAsync => "blocking-in-async",
            Smell::DynamicShell => "dynamic-shell",
            Smell::UnsafeDeserialise => "unsafe-deserialise",
            Smell::DynamicEval => "dynamic-eval",
            Smell::TlsOff => "tls-off",
            Smell::SqlFormat => "sql-format",
            Smell::AwaitInLoop => "await-in-loop",
            Smell::ConcatInLoop => "concat-in-loop",
            Smell::SearchInLoop => "search-in-loop",
            Smell::LockAcrossAwait => "lock-across-await",
            Smell::AllocInLoop => "alloc-in-loop",
            Smell::UnboundedQuery => "unbounded-query",
            Smell::PassThrough => "pass-through",
        }
    }
}

/// What a part of a `smells.scm` captures.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scent {
    /// What repeats its body.
    Loop,
    /// What is another value in each round of it.
    Variable,
    /// What is repeated.
    Body,
    /// A function: what is in it does not run where it stands.
    Function,
    /// A function that is asynchronous.
    Async,
    /// What a call is given.
    Argument,
    /// A name that gets another value here.
    Assigned,
    /// A name that is a list from here on, of nobody knows how many.
    List,
    /// A name that holds a lock from here to the end of the block, or until it is let go.
    Guard,
    /// A name that is let go.
    Release,
    /// The place of a smell.
    Place(Smell),
}

/// What a reference does with the name it mentions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Mentions it as a value.
    Read,
    /// Names a part of a value, as in `value.name` without a call.
    Member,
    /// Mentions it as a type.
    Type,
    /// Implements, extends or embeds it.
    Implement,
    /// Calls it, constructs it or expands it.
    Call,
    /// Brings it into the file.
    Import,
}

impl Role {
    /// Every role, in the order of declaration.
    pub const ALL: [Role; 6] = [
        Role::Read,
        Role::Member,
        Role::Type,
        Role::Implement,
        Role::Call,
        Role::Import,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Read => "read",
            Role::Member => "member",
            Role::Type => "type",
            Role::Implement => "implement",
            Role::Call => "call",
            Role::Import => "import",
        }
    }
}

/// What a node does to the metrics of the function it is in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Metric {
    /// Breaks the straight flow, and counts more the deeper it lies: a condition, a loop, a handler.
    Branch,
    /// The other way of a condition.
    Else,
    /// A condition in the `else` of another: one step, not a deeper one.
    ElseIf,
    /// One of the ways of a branch with many.
    Case,
    /// Makes what is inside it deeper, and is no branch itself: a function without a name.
    Nesting,
    /// A jump to a named place.
    Jump,
    /// A logical operator that may skip its right side.
    Boolean,
    /// One parameter.
    Parameter,
}

/// What a query says about a node. `grammars/README.md` defines each for those who write queries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Capture {
    /// `@definition.<kind>`: a symbol.
    Definition(SymbolKind),
    /// `@name`: what the symbol is called.
    Name,
    /// `@body`: what the header announces.
    Body,
    /// `@value`: what a constant, variable or field is set to.
    Value,
    /// `@parameters`: the parameter list of a function.
    Parameters,
    /// `@container`: the type that a symbol outside of it belongs to.
    Container,
    /// `@interface`: what an impl block implements.
    Interface,
    /// `@doc`: documentation inside the symbol.
    Doc,
    /// `@public`: makes the symbol it is in, or around, visible outside.
    Public,
    /// `@private`: hides the symbol it is in.
    Private,
    /// `@public.rest`: makes what follows in the symbol around it visible outside.
    PublicRest,
    /// `@private.rest`: hides what follows in the symbol around it.
    PrivateRest,
    /// `@export`: the name of a symbol that is visible outside.
    Export,
    /// `@item`: stands around one definition and belongs to it.
    Item,
    /// `@wrapper`: stands around one definition with its attributes.
    Wrapper,
    /// `@test`: marks tests: an attribute, or a definition.
    Test,
    /// `@clause`: continues the definition of the same name right before it.
    Clause,
    /// `@comment`: a comment.
    Comment,
    /// `@attribute`: an attribute or decorator that stands before a definition.
    Attribute,
    /// `@reference.*`: mentions a name.
    Reference(Role),
    /// `@reference.call.method`: calls a part of a value.
    MethodCall,
    /// `@qualifier`: what stands before the name a reference mentions.
    Qualifier,
    /// `@ignore`: looks like a reference and is none.
    Ignore,
    /// `@local.definition`: a name that is known inside the function only.
    Local,
    /// `@local.definition.type`: a name that is known inside the innermost definition only, such as a type parameter.
    LocalType,
    /// `@import`: a statement that brings names into the file.
    Import,
    /// `@import.module`: a module that is imported as such; one import each.
    ImportModule,
    /// `@import.source`: the module that the statement takes names from.
    ImportSource,
    /// `@import.prefix`: a path that stands before all paths inside this node.
    ImportPrefix,
    /// `@import.path`: a path whose last part is the name that is imported.
    ImportPath,
    /// `@import.name`: a name that is taken from the source.
    ImportName,
    /// `@import.default`: what the source's nameless export is called here.
    ImportDefault,
    /// `@import.alias`: what the import is called in this file.
    ImportAlias,
    /// `@import.wildcard`: everything the module has.
    ImportWildcard,
    /// `@import.reexport`: passes on what it imports.
    ImportReexport,
    /// `@import.type`: imports in here are for the type checker only.
    ImportType,
    /// `@import.guarded`: imports in here may fail.
    ImportGuarded,
    /// `@import.dynamic`: happens when the code runs.
    ImportDynamic,
    /// `@metrics.*`.
    Metric(Metric),
    /// `@_name`: for the predicates of its own pattern.
    Text(u8),
    /// A part of a smell.
    Smell(Scent),
}

impl Capture {
    /// The names that have a meaning of their own; `@definition.<kind>` is listed by [`SymbolKind::ALL`].
    pub const NAMES: &'static [(&'static str, Capture)] = &[
        ("name", Capture::Name),
        ("body", Capture::Body),
        ("value", Capture::Value),
        ("parameters", Capture::Parameters),
        ("container", Capture::Container),
        ("interface", Capture::Interface),
        ("doc", Capture::Doc),
        ("public", Capture::Public),
        ("private", Capture::Private),
        ("public.rest", Capture::PublicRest),
        ("private.rest", Capture::PrivateRest),
        ("clause", Capture::Clause),
        ("export", Capture::Export),
        ("item", Capture::Item),
        ("wrapper", Capture::Wrapper),
        ("test", Capture::Test),
        ("comment", Capture::Comment),
        ("attribute", Capture::Attribute),
        ("reference", Capture::Reference(Role::Read)),
        ("reference.call", Capture::Reference(Role::Call)),
        ("reference.call.method", Capture::MethodCall),
        ("reference.type", Capture::Reference(Role::Type)),
        (
            "reference.implementation",
            Capture::Reference(Role::Implement),
        ),
        ("reference.member", Capture::Reference(Role::Member)),
        ("qualifier", Capture::Qualifier),
        ("ignore", Capture::Ignore),
        ("local.definition", Capture::Local),
        ("local.definition.type", Capture::LocalType),
        ("import", Capture::Import),
        ("import.module", Capture::ImportModule),
        ("import.source", Capture::ImportSource),
        ("import.prefix", Capture::ImportPrefix),
        ("import.path", Capture::ImportPath),
        ("import.name", Capture::ImportName),
        ("import.default", Capture::ImportDefault),
        ("import.alias", Capture::ImportAlias),
        ("import.wildcard", Capture::ImportWildcard),
        ("import.reexport", Capture::ImportReexport),
        ("import.type", Capture::ImportType),
        ("import.guarded", Capture::ImportGuarded),
        ("import.dynamic", Capture::ImportDynamic),
        ("metrics.branch", Capture::Metric(Metric::Branch)),
        ("metrics.else", Capture::Metric(Metric::Else)),
        ("metrics.elseif", Capture::Metric(Metric::ElseIf)),
        ("metrics.case", Capture::Metric(Metric::Case)),
        ("metrics.nesting", Capture::Metric(Metric::Nesting)),
        ("metrics.jump", Capture::Metric(Metric::Jump)),
        ("metrics.boolean", Capture::Metric(Metric::Boolean)),
        ("metrics.parameter", Capture::Metric(Metric::Parameter)),
        ("smell.loop", Capture::Smell(Scent::Loop)),
        ("smell.variable", Capture::Smell(Scent::Variable)),
        ("smell.body", Capture::Smell(Scent::Body)),
        ("smell.function", Capture::Smell(Scent::Function)),
        ("smell.async", Capture::Smell(Scent::Async)),
        ("smell.argument", Capture::Smell(Scent::Argument)),
        ("smell.assigned", Capture::Smell(Scent::Assigned)),
        ("smell.list", Capture::Smell(Scent::List)),
        ("smell.guard", Capture::Smell(Scent::Guard)),
        ("smell.release", Capture::Smell(Scent::Release)),
    ];

    /// The capture of that name, without the `@`; none for a name that means nothing here.
    pub(crate) fn named(name: &str) -> Option<Capture> {
        if let Some(word) = name.strip_prefix("definition.") {
            let kind = SymbolKind::ALL.into_iter().find(|kind| kind.word() == word);
            return kind.map(Capture::Definition);
        }
        let smell = name.strip_prefix("smell.").and_then(|word| {
            let mut all = Smell::ALL.into_iter();
            all.find(|smell| smell.word() == word)
        });
        if let Some(smell) = smell {
            return Some(Capture::Smell(Scent::Place(smell)));
        }
        let known = Capture::NAMES.iter().find(|(known, _)| *known == name);
        known.map(|(_, capture)| *capture)
    }
}
