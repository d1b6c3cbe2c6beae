//! What every worker of the peer benchmark shares: its arguments, its input, and the conversation with the driver.
//!
//! ```text
//! WORKER MODEL INPUT SHAPE ANSWER
//! ```
//!
//! `INPUT` holds the model's own input values as little-endian float32 in the order of `SHAPE`
//! (`1,3,224,224`). A worker loads `MODEL`, answers once, writes the answer to the file `ANSWER` in the same form
//! and prints `ready`. Then each line `run SECONDS` on standard input is answered by one JSON array: the times of single
//! answers in nanoseconds. It ends with its standard input.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// A round has at least so many answers, however long one takes.
const LEAST_ANSWERS: usize = 3;

/// The arguments of a worker.
pub struct Arguments {
    /// What the engine loads.
    pub model: PathBuf,
    /// The model's own input values.
    pub input: Vec<f32>,
    /// Their shape, batch included.
    pub shape: Vec<usize>,
    answer: PathBuf,
}

impl Arguments {
    /// Reads the command line and the input that it names.
    ///
    /// # Errors
    /// Says which argument is missing or which file does not fit.
    pub fn read() -> anyhow::Result<Self> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [model, input, shape, answer] = &arguments[..] else {
            bail!("arguments: MODEL INPUT SHAPE ANSWER");
        };
        let shape = shape.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>();
        let shape = shape.context("SHAPE: whole numbers with commas between them")?;
        let input = floats(Path::new(input))?;
        ensure!(
            input.len() == shape.iter().product::<usize>(),
            "{} values for the shape {shape:?}",
            input.len()
        );
        Ok(Self { model: model.into(), input, shape, answer: answer.into() })
    }

    /// Answers once, says so, and then answers whenever the driver asks for a round.
    ///
    /// # Errors
    /// The engine's, and those of files and pipes.
    pub fn serve(
        &self,
        mut answer: impl FnMut() -> anyhow::Result<()>,
        read: impl FnOnce() -> anyhow::Result<Vec<f32>>,
    ) -> anyhow::Result<()> {
        answer()?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "ready")?;
        out.flush()?;
        let bytes: Vec<u8> = read()?.into_iter().flat_map(f32::to_le_bytes).collect();
        std::fs::write(&self.answer, bytes)
            .with_context(|| format!("{}: writing the answer", self.answer.display()))?;
        for line in std::io::stdin().lock().lines() {
            let line = line?;
            let budget: f64 = match line.strip_prefix("run ") {
                Some(seconds) => seconds.trim().parse()?,
                None => bail!("'{line}' is not 'run SECONDS'"),
            };
            let times = round(Duration::from_secs_f64(budget), &mut answer)?;
            writeln!(out, "{}", serde_json::to_string(&times)?)?;
            out.flush()?;
        }
        Ok(())
    }
}

/// The times of single answers, as many as fit the budget, in nanoseconds.
fn round(
    budget: Duration,
    answer: &mut impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<Vec<u64>> {
    // Caches and clocks belong to the engine before.
    answer()?;
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < LEAST_ANSWERS || start.elapsed() < budget {
        let begun = Instant::now();
        answer()?;
        times.push(begun.elapsed().as_nanos() as u64);
    }
    Ok(times)
}

fn floats(path: &Path) -> anyhow::Result<Vec<f32>> {
    let bytes = std::fs::read(path).with_context(|| format!("{}: reading", path.display()))?;
    let (words, rest) = bytes.as_chunks();
    ensure!(rest.is_empty(), "{}: not whole float32 values", path.display());
    Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
}
