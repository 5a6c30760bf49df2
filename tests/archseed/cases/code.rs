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
];
