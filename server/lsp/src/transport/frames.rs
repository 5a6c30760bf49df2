//! Messages to and from bytes. A malformed message is an item of its own and the next one is read as usual.

use std::io;

use bytes::{Buf, BytesMut};
use serde::Serialize;
use serde_json::Value;
use tokio_util::codec::Decoder;
use tower_lsp::jsonrpc::{Error, ErrorCode, Id, Request, Response};

/// Longest message body accepted, in bytes. A document of this size is far beyond what is indexed.
const MAX_BODY: usize = 256 << 20;
/// Longest header block accepted, in bytes.
const MAX_HEADERS: usize = 8 << 10;

const LENGTH: &str = "content-length";

/// What the client sent.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A request or a notification.
    Request(Request),
    /// A reply to one of our requests.
    Response(Response),
    /// Neither; the error says why.
    Malformed(Error),
}

/// The bytes of one message.
pub(super) fn encode(message: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let body = serde_json::to_vec(message)?;
    let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    frame.extend(body);
    Ok(frame)
}

/// Splits a byte stream into messages.
#[derive(Debug, Default)]
pub(super) struct Frames(State);

#[derive(Debug, Default)]
enum State {
    #[default]
    Headers,
    /// The body of this many bytes comes next.
    Body(usize),
    /// This many bytes of a refused body are still to come.
    Skip(usize),
}

impl Decoder for Frames {
    type Item = Incoming;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Incoming>> {
        loop {
            match self.0 {
                State::Headers => match headers(bytes) {
                    Headers::Incomplete => return Ok(None),
                    Headers::Length(length) if length > MAX_BODY => {
                        self.0 = State::Skip(length);
                        return Ok(Some(malformed(
                            ErrorCode::InvalidRequest,
                            "message too long",
                        )));
                    }
                    Headers::Length(length) => self.0 = State::Body(length),
                    Headers::Bad => {
                        return Ok(Some(malformed(ErrorCode::ParseError, "bad header")));
                    }
                },
                State::Body(length) if bytes.len() < length => {
                    bytes.reserve(length - bytes.len());
                    return Ok(None);
                }
                State::Body(length) => {
                    let body = bytes.split_to(length);
                    self.0 = State::Headers;
                    // An empty body is a keep-alive of some clients.
                    if !body.is_empty() {
                        return Ok(Some(parse(&body)));
                    }
                }
                State::Skip(length) => {
                    let here = length.min(bytes.len());
                    bytes.advance(here);
                    if here < length {
                        self.0 = State::Skip(length - here);
                        return Ok(None);
                    }
                    self.0 = State::Headers;
                }
            }
        }
    }

    /// A message cut off by the end of the input is dropped; there is no one left to tell.
    fn decode_eof(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Incoming>> {
        let incoming = self.decode(bytes)?;
        if incoming.is_none() {
            bytes.clear();
        }
        Ok(incoming)
    }
}

enum Headers {
    Incomplete,
    /// A whole header block was consumed.
    Length(usize),
    /// Something else was consumed, up to where the next header block may start.
    Bad,
}

fn headers(bytes: &mut BytesMut) -> Headers {
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        if bytes.len() > MAX_HEADERS {
            bytes.advance(resync(bytes));
            return Headers::Bad;
        }
        return Headers::Incomplete;
    };
    let block = std::str::from_utf8(&bytes[..end]);
    if let Some(length) = block.ok().and_then(content_length) {
        bytes.advance(end + 4);
        Headers::Length(length)
    } else {
        bytes.advance(resync(bytes));
        Headers::Bad
    }
}

fn content_length(headers: &str) -> Option<usize> {
    headers.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if !name.trim().eq_ignore_ascii_case(LENGTH) {
            return None;
        }
        value.trim().parse().ok()
    })
}

