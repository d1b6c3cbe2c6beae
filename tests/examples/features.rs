//! What a backbone makes of inputs that other programs give: `features PACK < inputs > features`.
//!
//! An input is the model's own one, float32, little-endian, in the model's own order of axes. For each of them come
//! the features, int8 in the order of the pack, and the best class of the pack's head as four bytes, little-endian;
//! `ffffffff` without a head. What the features' integers mean stands on standard error: `scale S, zero point Z`.

use std::error::Error;
use std::io::{BufWriter, ErrorKind, Read, Write, stdin, stdout};

use headstart::backbone::Backbone;
use headstart::head::HeadRecord;
use headstart::pack::Pack;
use headstart::preprocess;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: features PACK < inputs > features")?;
    let bytes = std::fs::read(path)?;
    let pack = Pack::open(&bytes)?;
    let elements = pack.value(0)?.elements() as usize;
    let last = pack.value(pack.node_count())?;
    eprintln!("scale {}, zero point {}", last.scale, last.zero_point);
    let mut arena = vec![0; pack.plan().arena_bytes as usize];
    let (mut raw, mut input) = (vec![0; 4 * elements], vec![0; elements]);
    let mut features = vec![0; pack.feature_len()];
    let head = pack.head().map(HeadRecord::parse).transpose()?;
    let head = head.map(|head| {
        let (mut weights, mut bias) =
            (vec![0.0; head.classes() * head.feature_len()], vec![0.0; head.classes()]);
        head.read(&mut weights, &mut bias).map(|()| (weights, bias))
    });
    let head = head.transpose()?;
    let (mut from, mut to) = (stdin().lock(), BufWriter::new(stdout().lock()));
    loop {
        match from.read_exact(&mut raw) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(to.flush()?),
            Err(error) => return Err(error.into()),
        }
        let values = raw.as_chunks().0.iter().map(|&word| f32::from_le_bytes(word));
        preprocess::values(&pack, values, &mut input)?;
        Backbone::new(pack, &mut arena)?.features_into(&input, &mut features)?;
        let answer = head.as_ref().map_or(u32::MAX, |(weights, bias)| {
            let rows = weights.chunks_exact(features.len()).zip(bias);
            let logit = |(row, bias): (&[f32], &f32)| {
                row.iter().zip(&features).fold(*bias, |sum, (w, &q)| sum + w * f32::from(q))
            };
            let best = rows.map(logit).enumerate().reduce(|a, b| if b.1 > a.1 { b } else { a });
            best.map_or(u32::MAX, |(class, _)| class as u32)
        });
        to.write_all(&features.iter().map(|q| q.cast_unsigned()).collect::<Vec<u8>>())?;
        to.write_all(&answer.to_le_bytes())?;
    }
}
