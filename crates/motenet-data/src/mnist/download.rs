//! Fetching missing files into the cache folder.
//!
//! A file is written to `NAME.gz.part`, verified, flushed to the disk, and only then renamed to
//! `NAME.gz`, so whatever bears the final name is whole. A `.part` that was left behind is
//! continued with HTTP Range, and started again where the server or the part does not allow it.
//! One process at a time writes: the others wait for `mnist.lock`, which the system frees when its
//! holder ends, however it ends.
//!
//! # Limits
//! - No more than 1 MiB beyond the decompressed size of a file is taken from a server.
//! - A transfer that slows to under 1 KiB in `stall_timeout` is given up.
//! - A mirror gets four tries for a file, and another only if the last one brought bytes.
//! - Where the cache folder's file system knows no locks, downloading is an error.

use std::fs::{self, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::transfer::{Transfer, write_error};
use super::{File, Options};
use crate::Error;

/// How long to wait for another process that is downloading.
const LOCK_WAIT: Duration = Duration::from_secs(600);

/// What [`load`](super::load) is doing about a missing file.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// Another process is downloading into this folder; waiting for it.
    Waiting {
        /// The cache folder.
        folder: &'a Path,
    },
    /// A request is being sent.
    Connecting {
        /// What is asked for.
        url: &'a str,
        /// Bytes that are here already.
        from: u64,
    },
    /// Bytes have come.
    Received {
        /// The file, without `.gz`.
        file: &'a str,
        /// Bytes here, resumed ones included.
        bytes: u64,
        /// Bytes of the whole file, where the server told.
        total: Option<u64>,
    },
    /// A try has failed; another follows if there is one left.
    Failed {
        /// What was asked for.
        url: &'a str,
        /// Why, in one line.
        reason: &'a str,
    },
    /// A file has been verified and is in its place.
    Verified {
        /// The file, without `.gz`.
        file: &'a str,
    },
}

/// Downloads `missing` into `folder`.
pub(super) fn fetch(
    missing: &[File],
    folder: &Path,
    options: &Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|source| write_error(folder, source))?;
    let _lock = lock(folder, progress)?;
    let agent = agent(options);
    // The mirror that served the last file goes first: a dead one is waited for once, not four
    // times.
    let mut first = 0;
    for &file in missing {
        if file.find(folder).is_some() {
            continue; // another process brought it while we waited
        }
        let mut reasons = Vec::new();
        let mut served = None;
        for k in 0..options.mirrors.len() {
            let mirror = (first + k) % options.mirrors.len();
            let url = format!("{}/{}.gz", options.mirrors[mirror], file.name());
            let transfer = Transfer {
                agent: &agent,
                options,
                file,
                part: folder.join(format!("{}.gz.part", file.name())),
                url,
            };
            match transfer.run(progress)? {
                None => {
                    served = Some(mirror);
                    break;
                }
                Some(reason) => reasons.push(format!("{}: {reason}", options.mirrors[mirror])),
            }
        }
        let Some(mirror) = served else {
            if reasons.is_empty() {
                reasons.push("no mirror is configured".into());
            }
            return Err(Error::Download { file: file.name().into(), reasons: reasons.join("; ") });
        };
        first = mirror;
        progress(Progress::Verified { file: file.name() });
    }
    Ok(())
}

fn agent(options: &Options) -> ureq::Agent {
    let proxy = if options.proxy_from_env { ureq::Proxy::try_from_env() } else { None };
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        // The content is gzip already, and Range counts the bytes of what is stored.
        .accept_encoding("identity")
        .user_agent(concat!("motenet-data/", env!("CARGO_PKG_VERSION")))
        .proxy(proxy)
        .timeout_resolve(Some(options.connect_timeout))
        .timeout_connect(Some(options.connect_timeout))
        .timeout_recv_response(Some(options.stall_timeout))
        .timeout_per_read(Some(options.stall_timeout))
        .timeout_per_write(Some(options.stall_timeout))
        .build()
        .new_agent()
}

/// Waits until no other process or thread downloads into `folder`. The lock ends with the value.
fn lock(folder: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<fs::File, Error> {
    let path = folder.join("mnist.lock");
    let mut open = OpenOptions::new();
    let file = open.create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|source| write_error(&path, source))?;
    let start = Instant::now();
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(write_error(&path, source)),
            Err(TryLockError::WouldBlock) if start.elapsed() > LOCK_WAIT => {
                let seconds = LOCK_WAIT.as_secs();
                return Err(Error::Busy { path, seconds });
            }
            Err(TryLockError::WouldBlock) => {
                if !told {
                    progress(Progress::Waiting { folder });
                    told = true;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}
