//! Looks for an NVIDIA GPU before a backend does, which would end the program where there is none.

use std::format;
use std::string::String;

use cudarc::driver::result;

/// Why no GPU can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoDevice {
    /// No library of this name can be loaded.
    Library(&'static str),
    /// The driver reports this error.
    Driver(String),
    /// The driver finds no GPU.
    None,
    /// CubeCL compiles its kernels when they are first needed, and this folder's headers are not there.
    Headers(String),
}

impl core::fmt::Display for NoDevice {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Library(name) => write!(f, "{name} cannot be loaded"),
            Self::Driver(reason) => write!(f, "the CUDA driver says {reason}"),
            Self::None => f.write_str("the CUDA driver finds no device"),
            Self::Headers(folder) => {
                write!(
                    f,
                    "CUDA's headers are not in {folder}: set CUDA_PATH to the toolkit's folder"
                )
            }
        }
    }
}

impl core::error::Error for NoDevice {}

/// Whether the driver has a device, asked without touching one.
///
/// # Errors
///
/// Why not.
pub fn find() -> Result<(), NoDevice> {
    // A program that links CUDA would not have started without its libraries.
    #[cfg(not(feature = "burn-candle-cuda"))]
    libraries()?;
    let refused = |error: result::DriverError| NoDevice::Driver(code(error));
    result::init().map_err(refused)?;
    match result::device::get_count().map_err(refused)? {
        ..=0 => Err(NoDevice::None),
        _ => Ok(()),
    }
}

/// Whether CubeCL finds what it compiles its kernels with, in addition to a device.
///
/// # Errors
///
/// Why not.
#[cfg(feature = "burn-cuda")]
pub fn find_with_compiler() -> Result<(), NoDevice> {
    use std::path::PathBuf;

    find()?;
    // The places where CubeCL looks.
    let folder = std::env::var_os("CUDA_PATH").map(PathBuf::from).unwrap_or_else(|| {
        let usual = ["/usr/local/cuda", "/opt/cuda"].map(PathBuf::from);
        usual.into_iter().find(|folder| folder.exists()).unwrap_or_else(|| "/usr".into())
    });
    let headers = folder.join("include");
    if headers.join("cuda_runtime.h").exists() || headers.join("cuda_fp16.h").exists() {
        return Ok(());
    }
    Err(NoDevice::Headers(format!("{}", headers.display())))
}

#[cfg(not(feature = "burn-candle-cuda"))]
#[allow(unsafe_code, reason = "cudarc asks for it to load a library")]
fn libraries() -> Result<(), NoDevice> {
    // SAFETY: loading runs the initialisers of NVIDIA's own libraries, by their fixed names; nothing is called here.
    if !unsafe { cudarc::driver::sys::is_culib_present() } {
        return Err(NoDevice::Library("libcuda.so"));
    }
    // SAFETY: as above.
    if !unsafe { cudarc::nvrtc::sys::is_culib_present() } {
        return Err(NoDevice::Library("libnvrtc.so"));
    }
    Ok(())
}

/// `CUDA_ERROR_NO_DEVICE`, say. The driver's own words would be asked of the driver.
fn code(error: result::DriverError) -> String {
    format!("{:?}", error.0)
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn a_machine_without_a_gpu_is_told_why_and_nothing_panics() {
        if let Err(reason) = find() {
            assert!(!reason.to_string().is_empty());
        }
    }
}
