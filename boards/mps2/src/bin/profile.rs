//! Where a backbone's instructions go: a line a node, then the sum.
//!
//! Each line has the node's index, its kind, how often it ran (a node of a chain runs once a strip), the extents of its result, its
//! multiply-accumulates, its instructions, and instructions a multiply-accumulate. What the node's decoding takes is counted with it.
#![no_std]
#![no_main]

use cortex_m::peripheral::Peripherals;
use defmt_semihosting as _;
use headstart::Error;
use headstart::backbone::Backbone;
use headstart::network::{Conv, Node, Value};
use headstart::pack::Pack;
use headstart_mps2::clock::Clock;
use headstart_mps2::memory;
use semihosting::{print, println, process};

/// Most nodes that are counted.
const MOST: usize = 256;

/// How often a node ran, with its multiply-accumulates and instructions.
#[derive(Clone, Copy, Default)]
struct Cost {
    runs: u32,
    macs: u64,
    instructions: u64,
}

#[cortex_m_rt::entry]
fn main() -> ! {
    match run() {
        Ok(()) => process::exit(0),
        Err(error) => panic!("{error}"),
    }
}

fn run() -> Result<(), Error> {
    let mut clock = Clock::new(Peripherals::take().expect("nothing took them before").SYST);
    let header: &[u8; 24] = memory::pack(24).first_chunk().expect("a pack was loaded");
    let [.., a, b, c, d, _, _, _, _] = *header;
    let pack = Pack::open(memory::pack(u32::from_le_bytes([a, b, c, d]) as usize))?;
    let arena_bytes = pack.plan().arena_bytes as usize;
    // SAFETY: the only calls.
    let (arena, spare) = unsafe { (memory::session(arena_bytes), memory::spare(16 << 20)) };
    let arena = arena.expect("too little memory for the pack");
    let input = &mut spare[..pack.value(0)?.elements() as usize];
    input.iter_mut().zip(0_u32..).for_each(|(byte, at)| *byte = (at * 7 % 251) as u8);
    // SAFETY: bytes are int8.
    let input = unsafe { core::slice::from_raw_parts(input.as_ptr().cast(), input.len()) };
    let mut costs = [Cost::default(); MOST];
    let mut backbone = Backbone::new(pack, arena)?;
    clock.lap();
    backbone.run(input, |index, _, _, elements| {
        let instructions = clock.lap();
        if let Some(cost) = costs.get_mut(index as usize) {
            cost.runs += 1;
            cost.instructions += instructions;
            cost.macs += macs(&pack, index, elements.len());
        }
        clock.lap();
    })?;
    let mut sum = Cost::default();
    for (index, cost) in (0_u32..).zip(&costs).take(pack.nodes().count() + 1) {
        print!("{index:4} ");
        match index.checked_sub(1).and_then(|node| pack.nodes().nth(node as usize)) {
            None => print!("input"),
            Some(node) => describe(&pack, &node?),
        }
        tell(&pack.value(index)?, cost);
        sum.macs += cost.macs;
        sum.instructions += cost.instructions;
    }
    print!(" all nodes");
    tell(&pack.value(0)?, &sum);
    Ok(())
}

fn tell(value: &Value, cost: &Cost) {
    let Value { height, width, channels, .. } = *value;
    print!(
        " {height}x{width}x{channels} runs {} macs {} instructions {}",
        cost.runs, cost.macs, cost.instructions
    );
    if cost.macs > 0 {
        print!(" each {:.3}", cost.instructions as f32 / cost.macs as f32);
    }
    println!();
}

/// The node's kind; of a convolution also its window and inputs.
fn describe(pack: &Pack<'_>, node: &Node<'_>) {
    let name = match node {
        Node::Conv(conv) => {
            let [[height, width], [stride, _]] = [conv.window.kernel, conv.window.stride];
            let depth = depth(pack, conv);
            return print!("conv {height}x{width}/{stride} of {depth} in {}", conv.groups);
        }
        Node::Binary(_) => "binary",
        Node::MaxPool { .. } => "max-pool",
        Node::AveragePool(_) => "average-pool",
        Node::GridPool(_) => "grid-pool",
        Node::Table { .. } => "table",
        Node::Concat { .. } => "concat",
        _ => "other",
    };
    print!("{name}");
}

/// Inputs of a tap.
fn depth(pack: &Pack<'_>, conv: &Conv) -> u32 {
    pack.value(conv.input).map_or(0, |value| value.channels / conv.groups)
}

/// Multiply-accumulates of so many results.
fn macs(pack: &Pack<'_>, index: u32, elements: usize) -> u64 {
    let node = index.checked_sub(1).and_then(|node| pack.nodes().nth(node as usize));
    let Some(Ok(Node::Conv(conv))) = node else { return 0 };
    let [height, width] = conv.window.kernel.map(u32::from);
    elements as u64 * u64::from(height * width * depth(pack, &conv))
}
