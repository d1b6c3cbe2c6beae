//! What is to be forgotten: records that were replaced.

use super::flash_store::FlashStore;
use super::{Flash, StoreError};

impl<F: Flash> FlashStore<F> {
    /// Erases every slot but that of the record that was committed last, so that no older one can be read from
    /// the flash. After a cut some of them may be left: then it must be called again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Flash`]. The last record is not touched.
    pub fn erase_others(&mut self) -> Result<(), StoreError<F::Error>> {
        let current = self.current.map(|header| header.slot);
        for slot in (0..self.region.slots).filter(|&slot| Some(slot) != current) {
            self.erase(slot)?;
        }
        Ok(self.flash.barrier()?)
    }
}
