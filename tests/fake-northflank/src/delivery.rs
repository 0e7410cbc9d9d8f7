//! How an answer goes out: whole, in pieces, in part, or not at all.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Bytes, Frame};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// How an answer goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// As it should.
    Whole,
    /// As it should, but only after this time.
    Late(Duration),
    /// Not at all: the connection is closed.
    Closed,
    /// Not at all: the connection is reset.
    Reset,
    /// Not at all: the connection stays open and silent.
    Silence,
    /// So many bytes of the body, then the connection is closed.
    Cut(usize),
    /// So many bytes of the body, then silence.
    Stall(usize),
    /// The body in pieces of so many bytes, with time between them.
    Drip {
        /// Bytes of each piece.
        bytes: usize,
        /// Time before each.
        every: Duration,
    },
    /// The body again and again without end, as fast as it is read.
    Endless,
}

impl Delivery {
    /// The body's length as the headers tell it, if they do.
    pub(crate) fn content_length(self, body: usize) -> Option<usize> {
        (self != Self::Endless).then_some(body)
    }

    /// The body as it is sent. Ends with an error where the connection is to end.
    pub(crate) fn send(self, body: Bytes) -> Sending {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            // Nobody receives any more once the client has gone away.
            let _ = self.feed(body, &sender).await;
        });
        Sending(receiver)
    }

    async fn feed(self, body: Bytes, sender: &Sender<Piece>) -> Result<(), Gone> {
        match self {
            Self::Whole | Self::Late(_) | Self::Closed | Self::Reset | Self::Silence => {
                piece(sender, body).await
            }
            Self::Cut(bytes) => {
                piece(sender, start(&body, bytes)).await?;
                // What has been sent must leave before the connection goes.
                tokio::time::sleep(Duration::from_millis(20)).await;
                sender.send(Err(HungUp { reset: false })).await.map_err(|_| Gone)
            }
            Self::Stall(bytes) => {
                piece(sender, start(&body, bytes)).await?;
                sender.closed().await;
                Ok(())
            }
            Self::Drip { bytes, every } => {
                for part in body.chunks(bytes) {
                    tokio::time::sleep(every).await;
                    piece(sender, Bytes::copy_from_slice(part)).await?;
                }
                Ok(())
            }
            Self::Endless => loop {
                piece(sender, body.clone()).await?;
            },
        }
    }
}

type Piece = Result<Frame<Bytes>, HungUp>;

/// The client has gone away.
struct Gone;

async fn piece(sender: &Sender<Piece>, bytes: Bytes) -> Result<(), Gone> {
    sender.send(Ok(Frame::data(bytes))).await.map_err(|_| Gone)
}

fn start(body: &Bytes, bytes: usize) -> Bytes {
    body.slice(..bytes.min(body.len()))
}

/// A body that is being sent.
pub(crate) struct Sending(Receiver<Piece>);

impl futures_core::Stream for Sending {
    type Item = Piece;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        self.0.poll_recv(context)
    }
}

/// The server ended the connection on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HungUp {
    /// With a reset instead of a close.
    pub(crate) reset: bool,
}

impl fmt::Display for HungUp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("hung up")
    }
}

impl std::error::Error for HungUp {}
