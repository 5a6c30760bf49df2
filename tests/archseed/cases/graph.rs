//! How files belong together: imports, packages, history.

use super::{Case, case};

/// Twelve files to import, so many that import, and what stands between them.
macro_rules! spokes {
    ([$($own:expr),*], $import:literal, [$($importer:literal),*]) => {
        &[
            $($own,)*
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
            $((concat!("m/i", $importer, ".py"), $import),)*
            ("m/__init__.py", ""),
        ]
    };
}

/// Imports of all that [`spokes`] has.
const IMPORT_ALL: &str = concat!(
    "import m.o0\nimport m.o1\nimport m.o2\nimport m.o3\nimport m.o4\nimport m.o5\n",
    "import m.o6\nimport m.o7\nimport m.o8\nimport m.o9\nimport m.o10\nimport m.o11\n"
);

/// Twenty functions each of which calls the one before.
macro_rules! chain {
    ($name:literal) => {
        concat!(
            link!($name, "0", "1"),
            link!($name, "1", "2"),
            link!($name, "2", "3"),
            link!($name, "3", "4"),
            link!($name, "4", "5"),
            link!($name, "5", "6"),
            link!($name, "6", "7"),
            link!($name, "7", "8"),
            link!($name, "8", "9"),
            link!($name, "9", "10"),
            link!($name, "10", "11"),
            link!($name, "11", "12"),
            link!($name, "12", "13"),
            link!($name, "13", "14"),
            link!($name, "14", "15"),
            link!($name, "15", "16"),
            link!($name, "16", "17"),
            link!($name, "17", "18"),
            link!($name, "18", "19"),
            link!($name, "19", "20"),
        )
    };
}

macro_rules! link {
    ($name:literal, $before:literal, $number:literal) => {
        concat!(
            "def ",
            $name,
            $number,
            "():\n    return ",
            $name,
            $before,
            "()\n\n"
        )
    };
}

/// A folder whose files import from another one twenty times, and one more file.
macro_rules! folders {
    ($own:expr) => {
        &[
            ("p/__init__.py", ""),
            ("p/high/__init__.py", ""),
            ("p/low/__init__.py", ""),
            ("p/low/m.py", "x = 1\n"),
            ("p/low/n.py", "x = 1\n"),
            ("p/low/o.py", "x = 1\n"),
            ("p/low/q.py", "x = 1\n"),
            ("p/high/m0.py", FOUR_IMPORTS),
            ("p/high/m1.py", FOUR_IMPORTS),
            ("p/high/m2.py", FOUR_IMPORTS),
            ("p/high/m3.py", FOUR_IMPORTS),
            ("p/high/m4.py", FOUR_IMPORTS),
            $own,
        ]
    };
}

const FOUR_IMPORTS: &str = "import p.low.m\nimport p.low.n\nimport p.low.o\nimport p.low.q\n";

