//! A model file on the host: a small program of its own, compiled around the very file that the firmware is.

use crate::firmware::{hex, model_hash};
use crate::integers::Engine;
use crate::toolchain::target_folder;
use anyhow::{Context, Result, bail};
use motenet_quant::Softmax;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The running program; dropping it ends it.
pub(crate) struct Twin {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    /// The model's own.
    pub(crate) softmax: Softmax,
}

impl Twin {
    /// Compiles `model` and starts it.
    pub(crate) fn start(model: &Path) -> Result<Self> {
        let program = compile(model)?;
        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let (Some(stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("{} has no pipes", program.display());
        };
        let mut numbers = [[0; 4]; 4];
        stdout.read_exact(numbers.as_flattened_mut()).context("the model's program is silent")?;
        let [limit, multiplier, drop, shift] = numbers.map(u32::from_le_bytes);
        let softmax = Softmax::from_parts(
            limit,
            u16::try_from(multiplier)?,
            u8::try_from(drop)?,
            u8::try_from(shift)?,
        );
        let softmax = softmax.context("the model's softmax can overflow: export it anew")?;
        Ok(Twin { child, stdin, stdout, softmax })
    }

    fn ask(&mut self, image: &[u8; 784]) -> io::Result<[i32; 10]> {
        self.stdin.write_all(image)?;
        self.stdin.flush()?;
        let mut logits = [[0; 4]; 10];
        self.stdout.read_exact(logits.as_flattened_mut())?;
        Ok(logits.map(i32::from_le_bytes))
    }
}

impl Engine for Twin {
    fn logits(&mut self, image: &[u8; 784]) -> [i32; 10] {
        // Logits that no network gives: if the program has gone, every comparison shows it.
        self.ask(image).unwrap_or([i32::MIN; 10])
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn compile(model: &Path) -> Result<PathBuf> {
    let model = fs::canonicalize(model)
        .with_context(|| format!("reading the model {} failed", model.display()))?;
    let folder = target_folder().join("twin");
    fs::create_dir_all(&folder).with_context(|| format!("making {} failed", folder.display()))?;
    let program =
        folder.join(format!("{}{}", hex(&model_hash(&model)?), std::env::consts::EXE_SUFFIX));
    let lock = File::create(folder.join("lock")).context("making a lock file failed")?;
    lock.lock().context("locking the folder of models failed")?;
    let output = crate::cargo()
        .args(["build", "--quiet", "--package", "motenet-twin"])
        .args(["--message-format", "json-render-diagnostics"])
        .env("MOTENET_MODEL", &model)
        .stderr(Stdio::inherit())
        .output()
        .context("could not start `cargo`")?;
    if !output.status.success() {
        bail!("building {} for the host failed: cargo says why above", model.display());
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let built = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
        .context("cargo built no program, expected `motenet-twin`")?;
    let _ = fs::remove_file(&program);
    fs::copy(&built, &program).with_context(|| format!("writing {} failed", program.display()))?;
    Ok(program)
}
