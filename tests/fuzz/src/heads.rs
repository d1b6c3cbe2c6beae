//! Fuzzes what is learned: head records, and what stands before them.

use std::path::Path;
use std::sync::LazyLock;

use headstart::head::HeadRecord;
use headstart::pack::{Pack, TailStorage};
use headstart::session::Session;
use headstart::store::Store;
use headstart::tail::{Tail, TailRecord};
use headstart_device::Head;
use sha2::{Digest, Sha256};

use crate::{BACKBONE, pack_with_tail, sealed, small_pack};

/// Parses a head record, as it is and with the right digest of either version.
pub fn head(data: &[u8]) {
    let body = &data[..data.len().saturating_sub(8)];
    let compact = [body, &Sha256::digest(body)[..8]].concat();
    for bytes in [data.to_vec(), sealed(data), compact] {
        let Ok(record) = HeadRecord::parse(&bytes) else { continue };
        let (classes, features) = (record.classes(), record.feature_len());
        let (mut weights, mut bias) = (vec![0.0; classes * features], vec![0.0; classes]);
        record.read(&mut weights, &mut bias).unwrap();
        assert!(weights.iter().chain(&bias).all(|number| number.is_finite()));
        assert_eq!(record.labels().count(), classes);
        assert_eq!(record.samples().count(), classes);
        session(&record, &bytes);
    }
}

/// A record in memory.
struct Kept(Vec<u8>);

impl Store for Kept {
    type Error = ();

    fn load(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, ()> {
        if let Some(place) = buffer.get_mut(..self.0.len()) {
            place.copy_from_slice(&self.0);
        }
        Ok(Some(self.0.len()))
    }

    fn commit(&mut self, record: &[u8]) -> Result<(), ()> {
        self.0 = record.to_vec();
        Ok(())
    }
}

/// What a device does with a head of one feature: its numbers stay numbers.
fn session(record: &HeadRecord<'_>, bytes: &[u8]) {
    static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| small_pack(None));
    static PACK: LazyLock<Pack<'_>> = LazyLock::new(|| Pack::open(&FILE).unwrap());
    if record.feature_len() != 1 {
        return;
    }
    // Bound to the pack's backbone, whatever the record says.
    let digest = PACK.backbone_digest();
    let mut bytes = bytes.to_vec();
    let place = if record.backbone_digest().len() == 8 { 4..12 } else { 44..76 };
    let length = place.len();
    bytes[place].copy_from_slice(&digest[..length]);
    let end = bytes.len() - length;
    let seal = Sha256::digest(&bytes[..end]);
    bytes[end..].copy_from_slice(&seal[..length]);
    HeadRecord::parse_for(&bytes, &digest).unwrap();

    let ram_bytes = PACK.plan().ram_bytes() as usize;
    let mut ram = vec![0_u32; ram_bytes.div_ceil(4)];
    let ram = &mut bytemuck::cast_slice_mut(&mut ram)[..ram_bytes];
    let Ok(mut session) = Session::open(&PACK, ram, Kept(bytes)) else { return };
    for input in [[-128; 16], [127; 16]] {
        let answer = session.predict(&input).unwrap();
        assert!((0.0..=1.0).contains(&answer.probability), "{answer:?}");
        let label = session.labels().next().unwrap().to_owned();
        assert!(session.learn(&input, &label).unwrap().is_finite());
    }
    session.commit().unwrap();
    session.revert().unwrap();
}

/// Parses a hidden layer and the head record behind it, with right digests.
pub fn hidden(data: &[u8]) {
    let mut bytes = sealed(data);
    let number = |at: usize| u32::from_le_bytes(data[at..at + 4].try_into().unwrap()) as usize;
    if data.len() >= 20 {
        let body = number(12).saturating_add(1).saturating_mul(number(16));
        let body = body.saturating_mul(4).saturating_add(20);
        if body.saturating_add(64) <= data.len() {
            let digest = Sha256::digest(&bytes[..body]);
            bytes[body..body + 32].copy_from_slice(&digest);
            let record = sealed(&bytes[body + 32..]);
            bytes.truncate(body + 32);
            bytes.extend(record);
        }
    }
    if let Ok(head) = Head::parse(Path::new("head.hshr"), &bytes, &BACKBONE) {
        let features =
            head.layers().next().map_or(0, |layer| layer.weights.len() / layer.bias.len());
        let answer = head.answer(&vec![1; features]).unwrap();
        assert!(answer.class < head.labels().len());
    }
}

/// Parses what was learned of a tail, with the right digest.
pub fn tail_record(data: &[u8]) {
    static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| pack_with_tail(TailStorage::F32));
    static TAIL: LazyLock<(Tail, [u8; 32])> = LazyLock::new(|| {
        let pack = Pack::open(&FILE).unwrap();
        (Tail::parse(&pack).unwrap().unwrap(), pack.backbone_digest())
    });
    let (tail, backbone) = &*TAIL;
    let mut bytes = data.to_vec();
    if let Some(length) = data.get(48..52) {
        bytes[16..48].copy_from_slice(backbone);
        let length = u32::from_le_bytes(length.try_into().unwrap()) as usize;
        let end = length.saturating_add(52);
        if end.saturating_add(32) <= data.len() {
            let digest = Sha256::digest(&bytes[..end]);
            bytes[end..end + 32].copy_from_slice(&digest);
        }
    }
    if let Ok((record, rest)) = TailRecord::split(&bytes, tail, backbone) {
        assert!(rest.len() <= data.len());
        let storage = [TailStorage::F32, TailStorage::F16][usize::from(bytes[10])];
        let again = record.emit(tail, backbone, storage).unwrap();
        assert_eq!(again, bytes[..bytes.len() - rest.len()]);
        record.apply(&mut tail.clone());
    }
}
