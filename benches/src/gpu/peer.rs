//! Another program that trains the same networks: `benches/peers/gpu.py`.
//!
//! It is a process that trains an epoch when it is asked to, so that its epochs alternate with ours. It says
//! first, on one line with tabs between, what it is and in which ways it trains. After that it gets a line
//! for each epoch (`shape TAB batch TAB way`) and answers it with the seconds and the mean loss, or with
//! `error` and a sentence.

use super::contenders::Epoch;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The process. It ends when its input does.
pub(super) struct Peer {
    child: Child,
    /// `None` when it is told to end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    name: String,
    ways: Vec<String>,
}

impl Peer {
    /// Starts `command`, its words divided by spaces, for epochs of `samples`.
    pub(super) fn start(command: &str, samples: u32) -> Result<Self, String> {
        let mut words = command.split_whitespace();
        let program = words.next().ok_or("--peer names no program")?;
        let mut child = Command::new(program)
            .args(words)
            .args(["--samples", &samples.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.map(BufReader::new).ok_or("it has no output")?;
        let mut peer = Peer { child, input, output, name: String::new(), ways: Vec::new() };
        let line = peer.line()?;
        let mut fields = line.split('\t').map(str::to_owned);
        peer.name = fields.next().unwrap_or_default();
        peer.ways = fields.collect();
        match peer.ways.is_empty() {
            false => Ok(peer),
            true => Err(peer.name.clone()),
        }
    }

    /// What it calls itself.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The ways in which it trains.
    pub(super) fn ways(&self) -> &[String] {
        &self.ways
    }

    /// Has it train another epoch, from the start where it did something else before.
    pub(super) fn epoch(&mut self, shape: &str, batch: u32, way: &str) -> Result<Epoch, String> {
        let input = self.input.as_mut().ok_or("it was told to end")?;
        writeln!(input, "{shape}\t{batch}\t{way}").map_err(|error| error.to_string())?;
        let line = self.line()?;
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        let (seconds, loss) = (next(), next());
        match (seconds.parse(), loss.parse()) {
            (Ok(seconds), Ok(loss)) => Ok(Epoch { seconds, loss, accuracy: None }),
            _ if seconds == "error" => Err(loss.to_owned()),
            _ => Err(format!("it answered {line:?}, expected seconds and a loss")),
        }
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|error| error.to_string())?;
        match line.trim_end() {
            "" => Err("it ended without an answer".into()),
            line => Ok(line.to_owned()),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait(); // it has nothing left to say
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::Peer;
    use std::path::PathBuf;

    /// A program of `sh` that is a peer, and is gone when this is.
    struct Script(PathBuf);

    impl Script {
        fn new(name: &str, text: &str) -> Self {
            let name = format!("motenet-peer-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::write(&path, text).unwrap();
            Script(path)
        }

        fn start(&self, samples: u32) -> Result<Peer, String> {
            Peer::start(&format!("sh {}", self.0.display()), samples)
        }
    }

    impl Drop for Script {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn epochs_are_asked_for_one_by_one() {
        let script = Script::new(
            "good",
            "printf 'somebody on %s\\tone way\\tanother\\n' \"$2\"
             read -r line; printf '0.5\\t2.25\\n'
             read -r line; printf 'error\\tasked %s\\n' \"$line\"
             read -r line; echo nonsense",
        );
        let mut peer = script.start(64).unwrap();
        assert_eq!(peer.name(), "somebody on 64");
        assert_eq!(peer.ways(), ["one way", "another"]);
        let epoch = peer.epoch("784-64-10", 32, "one way").unwrap();
        assert_eq!((epoch.seconds, epoch.loss, epoch.accuracy), (0.5, 2.25, None));
        let mut fails = || peer.epoch("784-64-10", 32, "another").unwrap_err();
        assert_eq!(fails(), "asked 784-64-10\t32\tanother".split('\t').next().unwrap());
        assert!(fails().contains("\"nonsense\""));
        assert!(!fails().is_empty(), "it has ended");
    }

    #[test]
    fn a_peer_that_cannot_start_says_why() {
        let error = |command: &str| Peer::start(command, 1).err().unwrap();
        assert!(error("no-such-program x").starts_with("no-such-program: "));
        let of = |name, text| Script::new(name, text).start(1).err().unwrap();
        assert_eq!(of("silent", "exit 1"), "it ended without an answer");
        assert_eq!(of("why", "echo no torch here"), "no torch here");
        assert!(!error("").is_empty());
    }
}
