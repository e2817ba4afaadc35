//! What a partner received, in order: one JSON line each, written before the partner answers.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A ledger; without a file, what is noted is forgotten.
#[derive(Clone, Default)]
pub struct Ledger(Option<Arc<Mutex<File>>>);

impl Ledger {
    /// Appends to a file.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(Some(Arc::new(Mutex::new(file)))))
    }

    /// Notes one line, in one write.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn note(&self, line: &serde_json::Value) -> io::Result<()> {
        let Some(file) = &self.0 else { return Ok(()) };
        let text = format!("{line}\n");
        file.lock().unwrap_or_else(PoisonError::into_inner).write_all(text.as_bytes())
    }
}
