//! The seeds and the decoys. `{a}`, `{b}` and `{c}` stand for names.

use review::{Decision, Forbidden, Job, Layer, Layers, Paths, Shape, Skills, Team};
use text::{FilePath, Range};

/// Paths and texts.
pub(crate) type Files<'a> = &'a [(&'a str, &'a str)];

pub(crate) struct Case {
    pub(crate) rule: &'static str,
    pub(crate) language: &'static str,
    pub(crate) team: fn() -> Team,
    /// The team that says the opposite, where a team decides.
    pub(crate) control: Option<fn() -> Team>,
    pub(crate) seed: Files<'static>,
    pub(crate) decoys: &'static [Files<'static>],
}

const fn case(
    rule: &'static str,
    language: &'static str,
    seed: Files<'static>,
    decoys: &'static [Files<'static>],
) -> Case {
    Case {
        rule,
        language,
        team: Team::default,
        control: None,
        seed,
        decoys,
    }
}

const fn said(
    rule: &'static str,
    team: fn() -> Team,
    control: fn() -> Team,
    seed: Files<'static>,
    decoys: &'static [Files<'static>],
) -> Case {
    Case {
        rule,
        language: "python",
        team,
        control: Some(control),
        seed,
        decoys,
    }
}

fn layered(order: [&str; 2], public: Option<&str>) -> Team {
    let layer = |name: &&str| Layer {
        name: (*name).to_owned(),
        paths: Paths::new([format!("app/{name}/**")]),
        public: public
            .filter(|_| *name == "low")
            .map(|public| Paths::new([public])),
    };
    Team {
        layers: vec![Layers {
            declared_in: "farthing.toml".into(),
            base: None,
            layers: order.iter().map(layer).collect(),
        }],
        ..Team::default()
    }
}

fn high_over_low() -> Team {
    layered(["high", "low"], None)
}

fn low_over_high() -> Team {
    layered(["low", "high"], None)
}

fn low_has_an_interface() -> Team {
    layered(["high", "low"], Some("app/low/api.py"))
}

fn no_jobs() -> Team {
    Team {
        forbidden: vec![Forbidden {
            import: "celery".to_owned(),
            target: Paths::new(["celery"]),
            within: Some(Paths::new(["app/domain/**"])),
            base: None,
            why: None,
        }],
        ..Team::default()
    }
}

fn only_httpx() -> Team {
    one_library("httpx", "requests")
}

fn only_requests() -> Team {
    one_library("requests", "httpx")
}

fn one_library(library: &str, other: &str) -> Team {
    Team {
        jobs: vec![Job {
            job: "http-client".to_owned(),
            library: library.to_owned(),
            instead_of: vec![other.to_owned()],
            why: None,
        }],
        ..Team::default()
    }
}

fn nobody_knows_kafka() -> Team {
    knows(&[], &["kafka"])
}

fn all_know_kafka() -> Team {
    knows(&["kafka"], &["redis"])
}

fn knows(strong: &[&str], unknown: &[&str]) -> Team {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Team {
        skills: Skills {
            strong: words(strong),
            some: Vec::new(),
            unknown: words(unknown),
        },
        ..Team::default()
    }
}

fn small() -> Team {
    of_size(1)
}

fn large() -> Team {
    of_size(3)
}

fn of_size(most: u32) -> Team {
    Team {
        shape: Shape {
            deployables: Some(most),
            datastores: Some(most),
            languages: Some(most),
        },
        ..Team::default()
    }
}

fn decided() -> Team {
    Team {
        decisions: vec![Decision {
            document: "docs/adr/1.md".to_owned(),
            named_in: FilePath::new("/w/farthing.toml").unwrap(),
            range: Range::new(0, 1),
        }],
        ..Team::default()
    }
}

/// A function with a cognitive complexity of 25, with something above it.
macro_rules! concat_complex {
    ($above:literal) => {
        concat!(
            $above,
            "def {a}(x):\n",
            "    if x:\n",
            "        for y in x:\n",
            "            if y:\n",
            "                while y:\n",
            "                    if x and y:\n",
            "                        if y:\n",
            "                            y()\n",
            "                        else:\n",
            "                            x()\n",
            "                    if y:\n",
            "                        y()\n"
        )
    };
}

const COMPLEX: &str = concat_complex!("");

/// A function under some names that it binds, and one that it uses.
macro_rules! concat_copy {
    ($name:literal, $list:literal, $one:literal) => {
        concat_copy!($name, $list, $one, "price")
    };
    ($name:literal, $list:literal, $one:literal, $used:literal) => {
        concat!(
            "def ",
            $name,
            "_{c}(",
            $list,
            ", rate):\n",
            "    \"\"\"Adds up for ",
            $name,
            ".\"\"\"\n",
            "    result = 0\n",
            "    for ",
            $one,
            " in ",
            $list,
            ":  # each\n",
            "        if ",
            $one,
            ".",
            $used,
            " > 10 and ",
            $one,
            ".tax:\n",
            "            result += round(",
            $one,
            ".",
            $used,
            " * rate, 2)\n",
            "        else:\n",
            "            result += ",
            $one,
            ".",
            $used,
            "\n",
            "    return {\"sum\": result, \"count\": len(",
            $list,
            ")}\n"
        )
    };
}

/// The same in another language.
macro_rules! copy_in_rust {
    ($name:literal, $list:literal) => {
        concat!(
            "fn ",
            $name,
            "_{c}(",
            $list,
            ": &[Row]) -> u32 {\n",
            "    let mut sum = 0;\n",
            "    for one in ",
            $list,
            " {\n",
            "        if one.price > 1 && one.tax {\n            sum += one.price * 2;\n        }\n",
            "        else {\n            sum += price_of(one, ",
            $list,
            ".len());\n        }\n",
            "    }\n    sum\n}\n"
        )
    };
}

