use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::{Expect, expect};

use super::*;
use crate::manifest::{Manifests, is_manifest};
use crate::team::Team;

/// Files of a fixture: `//- /path` starts one.
fn check(fixture: &str, expected: Expect) {
    let mut index = Index::new();
    let mut manifests = Vec::new();
    for part in fixture.split("//- ").skip(1) {
        let (path, source) = part.split_once('\n').unwrap();
        let file = FilePath::new(path).unwrap();
        if is_manifest(&file) {
            manifests.push((file.clone(), source.to_owned()));
        }
        if let Some(grammar) = grammars::for_path(path) {
            index.insert(file, Arc::new(Facts::of(grammar, source)));
        }
    }
    let manifests = Manifests::read(manifests);
    let root = FilePath::new("/w").unwrap();
    let project = Project {
        roots: std::slice::from_ref(&root),
        index: &index,
        manifests: &manifests,
        exists: &|_| false,
        ignored: &|_, _| false,
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
export type * from \"./shape\";
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
            index.ts -> shape.ts Type []
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

#[test]
fn paths_start_in_the_own_folder_or_in_one_around_it() {
    check(
        "\
//- /w/lua/shop/init.lua
local cart = require(\"shop.cart\")
local json = require(\"cjson\")
//- /w/lua/shop/cart.lua
local shop = require(\"shop\")
//- /w/lib/shop.rb
require \"shop/cart\"
require_relative \"shop/line\"
require \"json\"
//- /w/lib/shop/cart.rb
//- /w/lib/shop/line.rb
//- /w/test/test_shop.rb
require \"shop\"
//- /w/style/a.css
@import \"b.css\";
@import url(more/c.css);
//- /w/style/b.css
//- /w/style/more/c.css
//- /w/src/Data/Cart.hs
module Data.Cart where
import Data.Line (line)
import Data.Map (Map)
//- /w/src/Data/Line.hs
module Data.Line where
//- /w/bin/run.sh
. ./lib/common.sh
source \"$HOME/lib/common.sh\"
//- /w/bin/lib/common.sh
//- /w/zig/main.zig
const std = @import(\"std\");
const cart = @import(\"cart.zig\");
//- /w/zig/cart.zig
",
        expect![[r#"
            bin/run.sh -> bin/lib/common.sh Static []
            bin/run.sh -> bin/lib/common.sh Static []
            lib/shop.rb -> lib/shop/cart.rb Static []
            lib/shop.rb -> lib/shop/line.rb Static []
            lib/shop.rb => json
            lua/shop/cart.lua -> lua/shop/init.lua Load []
            lua/shop/init.lua -> lua/shop/cart.lua Load []
            lua/shop/init.lua => cjson
            src/Data/Cart.hs -> src/Data/Line.hs Static [line]
            src/Data/Cart.hs => Data.Map
            style/a.css -> style/b.css Static []
            style/a.css -> style/more/c.css Static []
            test/test_shop.rb -> lib/shop.rb Static test []
            zig/main.zig -> zig/cart.zig Static []
            zig/main.zig => std
        "#]],
    );
}

#[test]
fn packages_are_what_files_declare() {
    check(
        "\
//- /w/app/src/main/java/com/acme/Main.java
package com.acme;
class Main {}
//- /w/app/src/main/java/com/acme/shop/Cart.java
package com.acme.shop;
class Cart { class Line {} }
//- /w/app/src/main/kotlin/shop/Money.kt
package com.acme.shop
import com.acme.Main
object Money { fun round() {} }
fun half() {}
//- /w/app/src/main/java/com/acme/stock/Shelf.java
package com.acme.stock;
class Shelf {}
//- /w/app/src/main/java/com/acme/stock/Box.java
package com.acme.stock;
class Box {}
//- /w/app/src/main/scala/Orders.scala
package com.acme.orders
import com.acme.shop.{Cart, half => h}
import com.acme.stock._
class Orders { val box: Box = null }
//- /w/net/Shop/Cart.cs
using System.Text;
using Acme.Prices;
namespace Acme.Shop { class Cart { Price price; } }
//- /w/net/Everything.cs
namespace Acme { namespace Prices { class Price {} class Rate {} } }
//- /w/net/More.cs
namespace Acme.Prices;
class Discount {}
//- /w/php/src/Cart.php
<?php
namespace Acme\\Shop;
use Acme\\Money\\{Price, Rate};
use function Acme\\Money\\half;
use Psr\\Log\\LoggerInterface;
require 'functions/all.php';
class Cart {}
//- /w/php/src/Money/Price.php
<?php
namespace Acme\\Money;
class Price {}
//- /w/php/src/Money/functions.php
<?php
namespace Acme\\Money;
function half() {}
//- /w/php/src/functions/all.php
<?php
",
        expect![[r#"
            app/src/main/kotlin/shop/Money.kt -> app/src/main/java/com/acme/Main.java Static [Main]
            app/src/main/scala/Orders.scala -> app/src/main/java/com/acme/shop/Cart.java Static [Cart]
            app/src/main/scala/Orders.scala -> app/src/main/kotlin/shop/Money.kt Static [half]
            app/src/main/scala/Orders.scala -> app/src/main/java/com/acme/stock/Box.java Static []
            net/Shop/Cart.cs -> net/Everything.cs Static []
            net/Shop/Cart.cs => System.Text
            php/src/Cart.php -> php/src/Money/Price.php Static [Price]
            php/src/Cart.php -> php/src/Money/functions.php Static [half]
            php/src/Cart.php -> php/src/functions/all.php Static []
            php/src/Cart.php => Psr\Log
        "#]],
    );
}

#[test]
fn what_a_file_declares_may_change_where_others_lead() {
    let graph = |sources: [(&str, &str); 2], before: Option<(Graph, &str)>| {
        let facts = |path: &str, source: &str| {
            let file = FilePath::new(path).unwrap();
            let grammar = grammars::for_path(path).unwrap();
            (file, Arc::new(Facts::of(grammar, source)))
        };
        let index: Index = sources
            .into_iter()
            .map(|(path, source)| facts(path, source))
            .collect();
        let root = FilePath::new("/w").unwrap();
        let project = Project {
            roots: std::slice::from_ref(&root),
            index: &index,
            manifests: &Manifests::default(),
            exists: &|_| false,
            ignored: &|_, _| false,
            team: &Team::default(),
        };
        match before {
            Some((mut graph, changed)) => {
                let changed = FilePath::new(changed).unwrap();
                let moved = graph.update(&project, &BTreeSet::from([changed]));
                let fresh = Graph::of(&project);
                assert!(graph.files().eq(fresh.files()));
                (graph, moved)
            }
            None => (Graph::of(&project), BTreeSet::new()),
        }
    };
    let user = (
        "/w/A.kt",
        "package a\nimport b.C\nclass A { val c: C? = null }",
    );
    let (first, _) = graph([user, ("/w/B.kt", "package b\nclass D")], None);
    assert_eq!(first.edges().count(), 0);
    let now = [user, ("/w/B.kt", "package b\nclass C")];
    let (second, moved) = graph(now, Some((first, "/w/B.kt")));
    assert_eq!(second.edges().count(), 1);
    assert_eq!(moved, BTreeSet::from([FilePath::new("/w/A.kt").unwrap()]));
}
