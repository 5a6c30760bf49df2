//! Endpoints that cannot be found, that cannot be believed, that say no for ever, or that leave in good order: on both
//! wires each ends in its named state, and the ledger has every attempt.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use expect_test::{Expect, expect};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::harness::{Home, Options};
use crate::model::Model;
use crate::steps::{FILE, SHOP, SIMPLIFY, booked, open, shop};

const KEY: &str = include_str!("tls/endpoint.key.pem");

type Secured = StreamOwned<ServerConnection, TcpStream>;

/// An endpoint on loopback with this certificate, which does this with whoever believes it. Answers with its address.
fn endpoint(certificate: &str, serve: fn(&mut Secured) -> std::io::Result<()>) -> String {
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates.unwrap(), key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let Ok(connection) = ServerConnection::new(config.clone()) else {
                return;
            };
            // A client that does not believe the certificate ends the connection, and that is what is tested.
            let _refused = serve(&mut StreamOwned::new(connection, stream));
        }
    });
    format!("https://localhost:{port}")
}

/// The type of an HTTP/2 frame, for what is tested here.
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const GOAWAY: u8 = 7;

/// A frame on the connection or on one of its streams.
fn frame(kind: u8, stream: u32, payload: &[u32]) -> Vec<u8> {
    let length = u8::try_from(payload.len() * 4).unwrap();
    let mut frame = vec![0, 0, length, kind, 0];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload.iter().flat_map(|word| word.to_be_bytes()));
    frame
}

/// Speaks as much HTTP/2 as it takes to see requests, and responds to each until the client goes.
fn answer(
    stream: &mut Secured,
    respond: fn(&mut Secured, u32) -> std::io::Result<()>,
) -> std::io::Result<()> {
    const PREFACE: usize = 24;
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0])?;
    stream.flush()?;
    stream.read_exact(&mut [0; PREFACE])?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload)?;
        if head[3] == HEADERS {
            let [.., a, b, c, d] = head;
            respond(stream, u32::from_be_bytes([a, b, c, d]))?;
            stream.flush()?;
        }
    }
}

/// Says goodbye to every request before it is processed, as HTTP/2 servers do that are about to be replaced.
fn goaway(stream: &mut Secured) -> std::io::Result<()> {
    answer(stream, |stream, _| {
        // The last request that was processed is none, and there is no error.
        stream.write_all(&frame(GOAWAY, 0, &[0, 0]))
    })
}

/// Refuses every request before it is processed, as HTTP/2 servers do that have enough to do.
fn refuse(stream: &mut Secured) -> std::io::Result<()> {
    const REFUSED_STREAM: u32 = 7;
    answer(stream, |stream, id| {
        stream.write_all(&frame(RESET, id, &[REFUSED_STREAM]))
    })
}

/// Says goodbye and that it has begun on the request, and then ends that as well.
fn goaway_later(stream: &mut Secured) -> std::io::Result<()> {
    const INTERNAL_ERROR: u32 = 2;
    answer(stream, |stream, id| {
        stream.write_all(&frame(GOAWAY, 0, &[id, 0]))?;
        stream.write_all(&frame(RESET, id, &[INTERNAL_ERROR]))
    })
}

fn handshake(stream: &mut Secured) -> std::io::Result<()> {
    stream.read_exact(&mut [0; 1])
}

/// How a run ends on either wire, and what the ledger has of it.
fn check(base_url: &str, expected: Expect) {
    let mut shown = String::new();
    for (wire, config) in [
        ("messages", "[provider]\nbase_url = \"BASE\"\n"),
        (
            "chat completions",
            "[provider]\nkind = \"openai\"\nbase_url = \"BASE/v1\"\n[models]\ndefault = \"gpt-6-luna\"\n",
        ),
    ] {
        let home: Home = shop();
        home.configure(&config.replace("BASE", base_url));
        let authority = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/e2e/tls/authority.pem"
        );
        let options = Options::vscode()
            .env("NO_PROXY", "localhost,127.0.0.1")
            .env("ANTHROPIC_API_KEY", "a-test-key")
            .env("OPENAI_API_KEY", "a-test-key")
            .env("SSL_CERT_FILE", authority);
        let mut editor = open(&home, options);
        let run = editor.launch(FILE, "greet(", SIMPLIFY);
        let end = editor.end_of(&run);
        assert_eq!(
            (editor.text(FILE), editor.ends_of(&run)),
            (SHOP.to_owned(), 1)
        );
        editor.told(&end);
        editor.allow_in_log("failed to verify TLS certificate");
        editor.shutdown();
        let row = booked(&home);
        let attempts = row.attempts;
        let _infallible = writeln!(
            shown,
            "{wire}: {end}\n  {attempts} attempts, {} of {} unknown, {} reserved",
            row.unknown, row.cost, row.reserved
        );
    }
    let port = base_url.rsplit(':').next().unwrap_or_default();
    expected.assert_eq(&steady(&shown.replace(port, "PORT")));
}

/// The same without what another day or another system says in other words.
fn steady(text: &str) -> String {
    let text = text.replace(
        "Temporary failure in name resolution",
        "Name or service not known",
    );
    let mut steady = String::new();
    let mut digits = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let number = std::mem::take(&mut digits);
        steady += if number.len() > 7 { "N" } else { &number };
        steady.push(c);
    }
    steady.trim_end_matches('\0').to_owned()
}

