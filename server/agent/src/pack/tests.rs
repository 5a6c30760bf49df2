#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use text::{FilePath, Text};
use workspace::{Coverage, Snapshot, Workspace};

use super::*;
use crate::{Note, scope_of};

const RUST: &[(&str, &str)] = &[
    (
        "src/cart.rs",
        "\
use std::fmt;

use crate::money::{Cents, round};

/// What a customer wants to buy.
pub struct Cart {
    /// In the order they were put in.
    items: Vec<Item>,
    discount: Cents,
}

pub struct Item {
    pub name: String,
    pub price: Cents,
}

impl Cart {
    /// Adds up the prices.
    pub fn total(&self) -> Cents {
        let mut sum = 0;
        for item in &self.items {
            sum += price_of(item);
        }
        round(sum - self.discount)
    }

    pub fn clear(&mut self) {
        self.items.clear();
    }
}

/// The price with tax.
///
/// Tax is included.
fn price_of(item: &Item) -> Cents {
    item.price
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cart() -> Cart {
        Cart { items: Vec::new(), discount: 0 }
    }

    #[test]
    fn an_empty_cart_costs_nothing() {
        assert_eq!(cart().total(), 0);
    }
}
",
    ),
    (
        "src/money.rs",
        "\
/// Hundredths of the currency.
pub type Cents = i64;

/// Rounds to five cents.
pub fn round(cents: Cents) -> Cents {
    (cents + 2) / 5 * 5
}
",
    ),
    (
        "src/shop.rs",
        "\
use crate::cart::Cart;

pub fn checkout(cart: &Cart) -> String {
    let greeting = greet();
    let total = cart.total();
    if total == 0 {
        return greeting;
    }
    format!(\"{greeting} {total}\")
}

fn greet() -> String {
    \"Hello\".to_owned()
}
",
    ),
];

const PYTHON: &[(&str, &str)] = &[
    (
        "shop/cart.py",
        "\
from shop.money import round_cents


class Cart:
    \"\"\"What a customer wants to buy.\"\"\"

    limit = 100

    def __init__(self, items):
        self.items = items

    def total(self):
        \"\"\"Adds up the prices.\"\"\"
        return round_cents(sum(item.price for item in self.items))
",
    ),
    (
        "shop/money.py",
        "\
def round_cents(cents):
    \"\"\"Rounds to five cents.\"\"\"
    return (cents + 2) // 5 * 5
",
    ),
    (
        "tests/test_cart.py",
        "\
from shop.cart import Cart


def test_an_empty_cart_costs_nothing():
    assert Cart([]).total() == 0
",
    ),
];

const TYPESCRIPT: &[(&str, &str)] = &[
    (
        "src/cart.ts",
        "\
import { round } from \"./money\";

export interface Item {
  name: string;
  price: number;
}

/** Adds up the prices. */
export function total(items: Item[]): number {
  return round(items.reduce((sum, item) => sum + item.price, 0));
}
",
    ),
    (
        "src/money.ts",
        "\
/** Rounds to five cents. */
export function round(cents: number): number {
  return Math.round(cents / 5) * 5;
}
",
    ),
    (
        "src/shop.ts",
        "\
import { total, type Item } from \"./cart\";

export const checkout = (items: Item[]): string => `You pay ${total(items)}`;
",
    ),
];

fn root() -> FilePath {
    FilePath::new("/home/someone/project").unwrap()
}

fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let mut workspace = Workspace::default();
    workspace.set_roots(vec![root()]);
    for (path, text) in files {
        let file = root().join(path).unwrap();
        workspace.open(&file, "", 1, Text::from(*text));
        let (facts, serial) = {
            let snapshot = workspace.snapshot();
            let document = snapshot.open_document(&file).unwrap();
            let facts = Arc::clone(document.parsed().unwrap().facts());
            (facts, document.serial())
        };
        assert!(workspace.index_file(&file, facts, Some(serial)));
    }
    workspace.set_coverage(Coverage {
        done: files.len(),
        found: files.len(),
        complete: true,
    });
    workspace.snapshot()
}

fn task(action: Action, file: &str, symbol: &str) -> Task {
    Task::new(action, root().join(file).unwrap(), symbol)
}

fn packed(snapshot: &Snapshot, task: &Task, tier: PackTier) -> Result<Pack, PackError> {
    let scope = scope_of(task, &snapshot.document(&task.file).unwrap());
    pack(snapshot, task, &scope, tier)
}

