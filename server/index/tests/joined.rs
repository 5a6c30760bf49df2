//! What the index answers about several files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_raw_string_hashes
)]

use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::{Expect, expect};
use index::{Base, Facts, Index, Place, Stats};
use proptest::prelude::*;
use text::FilePath;

/// Files of a fixture: `//- /path` starts one.
fn files(fixture: &str) -> Vec<(FilePath, Arc<Facts>)> {
    let mut files = Vec::new();
    for part in fixture.split("//- ").skip(1) {
        let (path, source) = part.split_once('\n').unwrap();
        let grammar = grammars::for_path(path).unwrap();
        let facts = Facts::of(grammar, source);
        files.push((FilePath::new(path).unwrap(), Arc::new(facts)));
    }
    files
}

fn index(fixture: &str) -> Index {
    files(fixture).into_iter().collect()
}

fn place(index: &Index, path: &str) -> Place {
    let places = index.definitions_at(path);
    assert_eq!(places.len(), 1, "{path} is not unique");
    places.into_iter().next().unwrap()
}

fn show(index: &Index, place: &Place) -> String {
    let path = index
        .symbol(place)
        .map_or_else(|| "?".into(), |symbol| symbol.path);
    format!("{}:{path}", place.file.as_str().rsplit('/').next().unwrap())
}

/// Everything that joins a symbol to others.
fn check(fixture: &str, path: &str, expected: Expect) {
    let index = index(fixture);
    let place = place(&index, path);
    let mut out = String::new();
    for found in index.uses(&place) {
        let facts = index.file(&found.file).unwrap();
        let within = found.within.and_then(|id| facts.symbol(id));
        let within = within.map_or("-", |symbol| &symbol.path);
        let file = found.file.file_name();
        let (role, confidence) = (found.role.word(), found.confidence);
        writeln!(out, "use {file}:{within} {role} {confidence:?}").unwrap();
    }
    for (caller, calls) in index.callers(&place) {
        writeln!(out, "caller {} x{}", show(&index, &caller), calls.len()).unwrap();
    }
    for link in index.links(&place.file, place.symbol) {
        let (role, confidence) = (link.role.word(), link.confidence);
        writeln!(
            out,
            "link {} {role} {confidence:?}",
            show(&index, &link.place)
        )
        .unwrap();
    }
    let lists = [
        ("callee", index.callees(&place.file, place.symbol)),
        ("type", index.types_used(&place.file, place.symbol)),
        ("test", index.nearest_tests(&place)),
        ("implementor", index.implementors(&place)),
    ];
    for (word, places) in lists {
        for other in places {
            writeln!(out, "{word} {}", show(&index, &other)).unwrap();
        }
    }
    expected.assert_eq(&out);
}

const RUST: &str = r#"
//- /w/src/cart.rs
use crate::money::{self, Money};
pub struct Cart { lines: Vec<u32> }
impl Cart {
    pub fn new() -> Cart { Cart { lines: Vec::new() } }
    pub fn total(&self) -> Money { money::sum(self.count()) }
    fn count(&self) -> usize { self.lines.len() }
}
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn empty() { assert_eq!(Cart::new().total(), Money::zero()); }
}
//- /w/src/money.rs
pub struct Money(u64);
impl Money {
    pub fn zero() -> Money { Money(0) }
    pub fn new(cents: u64) -> Money { Money(cents) }
}
pub fn sum(count: usize) -> Money { Money::new(count as u64) }
pub fn helper() { sum(1); }
//- /w/src/order.rs
use crate::cart::Cart;
pub trait Priced {}
impl Priced for Order {}
pub struct Order { cart: Cart }
impl Order {
    pub fn new(cart: Cart) -> Order { Order { cart } }
    pub fn total(&self) -> u64 { self.cart.total(); helper(); self.discount.total() }
}
//- /w/tests/shop.rs
use shop::{Cart, Order};
#[test]
fn orders_cost_what_is_in_them() { let order = Order::new(Cart::new()); order.total(); }
#[test]
fn unrelated() { other.total(); }
//- /w/other/thing.rs
fn unrelated_too(thing: Thing) { thing.total(); thing.new(); Vec::new(); Other::new() }
"#;