/// A function of ninety lines with this head.
macro_rules! long {
    ($head:literal) => {
        concat!(
            $head,
            "    x = 1\n    x = 2\n    x = 3\n    x = 4\n    x = 5\n    x = 6\n    x = 7\n    x = 8\n    x = 9\n    x = 0\n",
            "    x = 1\n    x = 2\n    x = 3\n    x = 4\n    x = 5\n    x = 6\n    x = 7\n    x = 8\n    x = 9\n    x = 0\n",
            "    x = 1\n    x = 2\n    x = 3\n    x = 4\n    x = 5\n    x = 6\n    x = 7\n    x = 8\n    x = 9\n    x = 0\n",
            "    x = 1\n    x = 2\n    x = 3\n    x = 4\n    x = 5\n    x = 6\n    x = 7\n    x = 8\n    x = 9\n    x = 0\n",
            "    x = 1\n    x = 2\n    x = 3\n    x = 4\n    x = 5\n    x = 6\n    x = 7\n    x = 8\n    x = 9\n    x = 0\n",
            "    x = 1\n    x = 2\n    x = 3\n    x = 4\n    x = 5\n    x = 6\n    x = 7\n    x = 8\n    x = 9\n    x = 0\n",
            "    x = 1\n    x = 2\n    x = 3\n    x = 4\n    x = 5\n    x = 6\n    x = 7\n    x = 8\n    x = 9\n    x = 0\n",
            "    x = 1\n    x = 2\n    x = 3\n    x = 4\n    x = 5\n    x = 6\n    x = 7\n    x = 8\n    x = 9\n    x = 0\n",
            "    x = 1\n    x = 2\n    x = 3\n    x = 4\n    x = 5\n    x = 6\n    x = 7\n    x = 8\n    x = 9\n    x = 0\n",
        )
    };
}