/// How many bytes to drop so that what follows starts like a header block; always more than none.
fn resync(bytes: &[u8]) -> usize {
    let next = bytes
        .windows(LENGTH.len())
        .skip(1)
        .position(|window| window.eq_ignore_ascii_case(LENGTH.as_bytes()));
    match next {
        Some(at) => at + 1,
        // A header name may be cut in two by the end of what has arrived.
        None => bytes
            .len()
            .saturating_sub(LENGTH.len() - 1)
            .max(1)
            .min(bytes.len()),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

fn parse(body: &[u8]) -> Incoming {
    let value = serde_json::from_slice(body).or_else(|_| serde_json::from_str(&readable(body)));
    let Ok(Value::Object(mut message)) = value else {
        return malformed(ErrorCode::ParseError, "not a JSON object");
    };
    let id = message.remove("id").map(parse_id);
    let params = message.remove("params");
    match (message.remove("method"), id) {
        (_, Some(None)) => malformed(
            ErrorCode::InvalidRequest,
            "an id must be a number or a string",
        ),
        (Some(Value::String(method)), id) => {
            let mut request = Request::build(method);
            if let Some(Some(id)) = id {
                request = request.id(id);
            }
            if let Some(params) = params {
                request = request.params(params);
            }
            Incoming::Request(request.finish())
        }
        (None, Some(Some(id))) => {
            let response = match message.remove("error") {
                None | Some(Value::Null) => {
                    Response::from_ok(id, message.remove("result").unwrap_or_default())
                }
                Some(error) => Response::from_error(id, parse_error(error)),
            };
            Incoming::Response(response)
        }
        _ => malformed(
            ErrorCode::InvalidRequest,
            "neither a request nor a response",
        ),
    }
}

/// A body without what a string cannot hold. An editor that counts in UTF-16 may cut a character in two and send one half
/// of it; refusing that change would leave the document out of step, so the half becomes U+FFFD, which is as long.
fn readable(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let mut readable = String::with_capacity(body.len());
    let mut rest = &*body;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        readable.push_str(before);
        let unit = |escape: &str| {
            let digits = escape.strip_prefix("\\u")?.get(..4)?;
            u16::from_str_radix(digits, 16).ok()
        };
        let (is_half, length) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (false, 12),
            (Some(0xd800..=0xdfff), _) => (true, 6),
            (Some(_), _) => (false, 6),
            (None, _) => (false, escape.chars().take(2).map(char::len_utf8).sum()),
        };
        let (escape, after) = escape.split_at(length);
        readable.push_str(if is_half { "\\ufffd" } else { escape });
        rest = after;
    }
    readable.push_str(rest);
    readable
}

