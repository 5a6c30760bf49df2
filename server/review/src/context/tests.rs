#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use index::{Facts, Index};

use crate::manifest::{Manifests, is_manifest};
use crate::review::Review;
use crate::team::{Decision, Forbidden, Job, Layer, Layers, Paths, Shape, Skills, Team};

use super::*;

/// Reviews `//- /path` files for a team.
fn check_for(team: &Team, fixture: &str, expected: Expect) {
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
    let root = FilePath::new("/w").unwrap();
    let mut thresholds = Thresholds::default();
    thresholds.set(RuleId::LoadCycle, None);
    let review = Review::of(
        &Project {
            roots: std::slice::from_ref(&root),
            index: &index,
            manifests: &Manifests::read(manifests),
            exists: &|file| file.as_str().ends_with("there.md"),
            ignored: &|_, _| false,
            team,
        },
        &thresholds,
    );
    let mut shown = String::new();
    for finding in review.findings() {
        let file = finding.file.relative_to(&root).unwrap();
        writeln!(shown, "{file} {}: {}", finding.rule, finding.message).unwrap();
        for related in &finding.related {
            let file = related.file.relative_to(&root).unwrap();
            writeln!(shown, "    {file}: {}", related.message).unwrap();
        }
    }
    expected.assert_eq(&shown);
}

fn layer(name: &str, path: &str, public: Option<&str>) -> Layer {
    Layer {
        name: name.to_owned(),
        paths: Paths::new([path]),
        public: public.map(|public| Paths::new([public])),
    }
}

fn layered() -> Team {
    Team {
        layers: vec![Layers {
            declared_in: "farthing.toml".into(),
            base: None,
            layers: vec![
                layer("web", "app/web/**", None),
                layer("domain", "app/domain/**", Some("app/domain/api.*")),
                layer("infra", "app/infra", None),
            ],
        }],
        ..Team::default()
    }
}