pub(super) const CASES: &[Case] = &[
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
        spokes!(
            [("m/{a}.py", IMPORT_ALL)],
            "import m.{a}\n",
            ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]
        ),
        &[
            spokes!(
                [("m/{a}.py", "import m.o0\nimport m.o1\nimport m.o2\n")],
                "import m.{a}\n",
                ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]
            ),
            spokes!(
                [("m/{a}.py", IMPORT_ALL)],
                "import m.{a}\n",
                ["0", "1", "2"]
            ),
            spokes!(
                [("m/p/__init__.py", IMPORT_ALL)],
                "import m.p\n",
                ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]
            ),
        ],
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
    case(
        "module/god",
        "python",
        &[("hot/{a}.py", concat!(chain!("a"), chain!("b")))],
        &[
            &[("cold/{a}.py", concat!(chain!("a"), chain!("b")))],
            &[(
                "hot/{a}.py",
                concat!(
                    chain!("a"),
                    chain!("b"),
                    "def both():\n    return a3() + b3()\n"
                ),
            )],
            &[("hot/{a}.py", chain!("a"))],
            &[(
                "hot/test_{a}.py",
                concat!(chain!("test_a"), chain!("test_b")),
            )],
        ],
    ),
    case(
        "layer/inferred-drift",
        "python",
        folders!(("p/low/{a}.py", "from p.high.m0 import y\n")),
        &[
            folders!(("p/low/{a}.py", "x = 1\n")),
            folders!(("p/low/{a}.py", "def late():\n    from p.high.m0 import y\n")),
            folders!(("p/low/test_{a}.py", "from p.high.m0 import y\n")),
            // Too few to tell.
            &[
                ("p/__init__.py", ""),
                ("p/high/__init__.py", ""),
                ("p/low/__init__.py", ""),
                ("p/low/m.py", "x = 1\n"),
                ("p/high/m0.py", "from p.low.m import x\n"),
                ("p/high/m1.py", "from p.low.m import x\n"),
                ("p/low/{a}.py", "from p.high.m0 import y\n"),
            ],
        ],
    ),
    case(
        "git/mirror-edit",
        "python",
        &[("pair/new/{a}.py", "x = 1\n"), ("pair/{b}.py", "y = 1\n")],
        &[
            &[
                ("pair/new/{a}.py", "x = 1\n"),
                ("pair/new/{b}.py", "y = 1\n"),
            ],
            &[("pair/{a}.py", "x = 1\n"), ("pair/{b}.py", "y = 1\n")],
            &[
                ("pair/new/{a}.py", "from pair.{b} import y\n"),
                ("pair/{b}.py", "y = 1\n"),
            ],
            &[("cold/new/{a}.py", "x = 1\n"), ("cold/{b}.py", "y = 1\n")],
        ],
    ),
    case(
        "dep/two-for-one",
        "python",
        &[
            ("app/{a}.py", "import requests\n"),
            ("app/{b}.py", "import httpx\n"),
            ("app/{c}.py", "import httpx\n"),
        ],
        &[
            &[
                ("app/{a}.py", "import httpx\n"),
                ("app/{b}.py", "import httpx\n"),
            ],
            &[
                (
                    "app/{a}.py",
                    "try:\n    import orjson\nexcept ImportError:\n    import ujson\n",
                ),
                ("app/{b}.py", "import simplejson\n"),
            ],
            &[
                ("app/test_{a}.py", "import requests\n"),
                ("app/{b}.py", "import httpx\n"),
            ],
            &[
                ("one/requirements.txt", "requests\n"),
                ("one/app/{a}.py", "import requests\n"),
                ("two/requirements.txt", "httpx\n"),
                ("two/app/{b}.py", "import httpx\n"),
            ],
        ],
    ),
    case(
        "dep/two-for-one",
        "typescript",
        &[
            ("src/{a}.ts", "import moment from 'moment';\nmoment();\n"),
            (
                "src/{b}.ts",
                "import { format } from 'date-fns/format';\nformat();\n",
            ),
        ],
        &[&[
            (
                "src/{a}.ts",
                "import type { Moment } from 'moment';\nexport const x: Moment = 1;\n",
            ),
            (
                "src/{b}.ts",
                "import { format } from 'date-fns/format';\nformat();\n",
            ),
        ]],
    ),
    case(
        "dep/unused",
        "python",
        &[
            ("requirements.txt", "left-pad>=1  # x\nused\n"),
            ("x/{a}.py", "import used\n"),
        ],
        &[
            &[
                ("requirements-dev.txt", "left-pad>=1\n"),
                ("x/{a}.py", "import os\n"),
            ],
            &[
                ("requirements.txt", "left-pad==1\n    # via used\nused\n"),
                ("x/{a}.py", "import used\n"),
            ],
            &[
                (
                    "requirements.txt",
                    "-r base.txt\n--index-url https://x.org\nPyYAML\n",
                ),
                ("x/{a}.py", "import yaml\n"),
            ],
        ],
    ),
    case(
        "dep/undeclared",
        "python",
        &[
            (
                "pyproject.toml",
                "[project]\nname = \"x\"\ndependencies = [\"used\"]\n",
            ),
            ("x/{a}.py", "import used\nimport brought_along.part\n"),
        ],
        &[
            &[
                (
                    "pyproject.toml",
                    "[project]\nname = \"x\"\ndependencies = [\"brought-along\", \"PyYAML\", \"azure-storage-blob\"]\n",
                ),
                (
                    "x/{a}.py",
                    "import brought_along.part\nimport yaml\nimport azure.storage\nimport os.path\nimport json\n",
                ),
            ],
            &[
                (
                    "pyproject.toml",
                    "[project]\nname = \"x\"\ndependencies = []\n[project.optional-dependencies]\nfast = [\"brought-along\"]\n",
                ),
                ("x/{a}.py", "import brought_along\n"),
            ],
            &[
                ("pyproject.toml", "[tool.black]\nline-length = 100\n"),
                ("x/{a}.py", "import brought_along\n"),
            ],
            &[
                ("requirements.txt", "used\n"),
                (
                    "x/{a}.py",
                    "try:\n    import brought_along\nexcept ImportError:\n    brought_along = None\n",
                ),
            ],
            &[
                ("requirements.txt", "used\n"),
                ("x/tests/test_{a}.py", "import brought_along\n"),
            ],
            &[
                ("requirements.txt", "used\n"),
                ("x/{a}.py", "import {b}\n"),
                ("other/{b}.py", "x = 1\n"),
            ],
        ],
    ),
    case(
        "dep/undeclared",
        "python",
        &[
            ("requirements.txt", "used\n"),
            ("x/{a}.py", "import used\nfrom brought_along import x\n"),
        ],
        &[&[
            (
                "setup.cfg",
                "[options]\ninstall_requires =\n    used\n    brought-along>=1\n",
            ),
            ("x/{a}.py", "import used\nfrom brought_along import x\n"),
        ]],
    ),
    case(
        "dep/undeclared",
        "python",
        &[
            ("requirements/base.txt", "used\n"),
            ("requirements/dev.txt", "-r base.txt\nother\n"),
            ("x/{a}.py", "import used\nfrom brought_along import x\n"),
        ],
        &[
            &[
                ("requirements/base.txt", "used\n"),
                (
                    "requirements/extra.txt",
                    "-r base.txt\nbrought-along~=1.0\n",
                ),
                ("x/{a}.py", "import used\nfrom brought_along import x\n"),
            ],
            &[
                ("requirements/dev.txt", "other\n"),
                ("x/{a}.py", "import used\nfrom brought_along import x\n"),
            ],
            &[
                (
                    "requirements/base.txt",
                    "The user pays.\n\nThe user is told so.\n",
                ),
                ("x/{a}.py", "import used\nfrom brought_along import x\n"),
            ],
        ],
    ),
    case(
        "dep/unused",
        "python",
        &[
            ("requirements/base.txt", "left-pad>=1  # x\nused\n"),
            ("x/{a}.py", "import used\n"),
        ],
        &[
            &[
                ("requirements/dev.txt", "left-pad>=1\n"),
                ("x/{a}.py", "import os\n"),
            ],
            &[
                (
                    "requirements/base.txt",
                    "left-pad==1\n    # via used\nused\n",
                ),
                ("x/{a}.py", "import used\n"),
            ],
        ],
    ),
];
