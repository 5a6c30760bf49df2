use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

use super::asked::Asked;
use super::play::{Play, default_usage, play};
use super::script::{Count, Effect, Fault, Script, Turn};
use super::wire::{COUNT, Wire};
use super::{Progress, Recorded};
use crate::usage::Usage;

/// A request as it came over the wire.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// What to send back.
#[derive(Debug)]
pub(super) enum Reply {
    Plain {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    Stream {
        request_id: String,
        play: Play,
    },
    Drop,
    Hang,
}

#[derive(Debug)]
pub(super) struct State {
    script: Script,
    log: Mutex<Log>,
    progress: watch::Sender<Progress>,
    releases: Semaphore,
}

#[derive(Debug, Default)]
struct Log {
    requests: Vec<Recorded>,
    failures: Vec<String>,
    billed: Usage,
    counts: usize,
    /// How often a request came, by the hash of its body: a repeated body is a retry.
    repeats: HashMap<u64, u32>,
}

impl State {
    pub(super) fn new(script: Script) -> State {
        State {
            script,
            log: Mutex::default(),
            progress: watch::Sender::default(),
            releases: Semaphore::new(0),
        }
    }

    pub(super) fn respond(&self, request: &Request) -> Reply {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if request.path == COUNT && request.method == "POST" {
            return self.count(request, body);
        }
        let (number, repeat) = self.record(request, &body);
        self.update(|progress| progress.requests += 1);
        let request_id = format!("req_scripted_{number}");
        let wire = Wire::of_path(&request.path).unwrap_or(Wire::Messages);
        match self.choose(request, &body, repeat) {
            Ok(Choice::Stream { play, usage }) => {
                self.log().billed += usage;
                Reply::Stream { request_id, play }
            }
            Ok(Choice::Instead(Effect::Status {
                status,
                mut headers,
                body,
            })) => {
                headers.push(("request-id".to_owned(), request_id));
                let body = body.unwrap_or_else(|| wire.error_body(status, "scripted fault"));
                if !headers
                    .iter()
                    .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
                {
                    headers.push(("content-type".to_owned(), "application/json".to_owned()));
                }
                Reply::Plain {
                    status,
                    headers,
                    body,
                }
            }
            Ok(Choice::Instead(Effect::Hang)) => Reply::Hang,
            Ok(Choice::Instead(_)) => Reply::Drop,
            Err((status, failure)) => {
                let body = wire.error_body(status, &format!("scripted provider: {failure}"));
                self.log()
                    .failures
                    .push(format!("request {number}: {failure}"));
                let headers = vec![
                    ("request-id".to_owned(), request_id),
                    ("content-type".to_owned(), "application/json".to_owned()),
                ];
                Reply::Plain {
                    status,
                    headers,
                    body,
                }
            }
        }
    }

    fn choose(
        &self,
        request: &Request,
        body: &Value,
        repeat: u32,
    ) -> Result<Choice, (u16, String)> {
        let Some(wire) = Wire::of_path(&request.path).filter(|_| request.method == "POST") else {
            return Err((
                404,
                format!("there is no {} {}", request.method, request.path),
            ));
        };
        self.find(request, body, |turn, asked, place| {
            if let Some(unmet) = turn.expect.iter().find_map(|expect| asked.unmet(expect)) {
                return Err(format!("{place}: {unmet}"));
            }
            let effect = effect(&turn.faults, repeat);
            if let Some(instead @ (Effect::Status { .. } | Effect::Drop | Effect::Hang)) = effect {
                return Ok(Choice::Instead(instead.clone()));
            }
            let (play, usage) = play(turn, asked, wire, &place.id(), effect)
                .map_err(|failure| format!("{place}: {failure}"))?;
            Ok(Choice::Stream { play, usage })
        })
    }

    /// The turn that a request asks for.
    fn find<T>(
        &self,
        request: &Request,
        body: &Value,
        then: impl FnOnce(&Turn, &Asked<'_>, &Place<'_>) -> Result<T, String>,
    ) -> Result<T, (u16, String)> {
        let wire = Wire::of_path(&request.path).unwrap_or(Wire::Messages);
        let header = |name: &str| {
            request
                .headers
                .iter()
                .find(|(header, _)| header == name)
                .map(|(_, value)| &**value)
        };
        let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let key = match (header("x-api-key"), bearer) {
            (Some(_), Some(_)) => {
                return Err((401, "two keys: x-api-key and Authorization".to_owned()));
            }
            (key, bearer) => key.or(bearer),
        };
        let bad = |failure: String| (400, failure);
        let messages = wire.as_messages(body);
        let asked =
            Asked::new(wire, body, &messages, key, header("anthropic-version")).map_err(bad)?;
        let first = asked.first_user_text();
        let mut conversations = self.script.conversations.iter();
        let conversation = conversations
            .position(|conversation| {
                conversation
                    .when_contains
                    .iter()
                    .all(|part| first.contains(part.as_str()))
            })
            .ok_or_else(|| {
                bad("no conversation of the script fits the first user message".to_owned())
            })?;
        let turns = &self.script.conversations[conversation].turns;
        let place = Place {
            conversation: conversation + 1,
            turn: asked.turn() + 1,
            when_contains: &self.script.conversations[conversation].when_contains,
        };
        let turn = turns.get(asked.turn()).ok_or_else(|| {
            bad(format!(
                "{place} is asked for, but the script ends with turn {}",
                turns.len()
            ))
        })?;
        then(turn, &asked, &place).map_err(bad)
    }

