//! As much of HTTP/1.1 as a client of the Messages API speaks.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::play::{End, Play};
use super::respond::{Reply, Request, State};

const LONGEST_HEAD: usize = 64 << 10;
const LONGEST_BODY: usize = 64 << 20;

pub(super) async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, state.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection until either side has had enough. What goes wrong here is the client's to notice.
async fn connection(stream: TcpStream, state: Arc<State>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    state.update(|progress| progress.connections += 1);
    let (mut reader, mut writer) = stream.into_split();
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut reader, &mut buffer).await? {
        match state.respond(&request) {
            Reply::Drop => return Ok(()),
            Reply::Hang => return gone(&mut reader).await,
            Reply::Plain {
                status,
                headers,
                body,
            } => {
                writer
                    .write_all(plain(status, &headers, &body).as_bytes())
                    .await?;
            }
            Reply::Stream { request_id, play } => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\nrequest-id: {request_id}\r\ntransfer-encoding: chunked\r\n\r\n"
                );
                let sent = tokio::select! {
                    sent = stream_chunks(&mut writer, &head, &play, &state) => sent,
                    left = gone(&mut reader) => left.and(Err(io::ErrorKind::ConnectionAborted.into())),
                };
                if sent.is_err() {
                    state.update(|progress| progress.abandoned += 1);
                    return sent;
                }
                if play.end == End::Cut {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

async fn stream_chunks(
    writer: &mut OwnedWriteHalf,
    head: &str,
    play: &Play,
    state: &State,
) -> io::Result<()> {
    writer.write_all(head.as_bytes()).await?;
    for (number, chunk) in play.chunks.iter().enumerate() {
        if play.hold == Some(number) {
            hold(state).await;
        }
        if number > 0 && !play.delay.is_zero() {
            tokio::time::sleep(play.delay).await;
        }
        let framed = [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
        writer.write_all(&framed).await?;
    }
    if play.hold == Some(play.chunks.len()) {
        hold(state).await;
    }
    match play.end {
        End::Proper => {
            writer.write_all(b"0\r\n\r\n").await?;
            state.update(|progress| progress.answered += 1);
        }
        End::Cut => writer.shutdown().await?,
        End::Stall => std::future::pending().await,
    }
    Ok(())
}

async fn hold(state: &State) {
    state.update(|progress| progress.held += 1);
    state.released().await;
}

/// Waits until the client closes its side. A client that sends while it should listen is treated as gone.
async fn gone(reader: &mut OwnedReadHalf) -> io::Result<()> {
    reader.read(&mut [0]).await.map(|_| ())
}

fn plain(status: u16, headers: &[(String, String)], body: &str) -> String {
    let mut response = format!("HTTP/1.1 {status} Scripted\r\n");
    for (name, value) in headers {
        response.extend([name, ": ", value, "\r\n"]);
    }
    response.extend([
        "content-length: ",
        &body.len().to_string(),
        "\r\n\r\n",
        body,
    ]);
    response
}

/// The next request, or `None` when the client is done.
async fn read_request(
    reader: &mut OwnedReadHalf,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Request>> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if buffer.len() > LONGEST_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if reader.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let rest = buffer.split_off(end + 4);
    let head = String::from_utf8_lossy(&std::mem::replace(buffer, rest)).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (
        first.next().unwrap_or_default().to_owned(),
        first.next().unwrap_or_default().to_owned(),
    );
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map(|(_, value)| value.parse::<usize>());
    let length = match length {
        None => 0,
        Some(Ok(length)) if length <= LONGEST_BODY => length,
        Some(_) => return Err(io::ErrorKind::InvalidData.into()),
    };
    while buffer.len() < length {
        if reader.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let rest = buffer.split_off(length);
    let body = std::mem::replace(buffer, rest);
    Ok(Some(Request {
        method,
        path,
        headers,
        body,
    }))
}
