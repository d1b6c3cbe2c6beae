//! The packs in the folder HEADSTART_PACKS on Burn backends against the int8 kernels, value by value. `tests/engines/run MODELS`
//! makes them and runs this.

mod beside;

use std::path::PathBuf;

use beside::check;
use headstart::pack::Pack;

#[test]
fn packs_in_a_folder_give_the_kernels_integers_on_every_backend() {
    let folder = PathBuf::from(std::env::var_os("HEADSTART_PACKS").expect("HEADSTART_PACKS"));
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "hspk"));
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        let pack = Pack::open(&bytes).unwrap();
        let elements = pack.value(0).unwrap().elements() as usize;
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 as i8
        };
        let mut samples: Vec<i8> = (0..2 * elements).map(|_| noise()).collect();
        // Smooth, and as black and as white as can be.
        samples.extend((0..elements).map(|at| (at * 256 / elements) as u8 as i8));
        samples.extend((0..2 * elements).map(|at| if at < elements { -128 } else { 127 }));
        check(&path.file_name().unwrap().to_string_lossy(), &pack, &samples);
    }
}
