//! `image` and `flash`: what is flashed, and how.

mod flash;

pub(super) use flash::flash;

use headstart::pack::Pack;
use serde_json::json;

use super::report::Report;
use crate::cli::ImageArgs;
use crate::error::Error;
use headstart_tools::ship::board::Board;
use headstart_tools::ship::image::{Format, Image};

pub(super) fn image(report: Report, args: &ImageArgs) -> Result<(), Error> {
    let board = Board::named(&args.board)?;
    let refuse = |problem| Error::Image { output: args.output.clone(), problem };
    let format = Format::of(&args.output).ok_or_else(|| {
        Error::Usage(format!(
            "{}: has no known extension: write .elf, .hex, .bin or .uf2",
            args.output.display()
        ))
    })?;
    let bytes = super::read_pack(&args.pack)?;
    let pack = Pack::open(&bytes).map_err(Error::in_pack(&args.pack))?;
    super::without_engine(&pack, &args.pack)?;
    let room = board.ram_bytes.saturating_sub(board.static_bytes + board.stack_bytes);
    if pack.plan().ram_bytes() > room {
        return Err(Error::Usage(format!(
            "{}: its session takes {} bytes of RAM, and {} has {room}: `headstart pack --board {}` says what to change",
            args.pack.display(),
            pack.plan().ram_bytes(),
            board.name,
            board.name,
        )));
    }
    let firmware = args.firmware.as_deref().map(super::read_image).transpose()?;
    let image = Image::new(&board, &bytes, firmware.as_deref()).map_err(refuse)?;
    let flashing = board.flashing().map_err(|problem| refuse(problem.into()))?;
    let file = image.emit(format, flashing).map_err(refuse)?;
    super::write(&args.output, &file)?;
    let segments: Vec<_> = image
        .segments()
        .iter()
        .map(|segment| json!({ "address": segment.address, "bytes": segment.bytes.len() }))
        .collect();
    let result = json!({
        "output": args.output,
        "bytes": file.len(),
        "board": board.name,
        "start": image.start(),
        "segments": segments,
    });
    report.show(&result, || {
        say!("{}: {} bytes for {}", args.output.display(), file.len(), board.name);
        for segment in image.segments() {
            say!("{:#010x}  {} bytes", segment.address, segment.bytes.len());
        }
    });
    Ok(())
}
