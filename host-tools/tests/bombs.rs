//! Model files that ask for all they can end soon and in little memory. `tests/long/bombs` tries far more of them.

#[path = "../../tests/fuzz/src/bombs/mod.rs"]
#[allow(
    missing_docs,
    dead_code,
    unreachable_pub,
    reason = "a part of the program that tries them for minutes"
)]
mod bombs;

use std::path::Path;

use bombs::watched::{Limits, run};

/// Seconds of all processors together, however busy they are: twice the five that `tests/long/bombs` holds them to, for machines that are
/// half as fast.
const LIMITS: Limits = Limits { seconds: 10.0, bytes: 512 << 20 };

#[test]
fn a_model_file_of_any_kind_is_inspected_and_packed_within_its_budget() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("pictures");
    for (class, light) in [("dark", 40), ("light", 200)] {
        std::fs::create_dir_all(pictures.join(class)).unwrap();
        let picture = image::RgbImage::from_fn(8, 8, |x, y| {
            image::Rgb([light + x as u8, light + y as u8, light])
        });
        for name in ["a.png", "b.png"] {
            picture.save(pictures.join(class).join(name)).unwrap();
        }
    }
    let program = Path::new(env!("CARGO_BIN_EXE_headstart"));
    // One of each kind.
    for number in 0..bombs::kinds() {
        let bomb = bombs::bomb(number);
        let model = folder.path().join(format!("{number}.{}", bomb.format));
        std::fs::write(&model, &bomb.bytes).unwrap();
        let pack = folder.path().join("model.hspk");
        let [model, pack, pictures] = [&model, &pack, &pictures].map(|path| path.to_str().unwrap());
        let packing = ["pack", model, "--calib", pictures, "--preprocess", "unit", "-o", pack];
        let choosing = [&packing[..], &["--freeze", "auto", "--data", pictures]].concat();
        for arguments in [&["inspect", model][..], &packing, &choosing] {
            let taken = run(program, arguments, LIMITS);
            assert!(
                taken.is_fine(LIMITS),
                "{}: {arguments:?} of {} bytes: {taken:?}",
                bomb.kind,
                bomb.bytes.len()
            );
        }
    }
}
