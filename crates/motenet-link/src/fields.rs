//! Reads the fields of a payload, one after the other.

use crate::{Fault, FaultCode};

pub(crate) struct Fields<'a> {
    payload: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(payload: &'a [u8]) -> Self {
        Fields { payload, rest: payload }
    }

    /// The payload ended before a field that needs `more` bytes.
    fn short(&self, more: usize) -> Fault {
        Fault::length(self.payload.len(), self.at().saturating_add(more))
    }

    /// Bytes read so far.
    fn at(&self) -> usize {
        self.payload.len().saturating_sub(self.rest.len())
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (&bytes, rest) = self.rest.split_first_chunk().ok_or_else(|| self.short(N))?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Fault> {
        self.bytes().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Fault> {
        self.bytes().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Fault> {
        self.bytes().map(u32::from_le_bytes)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Fault> {
        let len = self.u8()?.into();
        let (text, rest) = self.rest.split_at_checked(len).ok_or_else(|| self.short(len))?;
        let text = core::str::from_utf8(text).map_err(|error| {
            let place = error.valid_up_to();
            let byte = text.get(place).copied().unwrap_or_default();
            Fault::new(FaultCode::Content, byte.into(), self.at().saturating_add(place))
        })?;
        self.rest = rest;
        Ok(text)
    }

    /// A byte whose value `meaning` knows.
    pub(crate) fn code<T>(&mut self, meaning: impl Fn(u8) -> Option<T>) -> Result<T, Fault> {
        let at = self.at();
        let code = self.u8()?;
        meaning(code).ok_or_else(|| Fault::new(FaultCode::Content, code.into(), at))
    }

    /// What is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<(), Fault> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Fault::length(self.payload.len(), self.at()))
    }
}
