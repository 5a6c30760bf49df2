//! What is in one file, and what it repeats of others.

use super::{Case, case};

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

/// A text twenty-five times.
macro_rules! repeat {
    ($text:literal) => {
        concat!(
            $text, $text, $text, $text, $text, $text, $text, $text, $text, $text, $text, $text,
            $text, $text, $text, $text, $text, $text, $text, $text, $text, $text, $text, $text,
            $text
        )
    };
}

macro_rules! raised {
    () => {
        concat!("def many():\n", repeat!("    raise OrderError('x')\n"))
    };
}

macro_rules! logged_in_functions {
    () => {
        concat!(
            "export function many() {\n",
            repeat!("  logger.info('x');\n"),
            "}\n"
        )
    };
}

macro_rules! logged {
    () => {
        concat!("def many():\n", repeat!("    logger.info('x')\n"))
    };
}

pub(super) const CASES: &[Case] = &[
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
    case(
        "abs/single-impl",
        "rust",
        &[(
            "src/{a}.rs",
            "trait Clock {\n    fn now(&self) -> u64;\n}\n\nstruct System;\n\nimpl Clock for System {\n    fn now(&self) -> u64 {\n        1\n    }\n}\n",
        )],
        &[
            // Two, one of them in a test; one for a type from elsewhere; one that others see.
            &[(
                "src/{a}.rs",
                "trait Clock {\n    fn now(&self) -> u64;\n}\n\nstruct System;\n\nimpl Clock for System {\n    fn now(&self) -> u64 {\n        1\n    }\n}\n\n#[cfg(test)]\nmod tests {\n    struct Double;\n    impl Clock for Double {\n        fn now(&self) -> u64 {\n            2\n        }\n    }\n}\n",
            )],
            &[(
                "src/{a}.rs",
                "trait Twice {\n    fn twice(&self) -> u64;\n}\n\nimpl Twice for u64 {\n    fn twice(&self) -> u64 {\n        self * 2\n    }\n}\n",
            )],
            &[
                (
                    "src/x/{a}.rs",
                    "pub trait Clock {\n    fn now(&self) -> u64;\n}\n\nstruct System;\n\nimpl Clock for System {\n    fn now(&self) -> u64 {\n        1\n    }\n}\n",
                ),
                (
                    "src/{b}.rs",
                    "fn {b}(clock: &dyn Clock) -> u64 {\n    clock.now()\n}\n",
                ),
            ],
        ],
    ),
    case(
        "abs/single-impl",
        "typescript",
        &[(
            "a/{a}.ts",
            "interface Clock {\n  now(): number;\n}\n\nclass System implements Clock {\n  now() {\n    return 1;\n  }\n}\n",
        )],
        &[
            &[(
                "a/{a}.ts",
                "interface Clock {\n  now(): number;\n}\n\nclass System implements Clock {\n  now() {\n    return 1;\n  }\n}\n\nclass Other implements Clock {\n  now() {\n    return 2;\n  }\n}\n",
            )],
            &[(
                "a/{a}.ts",
                "interface Point {\n  x: number;\n}\n\nclass Place implements Point {\n  x = 1;\n}\n",
            )],
        ],
    ),
    case(
        "abs/pass-through",
        "python",
        &[(
            "a/{a}.py",
            "def _{b}(message, to):\n    return mailer.send(message, to)\n\n\ndef {c}(order):\n    _{b}(order.text, order.owner)\n",
        )],
        &[
            &[(
                "a/{a}.py",
                "def _{b}(message, to):\n    return mailer.send(message, to, retry=True)\n\n\ndef {c}(order):\n    _{b}(order.text, order.owner)\n",
            )],
            &[(
                "a/{a}.py",
                "def _{b}(message, to):\n    return mailer.send(message, to)\n\n\ndef {c}(order):\n    _{b}(order.text, order.owner)\n    _{b}(order.note, order.owner)\n",
            )],
            &[(
                "a/{a}.py",
                "def {b}(message, to):\n    return mailer.send(message, to)\n\n\ndef {c}(order):\n    {b}(order.text, order.owner)\n",
            )],
            &[(
                "a/{a}.py",
                "def _{b}(message, to):\n    return mailer.send(message, to)\n\n\ndef {c}(orders):\n    orders.each(_{b})\n",
            )],
        ],
    ),
    case(
        "abs/pass-through",
        "rust",
        &[(
            "src/{a}.rs",
            "fn {b}(text: &str, to: u8) -> bool {\n    send(text, to)\n}\n\npub fn {c}() -> bool {\n    {b}(\"x\", 1)\n}\n",
        )],
        &[&[(
            "src/{a}.rs",
            "fn {b}(text: &str, to: u8) -> bool {\n    send(to, text)\n}\n\npub fn {c}() -> bool {\n    {b}(\"x\", 1)\n}\n",
        )]],
    ),
    case(
        "abs/pass-through",
        "typescript",
        &[(
            "a/{a}.ts",
            "function {b}(text: string, to?: number) {\n  return mailer.send(text, to);\n}\n\nexport function {c}() {\n  return {b}('x', 1);\n}\n",
        )],
        &[&[(
            "a/{a}.ts",
            "export function {b}(text: string, to: number) {\n  return mailer.send(text, to);\n}\n\nexport function {c}() {\n  return {b}('x', 1);\n}\n",
        )]],
    ),
    case(
        "style/error-handling",
        "python",
        &[
            ("a/{a}.py", "def {b}():\n    raise Exception('x')\n"),
            ("a/many.py", raised!()),
        ],
        &[
            &[("a/{a}.py", "def {b}():\n    raise Exception('x')\n")],
            &[
                ("a/{a}.py", "def {b}():\n    raise KeyError('x')\n"),
                ("a/many.py", raised!()),
            ],
            &[
                ("a/test_{a}.py", "def {b}():\n    raise Exception('x')\n"),
                ("a/many.py", raised!()),
            ],
        ],
    ),
    case(
        "style/logging",
        "python",
        &[
            ("a/{a}.py", "def {b}():\n    print('x')\n"),
            ("a/many.py", logged!()),
        ],
        &[
            &[("a/{a}.py", "def {b}():\n    print('x')\n")],
            &[
                ("a/{a}.py", "def {b}():\n    logger.debug('x')\n"),
                ("a/many.py", logged!()),
            ],
            &[
                (
                    "a/management/commands/{a}.py",
                    "def {b}():\n    print('x')\n",
                ),
                ("a/many.py", logged!()),
            ],
            &[
                ("a/{a}.py", "def {b}(pretty):\n    pretty.print('x')\n"),
                ("a/many.py", logged!()),
            ],
        ],
    ),
    case(
        "style/logging",
        "typescript",
        &[
            (
                "a/{a}.ts",
                "export function {b}() {\n  console.log('x');\n}\n",
            ),
            ("a/many.ts", logged_in_functions!()),
        ],
        &[&[
            (
                "bin/{a}.ts",
                "export function {b}() {\n  console.log('x');\n}\n",
            ),
            ("a/many.ts", logged_in_functions!()),
        ]],
    ),
    case(
        "style/naming",
        "python",
        &[
            ("a/{a}.py", "def fetchOrder():\n    return 1\n"),
            ("a/many.py", repeat!("def like_this():\n    return 1\n\n")),
        ],
        &[
            &[
                ("a/{a}.py", "def fetch():\n    return 1\n"),
                ("a/many.py", repeat!("def like_this():\n    return 1\n\n")),
            ],
            &[
                (
                    "a/{a}.py",
                    "class Case(Base):\n    def setUp(self):\n        return 1\n",
                ),
                ("a/many.py", repeat!("def like_this():\n    return 1\n\n")),
            ],
            &[
                ("a/{a}.py", "def fetchOrder():\n    return 1\n"),
                ("a/many.py", repeat!("def likeThis():\n    return 1\n\n")),
            ],
        ],
    ),
];