#[track_caller]
fn check(files: &[(&str, &str)], task: &Task, expected: Expect) {
    let pack = packed(&snapshot(files), task, PackTier::Large).unwrap();
    let items = pack
        .items
        .iter()
        .map(|item| format!("{} {}", item.kind.tag(), item.title));
    expected.assert_eq(&format!(
        "{}\n{}",
        items.collect::<Vec<_>>().join("\n"),
        pack.text
    ));
    assert_eq!(pack.tokens, ledger::tokens(&pack.text));
    assert!(
        !pack.text.contains("/home"),
        "nothing of the machine is sent"
    );
}

#[test]
fn a_method_with_everything_around_it() {
    let mut task = task(Action::Faster, "src/cart.rs", "Cart/total");
    task.conventions = vec!["Money is never a float.".to_owned()];
    check(
        RUST,
        &task,
        expect![[r#"
        task Make `total` faster
        target Cart/total
        around impl Cart
        around Cart
        imports imports
        types Cents
        callees price_of
        callees round
        callers checkout
        tests tests/an_empty_cart_costs_nothing
        conventions Money is never a float.
        <task>
        Make `total` faster.
        Make it use less time, and no more memory than before. Look for work that grows faster than its input, repeated lookups, needless copies and allocations, and work that can move out of loops. Same results, same order, same errors for every input. No caching across calls, no unsafe code, no new dependency. If there is nothing worth the loss of clarity, say so and change nothing.
        File: src/cart.rs (Rust)
        Scope: `Cart/total`, the imports of the file and up to 2 new items.
        </task>
        <target>
        symbol: Cart/total · hash: 9f11609bbcba
            /// Adds up the prices.
            pub fn total(&self) -> Cents {
                let mut sum = 0;
                for item in &self.items {
                    sum += price_of(item);
                }
                round(sum - self.discount)
            }
        </target>
        <around>
        impl Cart
        /// What a customer wants to buy.
        pub struct Cart {
            /// In the order they were put in.
            items: Vec<Item>,
            discount: Cents,
        }
        </around>
        <imports>
        use std::fmt;

        use crate::money::{Cents, round};
        </imports>
        <types>
        Cents (src/money.rs:2)
        /// Hundredths of the currency.
        pub type Cents = i64;
        </types>
        <callees>
        price_of (src/cart.rs:35): fn price_of(item: &Item) -> Cents
          The price with tax.
        round (src/money.rs:5): pub fn round(cents: Cents) -> Cents
          Rounds to five cents.
        </callees>
        <callers>
        checkout (src/shop.rs:3): pub fn checkout(cart: &Cart) -> String
          let greeting = greet();
          let total = cart.total();
          if total == 0 {
              return greeting;
        </callers>
        <tests>
        tests/an_empty_cart_costs_nothing (src/cart.rs:48)
            #[test]
            fn an_empty_cart_costs_nothing() {
                assert_eq!(cart().total(), 0);
            }
        </tests>
        <conventions>
        Money is never a float.
        </conventions>
    "#]],
    );
}

#[test]
fn a_function_in_a_language_that_indents() {
    check(
        PYTHON,
        &task(Action::Harden, "shop/cart.py", "Cart/total"),
        expect![[r#"
        task Harden errors in `total`
        target Cart/total
        around Cart
        imports imports
        callees round_cents
        tests test_an_empty_cart_costs_nothing
        <task>
        Harden errors in `total`.
        Make it deal with what can go wrong: bad input, missing values, overflow, failing calls. Report errors the way the code around it does, with messages that say what was wrong and what to do. Do not invent cases that cannot occur, and do not catch what nobody here can handle.
        File: shop/cart.py (Python)
        Scope: `Cart/total`, the imports of the file and up to 2 new items.
        </task>
        <target>
        symbol: Cart/total · hash: dd8113895616
            def total(self):
                """Adds up the prices."""
                return round_cents(sum(item.price for item in self.items))
        </target>
        <around>
        class Cart:
          limit = 100
        </around>
        <imports>
        from shop.money import round_cents
        </imports>
        <callees>
        round_cents (shop/money.py:1): def round_cents(cents):
          Rounds to five cents.
        </callees>
        <tests>
        test_an_empty_cart_costs_nothing (tests/test_cart.py:4)
        def test_an_empty_cart_costs_nothing():
            assert Cart([]).total() == 0
        </tests>
    "#]],
    );
}

#[test]
fn a_function_that_only_a_constant_calls() {
    check(
        TYPESCRIPT,
        &task(Action::Document, "src/cart.ts", "total"),
        expect![[r#"
        task Document `total`
        target total
        imports imports
        types Item
        callees round
        callers checkout
        <task>
        Document `total`.
        Write its documentation comment for someone who calls it: what it does and returns, what it needs of its arguments, how it fails, what would surprise. Say nothing that the signature already says. Keep what is true in the existing text. Change nothing but documentation.
        Documentation is a TSDoc block, `/** ... */`, directly above the declaration; types are not repeated in it.
        File: src/cart.ts (TypeScript)
        Scope: `total`.
        </task>
        <target>
        symbol: total · hash: ef3f43602dec
        /** Adds up the prices. */
        export function total(items: Item[]): number {
          return round(items.reduce((sum, item) => sum + item.price, 0));
        }
        </target>
        <imports>
        import { round } from "./money";
        </imports>
        <types>
        Item (src/cart.ts:3)
        export interface Item {
          name: string;
          price: number;
        }
        </types>
        <callees>
        round (src/money.ts:2): export function round(cents: number): number
          Rounds to five cents.
        </callees>
        <callers>
        checkout (src/shop.ts:3):
        export const checkout = (items: Item[]): string => `You pay ${total(items)}`;
        </callers>
    "#]],
    );
}

#[test]
fn a_report_is_shown_with_the_line_it_is_about() {
    let mut task = task(Action::Fix, "src/money.rs", "round");
    task.instruction = Some("cannot divide\nby five".to_owned());
    task.diagnostics = vec![
        Note {
            line: 6,
            source: Some("rustc".to_owned()),
            code: Some("E0277".to_owned()),
            message: "cannot divide\nby five".to_owned(),
        },
        Note {
            line: 99,
            source: None,
            code: None,
            message: "out of range".to_owned(),
        },
    ];
    check(
        RUST,
        &task,
        expect![[r#"
        task Fix: cannot divide by five
        target round
        diagnostics diagnostics
        types Cents
        callers Cart/total
        <task>
        Fix what is reported in `round`.
        Repair the cause of what is reported, not its symptom, with the smallest change. Do not silence the report.
        Reported: cannot divide by five
        File: src/money.rs (Rust)
        Scope: `round`, the imports of the file and up to 2 new items.
        </task>
        <target>
        symbol: round · hash: 1fe323b80543
        /// Rounds to five cents.
        pub fn round(cents: Cents) -> Cents {
            (cents + 2) / 5 * 5
        }
        </target>
        <diagnostics>
        at `(cents + 2) / 5 * 5`: cannot divide by five (rustc E0277)
        line 99: out of range
        </diagnostics>
        <types>
        Cents (src/money.rs:2)
        /// Hundredths of the currency.
        pub type Cents = i64;
        </types>
        <callers>
        Cart/total (src/cart.rs:19): pub fn total(&self) -> Cents
          for item in &self.items {
              sum += price_of(item);
          }
          round(sum - self.discount)
        </callers>
    "#]],
    );
}

#[test]
fn tests_are_told_where_to_go() {
    check(
        RUST,
        &task(Action::Tests, "src/cart.rs", "price_of"),
        expect![[r#"
        task Add tests for `price_of`
        target price_of
        room tests
        imports imports
        types Item
        types Cents
        callers Cart/total
        <task>
        Add tests for `price_of`.
        Cover the ordinary case, the edges, and each way it can fail, one behaviour a test, named for that behaviour. Use the style and the helpers of the tests that are there. Test through what callers use. Do not change the code under test; if a test would reveal a mistake in it, leave that test out and report the mistake.
        A test is a function with `#[test]` in the `#[cfg(test)] mod tests` at the end of the same file.
        File: src/cart.rs (Rust)
        Scope: `tests`, the imports of the file and up to 8 new items.
        </task>
        <target>
        symbol: price_of · hash: 729dc626be72
        /// The price with tax.
        ///
        /// Tax is included.
        fn price_of(item: &Item) -> Cents {
            item.price
        }
        </target>
        <room>
        add_symbol with anchor `tests` and position `inside`. Helpers there: fn cart() -> Cart
        </room>
        <imports>
        use std::fmt;

        use crate::money::{Cents, round};
        </imports>
        <types>
        Item (src/cart.rs:12)
        pub struct Item {
            pub name: String,
            pub price: Cents,
        }
        Cents (src/money.rs:2)
        /// Hundredths of the currency.
        pub type Cents = i64;
        </types>
        <callers>
        Cart/total (src/cart.rs:19): pub fn total(&self) -> Cents
          let mut sum = 0;
          for item in &self.items {
              sum += price_of(item);
          }
          round(sum - self.discount)
        </callers>
    "#]],
    );
}

#[test]
fn the_selection_is_shown_when_it_is_less_than_the_symbol() {
    let mut task = task(Action::Simplify, "src/money.rs", "round");
    let text = RUST[1].1;
    let start = text.find("(cents + 2)").unwrap();
    task.selection = Some(text::Range::new(start, start + "(cents + 2)".len()));
    let pack = packed(&snapshot(RUST), &task, PackTier::Small).unwrap();
    assert!(
        pack.text
            .contains("The user selected this part of it:\n(cents + 2)\n"),
        "{}",
        pack.text
    );
    task.selection = Some(text::Range::new(0, text.len()));
    let pack = packed(&snapshot(RUST), &task, PackTier::Small).unwrap();
    assert!(!pack.text.contains("selected"), "{}", pack.text);
}

#[test]
fn what_cannot_be_packed_is_said() {
    let gone = packed(
        &snapshot(RUST),
        &task(Action::Simplify, "src/cart.rs", "Cart/sum"),
        PackTier::Small,
    );
    assert_eq!(
        gone.unwrap_err().to_string(),
        "there is no `Cart/sum` in src/cart.rs any more; ask for the menu again"
    );
    let body = "    call(alpha, beta);\n".repeat(9_000);
    let long = format!("fn long() {{\n{body}}}\n");
    let long = packed(
        &snapshot(&[("src/long.rs", &long)]),
        &task(Action::Simplify, "src/long.rs", "long"),
        PackTier::Small,
    );
    let message = long.unwrap_err().to_string();
    assert!(
        message.ends_with("the limit is 32000; choose something inside it"),
        "{message}"
    );
}

#[test]
fn the_sizes_are_those_of_what_is_sent() {
    let snapshot = snapshot(RUST);
    let task = task(Action::Document, "src/cart.rs", "Cart/total");
    let scope = scope_of(&task, &snapshot.document(&task.file).unwrap());
    let model = crate::Model {
        id: "m".to_owned(),
        max_tokens: 1,
        effort: None,
        patches: false,
        creates: false,
        moves: false,
    };
    let packer = Packer::new(&snapshot, &task.file, &task.symbol).unwrap();
    let sizes = packer.sizes(&task, &scope, &model).unwrap();
    let request = crate::first_request(&snapshot, &task, &scope, &model).unwrap();
    let [message] = request.messages.as_slice() else {
        panic!("one message")
    };
    let [provider::Content::Text { text }] = message.content.as_slice() else {
        panic!("one text")
    };
    assert_eq!(ledger::tokens(text), sizes.pack_tokens);
    assert!(sizes.target_tokens < sizes.pack_tokens);
}

/// A file of functions that call each other, with types and documentation, of any size.
fn program() -> impl Strategy<Value = String> {
    let function = (0usize..20, 0usize..20, 0usize..30)
        .prop_map(|(callee, other, lines)| (callee, other, lines));
    (prop::collection::vec(function, 1..40), 0usize..60).prop_map(|(functions, fields)| {
        let mut text = "use std::fmt;\n\npub struct State {\n".to_owned();
        for field in 0..fields {
            let _ = writeln!(
                text,
                "    /// The field number {field}.\n    pub field_{field}: Vec<String>,"
            );
        }
        text.push_str("}\n");
        for (number, (callee, other, lines)) in functions.iter().enumerate() {
            let _ = writeln!(
                text,
                "\n/// Does step {number} of the work.\nfn step_{number}(state: &mut State) {{"
            );
            for line in 0..*lines {
                let _ = writeln!(
                    text,
                    "    let value_{line} = state.field_{line}.len() + {line};"
                );
            }
            let _ = writeln!(
                text,
                "    step_{callee}(state);\n    step_{other}(state);\n}}"
            );
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_pack_keeps_to_its_budget_and_is_the_same_each_time(text in program(), tier in 0usize..3, action in 0usize..8) {
        let tier = [PackTier::Small, PackTier::Medium, PackTier::Large][tier];
        let task = task(Action::all()[action], "src/lib.rs", "step_0");
        let files = [("src/lib.rs", text.as_str())];
        let one = packed(&snapshot(&files), &task, tier).unwrap();
        let other = packed(&snapshot(&files), &task, tier).unwrap();
        prop_assert_eq!(&one, &other);
        let bare = one.items.iter().all(|item| matches!(item.kind, PackKind::Task | PackKind::Target));
        prop_assert!(bare || one.tokens <= tier.budget() + tier.budget() * 15 / 100, "{} tokens", one.tokens);
    }
}
