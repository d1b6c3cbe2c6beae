//! Learns pictures in exactly the memory that the pack plans, commits the head, and has it after a restart:
//! `cargo run -p headstart --example session -- MODEL.hspk`
//!
//! Everything that the session calls is without std and without a heap; only this program's own memory and file come from an
//! operating system.

use headstart::pack::Pack;
use headstart::preprocess::{self, Picture};
use headstart::session::Session;
use headstart::store::Store;

/// A store that forgets at the end of the program. On a chip it is a [`headstart::store::FlashStore`].
#[derive(Default)]
struct Memory(Option<Vec<u8>>);

impl Store for &mut Memory {
    type Error = core::convert::Infallible;

    fn load(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Self::Error> {
        let Some(record) = &self.0 else { return Ok(None) };
        if let Some(start) = buffer.get_mut(..record.len()) {
            start.copy_from_slice(record);
        }
        Ok(Some(record.len()))
    }

    fn commit(&mut self, record: &[u8]) -> Result<(), Self::Error> {
        self.0 = Some(record.to_vec());
        Ok(())
    }
}

/// A picture of 16 × 16 pixels of one colour, as the model's input.
fn input(pack: &Pack<'_>, colour: [u8; 3]) -> Result<Vec<i8>, headstart::Error> {
    let mut input = vec![0; pack.value(0)?.elements() as usize];
    let picture = Picture { pixels: &colour.repeat(16 * 16), width: 16, height: 16, channels: 3 };
    preprocess::picture(pack, picture, &mut input)?;
    Ok(input)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(&std::env::args().nth(1).ok_or("usage: session MODEL.hspk")?)
}

/// Prints what it does.
pub fn run(path: &str) -> Result<(), Box<dyn std::error::Error>> {
    let file = std::fs::read(path)?;
    let pack = Pack::open(&file)?;
    // Words, so that the memory starts at a multiple of 4. On a chip it is a static array.
    let bytes = usize::try_from(pack.plan().ram_bytes())?;
    let mut words = vec![0_u32; bytes.div_ceil(4)];
    let ram = &mut bytemuck::cast_slice_mut::<u32, u8>(&mut words)[..bytes];
    let mut store = Memory::default();

    let (red, blue) = (input(&pack, [200, 40, 40])?, input(&pack, [40, 40, 200])?);
    let mut session = Session::open(&pack, ram, &mut store)?;
    for _ in 0..10 {
        session.learn(&red, "red")?;
        session.learn(&blue, "blue")?;
    }
    session.commit()?;
    session.close();

    // As after a restart: the head comes from the store.
    let mut session = Session::open(&pack, ram, &mut store)?;
    for (input, label) in [(&red, "red"), (&blue, "blue")] {
        let answer = session.predict(input)?;
        let (said, sure) = (answer.label.unwrap_or("unknown"), 100.0 * answer.probability);
        println!("{label} is answered as {said} ({sure:.0} %)");
        assert_eq!(said, label);
    }
    Ok(())
}