#[test]
fn a_method_is_found_by_its_type_and_by_values_named_like_it() {
    check(
        RUST,
        "Cart/total",
        expect![[r#"
            use cart.rs:tests/empty call Mentioned
            use order.rs:Order/total call Mentioned
            use order.rs:Order/total call Mentioned
            use shop.rs:unrelated call Mentioned
            use thing.rs:unrelated_too call Guess
            use shop.rs:orders_cost_what_is_in_them call Guess
            caller cart.rs:tests/empty x1
            caller order.rs:Order/total x2
            caller shop.rs:unrelated x1
            link money.rs:Money type Imported
            link money.rs:sum call Qualified
            link cart.rs:Cart/count call Qualified
            callee money.rs:sum
            callee cart.rs:Cart/count
            type money.rs:Money
            test cart.rs:tests/empty
            test shop.rs:unrelated
        "#]],
    );
}

#[test]
fn constructors_of_the_same_name_are_told_apart() {
    check(
        RUST,
        "Cart/new",
        expect![[r#"
        use cart.rs:tests/empty call Qualified
        use shop.rs:orders_cost_what_is_in_them call Qualified
        use thing.rs:unrelated_too call Guess
        caller cart.rs:tests/empty x1
        caller shop.rs:orders_cost_what_is_in_them x1
        link cart.rs:Cart type Near
        link cart.rs:Cart/lines member Mentioned
        type cart.rs:Cart
        test cart.rs:tests/empty
        test shop.rs:orders_cost_what_is_in_them
    "#]],
    );
    check(
        RUST,
        "Money/new",
        expect![[r#"
        use money.rs:sum call Qualified
        use thing.rs:unrelated_too call Guess
        caller money.rs:sum x1
        link money.rs:Money type Near
        link money.rs:Money call Near
        type money.rs:Money
    "#]],
    );
}

#[test]
fn functions_are_found_by_module_import_and_uniqueness() {
    check(
        RUST,
        "sum",
        expect![[r#"
        use cart.rs:Cart/total call Qualified
        use money.rs:helper call Near
        caller cart.rs:Cart/total x1
        caller money.rs:helper x1
        link money.rs:Money type Near
        link money.rs:Money read Near
        link money.rs:Money/new call Qualified
        callee money.rs:Money/new
        type money.rs:Money
    "#]],
    );
    check(
        RUST,
        "helper",
        expect![[r#"
        use order.rs:Order/total call Unique
        caller order.rs:Order/total x1
        link money.rs:sum call Near
        callee money.rs:sum
    "#]],
    );
}

#[test]
fn types_know_who_implements_and_who_uses_them() {
    check(
        RUST,
        "Priced",
        expect![[r#"
        use order.rs:Order as Priced implement Near
        implementor order.rs:Order as Priced
    "#]],
    );
    check(
        RUST,
        "Order",
        expect![[r#"
        use order.rs:Order as Priced type Near
        use order.rs:impl Order type Near
        use order.rs:Order/new type Near
        use order.rs:Order/new type Near
        use shop.rs:- import Unique
        use shop.rs:orders_cost_what_is_in_them read Unique
        link cart.rs:Cart type Imported
        type cart.rs:Cart
        test shop.rs:orders_cost_what_is_in_them
    "#]],
    );
}

#[test]
fn other_languages() {
    let python = r#"
//- /w/shop/cart.py
from . import money
from .money import Money as M
class Cart(Base):
    def total(self): return money.total([M(1)]) + self.rest()
    def rest(self): return 0
//- /w/shop/money.py
class Money: pass
def total(parts): return sum(parts)
//- /w/tests/test_cart.py
from shop.cart import Cart
def test_total():
    cart = Cart()
    assert cart.total() == 0
"#;
    check(
        python,
        "Cart/total",
        expect![[r#"
        use test_cart.py:test_total call Unique
        caller test_cart.py:test_total x1
        link money.py:total call Qualified
        link cart.py:Cart/rest call Qualified
        callee money.py:total
        callee cart.py:Cart/rest
        test test_cart.py:test_total
    "#]],
    );
    check(
        python,
        "total",
        expect![[r#"
        use cart.py:Cart/total call Qualified
        caller cart.py:Cart/total x1
    "#]],
    );
    let go = r#"
//- /w/shop/cart.go
package shop
type Cart struct{}
func (c *Cart) Total() int { return sum() }
//- /w/shop/sum.go
package shop
func sum() int { return 0 }
//- /w/shop/cart_test.go
package shop
func TestTotal(t *testing.T) { c := Cart{}; c.Total(); sum() }
//- /w/main.go
package main
import s "example.com/shop"
func sum() {}
func main() { s.sum(); sum(); var c s.Cart; c.Total() }
"#;
    check(
        go,
        "Cart/Total",
        expect![[r#"
        use main.go:main call Mentioned
        use cart_test.go:TestTotal call Mentioned
        caller main.go:main x1
        caller cart_test.go:TestTotal x1
        link cart.go:Cart type Near
        link sum.go:sum call Near
        callee sum.go:sum
        type cart.go:Cart
        test cart_test.go:TestTotal
    "#]],
    );
    let index = index(go);
    let uses = index.definitions("sum").into_iter().flat_map(|place| {
        let name = show(&index, &place);
        let uses = index.uses(&place).into_iter();
        uses.map(move |found| format!("{name} in {} {:?}\n", found.file, found.confidence))
    });
    expect![[r#"
        main.go:sum in /w/main.go Near
        sum.go:sum in /w/main.go Qualified
        sum.go:sum in /w/shop/cart.go Near
        sum.go:sum in /w/shop/cart_test.go Near
    "#]]
    .assert_eq(&uses.collect::<String>());
    let web = r#"
//- /w/cart.ts
import { sum } from "./sum";
export class Cart { total() { return sum(this.lines()); } lines() { return []; } }
//- /w/sum.ts
export const sum = (lines: number[]) => lines.length;
//- /w/other/sum.ts
export function sum() {}
//- /w/cart.test.tsx
import { Cart } from "./cart.js";
describe("cart", () => { it("is empty", () => { const cart = new Cart(); expect(cart.total()).toBe(0); }); });
"#;
    check(
        web,
        "Cart/total",
        expect![[r#"
            use cart.test.tsx:cart/is empty call Unique
            caller cart.test.tsx:cart/is empty x1
            link sum.ts:sum call Imported
            link cart.ts:Cart/lines call Qualified
            callee sum.ts:sum
            callee cart.ts:Cart/lines
            test cart.test.tsx:cart/is empty
        "#]],
    );
}

/// Which of two files of the same name a call means is what the import says.
#[test]
fn imports_tell_namesakes_apart() {
    let check = |fixture: &str, expected: Expect| {
        let index = index(fixture);
        let mut out = String::new();
        for name in ["open", "Cart"] {
            for place in index.definitions(name) {
                let callers = index.callers(&place);
                let callers = callers.iter().map(|(caller, _)| caller.file.as_str());
                let callers: Vec<&str> = callers.collect();
                writeln!(out, "{} <- {}", place.file, callers.join(" ")).unwrap();
            }
        }
        expected.assert_eq(&out);
    };
    check(
        "\
//- /w/a/model/Cart.java
package a.model;
public class Cart { public Cart() {} }
//- /w/b/model/Cart.java
package b.model;
public class Cart { public Cart() {} }
//- /w/a/Main.java
package a;
import b.model.Cart;
class Main { Object make() { return new Cart(); } }
",
        expect![[r#"
            /w/a/model/Cart.java <- 
            /w/a/model/Cart.java <- 
            /w/b/model/Cart.java <- /w/a/Main.java
            /w/b/model/Cart.java <- 
        "#]],
    );
    check(
        "\
//- /w/drivers/one/util.h
int open(void);
//- /w/drivers/two/util.h
int open(void);
//- /w/drivers/one/main.c
#include \"../two/util.h\"
int main(void) { return open(); }
",
        expect![[r#"
            /w/drivers/one/util.h <- 
            /w/drivers/two/util.h <- /w/drivers/one/main.c
        "#]],
    );
    check(
        "\
//- /w/one/Shop.cs
namespace Acme.Shop { class Cart { public Cart() {} } }
//- /w/two/Shop.cs
namespace Acme.Store { class Cart { public Cart() {} } }
//- /w/one/Main.cs
using Acme.Store;
class Main { object Make() { return new Cart(); } }
",
        expect![[r#"
            /w/one/Shop.cs <- 
            /w/one/Shop.cs <- 
            /w/two/Shop.cs <- /w/one/Main.cs
            /w/two/Shop.cs <- 
        "#]],
    );
    check(
        "\
//- /w/one/util/open.lua
local M = {}
function M.open() end
return M
//- /w/two/util/open.lua
local M = {}
function M.open() end
return M
//- /w/one/main.lua
local door = require(\"two.util.open\")
function main() door.open() end
",
        expect![[r#"
            /w/one/util/open.lua <- 
            /w/two/util/open.lua <- /w/one/main.lua
        "#]],
    );
}

#[test]
fn importers_name_the_module() {
    let index = index(RUST);
    let importers = |path: &str| -> Vec<String> {
        let files = index.importers(&FilePath::new(path).unwrap()).into_iter();
        files.map(|file| file.to_string()).collect()
    };
    expect![[r#"
        (
            [
                "/w/src/cart.rs",
            ],
            [
                "/w/src/order.rs",
            ],
            [],
        )
    "#]]
    .assert_debug_eq(&(
        importers("/w/src/money.rs"),
        importers("/w/src/cart.rs"),
        importers("/w/none.rs"),
    ));
}

#[test]
fn names_are_found_by_how_well_they_fit() {
    let index = index(RUST);
    let find = |query: &str| -> Vec<String> {
        index
            .find(query, 6)
            .iter()
            .map(|place| show(&index, place))
            .collect()
    };
    expect![[r#"
        [
            [
                "cart.rs:Cart/new",
                "money.rs:Money/new",
                "order.rs:Order/new",
            ],
            [
                "cart.rs:Cart/new",
            ],
            [
                "order.rs:Order/cart",
                "cart.rs:Cart",
            ],
            [
                "cart.rs:Cart/count",
                "shop.rs:orders_cost_what_is_in_them",
            ],
            [],
            [],
        ]
    "#]]
    .assert_debug_eq(&[
        find("new"),
        find("Cart/new"),
        find("cart"),
        find("cnt"),
        find("zzz"),
        find(""),
    ]);
}

#[test]
fn a_snapshot_does_not_change() {
    let mut index = index(RUST);
    let snapshot = index.clone();
    let file = FilePath::new("/w/src/money.rs").unwrap();
    index.remove(&file);
    assert!(index.definitions("sum").is_empty());
    assert_eq!(snapshot.definitions("sum").len(), 1);
    assert_eq!(snapshot.stats().files, 5);
    assert_eq!(index.stats().files, 4);
    index.insert(file.clone(), snapshot.file(&file).unwrap().clone());
    assert_eq!(index, snapshot);
    assert_eq!(index.stats(), snapshot.stats());
}

/// How much is known, apart from what it takes to know it.
fn counts(index: &Index) -> Stats {
    Stats {
        memory: 0,
        ..index.stats()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// However it came about, an index of the same files gives the same answers.
    #[test]
    fn the_order_of_changes_does_not_matter(
        first in 0..6_usize,
        changes in prop::collection::vec((0..5_usize, 0..3_u8), 0..24),
        seed in any::<u64>(),
    ) {
        let files = files(RUST);
        let empty = Arc::new(Facts::of(files[0].1.grammar, "fn total() {}"));
        let at_once = files[..first].iter().map(|(path, facts)| (path.clone(), facts.pack()));
        let mut index = Index::from(Arc::new(Base::of(at_once.collect())));
        for (file, what) in &changes {
            let (path, facts) = &files[*file];
            match what {
                0 => index.remove(path),
                1 => index.insert(path.clone(), empty.clone()),
                _ => index.insert(path.clone(), facts.clone()),
            }
        }
        let mut rest: Vec<_> = index.files().map(|(path, facts)| (path.clone(), facts.clone())).collect();
        let by = seed as usize % rest.len().max(1);
        rest.rotate_left(by);
        let packed = rest.iter().map(|(path, facts)| (path.clone(), facts.pack()));
        let based = Index::from(Arc::new(Base::of(packed.collect())));
        let fresh: Index = rest.into_iter().collect();
        prop_assert_eq!(&index, &fresh);
        prop_assert_eq!(&index, &based);
        prop_assert_eq!(counts(&index), counts(&fresh));
        prop_assert_eq!(counts(&index), counts(&based));
        prop_assert_eq!(index.paths().collect::<Vec<_>>(), based.paths().collect::<Vec<_>>());
        let moved = index.on(based.base().clone(), |file| changes.iter().any(|(number, _)| files[*number].0 == *file));
        prop_assert_eq!(&index, &moved);
        prop_assert_eq!(counts(&index), counts(&moved));
        for name in ["new", "total", "Cart", "sum", "money", "nothing"] {
            prop_assert_eq!(index.files_with(name), based.files_with(name));
            prop_assert_eq!(index.definitions(name), moved.definitions(name));
            prop_assert_eq!(index.references(name), based.references(name));
        }
        for name in ["new", "total", "Cart", "sum", "money", "nothing"] {
            prop_assert_eq!(index.definitions(name), fresh.definitions(name));
            prop_assert_eq!(index.references(name), fresh.references(name));
            for place in index.definitions(name) {
                prop_assert_eq!(index.uses(&place), fresh.uses(&place));
                prop_assert_eq!(index.nearest_tests(&place), fresh.nearest_tests(&place));
            }
        }
        for (file, _) in index.files() {
            prop_assert_eq!(index.importers(file), fresh.importers(file));
        }
        prop_assert_eq!(index.find("o", 50), fresh.find("o", 50));
    }
}

/// Looking from the caller and looking from the callee is the same.
#[test]
fn links_and_uses_agree() {
    let index = index(RUST);
    for (file, facts) in index.files() {
        for (id, _) in facts.enumerate() {
            let place = Place {
                file: file.clone(),
                symbol: id,
            };
            for link in index.links(file, id) {
                let uses = index.uses(&link.place);
                let back = uses
                    .iter()
                    .find(|found| found.file == *file && found.range == link.range);
                assert!(
                    back.is_some(),
                    "{} -> {}",
                    show(&index, &place),
                    show(&index, &link.place)
                );
            }
            for found in index.uses(&place) {
                let Some(within) = found.within else { continue };
                let links = index.links(&found.file, within);
                let itself = found.file == place.file && within == place.symbol;
                assert!(
                    itself || links.iter().any(|link| link.place == place),
                    "{}",
                    show(&index, &place)
                );
            }
        }
    }
}