    /// The number of this request, and how often the same body came before.
    fn record(&self, request: &Request, body: &Value) -> (usize, u32) {
        let mut hasher = DefaultHasher::new();
        request.body.hash(&mut hasher);
        let headers = request.headers.iter().map(|(name, value)| {
            let secret = matches!(name.as_str(), "x-api-key" | "authorization");
            (
                name.clone(),
                if secret {
                    "[key]".to_owned()
                } else {
                    value.clone()
                },
            )
        });
        let recorded = Recorded {
            path: request.path.clone(),
            headers: headers.collect(),
            body: body.clone(),
            body_bytes: request.body.len(),
        };
        let mut log = self.log();
        log.requests.push(recorded);
        let repeat = log.repeats.entry(hasher.finish()).or_default();
        *repeat += 1;
        let repeat = *repeat - 1;
        (log.requests.len(), repeat)
    }

    /// Answers how many tokens a prompt has: what the turn that it asks for declares, or what the script says instead.
    fn count(&self, request: &Request, mut body: Value) -> Reply {
        self.log().counts += 1;
        let plain = |status: u16, body: String| Reply::Plain {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body,
        };
        match self.script.count {
            Some(Count::Status(status)) => {
                return plain(status, Wire::Messages.error_body(status, "scripted fault"));
            }
            Some(Count::Hang) => return Reply::Hang,
            Some(Count::Drop) => return Reply::Drop,
            None => {}
        }
        // What only the answer needs is not in the question.
        if let Some(fields) = body.as_object_mut() {
            if fields.contains_key("max_tokens") || fields.contains_key("stream") {
                return plain(
                    400,
                    Wire::Messages.error_body(400, "max_tokens and stream are not permitted"),
                );
            }
            fields.insert("max_tokens".to_owned(), json!(1));
            fields.insert("stream".to_owned(), json!(true));
        }
        let counted = self.find(request, &body, |turn, asked, place| {
            let (_, usage) = play(turn, asked, Wire::Messages, "counted", None)
                .map_err(|failure| format!("{place}: {failure}"))?;
            // What comes as it is written may say nothing of its prompt.
            Ok(usage.prompt().max(default_usage(asked, 0).prompt()))
        });
        match counted {
            Ok(tokens) => plain(200, json!({ "input_tokens": tokens }).to_string()),
            Err((status, failure)) => plain(status, Wire::Messages.error_body(status, &failure)),
        }
    }

    pub(super) fn counts(&self) -> usize {
        self.log().counts
    }

    pub(super) fn requests(&self) -> Vec<Recorded> {
        self.log().requests.clone()
    }

    pub(super) fn failures(&self) -> Vec<String> {
        self.log().failures.clone()
    }

    pub(super) fn billed(&self) -> Usage {
        self.log().billed
    }

    pub(super) fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    pub(super) async fn wait_for(&self, mut done: impl FnMut(&Progress) -> bool) -> Progress {
        let mut progress = self.progress.subscribe();
        match progress.wait_for(|progress| done(progress)).await {
            Ok(progress) => *progress,
            // The sender lives as long as `self`.
            Err(_) => self.progress(),
        }
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }

    pub(super) fn release(&self) {
        self.releases.add_permits(1);
    }

    /// Waits for one `release`.
    pub(super) async fn released(&self) {
        if let Ok(permit) = self.releases.acquire().await {
            permit.forget();
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn of a script, as people find it.
struct Place<'a> {
    conversation: usize,
    turn: usize,
    when_contains: &'a [String],
}

impl Place<'_> {
    /// What its answer is called.
    fn id(&self) -> String {
        format!("scripted_{}_{}", self.conversation, self.turn)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "turn {}", self.turn)?;
        match self.when_contains {
            [] => Ok(()),
            parts => write!(f, " of the conversation {:?}", parts.join(" + ")),
        }
    }
}

enum Choice {
    Stream {
        play: Play,
        usage: Usage,
    },
    /// Something else than a stream.
    Instead(Effect),
}

/// The fault that spoils the request that came `repeat` times before.
fn effect(faults: &[Fault], repeat: u32) -> Option<&Effect> {
    let mut spoilt = 0_u32;
    let fault = faults.iter().find(|fault| {
        spoilt = spoilt.saturating_add(fault.times.unwrap_or(u32::MAX));
        repeat < spoilt
    });
    fault.map(|fault| &fault.effect)
}
