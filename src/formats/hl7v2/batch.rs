//! What one frame or file holds: a message, several, or a batch of them with its counts (HL7 v2.4 §2.15). Slices of the
//! bytes; nothing is copied.

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'m> {
    /// One message, or what is none: its reader says so.
    One(&'m [u8]),
    /// Several, one MSH after the other.
    Several(Vec<&'m [u8]>),
    /// A batch (BHS) or file (FHS); the header is its first segment.
    Batch {
        /// BHS or FHS, without its line end.
        header: &'m [u8],
        /// The messages.
        messages: Vec<&'m [u8]>,
    },
    /// A batch that is not whole.
    Broken {
        /// BHS or FHS, without its line end.
        header: &'m [u8],
        /// Where, such as `BTS-1`.
        place: &'static str,
        /// What is wrong, in a sentence.
        sentence: String,
    },
}

/// Looks at what a frame holds.
#[must_use]
pub fn content(bytes: &[u8]) -> Content<'_> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let lines = lines(bytes);
    if lines.first().is_some_and(|line| matches!(name(line.text), b"FHS" | b"BHS")) {
        return batch(bytes, &lines);
    }
    let starts: Vec<usize> = lines.iter().filter(|line| name(line.text) == b"MSH").map(|line| line.at).collect();
    match starts.as_slice() {
        [] | [_] => Content::One(bytes),
        // What stands before the first belongs to it: its reader says what is wrong.
        [_, rest @ ..] => {
            let mut bounds = vec![0];
            bounds.extend_from_slice(rest);
            bounds.push(bytes.len());
            Content::Several(bounds.windows(2).map(|bound| &bytes[bound[0]..bound[1]]).collect())
        }
    }
}

struct Line<'m> {
    at: usize,
    text: &'m [u8],
}

fn lines(bytes: &[u8]) -> Vec<Line<'_>> {
    let mut at = 0;
    let mut lines = Vec::new();
    for text in bytes.split(|byte| matches!(byte, b'\r' | b'\n')) {
        let start = at + (text.len() - text.trim_ascii_start().len());
        if !text.trim_ascii().is_empty() {
            lines.push(Line { at: start, text: text.trim_ascii_start() });
        }
        at += text.len() + 1;
    }
    lines
}

fn name(line: &[u8]) -> &[u8] {
    line.get(..3).unwrap_or_default()
}

fn batch<'m>(bytes: &'m [u8], lines: &[Line<'m>]) -> Content<'m> {
    let header = lines.first().map_or(bytes, |line| line.text);
    let broken = |place, sentence: String| Content::Broken { header, place, sentence };
    let (mut messages, mut open) = (Vec::new(), None);
    // Of the batch that is open; batches that have ended.
    let (mut in_batch, mut batches) = (None::<usize>, 0_usize);
    for line in lines {
        let kind = name(line.text);
        let control: [&[u8]; 5] = [b"FHS", b"BHS", b"MSH", b"BTS", b"FTS"];
        if control.contains(&kind)
            && let Some(start) = open.take()
        {
            messages.push(&bytes[start..line.at]);
        }
        match kind {
            b"BHS" if in_batch.is_some() => {
                return broken("BTS", "A batch begins before the one before has ended.".into());
            }
            b"BHS" => in_batch = Some(0),
            b"MSH" => {
                open = Some(line.at);
                in_batch = in_batch.map(|count| count + 1);
            }
            b"BTS" => {
                let Some(count) = in_batch.take() else { return broken("BTS", "BTS ends no batch.".into()) };
                if let Some(told) = contradiction(line.text, count) {
                    return broken("BTS-1", format!("BTS-1 says {told} and the batch holds {count} messages."));
                }
                batches += 1;
            }
            b"FTS" => {
                if let Some(told) = contradiction(line.text, batches) {
                    return broken("FTS-1", format!("FTS-1 says {told} and the file holds {batches} batches."));
                }
            }
            _ => {}
        }
    }
    if let Some(start) = open {
        messages.push(&bytes[start..]);
    }
    if in_batch.is_some() {
        return broken("BTS", "The batch does not end with BTS: it may have been cut.".into());
    }
    if name(header) == b"FHS" && !lines.iter().any(|line| name(line.text) == b"FTS") {
        return broken("FTS", "The file does not end with FTS: it may have been cut.".into());
    }
    Content::Batch { header, messages }
}

/// What field 1 says of a count that should be this; `None` when it says the same, or nothing.
fn contradiction(line: &[u8], count: usize) -> Option<String> {
    let separator = line.get(3)?;
    let field = line.get(4..)?.split(|byte| byte == separator).next()?.trim_ascii();
    let told: Option<usize> = std::str::from_utf8(field).ok().and_then(|text| text.parse().ok());
    let told = told.map_or("no number".to_owned(), |told| told.to_string());
    (!field.is_empty() && told != count.to_string()).then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match content(text.as_bytes()) {
            Content::One(_) => "one".to_owned(),
            Content::Several(messages) => format!("{} messages", messages.len()),
            Content::Batch { messages, .. } => format!("a batch of {}", messages.len()),
            Content::Broken { place, sentence, .. } => format!("{place}: {sentence}"),
        }
    }

    #[test]
    fn a_frame_holds_a_message_or_several_or_a_batch() {
        assert_eq!(told("MSH|1\rPID|1\r"), "one");
        assert_eq!(told("nonsense"), "one");
        assert_eq!(told("MSH|1\rPID|1\r\nMSH|2\nPID|2"), "2 messages");
        assert_eq!(told("BHS|^~\\&\rMSH|1\rMSH|2\rPID|1\rBTS|2\r"), "a batch of 2");
        assert_eq!(told("BHS|^~\\&\rMSH|1\rBTS\r"), "a batch of 1");
        assert_eq!(told("FHS|^~\\&\rBHS|^~\\&\rMSH|1\rBTS|1\rBHS|\rMSH|2\rBTS|1\rFTS|2\r"), "a batch of 2");
    }

    #[test]
    fn a_batch_that_is_not_whole_says_why() {
        assert_eq!(told("BHS|^~\\&\rMSH|1\rBTS|2\r"), "BTS-1: BTS-1 says 2 and the batch holds 1 messages.");
        assert_eq!(told("BHS|^~\\&\rMSH|1\rBTS|x\r"), "BTS-1: BTS-1 says no number and the batch holds 1 messages.");
        assert_eq!(told("BHS|^~\\&\rMSH|1\r"), "BTS: The batch does not end with BTS: it may have been cut.");
        assert_eq!(told("FHS|\rBHS|\rMSH|1\rBTS|1\r"), "FTS: The file does not end with FTS: it may have been cut.");
        assert_eq!(told("FHS|\rBHS|\rMSH|1\rBTS|1\rFTS|2\r"), "FTS-1: FTS-1 says 2 and the file holds 1 batches.");
    }

    #[test]
    fn messages_are_cut_where_they_begin() {
        let text = b"BHS|^~\\&\rMSH|1\rPID|1\rMSH|2\rBTS|2\r";
        let Content::Batch { header, messages } = content(text) else { panic!() };
        assert_eq!((header, messages), (&b"BHS|^~\\&"[..], vec![&b"MSH|1\rPID|1\r"[..], &b"MSH|2\r"[..]]));
        let Content::Several(messages) = content(b"\xEF\xBB\xBFMSH|1\r\nMSH|2") else { panic!() };
        assert_eq!(messages, [&b"MSH|1\r\n"[..], b"MSH|2"]);
    }
}