#[test]
fn imports_go_down_the_layers_and_through_what_is_public() {
    check_for(
        &layered(),
        "\
//- /w/app/__init__.py
//- /w/app/web/views.py
from app.domain.api import price
from app.domain.rules import secret
//- /w/app/domain/api.py
from app.domain.rules import secret
from app.infra.db import row
//- /w/app/domain/rules.py
//- /w/app/infra/db.py
from app.web.views import page
from app.domain.api import price
//- /w/app/infra/tests/test_db.py
from app.web.views import page
",
        expect![[r#"
            app/infra/db.py layer/violation: `app/web/views.py` is in the layer web, which lies above infra; imports go down only: web, domain, infra (farthing.toml)
            app/infra/db.py layer/violation: `app/domain/api.py` is in the layer domain, which lies above infra; imports go down only: web, domain, infra (farthing.toml)
            app/web/views.py interface/bypass: `app/domain/rules.py` is private to the layer domain; others import app/domain/api.* (farthing.toml)
        "#]],
    );
}

#[test]
fn layers_of_other_tools_are_read_where_the_team_has_none() {
    let fixture = "\
//- /w/tach.toml
layers = [\"ui\", \"core\"]
[[modules]]
path = \"app.web\"
layer = \"ui\"
[[modules]]
path = \"app.model\"
layer = \"core\"
//- /w/app/__init__.py
//- /w/app/web.py
import app.model
//- /w/app/model.py
import app.web
";
    check_for(
        &Team::default(),
        fixture,
        expect![[r#"
            app/model.py layer/violation: `app/web.py` is in the layer ui, which lies above core; imports go down only: ui, core (tach.toml)
        "#]],
    );
    check_for(&layered(), fixture, expect![[""]]);
}

#[test]
fn an_import_is_forbidden_where_the_team_says() {
    let team = Team {
        forbidden: vec![
            Forbidden {
                import: "celery".to_owned(),
                target: Paths::new(["celery"]),
                within: Some(Paths::new(["app/domain/**"])),
                base: None,
                why: Some("docs/adr/7.md".to_owned()),
            },
            Forbidden {
                import: "app/legacy/**".to_owned(),
                target: Paths::new(["app/legacy/**"]),
                within: None,
                base: None,
                why: None,
            },
        ],
        ..Team::default()
    };
    check_for(
        &team,
        "\
//- /w/app/__init__.py
//- /w/app/domain/jobs.py
from celery.app import task
import celeryx
//- /w/app/web.py
import celery
from app.legacy import old
//- /w/app/legacy/__init__.py
//- /w/app/legacy/old.py
",
        expect![[r#"
            app/domain/jobs.py ctx/forbidden-import: `celery.app` is not imported here: docs/adr/7.md
            app/web.py ctx/forbidden-import: `app/legacy/old.py` is not imported here
        "#]],
    );
}

#[test]
fn one_library_does_one_job() {
    let team = Team {
        jobs: vec![Job {
            job: "http-client".to_owned(),
            library: "httpx".to_owned(),
            instead_of: vec!["requests".to_owned(), "aiohttp".to_owned()],
            why: Some("one retry policy".to_owned()),
        }],
        ..Team::default()
    };
    check_for(
        &team,
        "\
//- /w/a.py
import httpx
from requests.adapters import HTTPAdapter
//- /w/tests/test_a.py
import requests
",
        expect![[r#"
            a.py ctx/second-library: the team uses `httpx` for http-client and not `requests`: one retry policy
        "#]],
    );
}

const SYSTEM: &str = "\
//- /w/compose.yml
services:
  web:
    build: web
  feed:
    build: feed
  db:
    image: postgres:16
  cache:
    image: redis:7
//- /w/web/Dockerfile
FROM x
//- /w/feed/Dockerfile
FROM x
//- /w/feed/main.py
from confluent_kafka import Consumer
//- /w/feed/other.py
import aiokafka
//- /w/web/app.ts
import { Pool } from \"pg\";
";

#[test]
fn what_nobody_knows_is_one_finding_each() {
    let team = Team {
        skills: Skills {
            unknown: ["Kafka", "typescript", "kubernetes"]
                .map(str::to_owned)
                .into(),
            ..Skills::default()
        },
        ..Team::default()
    };
    check_for(
        &team,
        SYSTEM,
        expect![[r#"
            feed/main.py ctx/unknown-technology: `confluent_kafka` is imported; nobody on the team knows Kafka (`skills.unknown`)
                feed/other.py: `aiokafka` is imported
            web/app.ts ctx/unknown-technology: `web/app.ts` is in typescript; nobody on the team knows typescript (`skills.unknown`)
        "#]],
    );
}

#[test]
fn a_system_has_the_size_that_was_agreed() {
    let team = |deployables, datastores, languages| Team {
        shape: Shape {
            deployables: Some(deployables),
            datastores: Some(datastores),
            languages: Some(languages),
        },
        ..Team::default()
    };
    check_for(
        &team(2, 2, 2),
        SYSTEM,
        expect![[r#"
        compose.yml ctx/too-many-languages: 1 of the files is in YAML, which makes 3 languages; agreed are 2 (`shape.max_languages`)
            feed/main.py: 2 of the files are in Python
            web/app.ts: 1 of the files is in TypeScript
    "#]],
    );
    check_for(
        &team(1, 1, 1),
        SYSTEM,
        expect![[r#"
            compose.yml ctx/too-many-datastores: the service `cache` runs `redis:7`, which makes 2 kinds of data store; agreed are 1 (`shape.max_datastores`)
                compose.yml: the service `db` runs `postgres:16`
            feed/Dockerfile ctx/too-many-deployables: `feed/Dockerfile` is deployed, which makes 2 things to deploy; agreed are 1 (`shape.max_deployables`)
                web/Dockerfile: `web/Dockerfile` is deployed
            web/app.ts ctx/too-many-languages: 1 of the files is in TypeScript, which makes 3 languages; agreed are 1 (`shape.max_languages`)
                compose.yml: 1 of the files is in YAML
                feed/main.py: 2 of the files are in Python
        "#]],
    );
}

#[test]
fn a_decision_needs_its_document() {
    let decision = |document: &str| Decision {
        document: document.to_owned(),
        named_in: FilePath::new("/w/farthing.toml").unwrap(),
        range: Range::new(7, 9),
    };
    let team = Team {
        decisions: vec![decision("docs/there.md"), decision("docs/gone.md")],
        ..Team::default()
    };
    check_for(
        &team,
        "",
        expect![[r#"
            farthing.toml ctx/stale-decision: there is no `docs/gone.md`
        "#]],
    );
}
