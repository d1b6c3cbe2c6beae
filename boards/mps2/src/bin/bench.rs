#![no_std]
#![no_main]
use core::panic::PanicInfo;
use cortex_m_semihosting::{debug, hprintln};
use headstart::backbone::Backbone;
use headstart::pack::Pack;
use headstart_mps2::clock::Clock;

#[cortex_m_rt::entry]
fn main() -> ! {
    let p = cortex_m::Peripherals::take().unwrap();
    let mut clock = Clock::new(p.SYST);
    let base = 0x0010_0000 as *const u8;
    let len = unsafe { (base.add(16) as *const u32).read() } as usize;
    let bytes = unsafe { core::slice::from_raw_parts(base, len) };
    let (n, pack) = clock.count(|| Pack::open(bytes));
    let pack = pack.unwrap();
    hprintln!("open {} instructions, arena {}", n, pack.plan().arena_bytes);
    let arena = unsafe { core::slice::from_raw_parts_mut(0x2010_0000 as *mut u8, pack.plan().arena_bytes as usize) };
    let mut b = Backbone::new(pack, arena).unwrap();
    let input = unsafe { core::slice::from_raw_parts(0x2020_0000 as *const i8, pack.value(0).unwrap().elements() as usize) };
    let macs = pack.provenance().multiply_accumulates;
    let (n, sum) = clock.count(|| b.features(input).unwrap().iter().map(|&x| x as i32).sum::<i32>());
    hprintln!("{} instructions {} macs {}.{:02} sum {}", n, macs, n / macs, n * 100 / macs % 100, sum);
    if option_env!("NODES").is_some() {
        let mut last = cortex_m::peripheral::SYST::get_current();
        let mut lines = [(0u32, 0u32, 0u32); 100];
        let mut count = 0;
        b.run(input, |i, v, _| {
            let now = cortex_m::peripheral::SYST::get_current();
            lines[count] = (i, v.elements(), (last.wrapping_sub(now) & 0xffffff) * 40);
            count += 1;
            last = cortex_m::peripheral::SYST::get_current();
        }).unwrap();
        for ((i, e, t), node) in lines[1..count].iter().zip(pack.nodes()) {
            let v = pack.value(*i).unwrap();
            match node.unwrap() {
                headstart::backbone::Node::Conv(c) => {
                    let input = pack.value(c.input).unwrap();
                    let m = c.weights_per_channel(&input).unwrap() * e;
                    hprintln!("{} {}x{}x{} conv {:?} s{} dw {} [{} {}] zp {} macs {} instr {} = {}.{:02}", i, v.height, v.width, v.channels, c.window.kernel, c.window.stride[0], c.is_depthwise(&input, &v), c.min, c.max, v.zero_point, m, t, t / m, t * 100 / m % 100);
                }
                other => hprintln!("{} {} {:?} {} per element {}", i, e, core::mem::discriminant(&other), t, t / e),
            }
        }
    }
    debug::exit(debug::EXIT_SUCCESS);
    loop {}
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    debug::exit(debug::EXIT_FAILURE);
    loop {}
}
