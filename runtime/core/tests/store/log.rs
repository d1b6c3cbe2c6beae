//! Power cuts at every operation of a log of features.

use headstart::store::{FeatureLog, Flash, Geometry, LogRegion, StoreError};

use super::medium::{Cut, Medium, MediumError, Torn};
use super::{BACKBONE, TORN, moments};

/// Every word size, read in words or in bytes, and both erased values.
fn log_geometries() -> impl Iterator<Item = Geometry> {
    [1, 4, 8, 32, 64, 256].into_iter().flat_map(|write| {
        [1, write].into_iter().flat_map(move |read| {
            [0xFF, 0x00].map(|erased| Geometry { capacity: 8192, read, write, erase: 512, erased })
        })
    })
}

/// The features of a sample, which say which filling of the log it belongs to.
fn row(filling: i8, sample: u16, features: u32) -> Vec<i8> {
    (0..features).map(|at| filling ^ (u32::from(sample) * 7 + at) as i8).collect()
}

/// More entries than one block has at the larger words.
const LOG: LogRegion = LogRegion { start: 1024, samples: 6 };

fn open_log(
    medium: &mut Medium,
    features: u32,
) -> Result<FeatureLog<&mut Medium>, StoreError<MediumError>> {
    FeatureLog::open(medium, LOG, &BACKBONE, features)
}

/// A log that is cleared and filled anew, with a cut anywhere: its samples are the first ones of the old
/// filling, or all acknowledged ones of the new one, whole.
#[test]
fn a_log_of_features_that_is_cleared_and_refilled_shows_whole_samples_after_any_cut() {
    const OLD: u16 = 5;
    let (mut cuts, mut olds, mut news) = (0_u64, 0_u64, 0_u64);
    for (number, geometry) in log_geometries().enumerate() {
        let features = 96_u32.next_multiple_of(geometry.write);
        for seed in [0, 1] {
            let mut medium = Medium::new(geometry, 2 * number as u64 + seed);
            let mut log = open_log(&mut medium, features).unwrap();
            for sample in 0..OLD {
                log.append(sample, &row(0, sample, features)).unwrap();
            }
            let snapshot = medium.clone();
            for (torn, moment) in
                TORN.into_iter().flat_map(|torn| moments().into_iter().map(move |m| (torn, m)))
            {
                for change in 0.. {
                    medium.restore(&snapshot);
                    medium.arm(Some(Cut { change, moment, torn }));
                    let mut log = open_log(&mut medium, features).unwrap();
                    assert_eq!(log.len(), OLD);
                    let cleared = log.clear(&BACKBONE).is_ok();
                    let mut acknowledged = 0;
                    while log.append(acknowledged, &row(-1, acknowledged, features)).is_ok() {
                        acknowledged += 1;
                    }
                    if acknowledged == LOG.samples {
                        break;
                    }
                    medium.arm(None);
                    let mut log = open_log(&mut medium, features).unwrap();
                    let (found, start) = (log.len(), log.features_start());
                    if cleared {
                        assert!(found == acknowledged || found == acknowledged + 1);
                        news += u64::from(found);
                    } else {
                        assert!(found <= OLD);
                        olds += u64::from(found);
                    }
                    for sample in 0..found {
                        match log.class(sample) {
                            Ok(None) | Err(_) => assert_eq!(torn, Torn::Weak),
                            class => assert_eq!(class, Ok(Some(sample))),
                        }
                    }
                    if found > 0 {
                        let refused = log.append(0, &row(0, 0, features));
                        assert!(matches!(refused, Err(StoreError::TooLong { .. })));
                    }
                    for sample in 0..found {
                        let mut bytes = vec![0; features as usize];
                        medium.read(start + u32::from(sample) * features, &mut bytes).unwrap();
                        let expected = row(if cleared { -1 } else { 0 }, sample, features);
                        assert_eq!(bytemuck::cast_slice::<u8, i8>(&bytes), expected);
                    }
                    let mut log = open_log(&mut medium, features).unwrap();
                    log.clear(&BACKBONE).unwrap();
                    log.append(9, &row(3, 9, features)).unwrap();
                    assert_eq!(open_log(&mut medium, features).unwrap().class(0), Ok(Some(9)));
                    cuts += 1;
                }
            }
            medium.arm(None);
            assert_eq!(
                FeatureLog::open(&mut medium, LOG, &[8; 32], features).unwrap().len(),
                0,
                "another backbone's samples are cleared"
            );
        }
    }
    println!("{cuts} cuts: {olds} samples of the old filling, {news} of the new one");
    assert!(cuts > 10_000 && olds > 0 && news > 0, "{cuts} {olds} {news}");
}
