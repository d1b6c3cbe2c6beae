//! Packs and head records of every version before open with today's library; `tests/golden` holds them.

#[path = "../golden/golden.rs"]
mod golden;

use golden::{Golden, Part};
use headstart::Error;
use headstart::head::HeadRecord;
use headstart::pack::{Pack, Trust};
use headstart::tail::Tail;
use serde_json::{Value as Json, json};

/// The public key of the maker whose secret is 32 bytes of 1.
const MAKER: [u8; 32] = [
    0x8a, 0x88, 0xe3, 0xdd, 0x74, 0x09, 0xf1, 0x95, 0xfd, 0x52, 0xdb, 0x2d, 0x3c, 0xba, 0x5d, 0x72,
    0xca, 0x67, 0x09, 0xbf, 0x1d, 0x94, 0x12, 0x1b, 0xf3, 0x74, 0x88, 0x01, 0xb4, 0x0f, 0x6f, 0x5c,
];

/// What a pack says of itself, under the names that were recorded.
fn said(pack: &Pack<'_>) -> Result<Json, Error> {
    let (provenance, input, plan) = (pack.provenance(), pack.input(), pack.plan());
    let tail = Tail::parse(pack)?;
    let parameters = tail.map_or(0, |tail| {
        let values = tail.parameters().into_iter().map(|id| &tail.graph.values[id]);
        values.map(|value| value.constant.as_ref().map_or(0, |data| data.len())).sum()
    });
    let head = pack.head().map(HeadRecord::parse).transpose()?;
    Ok(json!({
        "model": provenance.model,
        "freeze_point": provenance.freeze_point,
        "backbone_digest": hex(&pack.backbone_digest()),
        "features": pack.feature_len(),
        "input": [input.height, input.width, input.channels],
        "max_classes": plan.max_classes,
        "ram_bytes": plan.ram_bytes(),
        "head_classes": head.map(|head| head.labels().collect::<Vec<_>>()),
        "tail_parameters": parameters,
    }))
}

#[test]
fn golden_packs_open_and_say_what_they_said() {
    for golden in Golden::all() {
        let recorded = golden.json("packs.json");
        let packs = recorded.as_object().expect("packs");
        assert!(packs.len() > 5);
        for (name, recorded) in packs {
            let file = format!("packs/{name}.hspk");
            let bytes = golden.read(&file);
            match Pack::open(&bytes).and_then(|pack| said(&pack)) {
                Ok(said) => golden.expect_same(Part::Pack, &file, "it says", [&said, recorded]),
                Err(error) => golden.broken(Part::Pack, &file, &error.to_string()),
            }
        }
    }
}

#[test]
fn a_golden_signature_is_trusted_by_its_own_key_family_and_counter_only() {
    for golden in Golden::all() {
        let bytes = golden.read("packs/signed.hspk");
        let open = |keys: &[[u8; 32]], family, least_counter| {
            Pack::open_trusted(&bytes, &Trust { keys, family, least_counter })
                .map(|(_, counter)| counter)
        };
        if open(&[MAKER], "camera-2", 3) != Ok(3) {
            golden.broken(Part::Pack, "packs/signed.hspk", "its signature is no longer trusted");
        }
        assert_eq!(open(&[MAKER], "camera-3", 3), Err(Error::OtherFamily));
        assert_eq!(open(&[MAKER], "camera-2", 4), Err(Error::Downgrade { found: 3, least: 4 }));
        assert!(matches!(open(&[[2; 32]], "camera-2", 3), Err(Error::UnknownKey { .. })));
    }
}

#[test]
fn golden_head_records_of_both_versions_are_read() {
    for golden in Golden::all() {
        let mut versions = [0; 2];
        for case in golden.json("states.json")["states"].as_array().expect("states") {
            if case["engine"] == true {
                continue;
            }
            let file = format!("states/{}/head.hshr", case["name"].as_str().expect("a name"));
            let bytes = golden.read(&file);
            let record = HeadRecord::parse(&bytes)
                .unwrap_or_else(|error| golden.broken(Part::State, &file, &error.to_string()));
            let classes = case["learned"]["classes"].as_array().expect("classes");
            let labels: Vec<_> = record.labels().collect();
            let recorded: Vec<_> =
                classes.iter().map(|class| class["name"].as_str().expect("a name")).collect();
            golden.expect_same(Part::State, &file, "its classes", [&labels, &recorded]);
            versions[usize::from(record.backbone_digest().len() == 8)] += 1;
        }
        assert!(versions.iter().all(|&count| count > 0), "{versions:?}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
