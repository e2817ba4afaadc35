//! The XHTML of a [Narrative](https://hl7.org/fhir/R4/narrative.html#xhtml): well formed, of the elements and attributes
//! that are allowed, without anything that acts.

/// Deepest nesting that is followed.
const DEEPEST: usize = 128;

/// Elements of XHTML that may stand in a narrative: chapters 7 to 11 (section 4 of chapter 9 excepted) and 15 of HTML 4.0.
const ELEMENTS: [&str; 55] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "b",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "li",
    "map",
    "area",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
    "var",
    "kbd",
    "bdo",
    "ins",
    "del",
];

/// Attributes that may stand on any of them.
const ATTRIBUTES: [&str; 43] = [
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "colspan",
    "compact",
    "coords",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "lang",
    "longdesc",
    "name",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "title",
];
const MORE_ATTRIBUTES: [&str; 12] = [
    "tabindex",
    "type",
    "valign",
    "value",
    "vspace",
    "width",
    "xml:lang",
    "xmlns",
    "xml:space",
    "usemap",
    "datetime",
    "clear",
];

/// Elements that show something although they hold no text.
const SHOWN: [&str; 1] = ["img"];

/// Whether the text is one `div` of allowed XHTML.
pub(crate) fn is_safe(text: &str) -> bool {
    read(text).is_some()
}

/// Whether the narrative says something.
pub(crate) fn has_content(text: &str) -> bool {
    read(text) != Some(false)
}

/// Whether there is anything to see; `None` when it is not well formed or not allowed.
fn read(text: &str) -> Option<bool> {
    let mut reader = Reader { rest: text.trim(), open: Vec::new(), shown: false };
    if !reader.rest.starts_with("<div") {
        return None;
    }
    loop {
        reader.step()?;
        if reader.open.is_empty() {
            return reader.rest.trim().is_empty().then_some(reader.shown);
        }
    }
}

struct Reader<'t> {
    rest: &'t str,
    open: Vec<&'t str>,
    shown: bool,
}

impl Reader<'_> {
    /// One tag, comment or piece of text.
    fn step(&mut self) -> Option<()> {
        if let Some(comment) = self.rest.strip_prefix("<!--") {
            let end = comment.find("-->")?;
            self.rest = &comment[end + 3..];
            return Some(());
        }
        if let Some(tag) = self.rest.strip_prefix("</") {
            let end = tag.find('>')?;
            self.rest = &tag[end + 1..];
            return (self.open.pop()? == tag[..end].trim_end()).then_some(());
        }
        if self.rest.starts_with('<') {
            return self.tag();
        }
        let end = self.rest.find('<')?;
        let text = &self.rest[..end];
        self.rest = &self.rest[end..];
        self.shown |= !text.trim().is_empty();
        entities(text)
    }

    fn tag(&mut self) -> Option<()> {
        let inner = &self.rest[1..];
        let length = inner.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == ':'))?;
        let name = &inner[..length];
        if !ELEMENTS.contains(&name) || self.open.len() >= DEEPEST {
            return None;
        }
        self.shown |= SHOWN.contains(&name);
        self.rest = &inner[length..];
        loop {
            let spaced = self.rest.starts_with(char::is_whitespace);
            self.rest = self.rest.trim_start();
            if let Some(after) = self.rest.strip_prefix("/>") {
                self.rest = after;
                return Some(());
            }
            if let Some(after) = self.rest.strip_prefix('>') {
                self.rest = after;
                self.open.push(name);
                return Some(());
            }
            if !spaced {
                return None;
            }
            self.attribute()?;
        }
    }

    fn attribute(&mut self) -> Option<()> {
        let (name, after) = self.rest.split_once('=')?;
        let name = name.trim_end();
        if !ATTRIBUTES.contains(&name) && !MORE_ATTRIBUTES.contains(&name) {
            return None;
        }
        let after = after.trim_start();
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, rest) = after[1..].split_once(quote)?;
        self.rest = rest;
        let acts = matches!(name, "href" | "src")
            && scheme(value).is_some_and(|scheme| matches!(&*scheme, "javascript" | "vbscript"));
        (!acts && !value.contains('<')).then(|| entities(value))?
    }
}

/// The scheme of an address, however it is spelled.
fn scheme(value: &str) -> Option<String> {
    let (scheme, _) = value.split_once(':')?;
    Some(
        scheme
            .chars()
            .filter(|letter| !letter.is_whitespace() && !letter.is_control())
            .collect::<String>()
            .to_lowercase(),
    )
}

/// Whether every `&` begins an entity.
fn entities(text: &str) -> Option<()> {
    let mut parts = text.split('&');
    parts.next();
    parts
        .all(|part| {
            let Some((name, _)) = part.split_once(';') else { return false };
            match name.strip_prefix('#') {
                Some(number) => match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).is_ok(),
                    None => number.parse::<u32>().is_ok(),
                },
                None => !name.is_empty() && name.len() <= 10 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            }
        })
        .then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const XMLNS: &str = "xmlns=\"http://www.w3.org/1999/xhtml\"";

    #[test]
    fn a_plain_narrative_is_safe_and_says_something() {
        let text = format!("<div {XMLNS}><p class='a'>Ada &amp; Ben&nbsp;<br/><!-- x --><b>3 &#60; 4</b></p></div>");
        assert!(is_safe(&text) && has_content(&text));
    }

    #[test]
    fn what_acts_or_is_broken_is_not_safe() {
        for inner in [
            "<script>alert(1)</script>",
            "<p onclick='x()'>a</p>",
            "<a href='java script:alert(1)'>a</a>",
            "<p>a</b>",
            "<p>a",
            "a & b",
            "<form><input/></form>",
            "<p class=a>x</p>",
        ] {
            assert!(!is_safe(&format!("<div {XMLNS}>{inner}</div>")), "{inner}");
        }
        assert!(!is_safe("<p>a</p>") && !is_safe("") && !is_safe("<div>a</div><div>b</div>"));
    }

    #[test]
    fn an_empty_narrative_says_nothing() {
        assert!(!has_content(&format!("<div {XMLNS}> <p/> </div>")));
        assert!(has_content(&format!("<div {XMLNS}><img src='a.png' alt='a'/></div>")));
    }
}
