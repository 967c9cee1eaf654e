//! Content from a browser and for it: files that a user has chosen, and Blobs, which the browser keeps outside of this module's memory.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    sync::{Arc, Mutex, PoisonError},
};

use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use medlock_client::{Asked, Error, Readable, Sheet, Wallet};
use medlock_vault::Zeroizing;
use send_wrapper::SendWrapper;
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, File, FileReaderSync};

use crate::fault::Fault;

/// Read of a file at once.
const PIECE_BYTES: usize = 1 << 20;

/// A file that the user has chosen. Workers may read one step by step; it fails where the file was changed since it was chosen.
pub struct BlobContent(SendWrapper<File>);

impl BlobContent {
    pub fn new(file: File) -> Self {
        Self(SendWrapper::new(file))
    }
}

impl Readable for BlobContent {
    fn name(&self) -> Option<String> {
        Some(self.0.name()).filter(|name| !name.is_empty())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.size() as u64)
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let reader = FileReaderSync::new().map_err(broken)?;
        Ok(Box::new(BlobReader {
            file: SendWrapper::new((*self.0).clone()),
            reader: SendWrapper::new(reader),
            at: 0.0,
            piece: Zeroizing::default(),
            taken: 0,
        }))
    }
}

/// All of a file, in memory: look at its size first.
pub fn whole(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    BlobContent::new(file.clone()).open()?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

struct BlobReader {
    file: SendWrapper<File>,
    reader: SendWrapper<FileReaderSync>,
    /// Where the next piece begins.
    at: f64,
    piece: Zeroizing<Vec<u8>>,
    taken: usize,
}

impl Read for BlobReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.piece.len() && self.at < self.file.size() {
            let end = (self.at + PIECE_BYTES as f64).min(self.file.size());
            let slice = self.file.slice_with_f64_and_f64(self.at, end).map_err(broken)?;
            let bytes = self.reader.read_as_array_buffer(&slice).map_err(broken)?;
            self.piece = Zeroizing::new(Uint8Array::new(&bytes).to_vec());
            (self.at, self.taken) = (end, 0);
        }
        let length = out.len().min(self.piece.len() - self.taken);
        out[..length].copy_from_slice(&self.piece[self.taken..][..length]);
        self.taken += length;
        Ok(length)
    }
}

/// A wallet of the page's browser: its EIP-1193 `request`, which the page passes on. It takes method and parameters, both text, and
/// gives its answer as JSON.
pub struct PageWallet(SendWrapper<Function>);

impl PageWallet {
    pub fn new(request: Function) -> Self {
        Self(SendWrapper::new(request))
    }
}

impl Wallet for PageWallet {
    fn request(&self, method: &'static str, params: Value) -> Asked<Result<Value, Error>> {
        let request = (*self.0).clone();
        Box::pin(async move {
            let asked = request.call2(&JsValue::NULL, &method.into(), &params.to_string().into());
            let promise = asked.and_then(|asked| asked.dyn_into::<Promise>()).map_err(refused)?;
            let answer = JsFuture::from(promise).await.map_err(refused)?;
            let answer = answer.as_string().unwrap_or_default();
            serde_json::from_str(&answer).map_err(|error| Error::Wallet(error.to_string()))
        })
    }
}

/// EIP-1193: code 4001 is its user's no.
fn refused(error: JsValue) -> Error {
    const USER_REJECTED: f64 = 4001.0;
    let of = |name: &str| Reflect::get(&error, &name.into()).unwrap_or(JsValue::UNDEFINED);
    match of("code").as_f64() {
        Some(USER_REJECTED) => Error::WalletRejected,
        _ => Error::Wallet(of("message").as_string().unwrap_or_else(|| format!("{error:?}"))),
    }
}

/// What is written, handed to the browser piece by piece.
#[derive(Clone)]
pub struct Parts(Arc<Mutex<SendWrapper<Array>>>);

impl Default for Parts {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(SendWrapper::new(Array::new()))))
    }
}

impl Parts {
    pub fn into_blob(self, media_type: &str) -> Result<Blob, Fault> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        blob(&parts, media_type)
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.push(&Uint8Array::from(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An export in the making, in memory: the browser gets it when it is whole.
#[derive(Clone, Default)]
pub struct MemorySheet(Arc<Mutex<io::Cursor<Zeroizing<Vec<u8>>>>>);

impl MemorySheet {
    pub fn into_blob(self, media_type: &str) -> Result<Blob, Fault> {
        let sheet = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        blob(&Array::of1(&Uint8Array::from(sheet.get_ref().as_slice())), media_type)
    }
}

impl Write for MemorySheet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut sheet = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = sheet.position() as usize;
        let content = sheet.get_mut();
        // What is written last can be taken back, and something else written in its place.
        content.truncate(at);
        if content.capacity() < at + bytes.len() {
            // Grown here, since a vector that grows by itself leaves what it held where it was.
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * (at + bytes.len())));
            larger.extend_from_slice(content);
            *content = larger;
        }
        content.extend_from_slice(bytes);
        sheet.set_position((at + bytes.len()) as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for MemorySheet {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).seek(to)
    }
}

impl Sheet for MemorySheet {
    fn set_len(&mut self, bytes: u64) -> io::Result<()> {
        let mut sheet = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sheet.get_mut().truncate(bytes as usize);
        Ok(())
    }

    fn another(&self) -> io::Result<Self> {
        Ok(self.clone())
    }
}

fn blob(parts: &Array, media_type: &str) -> Result<Blob, Fault> {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    Blob::new_with_u8_array_sequence_and_options(parts, &options).map_err(Fault::browser)
}

fn broken(error: JsValue) -> io::Error {
    let text = error.as_string().unwrap_or_else(|| format!("{error:?}"));
    io::Error::other(text)
}