#[test]
fn a_certificate_that_nobody_signed_is_not_believed() {
    let url = endpoint(include_str!("tls/untrusted.pem"), handshake);
    check(
        &url,
        expect![[r#"
        messages: Simplify `greet` failed, $0.00: no answer from Anthropic at localhost:PORT (invalid peer certificate: UnknownIssuer); check the network, the proxy and the base URL
          3 attempts, $0.00 of $0.00 unknown, $0.00 reserved
        chat completions: Simplify `greet` failed, $0.00: no answer from the OpenAI-compatible server at localhost:PORT (invalid peer certificate: UnknownIssuer); check the network, the proxy and the base URL
          3 attempts, $0.00 of $0.00 unknown, $0.00 reserved
    "#]],
    );
}

#[test]
fn a_certificate_that_has_expired_is_not_believed() {
    let url = endpoint(include_str!("tls/expired.pem"), handshake);
    check(
        &url,
        expect![[r#"
        messages: Simplify `greet` failed, $0.00: no answer from Anthropic at localhost:PORT (invalid peer certificate: certificate expired: verification time N (UNIX), but certificate is not valid after N (N seconds ago)); check the network, the proxy and the base URL
          3 attempts, $0.00 of $0.00 unknown, $0.00 reserved
        chat completions: Simplify `greet` failed, $0.00: no answer from the OpenAI-compatible server at localhost:PORT (invalid peer certificate: certificate expired: verification time N (UNIX), but certificate is not valid after N (N seconds ago)); check the network, the proxy and the base URL
          3 attempts, $0.00 of $0.00 unknown, $0.00 reserved
    "#]],
    );
}

#[test]
fn a_server_that_says_goodbye_to_every_request_is_given_up_and_costs_nothing() {
    let url = endpoint(include_str!("tls/endpoint.pem"), goaway);
    check(
        &url,
        expect![[r#"
        messages: Simplify `greet` failed, $0.00: no answer from Anthropic at localhost:PORT (the server turned the request away before it began on it); check the network, the proxy and the base URL
          3 attempts, $0.00 of $0.00 unknown, $0.00 reserved
        chat completions: Simplify `greet` failed, $0.00: no answer from the OpenAI-compatible server at localhost:PORT (the server turned the request away before it began on it); check the network, the proxy and the base URL
          3 attempts, $0.00 of $0.00 unknown, $0.00 reserved
    "#]],
    );
}

#[test]
fn a_server_that_refuses_every_request_costs_nothing() {
    let url = endpoint(include_str!("tls/endpoint.pem"), refuse);
    check(
        &url,
        expect![[r#"
        messages: Simplify `greet` failed, $0.00: no answer from Anthropic at localhost:PORT (the server turned the request away before it began on it); check the network, the proxy and the base URL
          3 attempts, $0.00 of $0.00 unknown, $0.00 reserved
        chat completions: Simplify `greet` failed, $0.00: no answer from the OpenAI-compatible server at localhost:PORT (the server turned the request away before it began on it); check the network, the proxy and the base URL
          3 attempts, $0.00 of $0.00 unknown, $0.00 reserved
    "#]],
    );
}

#[test]
fn a_server_that_leaves_after_it_has_begun_may_bill() {
    let url = endpoint(include_str!("tls/endpoint.pem"), goaway_later);
    check(
        &url,
        expect![[r#"
        messages: Simplify `greet` failed, $0.50: no answer from Anthropic at localhost:PORT (stream error received: unexpected internal error encountered); check the network, the proxy and the base URL
          3 attempts, $0.50 of $0.50 unknown, $0.00 reserved
        chat completions: Simplify `greet` failed, $0.031: no answer from the OpenAI-compatible server at localhost:PORT (stream error received: unexpected internal error encountered); check the network, the proxy and the base URL
          3 attempts, $0.031 of $0.031 unknown, $0.00 reserved
    "#]],
    );
}

#[test]
fn a_name_that_nobody_knows_is_said() {
    check(
        "https://no-such-host.invalid",
        expect![[r#"
        messages: Simplify `greet` failed, $0.00: no answer from Anthropic at no-such-host.invalid (failed to lookup address information: Name or service not known); check the network, the proxy and the base URL
          3 attempts, $0.00 of $0.00 unknown, $0.00 reserved
        chat completions: Simplify `greet` failed, $0.00: no answer from the OpenAI-compatible server at no-such-host.invalid (failed to lookup address information: Name or service not known); check the network, the proxy and the base URL
          3 attempts, $0.00 of $0.00 unknown, $0.00 reserved
    "#]],
    );
}

#[test]
fn a_limit_that_is_never_lifted_ends_the_run() {
    let model = Model::start(
        "[[turn]]\n[[turn.fault]]\nstatus = 429\nheaders = { retry-after-ms = \"1\" }\n",
    );
    check(
        &model.handle.base_url(),
        expect![[r#"
        messages: Simplify `greet` failed, $0.00: Anthropic at 127.0.0.1:PORT limits the rate of requests (429 rate_limit_error: scripted fault, request req_scripted_3); it asks to wait 1 s
          3 attempts, $0.00 of $0.00 unknown, $0.00 reserved
        chat completions: Simplify `greet` failed, $0.00: the OpenAI-compatible server at 127.0.0.1:PORT limits the rate of requests (429 rate_limit_error: scripted fault, request req_scripted_6); it asks to wait 1 s
          3 attempts, $0.00 of $0.00 unknown, $0.00 reserved
    "#]],
    );
}
