//! One file from one mirror: request, resume, receive, verify, put in place.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::{File, Options, Pinned, Progress, checked_images, checked_labels};
use crate::Error;

/// Tries that a mirror gets for one file.
const ATTEMPTS: usize = 4;

/// Bytes within `stall_timeout` under which a transfer has stalled.
const TRICKLE: u64 = 1024;

/// Why a try did not bring the file.
enum Failure {
    /// The transfer broke: what came is kept, and the rest may still come.
    Broken(String),
    /// This mirror has not got the file.
    Refused(String),
    /// The whole file is here and is wrong; `resumed` tells whether an old part was in it.
    Wrong { reason: String, resumed: bool },
    /// Our own disk: no mirror can help.
    Local(Error),
}

/// One file from one mirror.
pub(super) struct Transfer<'a> {
    pub(super) agent: &'a ureq::Agent,
    pub(super) options: &'a Options,
    pub(super) file: File,
    /// Where the bytes are collected.
    pub(super) part: PathBuf,
    pub(super) url: String,
}

impl Transfer<'_> {
    /// `None` when the file is in its place, else why this mirror is given up.
    pub(super) fn run(
        &self,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Option<String>, Error> {
        let mut last = String::new();
        for _ in 0..ATTEMPTS {
            let before = self.part_length();
            let failure = match self.attempt(before, progress) {
                Ok(()) => return self.put_in_place().map(|()| None),
                Err(failure) => failure,
            };
            let again;
            (last, again) = match failure {
                Failure::Local(error) => return Err(error),
                Failure::Broken(reason) => (reason, self.part_length() > before),
                Failure::Refused(reason) => (reason, false),
                Failure::Wrong { reason, resumed } => {
                    // Of a resumed file the old part may be to blame, so once more from the start.
                    self.remove_part()?;
                    (reason, resumed)
                }
            };
            let url = &self.url;
            progress(Progress::Failed { url, reason: &last });
            if !again {
                break;
            }
        }
        Ok(Some(last))
    }

    fn part_length(&self) -> u64 {
        fs::metadata(&self.part).map_or(0, |metadata| metadata.len())
    }

    fn remove_part(&self) -> Result<(), Error> {
        match fs::remove_file(&self.part) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(write_error(&self.part, source))
            }
            _ => Ok(()),
        }
    }

    fn pinned(&self) -> &Pinned {
        &self.options.pinned[self.file as usize]
    }

    /// The most that the compressed file can sensibly be: deflate stores what it cannot shrink.
    fn most(&self) -> u64 {
        let item = if self.file.is_images() { crate::PIXELS } else { 1 };
        (self.pinned().count * item) as u64 + (1 << 20)
    }

    /// One request: continues the part of `from` bytes, or starts it, and verifies the whole.
    fn attempt(&self, from: u64, progress: &mut dyn FnMut(Progress<'_>)) -> Result<(), Failure> {
        let url = self.url.as_str();
        progress(Progress::Connecting { url, from });
        let mut request = self.agent.get(url);
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        let mut response = request.call().map_err(|error| Failure::Broken(one_line(&error)))?;
        let header = |name| response.headers().get(name)?.to_str().ok();
        let (from, total) = match response.status().as_u16() {
            200 => (0, header("Content-Length").and_then(|text| text.parse().ok())),
            206 if from > 0 => match header("Content-Range").and_then(content_range) {
                Some((start, total)) if start == from => (from, total),
                _ => return Err(self.start_again("the server sent another range than asked for")),
            },
            // The part is as long as the file, or longer: whole or wrong.
            416 if from > 0 => return self.verify(true),
            status => return Err(Failure::Refused(format!("HTTP status {status}"))),
        };
        if total.is_some_and(|total| total > self.most()) {
            return Err(Failure::Refused(self.too_big()));
        }
        let mut part = self.open_part(from)?;
        let mut body = response.body_mut().with_config().limit(u64::MAX).reader();
        self.receive(&mut body, &mut part, from, total, progress)?;
        part.sync_all().map_err(|source| self.local(source))?;
        self.verify(from > 0)
    }

    fn open_part(&self, from: u64) -> Result<fs::File, Failure> {
        let mut open = OpenOptions::new();
        let open = if from > 0 { open.append(true) } else { open.write(true).truncate(true) };
        open.create(true).open(&self.part).map_err(|source| self.local(source))
    }

    /// Copies the body to the part. What came before a failure stays in it.
    fn receive(
        &self,
        body: &mut impl Read,
        part: &mut impl Write,
        from: u64,
        total: Option<u64>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Failure> {
        let mut buffer = vec![0; 1 << 16];
        let mut bytes = from;
        let (mut window, mut in_window) = (Instant::now(), 0);
        loop {
            let got = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Failure::Broken(self.cut(bytes, total, &one_line(&error))));
                }
            };
            bytes += got as u64;
            if bytes > self.most() {
                return Err(Failure::Wrong { reason: self.too_big(), resumed: from > 0 });
            }
            part.write_all(&buffer[..got]).map_err(|source| self.local(source))?;
            let file = self.file.name();
            progress(Progress::Received { file, bytes, total });
            in_window += got as u64;
            if in_window >= TRICKLE {
                (window, in_window) = (Instant::now(), 0);
            } else if window.elapsed() > self.options.stall_timeout {
                return Err(Failure::Broken(self.cut(bytes, total, "the server is too slow")));
            }
        }
        match total {
            Some(total) if bytes < total => {
                Err(Failure::Broken(self.cut(bytes, Some(total), "the server hung up")))
            }
            _ => Ok(()),
        }
    }

    /// Checks the part against the pinned hash.
    fn verify(&self, resumed: bool) -> Result<(), Failure> {
        let checked = if self.file.is_images() {
            checked_images(&self.part, self.pinned()).map(drop)
        } else {
            checked_labels(&self.part, self.pinned()).map(drop)
        };
        match checked {
            Ok(()) => Ok(()),
            Err(error @ (Error::Denied { .. } | Error::Read { .. })) => Err(Failure::Local(error)),
            Err(Error::Checksum { found, expected, .. }) => Err(Failure::Wrong {
                reason: format!("SHA-256 of the content is {found}, expected {expected}"),
                resumed,
            }),
            Err(error) => Err(Failure::Wrong { reason: one_line(&error), resumed }),
        }
    }

    /// Gives the verified part its final name, and makes the name last.
    fn put_in_place(&self) -> Result<(), Error> {
        let path = self.part.with_extension("");
        // A part that was whole before we came has not been flushed by us.
        fs::File::open(&self.part)
            .and_then(|part| part.sync_all())
            .and_then(|()| fs::rename(&self.part, &path))
            .map_err(|source| write_error(&path, source))?;
        // The rename itself lasts only when the folder is flushed; not every system can do that.
        if let Some(Ok(folder)) = self.part.parent().map(fs::File::open) {
            let _ = folder.sync_all();
        }
        Ok(())
    }

    fn start_again(&self, reason: &str) -> Failure {
        Failure::Wrong { reason: reason.into(), resumed: true }
    }

    fn too_big(&self) -> String {
        format!("the server offers more than the {} bytes that the file can have", self.most())
    }

    fn cut(&self, bytes: u64, total: Option<u64>, why: &str) -> String {
        match total {
            Some(total) => format!("{why} after {bytes} of {total} bytes"),
            None => format!("{why} after {bytes} bytes"),
        }
    }

    fn local(&self, source: io::Error) -> Failure {
        Failure::Local(write_error(&self.part, source))
    }
}

