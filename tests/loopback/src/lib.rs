//! A server on loopback, on a thread of its own: what the fakes have in common.

use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// A port of the loopback address, to which connections can be made that wait to be served.
pub struct Listener {
    listener: std::net::TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Listens on a port; 0 is any that is free.
    pub fn bind(port: u16) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves each connection by `converse`.
    pub fn serve<Conversation>(
        self,
        converse: impl Fn(TcpStream) -> Conversation + Send + 'static,
    ) -> io::Result<Server>
    where
        Conversation: Future<Output = ()> + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(self.listener) else {
                    return;
                };
                tokio::select! {
                    () = accept(listener, converse) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Server { stop: Some(stop), thread: Some(thread) })
    }
}

/// A running server. Dropping it stops it, with all its connections.
pub struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the server has been printed; dropping must not add another.
            let _ = thread.join();
        }
    }
}

async fn accept<Conversation>(listener: TcpListener, converse: impl Fn(TcpStream) -> Conversation)
where
    Conversation: Future<Output = ()> + Send + 'static,
{
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // Small answers go out at once, as on any server that cares for latency.
        let _ = stream.set_nodelay(true);
        tokio::spawn(converse(stream));
    }
}
