//! `bench`: time and memory of backbone, head and whole answer.

use std::process::ExitCode;

use headstart_device::bench::{Layer, Times};
use headstart_device::{BenchOptions, Error, Measured, RequestProblem};

use crate::cli::Bench;
use crate::output::{self, Report};

pub(crate) fn run(args: &Bench) -> anyhow::Result<ExitCode> {
    let options = super::options(args.state.as_deref());
    let options = options.threads(args.threads.into()).kernels(args.instructions.kernels());
    let refuse =
        |problem: RequestProblem| Error::Request { path: args.common.pack.clone(), problem };
    let device = args.backend.choose(options).map_err(refuse)?.open(&args.common.pack)?;
    if let Some(declined) = device.declined() {
        output::warn(&declined.to_string());
    }
    let measured = device.bench(BenchOptions { layers: args.layers })?;
    output::print(&measured, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Measured {
    fn text(&self) -> String {
        let times = [
            ("backbone", &self.backbone_ms, "ms"),
            ("whole prediction", &self.predict_ms, "ms"),
            ("head step", &self.head_step_us, "µs"),
        ];
        let row = |name: String, t: &Times, unit: &str| {
            vec![name, format!("{:.2} {unit}", t.median), format!("{:.2} {unit}", t.min)]
        };
        let mut times = times.map(|(name, t, unit)| row(name.to_owned(), t, unit)).to_vec();
        if let Some(batch) = &self.batch {
            times.push(row(
                format!("backbone, of {} at once", batch.samples),
                &batch.sample_ms,
                "ms",
            ));
        }
        if let Some(commit) = &self.commit {
            times.push(row("learning a batch of 10".to_owned(), &commit.learn_ms, "ms"));
            times.push(row("its commit".to_owned(), &commit.commit_ms, "ms"));
        }
        let sizes = [
            ("peak memory", self.peak_rss_bytes.map(|bytes| bytes as usize)),
            ("pack", Some(self.pack_bytes)),
            ("head", Some(self.head_bytes)),
        ];
        let sizes = sizes.map(|(name, n)| vec![name.to_owned(), output::bytes(n)]);
        let ran = match &self.backend {
            Some(backend) => backend.clone(),
            None => format!("{} thread(s), {} kernels", self.threads, self.isa),
        };
        let mut text = format!(
            "one sample on {ran}\n\n{}\n\n{}",
            output::table(&["time", "median", "minimum"], times),
            output::table(&["size", "bytes"], sizes)
        );
        if let Some(layers) = &self.layers {
            text += &format!("\n\n{}", table(layers));
        }
        text
    }
}

fn table(layers: &[Layer]) -> String {
    let rows = (0..).zip(layers).map(|(index, layer): (usize, _)| {
        let [height, width, channels] = layer.shape;
        // Operations a nanosecond are thousands a microsecond.
        let rate = layer.macs as f64 / layer.us.median / 1e3;
        vec![
            index.to_string(),
            layer.node.to_owned(),
            format!("{height}×{width}×{channels}"),
            output::thousands(layer.macs as usize),
            format!("{:.1} µs", layer.us.median),
            if layer.macs > 0 { format!("{rate:.1}") } else { String::new() },
        ]
    });
    output::table(&["node", "what", "result", "MACs", "median", "MACs/ns"], rows)
}
