//! Values too large to hand over in one piece: pulled from JavaScript, piece by piece, while the engine writes.

use crate::failure::thrown;
use crate::number;
use std::io::{self, Read};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// An object whose `pull` fills a buffer as far as it can, and says with 0 that there is no more.
    pub type Source;

    #[wasm_bindgen(method, catch)]
    fn pull(this: &Source, into: &mut [u8]) -> Result<f64, JsValue>;
}

/// A [`Source`] as the engine reads it.
pub struct SourceReader<'s>(pub &'s Source);

impl Read for SourceReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = buf.len();
        let read = self.0.pull(buf).map_err(thrown)?;
        Ok(number::length_from_js(read).min(length))
    }
}