/// Some clients number their requests with what JSON takes for floats.
fn parse_id(id: Value) -> Option<Id> {
    match id {
        Value::Null => Some(Id::Null),
        Value::String(id) => Some(Id::String(id)),
        Value::Number(number) => number
            .as_i64()
            .or_else(|| {
                let float = number.as_f64()?;
                (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
            })
            .map(Id::Number),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A client's error keeps what can be read of it.
fn parse_error(error: Value) -> Error {
    serde_json::from_value(error.clone()).unwrap_or_else(|_| {
        let mut unclear = Error::internal_error();
        unclear.data = Some(error);
        unclear
    })
}

fn malformed(code: ErrorCode, message: &'static str) -> Incoming {
    let mut error = Error::new(code);
    error.message = message.into();
    Incoming::Malformed(error)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// Everything read from `chunks` as they arrive, one message a line.
    fn check(chunks: &[&[u8]], expected: Expect) {
        let mut frames = Frames::default();
        let mut bytes = BytesMut::new();
        let mut seen = String::new();
        for (index, chunk) in chunks.iter().enumerate() {
            bytes.extend_from_slice(chunk);
            let last = index + 1 == chunks.len();
            loop {
                let incoming = if last {
                    frames.decode_eof(&mut bytes).unwrap()
                } else {
                    frames.decode(&mut bytes).unwrap()
                };
                let line = match incoming {
                    None => break,
                    Some(Incoming::Request(request)) => format!("> {request}"),
                    Some(Incoming::Response(response)) => {
                        format!("< {}", serde_json::to_string(&response).unwrap())
                    }
                    Some(Incoming::Malformed(error)) => format!("! {error}"),
                };
                seen.push_str(&line);
                seen.push('\n');
            }
        }
        assert!(bytes.is_empty());
        expected.assert_eq(&seen);
    }

    fn frame(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    fn whole(text: &str, expected: Expect) {
        check(&[text.as_bytes()], expected);
    }

    #[test]
    fn messages_are_told_apart() {
        whole(
            &[
                frame(r#"{"jsonrpc":"2.0","method":"exit"}"#),
                frame(r#"{"method":"hover","id":"a","params":{"é":1}}"#),
                frame(r#"{"id":1.0,"method":"m","params":null}"#),
                frame(r#"{"jsonrpc":"2.0","id":7,"result":{"applied":true}}"#),
                frame(r#"{"id":7}"#),
                frame(r#"{"id":7,"error":null,"result":3}"#),
                frame(r#"{"id":8,"error":{"code":-32601,"message":"no"}}"#),
                frame(r#"{"id":8,"error":"odd"}"#),
            ]
            .concat(),
            expect![[r#"
                > {"jsonrpc":"2.0","method":"exit"}
                > {"jsonrpc":"2.0","method":"hover","params":{"é":1},"id":"a"}
                > {"jsonrpc":"2.0","method":"m","params":null,"id":1}
                < {"jsonrpc":"2.0","result":{"applied":true},"id":7}
                < {"jsonrpc":"2.0","result":null,"id":7}
                < {"jsonrpc":"2.0","result":3,"id":7}
                < {"jsonrpc":"2.0","error":{"code":-32601,"message":"no"},"id":8}
                < {"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal error","data":"odd"},"id":8}
            "#]],
        );
    }

    #[test]
    fn a_malformed_message_costs_itself_only() {
        let good = frame(r#"{"method":"good"}"#);
        whole(
            &[
                frame("{"),
                good.clone(),
                frame("[]"),
                frame(r#"{"jsonrpc":"2.0"}"#),
                frame(r#"{"id":[],"method":"m"}"#),
                good.clone(),
                "Content-Length: many\r\n\r\n".to_owned(),
                good.clone(),
                "X: 1\r\n\r\n".to_owned(),
                good,
            ]
            .concat(),
            expect![[r#"
                ! Parse error: not a JSON object
                > {"jsonrpc":"2.0","method":"good"}
                ! Parse error: not a JSON object
                ! Invalid request: neither a request nor a response
                ! Invalid request: an id must be a number or a string
                > {"jsonrpc":"2.0","method":"good"}
                ! Parse error: bad header
                > {"jsonrpc":"2.0","method":"good"}
                ! Parse error: bad header
                > {"jsonrpc":"2.0","method":"good"}
            "#]],
        );
        check(
            &[b"Content-Length: 3\r\n\r\n\"\xff\"Content-Length: 17\r\n\r\n{\"method\":\"good\"}"],
            expect![[r#"
                ! Parse error: not a JSON object
                > {"jsonrpc":"2.0","method":"good"}
            "#]],
        );
    }

    #[test]
    fn half_a_character_is_replaced() {
        whole(
            &[
                frame(r#"{"method":"m","params":["\ud83d","\\ud83d\ude00","a\ude00\ud83d\ude00\n\u00e9é","\ud83d\""]}"#),
                frame("{\"method\":\"m\"}\\"),
            ]
            .concat(),
            expect![[r#"
                > {"jsonrpc":"2.0","method":"m","params":["�","\\ud83d�","a�😀\néé","�\""]}
                ! Parse error: not a JSON object
            "#]],
        );
        check(
            &[b"Content-Length: 23\r\n\r\n{\"method\":\"m\",\"id\":\"\xff\"}"],
            expect![[r#"
                > {"jsonrpc":"2.0","method":"m","id":"�"}
            "#]],
        );
    }

    #[test]
    fn headers_may_be_spelt_otherwise() {
        whole(
            "content-length:17\r\nContent-Type: application/vscode-jsonrpc\r\nX-Y: z\r\n\r\n{\"method\":\"good\"}",
            expect![[r#"
                > {"jsonrpc":"2.0","method":"good"}
            "#]],
        );
        whole(
            &[frame(""), frame(r#"{"method":"good"}"#)].concat(),
            expect![[r#"
                > {"jsonrpc":"2.0","method":"good"}
            "#]],
        );
    }

    #[test]
    fn every_cut_is_harmless() {
        let stream = [
            "oops",
            &frame(r#"{"method":"é","id":1}"#),
            &frame(r#"{"method":"b"}"#),
        ]
        .concat();
        let bytes = stream.as_bytes();
        for at in 0..bytes.len() {
            check(
                &[&bytes[..at], &bytes[at..]],
                expect![[r#"
                    ! Parse error: bad header
                    > {"jsonrpc":"2.0","method":"é","id":1}
                    > {"jsonrpc":"2.0","method":"b"}
                "#]],
            );
        }
    }

    #[test]
    fn what_is_too_long_is_skipped_without_being_kept() {
        let length = MAX_BODY + 1;
        let mut frames = Frames::default();
        let mut bytes = BytesMut::from(format!("Content-Length: {length}\r\n\r\n").as_bytes());
        assert!(matches!(
            frames.decode(&mut bytes),
            Ok(Some(Incoming::Malformed(_)))
        ));
        let mut left = length;
        while left > 0 {
            let here = left.min(1 << 20);
            bytes.resize(here, b'x');
            assert!(matches!(frames.decode(&mut bytes), Ok(None)));
            assert!(bytes.is_empty());
            left -= here;
        }
        bytes.extend_from_slice(frame(r#"{"method":"good"}"#).as_bytes());
        assert!(matches!(
            frames.decode(&mut bytes),
            Ok(Some(Incoming::Request(_)))
        ));
    }

    #[test]
    fn rubbish_without_end_is_not_kept() {
        let mut frames = Frames::default();
        let mut bytes = BytesMut::new();
        for _ in 0..100 {
            bytes.resize(bytes.len() + MAX_HEADERS, b'x');
            while frames.decode(&mut bytes).unwrap().is_some() {}
            assert!(bytes.len() <= MAX_HEADERS);
        }
    }
}
