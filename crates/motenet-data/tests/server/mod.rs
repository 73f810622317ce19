//! A small HTTP server on 127.0.0.1 that can misbehave on demand, and small files to serve.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use motenet_data::mnist::{Options, Pinned};
use sha2::{Digest, Sha256};

pub(crate) const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Counts of the small data set: training, test.
pub(crate) const COUNTS: [usize; 2] = [40, 10];

/// What the server does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// The file, from where Range asks.
    File,
    /// The whole file, whatever Range asks.
    IgnoreRange,
    /// Range is answered from another place than asked.
    WrongRange,
    /// An answer without a body.
    Status(u16),
    /// The right length is promised, this many bytes come, and the connection closes.
    Cut(usize),
    /// The right length is promised, this many bytes come, and then nothing.
    Stall(usize),
    /// Nothing at all comes.
    Silent,
    /// Bytes come this many at a time, with this pause.
    Slow(usize, Duration),
    /// Go there.
    Redirect(String),
    /// Other content.
    Bytes(Vec<u8>),
    /// The file without a length; this many bytes, and the connection closes.
    NoLength(usize),
    /// The raw file, marked as one that was compressed for the way.
    Encoded,
    /// A length that is not to be believed.
    Huge,
    /// Noise without a length and without an end.
    Endless,
}

/// (file name, start of the range asked for) of each request, in order.
type Log = Arc<Mutex<Vec<(String, Option<u64>)>>>;

pub(crate) struct Server {
    pub(crate) url: String,
    log: Log,
}

impl Server {
    /// `reply` gets the file's name and how many requests for it came before.
    pub(crate) fn start(reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Log::default();
        let (reply, files, seen) = (Arc::new(reply), Arc::new(packed_files()), log.clone());
        // Ends with the test program.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (reply, files, seen) = (reply.clone(), files.clone(), seen.clone());
                // A client that hangs up early is not the server's failure.
                thread::spawn(move || drop(serve(stream, &*reply, &files, &seen)));
            }
        });
        Self { url, log }
    }

    /// Requests so far: (file name, start of the range asked for).
    pub(crate) fn requests(&self) -> Vec<(String, Option<u64>)> {
        self.log.lock().unwrap().clone()
    }
}

/// An address where nobody listens.
pub(crate) fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn serve(
    stream: TcpStream,
    reply: &(dyn Fn(&str, usize) -> Reply + Send + Sync),
    files: &HashMap<String, Vec<u8>>,
    log: &Log,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or("").to_string();
    let name = path.rsplit('/').next().unwrap_or("").to_string();
    let mut range = None;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            range = value.trim().trim_end_matches('-').parse().ok();
        }
    }
    let before = {
        let mut log = log.lock().unwrap();
        let before = log.iter().filter(|(known, _)| *known == name).count();
        log.push((name.clone(), range));
        before
    };
    answer(stream, reply(&name, before), &files[&name], range, &path)
}