/// The start and the total of `bytes START-END/TOTAL`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()))
}

/// A message in one line of at most 200 characters: parts of it may come from a server.
fn one_line(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(200).collect()
}

pub(super) fn write_error(path: &Path, source: io::Error) -> Error {
    let path = path.into();
    Error::Write { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 0-0/*"), Some((0, None)));
        for bad in ["", "bytes", "bytes */10", "lines 1-2/3", "bytes -1-2/3", "bytes 1/2"] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn messages_stay_on_one_short_line() {
        let text = one_line(&format!("a\nb\r\n\u{1b}[31m{}", "x".repeat(999)));
        assert!(text.starts_with("a b  "));
        assert_eq!(text.chars().count(), 200);
        assert!(!text.chars().any(char::is_control));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_our_own_trouble() {
        let options = Options::default();
        let transfer = Transfer {
            agent: &ureq::agent(),
            options: &options,
            file: File::TestLabels,
            part: "/dev/full".into(),
            url: String::new(),
        };
        let mut full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let failure = transfer.receive(&mut &[1_u8; 9][..], &mut full, 0, None, &mut |_| ());
        let Err(Failure::Local(error @ Error::Write { .. })) = failure else {
            panic!("expected a local failure");
        };
        assert!(error.to_string().contains("No space left"), "{error}");
    }
}
