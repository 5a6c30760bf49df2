use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::{Expect, expect};

use super::*;
use crate::manifest::Manifests;
use crate::team::Team;

/// Files of a fixture: `//- /path` starts one. What has no grammar is a manifest.
fn check(fixture: &str, expected: Expect) {
    let mut index = Index::new();
    let mut manifests = Vec::new();
    for part in fixture.split("//- ").skip(1) {
        let (path, source) = part.split_once('\n').unwrap();
        let file = FilePath::new(path).unwrap();
        match grammars::for_path(path) {
            Some(grammar) => index.insert(file, Arc::new(Facts::of(grammar, source))),
            None => manifests.push((file, source.to_owned())),
        }
    }
    let manifests = Manifests::read(manifests);
    let root = FilePath::new("/w").unwrap();
    let project = Project {
        roots: std::slice::from_ref(&root),
        index: &index,
        manifests: &manifests,
        exists: &|_| false,
        team: &Team::default(),
    };
    let graph = Graph::of(&project);
    let mut out = String::new();
    let name = |file: &FilePath| file.relative_to(&root).unwrap().to_owned();
    for (file, links) in graph.files() {
        for edge in &links.edges {
            let names = edge.names.join(",");
            let test = if edge.test { " test" } else { "" };
            writeln!(
                out,
                "{} -> {} {:?}{test} [{names}]",
                name(file),
                name(&edge.to),
                edge.kind
            )
            .unwrap();
        }
        for external in &links.externals {
            writeln!(out, "{} => {}", name(file), external.package).unwrap();
        }
        for unresolved in &links.unresolved {
            writeln!(out, "{} ?? {}", name(file), unresolved.path).unwrap();
        }
    }
    expected.assert_eq(&out);
}