fn answer(
    stream: TcpStream,
    reply: Reply,
    file: &[u8],
    range: Option<u64>,
    path: &str,
) -> std::io::Result<()> {
    let all = file.len();
    let start = range.map_or(0, |start| start as usize);
    // Writing through a shared reference lets the closures and the arms below share the stream.
    let mut stream = &stream;
    let head = |status: u16, rest: &str| {
        let mut stream = stream;
        write!(stream, "HTTP/1.1 {status} x\r\nConnection: close\r\n{rest}\r\n")
    };
    let honest = || {
        if start >= all && range.is_some() {
            head(416, &format!("Content-Range: bytes */{all}\r\nContent-Length: 0\r\n"))?;
            return Ok(&file[..0]);
        }
        let length = all - start;
        let length = format!("Content-Length: {length}\r\n");
        match range {
            None => head(200, &length)?,
            Some(_) => {
                head(206, &format!("{length}Content-Range: bytes {start}-{}/{all}\r\n", all - 1))?;
            }
        }
        Ok::<_, std::io::Error>(&file[start..])
    };
    match reply {
        Reply::File => stream.write_all(honest()?),
        Reply::IgnoreRange => {
            head(200, &format!("Content-Length: {all}\r\n"))?;
            stream.write_all(file)
        }
        Reply::WrongRange => {
            head(206, &format!("Content-Length: 3\r\nContent-Range: bytes 1-3/{all}\r\n"))?;
            stream.write_all(&file[1..4])
        }
        Reply::Status(status) => head(status, "Content-Length: 0\r\n"),
        Reply::Cut(bytes) => {
            let body = honest()?;
            stream.write_all(&body[..bytes.min(body.len())])
        }
        Reply::Stall(bytes) => {
            let body = honest()?;
            stream.write_all(&body[..bytes.min(body.len())])?;
            thread::sleep(Duration::from_secs(40));
            Ok(())
        }
        Reply::Silent => {
            thread::sleep(Duration::from_secs(40));
            Ok(())
        }
        Reply::Slow(bytes, pause) => {
            for part in honest()?.chunks(bytes) {
                stream.write_all(part)?;
                thread::sleep(pause);
            }
            Ok(())
        }
        Reply::Redirect(url) => {
            head(302, &format!("Location: {url}{path}\r\nContent-Length: 0\r\n"))
        }
        Reply::Bytes(bytes) => {
            head(200, &format!("Content-Length: {}\r\n", bytes.len()))?;
            stream.write_all(&bytes)
        }
        Reply::NoLength(bytes) => {
            head(200, "")?;
            stream.write_all(&file[..bytes.min(all)])
        }
        Reply::Encoded => {
            head(200, &format!("Content-Encoding: gzip\r\nContent-Length: {all}\r\n"))?;
            stream.write_all(file)
        }
        Reply::Huge => head(200, "Content-Length: 99999999999\r\n"),
        Reply::Endless => {
            head(200, "")?;
            loop {
                stream.write_all(&[7; 65_536])?;
            }
        }
    }
}

/// The decompressed content of the small files: noise, so that compression leaves many bytes.
pub(crate) fn raw_files() -> HashMap<String, Vec<u8>> {
    let mut state = 1_u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut file = |name: &str, count: usize| {
        let is_images = name.contains("images");
        let mut bytes = vec![0, 0, 8, if is_images { 3 } else { 1 }];
        bytes.extend((count as u32).to_be_bytes());
        if is_images {
            bytes.extend([0, 0, 0, 28, 0, 0, 0, 28]);
            bytes.extend((0..count * 784).map(|_| noise()));
        } else {
            bytes.extend((0..count).map(|_| noise() % 10));
        }
        (name.to_string(), bytes)
    };
    NAMES.iter().enumerate().map(|(k, name)| file(name, COUNTS[k / 2])).collect()
}

/// The same, gzipped, under the names that end in `.gz`.
pub(crate) fn packed_files() -> HashMap<String, Vec<u8>> {
    let pack = |(name, bytes): (String, Vec<u8>)| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&bytes).unwrap();
        (format!("{name}.gz"), encoder.finish().unwrap())
    };
    raw_files().into_iter().map(pack).collect()
}

/// Options that know the small files, this cache folder and these mirrors, and nothing else.
pub(crate) fn options(cache: &Path, mirrors: &[&str]) -> Options {
    let raw = raw_files();
    let mut pinned = [0, 1, 2, 3].map(|k| Pinned { count: COUNTS[k / 2], sha256: String::new() });
    for (pinned, name) in pinned.iter_mut().zip(NAMES) {
        let hash = Sha256::digest(&raw[name]);
        pinned.sha256 = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    }
    Options {
        cache_dir: Some(cache.into()),
        mirrors: mirrors.iter().map(ToString::to_string).collect(),
        validation: 5,
        connect_timeout: Duration::from_secs(2),
        stall_timeout: Duration::from_secs(5),
        pinned,
        ..Options::default()
    }
}
