//! A spectrogram of raw PCM, 16 bits, from standard input to standard output as 16-bit integers; the settings are numbers:
//! `front RATE WINDOW_MS STEP_MS CHANNELS LOWER UPPER [LOG_SHIFT|-] [BITS EVEN ODD REMAINING [STRENGTH OFFSET GAIN_BITS]] < sound.pcm`
//!
//! `tests/front` compares what it writes with other programs.

use std::error::Error;
use std::io::{Read, Write};
use std::str::FromStr;

use headstart::front::Micro;
use headstart::front::micro::{Gain, Noise, Settings};

fn parse<T: FromStr<Err: Error + 'static>>(
    words: &[String],
    at: usize,
) -> Result<T, Box<dyn Error>> {
    Ok(words.get(at).ok_or("too few numbers")?.parse()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let noise = words.len() > 7;
    let gain = words.len() > 11;
    let settings = Settings {
        sample_rate: parse(&words, 0)?,
        window_ms: parse(&words, 1)?,
        step_ms: parse(&words, 2)?,
        channels: parse(&words, 3)?,
        lower_hz: parse(&words, 4)?,
        upper_hz: parse(&words, 5)?,
        log_shift: words.get(6).filter(|word| *word != "-").map(|word| word.parse()).transpose()?,
        noise: if noise {
            Some(Noise {
                smoothing_bits: parse(&words, 7)?,
                even_smoothing: parse(&words, 8)?,
                odd_smoothing: parse(&words, 9)?,
                min_signal_remaining: parse(&words, 10)?,
            })
        } else {
            None
        },
        gain: if gain {
            Some(Gain {
                strength: parse(&words, 11)?,
                offset: parse(&words, 12)?,
                gain_bits: parse(&words, 13)?,
            })
        } else {
            None
        },
    };
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    let samples: Vec<i16> = bytes.as_chunks().0.iter().map(|&b| i16::from_le_bytes(b)).collect();
    let mut memory = vec![0; settings.words()?];
    let mut front = Micro::new(&settings, &mut memory)?;
    let mut out = Vec::new();
    front.push(&samples, |frame| out.extend(frame.iter().flat_map(|value| value.to_le_bytes())));
    std::io::stdout().write_all(&out)?;
    Ok(())
}
