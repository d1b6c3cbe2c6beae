//! A program that was built with a key uses signed packs only. Build this with
//! `HEADSTART_FAMILY=camera-2 HEADSTART_KEYS=` and the two keys that the first assertion shows.

mod common;

use common::{Bench, tiny_pack};
use ed25519_dalek::{Signer, SigningKey};
use headstart::pack::sign;

fn public(secret: [u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(&secret).verifying_key().to_bytes()
}

fn signed(secret: [u8; 32], family: &str, counter: u64) -> Vec<u8> {
    let key = SigningKey::from_bytes(&secret);
    let signer = |message: &[u8; headstart::pack::MESSAGE_BYTES]| key.sign(message).to_bytes();
    sign(&tiny_pack(2, None), family, counter, &public(secret), signer).unwrap()
}

#[test]
fn only_packs_of_the_maker_are_used_and_no_older_ones() {
    let hex = |key: [u8; 32]| key.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let keys = [public([1; 32]), public([2; 32])].map(hex).join(",");
    assert_eq!(env!("HEADSTART_KEYS"), keys);
    let bench = Bench::new();
    bench.colours("data", 0, 3);
    let learn = ["--data", "data", "--state", "state"];
    let predict = ["--state", "state", "data/red/0.png"];
    let put = |pack: Vec<u8>| std::fs::write(&bench.pack, pack).unwrap();
    for (pack, words) in [
        (tiny_pack(2, None), "not signed"),
        (signed([3; 32], "camera-2", 5), "not trusted here"),
        (signed([1; 32], "camera-3", 5), "another family"),
    ] {
        put(pack);
        for (command, arguments) in [("learn", &learn[..]), ("predict", &predict)] {
            let message = bench.refusal(1, command, arguments);
            assert!(message.contains(words), "{message}");
        }
        assert!(!bench.path("state").exists());
    }
    put(signed([1; 32], "camera-2", 5));
    bench.json("learn", &learn);
    bench.json("predict", &predict);
    // The second key, and a new counter: the state stays.
    put(signed([2; 32], "camera-2", 6));
    bench.json("learn", &learn);
    put(signed([1; 32], "camera-2", 5));
    for (command, arguments) in [("learn", &learn[..]), ("predict", &predict)] {
        let message = bench.refusal(1, command, arguments);
        assert!(message.contains("security counter 5"), "{message}");
    }
    put(signed([2; 32], "camera-2", 6));
    bench.json("forget", &["--state", "state", "--yes"]);
    put(signed([1; 32], "camera-2", 5));
    assert!(bench.refusal(1, "learn", &learn).contains("security counter 5"));
}
