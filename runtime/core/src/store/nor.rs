//! Drivers that speak `embedded-storage`.

use embedded_storage::nor_flash::NorFlash;

use super::{Flash, Geometry};

/// Any [`NorFlash`] as a [`Flash`], with what erased bytes read as.
///
/// That trait promises that a call returns when its work is done, so nothing is left for a barrier.
#[derive(Clone, Copy, Debug)]
pub struct Nor<F> {
    driver: F,
    erased: u8,
}

impl<F: NorFlash> Nor<F> {
    /// Wraps a driver whose erased bytes read as `0xFF`.
    pub fn new(driver: F) -> Self {
        Self { driver, erased: 0xFF }
    }

    /// Wraps a driver whose erased bytes read as `erased`: `0x00` for the internal flash of STM32L0 and L1.
    pub fn erased_as(driver: F, erased: u8) -> Self {
        Self { driver, erased }
    }

    /// Gives the driver back.
    pub fn into_inner(self) -> F {
        self.driver
    }
}

impl<F: NorFlash> Flash for Nor<F> {
    type Error = F::Error;

    /// A size past 32 bits becomes 0 or the largest one, which no store accepts, or at most that
    /// much capacity.
    fn geometry(&self) -> Geometry {
        let size = |bytes: usize| u32::try_from(bytes).unwrap_or(0);
        Geometry {
            capacity: u32::try_from(self.driver.capacity()).unwrap_or(u32::MAX),
            read: size(F::READ_SIZE),
            write: size(F::WRITE_SIZE),
            erase: size(F::ERASE_SIZE),
            erased: self.erased,
        }
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.driver.read(offset, bytes)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.driver.write(offset, bytes)
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.driver.erase(from, to)
    }
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;
    use std::vec;
    use std::vec::Vec;

    use embedded_storage::nor_flash::{ErrorType, ReadNorFlash};

    use super::*;
    use crate::store::{FlashStore, Region, Store};

    struct Driver(Vec<u8>);

    impl ErrorType for Driver {
        type Error = Infallible;
    }

    impl ReadNorFlash for Driver {
        const READ_SIZE: usize = 4;

        fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
            Ok(())
        }

        fn capacity(&self) -> usize {
            self.0.len()
        }
    }

    impl NorFlash for Driver {
        const WRITE_SIZE: usize = 8;
        const ERASE_SIZE: usize = 1024;

        fn erase(&mut self, from: u32, to: u32) -> Result<(), Infallible> {
            self.0[from as usize..to as usize].fill(0xFF);
            Ok(())
        }

        fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Infallible> {
            for (cell, byte) in self.0[offset as usize..].iter_mut().zip(bytes) {
                *cell &= byte;
            }
            Ok(())
        }
    }

    #[test]
    fn a_driver_of_embedded_storage_holds_a_record() {
        let flash = Nor::new(Driver(vec![0; 4096]));
        let geometry = flash.geometry();
        assert_eq!((geometry.capacity, geometry.erased), (4096, 0xFF));
        assert_eq!((geometry.read, geometry.write, geometry.erase), (4, 8, 1024));
        let region = Region { start: 1024, slot_bytes: 1024, slots: 3 };
        let mut store = FlashStore::open(flash, region, &[1; 32]).unwrap();
        store.commit(b"first").unwrap();
        store.commit(b"second").unwrap();
        let flash = Nor::new(store.close().into_inner());
        let mut buffer = [0; 16];
        let mut store = FlashStore::open(flash, region, &[1; 32]).unwrap();
        assert_eq!(store.load(&mut buffer), Ok(Some(6)));
        assert_eq!(&buffer[..6], b"second");
    }
}
