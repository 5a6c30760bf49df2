//! What a team has said about itself.

use review::{Decision, Forbidden, Job, Layer, Layers, Paths, Shape, Skills, Team};
use text::{FilePath, Range};

use super::{Case, Files};

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

pub(super) const CASES: &[Case] = &[
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
];