#[test]
fn dotted_names_start_at_a_root_or_at_dots() {
    check(
        "\
//- /w/src/shop/__init__.py
from .cart import Cart
//- /w/src/shop/cart.py
from __future__ import annotations
import typing
from shop.money import price, round as r
from . import stock
if typing.TYPE_CHECKING:
    from .deep.part import Part
def late():
    from shop import cart, money
try:
    from . import fast
except ImportError:
    pass
from .gone import x
import shop.lost
//- /w/src/shop/money.py
//- /w/src/shop/stock.py
//- /w/src/shop/deep/part.py
from ..money import price
//- /w/tests/test_cart.py
import shop.cart
import requests
",
        expect![[r#"
            src/shop/__init__.py -> src/shop/cart.py Load [Cart]
            src/shop/cart.py -> src/shop/money.py Load [price,round]
            src/shop/cart.py -> src/shop/stock.py Load [stock]
            src/shop/cart.py -> src/shop/deep/part.py Type [Part]
            src/shop/cart.py -> src/shop/money.py Deferred [money]
            src/shop/cart.py -> src/shop/__init__.py Load [fast]
            src/shop/cart.py => __future__
            src/shop/cart.py => typing
            src/shop/cart.py ?? .gone
            src/shop/cart.py ?? shop.lost
            src/shop/deep/part.py -> src/shop/money.py Load [price]
            tests/test_cart.py -> src/shop/cart.py Load test []
            tests/test_cart.py => requests
        "#]],
    );
}

#[test]
fn a_package_of_the_same_name_is_not_the_installed_one() {
    check(
        "\
//- /w/shop/__init__.py
//- /w/shop/http/__init__.py
//- /w/tests/requests/__init__.py
//- /w/src/__init__.py
//- /w/src/json/__init__.py
//- /w/shop/cart.py
from requests.models import Response
from json.decoder import Scanner
from http.client import HTTPConnection
from shop.http.client import HTTPConnection
",
        expect![[r#"
            shop/cart.py => requests
            shop/cart.py => json
            shop/cart.py => http
            shop/cart.py ?? shop.http.client
        "#]],
    );
}

#[test]
fn specifiers_follow_aliases_packages_and_endings() {
    check(
        r##"
//- /w/tsconfig.json
{ "compilerOptions": { "baseUrl": ".", "paths": { "@app/*": ["./src/*"] }, }, } // loose
//- /w/packages/kit/package.json
{"name": "@w/kit", "exports": {".": "./dist/index.js", "./*": "./dist/*.js"}}
//- /w/packages/kit/src/index.ts
//- /w/packages/kit/src/part.ts
//- /w/src/a.ts
import { b } from "./b.js";
import type { C } from "./c";
import { D } from "@app/d";
import kit from "@w/kit";
import { part } from "@w/kit/part";
import React from "react/jsx";
import "./style.css";
import { lost } from "./lost";
import fs from "node:fs";
let d: D;
export function late() { b(); kit(part, React, fs, lost); return import("./c"); }
//- /w/src/b.ts
export * from "./c";
//- /w/src/c/index.tsx
//- /w/src/d.ts
"##,
        expect![[r#"
            src/a.ts -> src/b.ts Load [b]
            src/a.ts -> src/c/index.tsx Type [C]
            src/a.ts -> src/d.ts Type [D]
            src/a.ts -> packages/kit/src/index.ts Load [default]
            src/a.ts -> packages/kit/src/part.ts Load [part]
            src/a.ts -> src/c/index.tsx Deferred []
            src/a.ts => react
            src/a.ts ?? ./lost
            src/b.ts -> src/c/index.tsx Load []
        "#]],
    );
}

#[test]
fn module_trees_follow_facades_to_what_defines_the_name() {
    check(
        r#"
//- /w/a/Cargo.toml
[package]
name = "shop-core"
[dependencies]
other = { package = "the-kit", path = "../kit" }
//- /w/a/src/lib.rs
macro_that_declares! { mod hidden; }
pub mod cart;
pub use cart::Cart;
//- /w/a/src/cart.rs
mod line;
pub use self::line::Line;
use crate::hidden::Secret;
use other::Tool;
use serde::Serialize;
pub struct Cart;
mod tests {
    use super::*;
    use super::super::hidden;
}
//- /w/a/src/cart/line.rs
use super::Cart;
use crate::Cart as C;
pub struct Line;
//- /w/a/src/hidden.rs
use crate::cart::{Line, Cart};
pub struct Secret;
//- /w/a/tests/it.rs
use shop_core::cart::Line;
//- /w/kit/Cargo.toml
[package]
name = "the-kit"
//- /w/kit/src/lib.rs
pub struct Tool;
"#,
        expect![[r#"
            a/src/cart.rs -> a/src/cart/line.rs Static [Line]
            a/src/cart.rs -> a/src/hidden.rs Static [Secret]
            a/src/cart.rs -> kit/src/lib.rs Static [Tool]
            a/src/cart.rs -> a/src/hidden.rs Static [hidden]
            a/src/cart.rs => serde
            a/src/cart/line.rs -> a/src/cart.rs Static [Cart]
            a/src/cart/line.rs -> a/src/cart.rs Static [Cart]
            a/src/hidden.rs -> a/src/cart/line.rs Static [Line]
            a/src/hidden.rs -> a/src/cart.rs Static [Cart]
            a/src/lib.rs -> a/src/cart.rs Static [Cart]
            a/tests/it.rs -> a/src/cart/line.rs Static test [Line]
        "#]],
    );
}

#[test]
fn packages_are_folders_below_the_module() {
    check(
        "\
//- /w/go.mod
module example.org/shop
require github.com/pkg/errors v0.9.1
//- /w/main.go
package main
import (
\t\"fmt\"
\t\"example.org/shop/cart\"
\t\"example.org/shop/lost\"
\t\"github.com/pkg/errors\"
)
//- /w/cart/cart.go
package cart
",
        expect![[r#"
            main.go -> cart Static []
            main.go => fmt
            main.go => github.com/pkg/errors
            main.go ?? example.org/shop/lost
        "#]],
    );
}

#[test]
fn passing_on_types_is_gone_from_the_program() {
    check(
        "\
//- /w/index.ts
export { Shape } from \"./all\";
export { Shape as S, area } from \"./all\";
export { Kind } from \"./shape\";
//- /w/all.ts
export * from \"./shape\";
export { area } from \"./area\";
//- /w/shape.ts
export interface Shape { a: number }
export enum Kind { Round }
//- /w/area.ts
export function area() {}
",
        expect![[r#"
            all.ts -> shape.ts Load []
            all.ts -> area.ts Load [area]
            index.ts -> all.ts Type [Shape]
            index.ts -> all.ts Load [Shape,area]
            index.ts -> shape.ts Load [Kind]
        "#]],
    );
}

#[test]
fn includes_are_beside_the_file_or_end_like_the_path() {
    check(
        "\
//- /w/src/a.c
#include \"b.h\"
#include \"util/list.h\"
#include <stdio.h>
//- /w/src/b.h
//- /w/include/util/list.h
#include \"../../src/b.h\"
//- /w/other/deep/util/list.h
",
        expect![[r#"
            include/util/list.h -> src/b.h Static []
            src/a.c -> src/b.h Static []
            src/a.c -> include/util/list.h Static []
            src/a.c => stdio.h
        "#]],
    );
}

#[test]
fn types_are_in_files_of_their_name_and_need_no_import_beside_each_other() {
    check(
        "\
//- /w/src/main/java/shop/Cart.java
package shop;
import shop.money.Price;
import shop.stock.*;
import java.util.List;
import static shop.money.Rates.today;
class Cart { List<Item> items; Price price; Shelf shelf; }
//- /w/src/main/java/shop/Item.java
package shop;
class Item { Cart cart; }
//- /w/src/main/java/shop/money/Price.java
package shop.money;
class Price {}
//- /w/src/main/java/shop/money/Rates.java
package shop.money;
class Rates {}
//- /w/src/main/java/shop/stock/Shelf.java
package shop.stock;
class Shelf {}
//- /w/src/main/java/shop/stock/Unused.java
package shop.stock;
class Unused {}
",
        expect![[r#"
            src/main/java/shop/Cart.java -> src/main/java/shop/money/Price.java Static [Price]
            src/main/java/shop/Cart.java -> src/main/java/shop/stock/Shelf.java Static [Shelf]
            src/main/java/shop/Cart.java -> src/main/java/shop/money/Rates.java Static [today]
            src/main/java/shop/Cart.java -> src/main/java/shop/Item.java Static [Item]
            src/main/java/shop/Cart.java => java.util
            src/main/java/shop/Item.java -> src/main/java/shop/Cart.java Static [Cart]
        "#]],
    );
}