pub(crate) const CASES: &[Case] = &[
    case(
        "fn/too-long",
        "python",
        &[("a/{a}.py", long!("def {a}(x):\n"))],
        &[
            &[("a/test_{a}.py", long!("def test_{a}(x):\n"))],
            &[("a/{a}.py", "def {a}(x):\n    return x\n")],
        ],
    ),
    case(
        "fn/deep-nesting",
        "typescript",
        &[(
            "a/{a}.ts",
            "function {a}(x: any) {\n if (x) { for (;;) { if (x) { while (x) { if (x) { x(); } } } } }\n}\n",
        )],
        &[&[(
            "a/{a}.ts",
            "function {a}(x: any) {\n if (x) { for (;;) { if (x) { x(); } } }\n}\n",
        )]],
    ),
    case(
        "fn/too-complex",
        "python",
        &[("a/{a}.py", COMPLEX)],
        &[&[(
            "a/{a}.py",
            "def {a}(x):\n    if x:\n        return 1\n    if x > 1:\n        return 2\n    return 3\n",
        )]],
    ),
    case(
        "fn/complexity-hotspot",
        "python",
        &[("hot/{a}.py", COMPLEX)],
        &[
            &[("cold/{a}.py", COMPLEX)],
            &[("hot/{a}.py", "def {a}(x):\n    return x\n")],
            &[(
                "hot/{a}.py",
                concat_complex!("# farthing: ignore[fn/too-complex] a table of states\n"),
            )],
        ],
    ),
    case(
        "git/change-coupling",
        "python",
        &[("pair/{a}.py", "x = 1\n"), ("pair/{b}.py", "y = 1\n")],
        &[
            &[
                ("pair/{a}.py", "from {b} import y\n"),
                ("pair/{b}.py", "y = 1\n"),
            ],
            &[("pair/{a}.py", "x = 1\n"), ("pair/test_{a}.py", "y = 1\n")],
            &[("cold/{a}.py", "x = 1\n"), ("cold/{b}.py", "y = 1\n")],
        ],
    ),
    case(
        "perf/await-in-loop",
        "typescript",
        &[(
            "a/{a}.ts",
            "export async function {a}(ids: string[]) {\n  for (const id of ids) {\n    await {b}(id);\n  }\n}\n",
        )],
        &[
            &[(
                "a/{a}.ts",
                "export async function {a}(ids: string[]) {\n  for (const id of ids) {\n    ids.push(id);\n  }\n  await {b}(ids);\n}\n",
            )],
            &[(
                "a/{a}.ts",
                "export async function {a}(ids: string[]) {\n  while (true) {\n    await {b}(1);\n  }\n}\n",
            )],
            &[(
                "a/{a}.ts",
                "export function {a}(ids: string[]) {\n  for (const id of ids) {\n    later(async () => await {b}(id));\n  }\n}\n",
            )],
        ],
    ),
    case(
        "perf/await-in-loop",
        "python",
        &[(
            "a/{a}.py",
            "async def {a}(rows):\n    for row in rows:\n        await {b}(row.id)\n",
        )],
        &[&[(
            "a/{a}.py",
            "async def {a}(rows):\n    for _ in range(3):\n        await {b}(rows)\n",
        )]],
    ),
    case(
        "perf/concat-in-loop",
        "python",
        &[(
            "a/{a}.py",
            "def {a}(rows):\n    {b} = ''\n    for row in rows:\n        {b} += f'<li>{row}</li>'\n    return {b}\n",
        )],
        &[
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    for row in rows:\n        {b} = 'x'\n        {b} += f'<li>{row}</li>'\n        row({b})\n",
            )],
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    {b} = 0\n    for row in rows:\n        {b} += row.size\n    return {b}\n",
            )],
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    {b} = []\n    for row in rows:\n        {b} += [f'<li>{row}</li>']\n    return {b}\n",
            )],
            &[(
                "a/{a}.py",
                "def {a}(row):\n    {b} = 'x'\n    {b} += f'<li>{row}</li>'\n    return {b}\n",
            )],
        ],
    ),
    case(
        "perf/concat-in-loop",
        "go",
        &[(
            "a/{a}.go",
            "package a\n\nfunc f(rows []string) string {\n\ts := \"\"\n\tfor _, row := range rows {\n\t\ts += row + \",\"\n\t}\n\treturn s\n}\n",
        )],
        &[&[(
            "a/{a}.go",
            "package a\n\nfunc f(rows []int) int {\n\ts := 0\n\tfor _, row := range rows {\n\t\ts += row\n\t}\n\treturn s\n}\n",
        )]],
    ),
    case(
        "perf/membership-quadratic",
        "python",
        &[(
            "a/{a}.py",
            "def {a}(rows):\n    {b} = []\n    for row in rows:\n        if row not in {b}:\n            {b}.append(row)\n    return {b}\n",
        )],
        &[
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    {b} = set()\n    for row in rows:\n        if row not in {b}:\n            {b}.add(row)\n    return {b}\n",
            )],
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    {b} = ['x', 'y']\n    return [row for row in rows if row in {b}]\n",
            )],
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    {b} = []\n    {b} = set({b})\n    for row in rows:\n        if row in {b}:\n            row()\n",
            )],
            &[(
                "a/{a}.py",
                "def {a}(rows):\n    for row in rows:\n        {b} = []\n        if row in {b}:\n            row()\n",
            )],
        ],
    ),
    case(
        "perf/membership-quadratic",
        "typescript",
        &[(
            "a/{a}.ts",
            "export function {a}(rows: Row[]) {\n  const {b} = rows.map((row) => row.id);\n  for (const row of rows) {\n    if ({b}.includes(row.parent)) row.keep();\n  }\n}\n",
        )],
        &[
            &[(
                "a/{a}.ts",
                "export function {a}(rows: Row[]) {\n  const {b} = new Set(rows.map((row) => row.id));\n  for (const row of rows) {\n    if ({b}.has(row.parent)) row.keep();\n  }\n}\n",
            )],
            &[(
                "a/{a}.ts",
                "export function {a}(rows: Row[], name: string) {\n  for (const row of rows) {\n    if (name.includes(row.parent)) row.keep();\n  }\n}\n",
            )],
        ],
    ),
    case(
        "perf/lock-across-await",
        "rust",
        &[(
            "src/{a}.rs",
            "async fn {a}(&self) {\n    let mut {b} = self.map.lock().unwrap();\n    {b}.insert(1, fetch().await);\n}\n",
        )],
        &[
            &[(
                "src/{a}.rs",
                "async fn {a}(&self) {\n    let mut {b} = self.map.lock().unwrap();\n    {b}.clear();\n    drop({b});\n    fetch().await;\n}\n",
            )],
            &[(
                "src/{a}.rs",
                "async fn {a}(&self) {\n    {\n        let mut {b} = self.map.lock().unwrap();\n        {b}.clear();\n    }\n    fetch().await;\n}\n",
            )],
            &[(
                "src/{a}.rs",
                "async fn {a}(&self) {\n    let mut {b} = self.map.lock().await;\n    {b}.insert(1, fetch().await);\n}\n",
            )],
            &[(
                "src/{a}.rs",
                "fn {a}(&self) {\n    let mut {b} = self.map.lock().unwrap();\n    spawn(async { fetch().await });\n}\n",
            )],
        ],
    ),
    case(
        "dep/unused",
        "typescript",
        &[
            (
                "package.json",
                r#"{"name": "x", "dependencies": {"left-pad": "1", "used": "1"}}"#,
            ),
            (
                "src/{a}.ts",
                "import { y } from 'used';\nexport const x = y;\n",
            ),
        ],
        &[
            &[
                (
                    "package.json",
                    r#"{"name": "x", "dependencies": {"left-pad": "1"}, "scripts": {"go": "left-pad ."}}"#,
                ),
                ("src/{a}.ts", "export const x = 1;\n"),
            ],
            &[
                (
                    "package.json",
                    r#"{"name": "x", "dependencies": {"left-pad": "1"}}"#,
                ),
                (
                    "src/{a}.ts",
                    "export const x = () => require('left-pad/lib');\n",
                ),
            ],
            &[
                (
                    "package.json",
                    r#"{"name": "x", "devDependencies": {"left-pad": "1"}}"#,
                ),
                ("src/{a}.ts", "export const x = 1;\n"),
            ],
            &[
                (
                    "package.json",
                    r#"{"name": "x", "dependencies": {"left-pad": "1"}}"#,
                ),
                ("tool.json", r#"{"plugins": ["left-pad"]}"#),
                ("src/{a}.ts", "export const x = 1;\n"),
            ],
        ],
    ),
    case(
        "dep/unused",
        "rust",
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"x\"\n[dependencies]\nleft-pad = \"1\"\n",
            ),
            ("src/lib.rs", "pub fn {a}() {}\n"),
        ],
        &[
            &[
                (
                    "Cargo.toml",
                    "[package]\nname = \"x\"\n[dependencies]\nleft-pad = \"1\"\n",
                ),
                ("src/lib.rs", "#[derive(left_pad::Pad)]\npub struct {a};\n"),
            ],
            &[
                (
                    "Cargo.toml",
                    "[package]\nname = \"x\"\n[dependencies]\nleft-pad = { version = \"1\", optional = true }\n",
                ),
                ("src/lib.rs", "pub fn {a}() {}\n"),
            ],
        ],
    ),
    case(
        "dep/unused",
        "go",
        &[
            (
                "go.mod",
                "module x.org/x\n\nrequire (\n\ty.org/left v1.0.0\n)\n",
            ),
            ("{a}.go", "package x\n\nfunc f() {}\n"),
        ],
        &[
            &[
                (
                    "go.mod",
                    "module x.org/x\n\nrequire (\n\ty.org/left v1.0.0 // indirect\n)\n",
                ),
                ("{a}.go", "package x\n\nfunc f() {}\n"),
            ],
            &[
                ("go.mod", "module x.org/x\n\nrequire y.org/left v1.0.0\n"),
                (
                    "{a}.go",
                    "package x\n\nimport \"y.org/left/pad\"\n\nfunc f() { pad.F() }\n",
                ),
            ],
        ],
    ),
    case(
        "dep/unused",
        "python",
        &[
            (
                "pyproject.toml",
                "[project]\nname = \"x\"\ndependencies = [\"left-pad>=1\"]\n",
            ),
            ("x/{a}.py", "import os\n"),
        ],
        &[
            &[
                (
                    "pyproject.toml",
                    "[project]\nname = \"x\"\ndependencies = [\"PyYAML>=1\"]\n",
                ),
                ("x/{a}.py", "import yaml\n"),
            ],
            &[
                (
                    "pyproject.toml",
                    "[project]\nname = \"x\"\ndependencies = [\"left-pad>=1\"]\n",
                ),
                ("x/{a}.py", "APPS = ['left_pad.app']\n"),
            ],
        ],
    ),
    case(
        "dep/undeclared",
        "typescript",
        &[
            (
                "package.json",
                r#"{"name": "x", "dependencies": {"used": "1"}}"#,
            ),
            (
                "src/{a}.ts",
                "import { y } from 'brought-along';\nexport const x = y;\n",
            ),
        ],
        &[
            &[
                (
                    "package.json",
                    r#"{"name": "x", "devDependencies": {"used": "1"}}"#,
                ),
                (
                    "src/{a}.ts",
                    "import { y } from 'used/lib';\nimport fs from 'fs';\nimport 'node:path';\nexport const x = y;\n",
                ),
            ],
            &[
                (
                    "package.json",
                    r#"{"name": "root", "dependencies": {"used": "1"}}"#,
                ),
                ("packages/a/package.json", r#"{"name": "a"}"#),
                (
                    "packages/a/src/{a}.ts",
                    "import { y } from 'used';\nexport const x = y;\n",
                ),
            ],
            &[
                ("package.json", r#"{"name": "x"}"#),
                (
                    "src/{a}.ts",
                    "import { y } from '@/lib/y';\nimport { z } from '~/z';\nexport const x = y;\n",
                ),
            ],
            &[
                ("package.json", r#"{"name": "x"}"#),
                (
                    "src/{a}.test.ts",
                    "import { y } from 'brought-along';\nexport const x = y;\n",
                ),
            ],
            &[
                ("package.json", r#"{"name": "x"}"#),
                (
                    "src/{a}.ts",
                    "import type { Y } from 'brought-along';\nexport const x: Y = 1;\n",
                ),
            ],
        ],
    ),
    case(
        "module/hub",
        "python",
        &[
            (
                "m/{a}.py",
                "import m.o0\nimport m.o1\nimport m.o2\nimport m.o3\nimport m.o4\nimport m.o5\nimport m.o6\nimport m.o7\nimport m.o8\nimport m.o9\nimport m.o10\nimport m.o11\n",
            ),
            ("m/o0.py", "x = 0\n"),
            ("m/o1.py", "x = 1\n"),
            ("m/o2.py", "x = 2\n"),
            ("m/o3.py", "x = 3\n"),
            ("m/o4.py", "x = 4\n"),
            ("m/o5.py", "x = 5\n"),
            ("m/o6.py", "x = 6\n"),
            ("m/o7.py", "x = 7\n"),
            ("m/o8.py", "x = 8\n"),
            ("m/o9.py", "x = 9\n"),
            ("m/o10.py", "x = 10\n"),
            ("m/o11.py", "x = 11\n"),
            ("m/i0.py", "import m.{a}\n"),
            ("m/i1.py", "import m.{a}\n"),
            ("m/i2.py", "import m.{a}\n"),
            ("m/i3.py", "import m.{a}\n"),
            ("m/i4.py", "import m.{a}\n"),
            ("m/i5.py", "import m.{a}\n"),
            ("m/i6.py", "import m.{a}\n"),
            ("m/i7.py", "import m.{a}\n"),
            ("m/i8.py", "import m.{a}\n"),
            ("m/i9.py", "import m.{a}\n"),
            ("m/i10.py", "import m.{a}\n"),
            ("m/i11.py", "import m.{a}\n"),
            ("m/__init__.py", ""),
        ],
        &[
            &[
                ("m/{a}.py", "import m.o0\nimport m.o1\nimport m.o2\n"),
                ("m/o0.py", "x = 0\n"),
                ("m/o1.py", "x = 1\n"),
                ("m/o2.py", "x = 2\n"),
                ("m/o3.py", "x = 3\n"),
                ("m/o4.py", "x = 4\n"),
                ("m/o5.py", "x = 5\n"),
                ("m/o6.py", "x = 6\n"),
                ("m/o7.py", "x = 7\n"),
                ("m/o8.py", "x = 8\n"),
                ("m/o9.py", "x = 9\n"),
                ("m/o10.py", "x = 10\n"),
                ("m/o11.py", "x = 11\n"),
                ("m/i0.py", "import m.{a}\n"),
                ("m/i1.py", "import m.{a}\n"),
                ("m/i2.py", "import m.{a}\n"),
                ("m/i3.py", "import m.{a}\n"),
                ("m/i4.py", "import m.{a}\n"),
                ("m/i5.py", "import m.{a}\n"),
                ("m/i6.py", "import m.{a}\n"),
                ("m/i7.py", "import m.{a}\n"),
                ("m/i8.py", "import m.{a}\n"),
                ("m/i9.py", "import m.{a}\n"),
                ("m/i10.py", "import m.{a}\n"),
                ("m/i11.py", "import m.{a}\n"),
                ("m/__init__.py", ""),
            ],
            &[
                (
                    "m/{a}.py",
                    "import m.o0\nimport m.o1\nimport m.o2\nimport m.o3\nimport m.o4\nimport m.o5\nimport m.o6\nimport m.o7\nimport m.o8\nimport m.o9\nimport m.o10\nimport m.o11\n",
                ),
                ("m/o0.py", "x = 0\n"),
                ("m/o1.py", "x = 1\n"),
                ("m/o2.py", "x = 2\n"),
                ("m/o3.py", "x = 3\n"),
                ("m/o4.py", "x = 4\n"),
                ("m/o5.py", "x = 5\n"),
                ("m/o6.py", "x = 6\n"),
                ("m/o7.py", "x = 7\n"),
                ("m/o8.py", "x = 8\n"),
                ("m/o9.py", "x = 9\n"),
                ("m/o10.py", "x = 10\n"),
                ("m/o11.py", "x = 11\n"),
                ("m/i0.py", "import m.{a}\n"),
                ("m/i1.py", "import m.{a}\n"),
                ("m/i2.py", "import m.{a}\n"),
                ("m/__init__.py", ""),
            ],
            &[
                (
                    "m/p/__init__.py",
                    "import m.o0\nimport m.o1\nimport m.o2\nimport m.o3\nimport m.o4\nimport m.o5\nimport m.o6\nimport m.o7\nimport m.o8\nimport m.o9\nimport m.o10\nimport m.o11\n",
                ),
                ("m/o0.py", "x = 0\n"),
                ("m/o1.py", "x = 1\n"),
                ("m/o2.py", "x = 2\n"),
                ("m/o3.py", "x = 3\n"),
                ("m/o4.py", "x = 4\n"),
                ("m/o5.py", "x = 5\n"),
                ("m/o6.py", "x = 6\n"),
                ("m/o7.py", "x = 7\n"),
                ("m/o8.py", "x = 8\n"),
                ("m/o9.py", "x = 9\n"),
                ("m/o10.py", "x = 10\n"),
                ("m/o11.py", "x = 11\n"),
                ("m/i0.py", "import m.p\n"),
                ("m/i1.py", "import m.p\n"),
                ("m/i2.py", "import m.p\n"),
                ("m/i3.py", "import m.p\n"),
                ("m/i4.py", "import m.p\n"),
                ("m/i5.py", "import m.p\n"),
                ("m/i6.py", "import m.p\n"),
                ("m/i7.py", "import m.p\n"),
                ("m/i8.py", "import m.p\n"),
                ("m/i9.py", "import m.p\n"),
                ("m/i10.py", "import m.p\n"),
                ("m/i11.py", "import m.p\n"),
                ("m/__init__.py", ""),
            ],
        ],
    ),
    case(
        "code/duplicate",
        "python",
        &[
            ("a/{a}.py", concat_copy!("one", "rows", "row")),
            ("b/{b}.py", concat_copy!("two", "items", "item")),
        ],
        &[
            // A test, something small, other code of the same form, code that is written elsewhere.
            &[
                ("a/{a}.py", concat_copy!("one", "rows", "row")),
                ("b/test_{b}.py", concat_copy!("two", "items", "item")),
            ],
            &[
                (
                    "a/{a}.py",
                    "def {a}(x):\n    y = x\n    z = y\n    u = z\n    v = u\n    return v\n",
                ),
                (
                    "b/{b}.py",
                    "def {b}(x):\n    y = x\n    z = y\n    u = z\n    v = u\n    return v\n",
                ),
            ],
            &[
                ("a/{a}.py", concat_copy!("one", "rows", "row")),
                ("b/{b}.py", concat_copy!("two", "items", "item", "cost")),
            ],
            &[
                ("a/{a}.py", concat_copy!("one", "rows", "row")),
                ("vendor/{b}.py", concat_copy!("two", "items", "item")),
            ],
        ],
    ),
    case(
        "code/duplicate",
        "rust",
        &[(
            "src/{a}.rs",
            concat!(
                copy_in_rust!("first", "rows"),
                copy_in_rust!("second", "items")
            ),
        )],
        &[&[(
            "src/{a}.rs",
            concat!(
                copy_in_rust!("first", "rows"),
                "#[cfg(test)]\nmod tests {\n",
                copy_in_rust!("second", "items"),
                "}\n"
            ),
        )]],
    ),
    case(
        "code/duplicate-of-existing",
        "python",
        &[
            ("a/{a}.py", concat_copy!("one", "rows", "row")),
            ("new/{b}.py", concat_copy!("two", "items", "item")),
        ],
        &[
            &[
                ("a/{a}.py", concat_copy!("one", "rows", "row")),
                ("b/{b}.py", concat_copy!("two", "items", "item")),
            ],
            &[
                ("new/{a}.py", concat_copy!("one", "rows", "row")),
                ("new/{b}.py", concat_copy!("two", "items", "item")),
            ],
            &[
                ("a/{a}.py", concat_copy!("one", "rows", "row")),
                ("new/{b}.py", concat_copy!("two", "items", "item", "cost")),
            ],
        ],
    ),
    case(
        "code/unreferenced",
        "python",
        &[("a/{a}.py", "def _{b}(x):\n    return x\n")],
        &[
            &[("a/{a}.py", "def _{b}(x):\n    return x\n\nprint(_{b}(1))\n")],
            &[
                ("a/{a}.py", "def _{b}(x):\n    return x\n"),
                ("a/{c}.py", "from a.{a} import _{b}\n"),
            ],
            &[("a/{a}.py", "@register\ndef _{b}(x):\n    return x\n")],
            &[(
                "a/{a}.py",
                "class {a}(Base):\n    def _{b}(self):\n        return 1\n",
            )],
            &[("a/test_{a}.py", "def _{b}(x):\n    return x\n")],
        ],
    ),
    case(
        "code/unreferenced",
        "typescript",
        &[(
            "a/{a}.ts",
            "function {b}(x: number) {\n  return x;\n}\nexport const y = 1;\n",
        )],
        &[&[(
            "a/{a}.ts",
            "export function {b}(x: number) {\n  return x;\n}\n",
        )]],
    ),
    case(
        "cycle/load-time",
        "python",
        &[
            ("p/{a}.py", "import p.{b}\n"),
            ("p/{b}.py", "from p.{a} import x\n"),
            ("p/__init__.py", ""),
        ],
        &[
            &[
                ("p/{a}.py", "import p.{b}\n"),
                ("p/{b}.py", "def late():\n    from p.{a} import x\n"),
                ("p/__init__.py", ""),
            ],
            &[
                ("p/{a}.py", "import p.{b}\n"),
                (
                    "p/{b}.py",
                    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.{a} import X\n",
                ),
                ("p/__init__.py", ""),
            ],
        ],
    ),
    case(
        "cycle/load-time",
        "typescript",
        &[
            (
                "p/{a}.ts",
                "import { y } from './{b}';\nexport const x = y;\n",
            ),
            (
                "p/{b}.ts",
                "import { x } from './{a}';\nexport const y = () => x;\n",
            ),
        ],
        &[
            &[
                (
                    "p/{a}.ts",
                    "import { y } from './{b}';\nexport const x = y;\nexport type X = number;\n",
                ),
                (
                    "p/{b}.ts",
                    "import type { X } from './{a}';\nexport const y: X = 1;\n",
                ),
            ],
            &[
                (
                    "p/{a}.ts",
                    "import { y } from './{b}';\nexport const x = y;\nexport interface X {}\n",
                ),
                (
                    "p/{b}.ts",
                    "export { X } from './{a}';\nexport const y = 1;\n",
                ),
            ],
            &[
                (
                    "p/{a}.ts",
                    "import { y } from './{b}';\nexport const x = y;\n",
                ),
                (
                    "p/{b}.ts",
                    "export const y = async () => (await import('./{a}')).x;\n",
                ),
            ],
        ],
    ),
    case(
        "cycle/deferred",
        "python",
        &[
            ("p/{a}.py", "import p.{b}\n"),
            ("p/{b}.py", "def late():\n    from p.{a} import x\n"),
            ("p/__init__.py", ""),
        ],
        &[&[
            ("p/{a}.py", "import p.{b}\n"),
            ("p/{b}.py", "def late():\n    from p import x\n"),
            ("p/__init__.py", ""),
        ]],
    ),
    case(
        "cycle/package",
        "python",
        &[
            ("p/__init__.py", ""),
            ("p/m/__init__.py", ""),
            ("p/n/__init__.py", ""),
            ("p/m/{a}.py", "from p.n.{b} import x\n"),
            ("p/n/{b}.py", "x = 1\n"),
            ("p/n/{c}.py", "from p.m.{a} import x\n"),
        ],
        &[&[
            ("p/__init__.py", ""),
            ("p/m/__init__.py", ""),
            ("p/m/n/__init__.py", ""),
            ("p/m/{a}.py", "from p.m.n.{b} import x\n"),
            ("p/m/n/{b}.py", "x = 1\n"),
            ("p/m/n/{c}.py", "from p.m.{a} import x\n"),
        ]],
    ),
    case(
        "graph/unresolved",
        "typescript",
        &[("p/{a}.ts", "import { x } from './gone_{b}';\n")],
        &[
            &[
                ("p/{a}.ts", "import { x } from './{b}';\n"),
                ("p/{b}.ts", "export const x = 1;\n"),
            ],
            &[("p/{a}.ts", "import './{b}.css';\n")],
        ],
    ),
    case(
        "graph/unresolved",
        "python",
        &[
            ("p/__init__.py", ""),
            ("p/{a}.py", "from .gone_{b} import x\n"),
        ],
        &[&[
            ("p/__init__.py", ""),
            (
                "p/{a}.py",
                "try:\n    from .fast_{b} import x\nexcept ImportError:\n    x = None\n",
            ),
        ]],
    ),
    said(
        "layer/violation",
        high_over_low,
        low_over_high,
        &[
            ("app/low/{a}.py", "from app.high.{b} import x\n"),
            ("app/high/{b}.py", "x = 1\n"),
            ("app/__init__.py", ""),
        ],
        &[
            &[
                ("app/high/{a}.py", "from app.low.{b} import x\n"),
                ("app/low/{b}.py", "x = 1\n"),
                ("app/__init__.py", ""),
            ],
            &[
                ("app/low/test_{a}.py", "from app.high.{b} import x\n"),
                ("app/high/{b}.py", "x = 1\n"),
                ("app/__init__.py", ""),
            ],
        ],
    ),
    said(
        "interface/bypass",
        low_has_an_interface,
        high_over_low,
        &[
            ("app/high/{a}.py", "from app.low.{b} import x\n"),
            ("app/low/{b}.py", "x = 1\n"),
            ("app/__init__.py", ""),
        ],
        &[
            &[
                ("app/high/{a}.py", "from app.low.api import x\n"),
                ("app/low/api.py", "x = 1\n"),
                ("app/__init__.py", ""),
            ],
            &[
                ("app/low/{a}.py", "from app.low.{b} import x\n"),
                ("app/low/{b}.py", "x = 1\n"),
                ("app/__init__.py", ""),
            ],
        ],
    ),
    said(
        "ctx/forbidden-import",
        no_jobs,
        Team::default,
        &[("app/domain/{a}.py", "from celery import shared_task\n")],
        &[
            &[("app/web/{a}.py", "import celery\n")],
            &[("app/domain/{a}.py", "import celerity\n")],
        ],
    ),
    said(
        "ctx/second-library",
        only_httpx,
        only_requests,
        &[("app/{a}.py", "import requests\n")],
        &[
            &[("app/{a}.py", "import httpx\n")],
            &[("tests/test_{a}.py", "import requests\n")],
            &[("app/{a}.py", "from app.requests_{b} import x\n")],
        ],
    ),
    said(
        "ctx/unknown-technology",
        nobody_knows_kafka,
        all_know_kafka,
        &[("app/{a}.py", "from confluent_kafka import Consumer\n")],
        &[
            &[("app/{a}.py", "import kaf\n")],
            &[("tests/test_{a}.py", "import kafka\n")],
        ],
    ),
    said(
        "ctx/unknown-technology",
        nobody_knows_kafka,
        all_know_kafka,
        &[(
            "deploy/compose.yml",
            "services:\n  {a}:\n    image: bitnami/kafka:3\n",
        )],
        &[&[(
            "deploy/compose.yml",
            "services:\n  {a}:\n    image: nginx\n    environment:\n      BROKER: kafka\n",
        )]],
    ),
    said(
        "ctx/too-many-deployables",
        small,
        large,
        &[
            ("z/{b}/Dockerfile", "FROM x\n"),
            ("{a}/Dockerfile", "FROM x\n"),
        ],
        &[
            &[("{a}/Dockerfile", "FROM x\n")],
            &[
                ("{a}/Dockerfile", "FROM x\n"),
                (
                    "compose.yml",
                    "services:\n  {a}:\n    build: .\n  {b}:\n    image: nginx\n",
                ),
            ],
        ],
    ),
    said(
        "ctx/too-many-datastores",
        small,
        large,
        &[(
            "compose.yml",
            "services:\n  {a}:\n    image: postgres:16\n  {b}:\n    image: redis:7\n",
        )],
        &[&[(
            "compose.yml",
            "services:\n  {a}:\n    image: postgres:16\n  {b}:\n    image: postgres:15\n",
        )]],
    ),
    said(
        "ctx/too-many-languages",
        small,
        large,
        &[
            ("web/{a}.ts", "export const x = 1;\n"),
            ("web/{b}.ts", "export const x = 1;\n"),
        ],
        &[&[("app/{a}.py", "x = 1\n")]],
    ),
    said(
        "ctx/stale-decision",
        decided,
        Team::default,
        &[("farthing.toml", "[[decision]]\nadr = 'docs/adr/1.md'\n")],
        &[&[
            ("farthing.toml", "[[decision]]\nadr = 'docs/adr/1.md'\n"),
            ("docs/adr/1.md", "# {a}\n"),
        ]],
    ),
    case(
        "perf/regex-in-loop",
        "python",
        &[(
            "a/{a}.py",
            "import re\n\ndef {b}(rows):\n    for row in rows:\n        re.compile('a+').match(row)\n",
        )],
        &[
            &[(
                "a/{a}.py",
                "import re\n\ndef {b}(rows, pattern):\n    for row in rows:\n        re.compile(pattern).match(row)\n",
            )],
            &[(
                "a/{a}.py",
                "import re\n\ndef {b}(rows):\n    one = re.compile('a+')\n    for row in rows:\n        one.match(row)\n",
            )],
        ],
    ),
    case(
        "perf/regex-in-loop",
        "rust",
        &[(
            "a/{a}.rs",
            "fn {b}(rows: &[String]) {\n    for row in rows { let r = Regex::new(\"a+\").unwrap(); r.is_match(row); }\n}\n",
        )],
        &[&[(
            "a/{a}.rs",
            "fn {b}(rows: &[String]) {\n    for row in rows { let r = Regex::new(row).unwrap(); r.is_match(row); }\n}\n",
        )]],
    ),
    case(
        "perf/regex-in-loop",
        "go",
        &[(
            "a/{a}.go",
            "package a\n\nfunc {b}(rows []string) {\n\tfor _, row := range rows {\n\t\tregexp.MustCompile(`a+`).MatchString(row)\n\t}\n}\n",
        )],
        &[&[(
            "a/{a}.go",
            "package a\n\nvar {c} = regexp.MustCompile(`a+`)\n\nfunc {b}(rows []string) {\n\tfor _, row := range rows {\n\t\t{c}.MatchString(row)\n\t}\n}\n",
        )]],
    ),
    case(
        "perf/query-in-loop",
        "python",
        &[(
            "a/{a}.py",
            "def {b}(rows):\n    for row in rows:\n        User.objects.get(pk=row.pk)\n",
        )],
        &[
            &[(
                "a/{a}.py",
                "def {b}(rows, options):\n    for row in rows:\n        options.get(row.pk)\n",
            )],
            &[(
                "a/{a}.py",
                "def {b}(batches):\n    for batch in batches:\n        User.objects.filter(pk__in=batch).count()\n",
            )],
            &[(
                "a/{a}.py",
                "def {b}(rows):\n    User.objects.get(pk=1)\n    for row in rows:\n        print(row)\n",
            )],
            &[(
                "a/{a}.py",
                "def {b}():\n    while True:\n        User.objects.get(pk=1)\n",
            )],
        ],
    ),
    case(
        "perf/query-in-loop",
        "typescript",
        &[(
            "a/{a}.ts",
            "async function {b}(ids: string[]) {\n  for (const id of ids) {\n    await users.findOne({ where: { id } });\n  }\n}\n",
        )],
        &[&[(
            "a/{a}.ts",
            "function {b}(ids: string[]) {\n  for (const id of ids) {\n    items.find((one) => one.id === id);\n  }\n}\n",
        )]],
    ),
    case(
        "perf/query-in-loop",
        "go",
        &[(
            "a/{a}.go",
            "package a\n\nfunc {b}(ids []int) {\n\tfor _, id := range ids {\n\t\ts.db.QueryRow(\"select\", id)\n\t}\n}\n",
        )],
        &[&[(
            "a/{a}.go",
            "package a\n\nfunc {b}(ids []int) {\n\tfor _, id := range ids {\n\t\turl.Query(id)\n\t}\n}\n",
        )]],
    ),
    case(
        "perf/sync-io-in-async",
        "python",
        &[(
            "a/{a}.py",
            "import time\n\nasync def {b}():\n    time.sleep(1)\n",
        )],
        &[
            &[("a/{a}.py", "import time\n\ndef {b}():\n    time.sleep(1)\n")],
            &[(
                "a/{a}.py",
                "import asyncio\n\nasync def {b}():\n    await asyncio.sleep(1)\n",
            )],
            &[(
                "a/{a}.py",
                "import time\n\nasync def {b}():\n    def wait():\n        time.sleep(1)\n    await run(wait)\n",
            )],
        ],
    ),
    case(
        "perf/sync-io-in-async",
        "rust",
        &[(
            "a/{a}.rs",
            "async fn {b}() {\n    std::thread::sleep(D);\n}\n",
        )],
        &[&[(
            "a/{a}.rs",
            "async fn {b}() {\n    spawn_blocking(|| std::thread::sleep(D)).await;\n}\n",
        )]],
    ),
    case(
        "perf/sync-io-in-async",
        "typescript",
        &[(
            "a/{a}.ts",
            "export async function {b}() {\n  return fs.readFileSync('x');\n}\n",
        )],
        &[&[(
            "a/{a}.ts",
            "export function {b}() {\n  return fs.readFileSync('x');\n}\n",
        )]],
    ),
    case(
        "sec/shell-true-dynamic",
        "python",
        &[(
            "a/{a}.py",
            "import subprocess\n\ndef {b}(name):\n    subprocess.run(f'ls {name}', shell=True)\n",
        )],
        &[&[(
            "a/{a}.py",
            "import subprocess\n\ndef {b}(name):\n    subprocess.run('ls', shell=True)\n    subprocess.run(['ls', name])\n",
        )]],
    ),
    case(
        "sec/unsafe-deserialise",
        "python",
        &[(
            "a/{a}.py",
            "import yaml\n\ndef {b}(text):\n    return yaml.load(text)\n",
        )],
        &[&[(
            "a/{a}.py",
            "import yaml\n\ndef {b}(text):\n    return yaml.load(text, Loader=yaml.SafeLoader)\n",
        )]],
    ),
    case(
        "sec/eval-dynamic",
        "typescript",
        &[(
            "a/{a}.ts",
            "export function {b}(text: string) {\n  return eval(text);\n}\n",
        )],
        &[&[(
            "a/{a}.ts",
            "export function {b}(text: string) {\n  return model.eval(text);\n}\n",
        )]],
    ),
    case(
        "sec/tls-off",
        "go",
        &[(
            "a/{a}.go",
            "package a\n\nfunc {b}() {\n\tuse(tls.Config{InsecureSkipVerify: true})\n}\n",
        )],
        &[&[(
            "a/{a}.go",
            "package a\n\nfunc {b}() {\n\tuse(tls.Config{InsecureSkipVerify: false})\n}\n",
        )]],
    ),
    case(
        "sec/sql-format",
        "python",
        &[(
            "a/{a}.py",
            "def {b}(cursor, name):\n    cursor.execute(f\"SELECT * FROM t WHERE a = '{name}'\")\n",
        )],
        &[
            &[(
                "a/{a}.py",
                "def {b}(cursor, name):\n    cursor.execute('SELECT * FROM t WHERE a = %s', [name])\n",
            )],
            &[(
                "a/{a}.py",
                "def {b}(pool, name):\n    pool.execute(f'job {name}')\n",
            )],
        ],
    ),
    case(
        "ignore/unused",
        "python",
        &[(
            "a/{a}.py",
            "# farthing: ignore[fn/too-long] one arm per message\ndef {b}():\n    pass\n",
        )],
        &[&[(
            "a/{a}.py",
            "# farthing: ignore[sec/tls-off] a rule that is off\ndef {b}():\n    pass\n",
        )]],
    ),
    case(
        "ignore/unreasoned",
        "python",
        &[(
            "a/{a}.py",
            "# farthing: ignore[fn/too-long]\ndef {b}():\n    pass\n",
        )],
        &[&[(
            "a/{a}.py",
            "# farthing: ignore[fn/too-long] one arm per message\ndef {b}():\n    pass\n",
        )]],
    ),
];
