//! Numbers and texts as bytes: seven bits of a number in each, the lowest first.

/// Writes.
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(crate) fn number(&mut self, number: usize) {
        let mut rest = number;
        while rest >= 0x80 {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
    }

    /// A number that may be less than nothing.
    pub(crate) fn step(&mut self, from: usize, to: usize) {
        let (size, back) = (to.abs_diff(from), to < from);
        self.number(size << 1 | usize::from(back));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }
}

/// Reads what [`Writer`] wrote. Bytes that it cannot have written make every method answer `None`, sooner or later.
#[derive(Clone)]
pub(crate) struct Reader<'b>(pub(crate) &'b [u8]);

impl<'b> Reader<'b> {
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn number(&mut self) -> Option<usize> {
        let mut number = 0_usize;
        for shift in (0..usize::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A number of things that are still to be read: each takes a byte at least, so there is no room for more.
    pub(crate) fn count(&mut self) -> Option<usize> {
        self.number().filter(|count| *count <= self.0.len())
    }

    pub(crate) fn step(&mut self, from: usize) -> Option<usize> {
        let step = self.number()?;
        let size = step >> 1;
        if step & 1 == 1 {
            from.checked_sub(size)
        } else {
            from.checked_add(size)
        }
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn text(&mut self) -> Option<&'b str> {
        let count = self.number()?;
        std::str::from_utf8(self.bytes(count)?).ok()
    }
}

/// How many bytes two texts share from their start.
pub(crate) fn shared(before: &[u8], text: &[u8]) -> usize {
    let pairs = before.iter().zip(text);
    pairs.take_while(|(a, b)| a == b).count()
}
