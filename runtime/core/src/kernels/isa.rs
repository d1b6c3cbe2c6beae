use core::fmt;
use core::str::FromStr;

/// A set of instructions that kernels are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Isa {
    /// Portable code: the written definition.
    Generic,
    /// x86-64 with AVX2.
    Avx2,
    /// x86-64 with AVX2 and AVX-VNNI.
    AvxVnni,
    /// x86-64 with AVX-512 (F, BW, VL) and VNNI.
    Avx512Vnni,
    /// aarch64 with NEON: Cortex-A57 and A72 among others.
    Neon,
    /// aarch64 with the dot-product instructions: Cortex-A76 among others.
    DotProd,
    /// WebAssembly with its fixed-width vectors: every browser since 2023.
    Simd128,
    /// Cortex-M with the DSP extension and an FPU: M4F, M7 and M33.
    Dsp,
    /// Cortex-M with Helium, the vector extension, with floats: M55 and M85.
    Helium,
}

impl Isa {
    /// Every instruction set, the preferred ones last.
    pub const ALL: [Self; 9] = [
        Self::Generic,
        Self::Avx2,
        Self::AvxVnni,
        Self::Avx512Vnni,
        Self::Neon,
        Self::DotProd,
        Self::Simd128,
        Self::Dsp,
        Self::Helium,
    ];

    /// The instruction set's name on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Avx2 => "avx2",
            Self::AvxVnni => "avxvnni",
            Self::Avx512Vnni => "avx512vnni",
            Self::Neon => "neon",
            Self::DotProd => "dotprod",
            Self::Simd128 => "simd128",
            Self::Dsp => "dsp",
            Self::Helium => "helium",
        }
    }

    /// Whether kernels for this instruction set are part of this build.
    #[must_use]
    pub const fn is_compiled(self) -> bool {
        match self {
            Self::Generic => true,
            Self::Avx2 | Self::AvxVnni | Self::Avx512Vnni => {
                cfg!(all(feature = "std", target_arch = "x86_64"))
            }
            Self::Neon | Self::DotProd => cfg!(all(feature = "std", target_arch = "aarch64")),
            Self::Simd128 => cfg!(all(headstart_vectors, target_arch = "wasm32")),
            Self::Dsp => cfg!(all(headstart_dsp, not(headstart_helium))),
            Self::Helium => cfg!(headstart_helium),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error of a name that no instruction set has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UnknownIsa;

impl fmt::Display for UnknownIsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no instruction set has that name; there are")?;
        Isa::ALL.iter().try_for_each(|isa| write!(f, " {isa}"))
    }
}

impl core::error::Error for UnknownIsa {}

impl FromStr for Isa {
    type Err = UnknownIsa;

    fn from_str(name: &str) -> Result<Self, UnknownIsa> {
        Self::ALL.into_iter().find(|isa| isa.name() == name).ok_or(UnknownIsa)
    }
}
