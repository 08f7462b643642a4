"""HTML of a mail as plain text: paragraphs, lists and links, nothing that could run."""

import re
from html import unescape
from html.parser import HTMLParser

import nh3

LARGEST = 256 * 1024
DEEPEST = 300
"""Elements inside each other take quadratic time to read; nobody's letter is nested so deep."""
_DATA = re.compile(r"data:[\w/+.;=-]{0,60},[A-Za-z0-9+/=%\s]{100,}")
_BLOCKS = {
    *("p", "div", "br", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr"),
    *("section", "article", "header", "footer", "dt", "dd"),
}
_QUOTES = re.compile(r"gmail_quote|yahoo_quoted|moz-cite-prefix|protonmail_quote|divRplyFwdMsg|appendonsend", re.I)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_WITHOUT_END = {
    *("br", "img", "hr", "meta", "link", "input", "col", "area", "base", "wbr", "source"),
    *("p", "li", "td", "th", "tr", "dt", "dd", "option"),  # the next one ends them
}
_NOT_WORDS = re.compile(r"<(script|style|head|title)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_KEPT = {*_BLOCKS, "a", "span", "td", "th", "tbody", "thead", "b", "i", "strong", "em", "img"}


class _Reader(HTMLParser):
    def __init__(self, *, without_quotes: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.without_quotes = without_quotes
        self.said: list[str] = []
        self.link = ""
        self.ended = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self.without_quotes and (
            tag == "blockquote" or _QUOTES.search(f"{given.get('class', '')} {given.get('id', '')}")
        ):
            self.ended = True  # everything below was said before
        if self.ended:
            return
        if tag in _BLOCKS:
            self.said.append("\n\n" if tag == "p" else "\n")
        if tag == "li":
            self.said.append("- ")
        elif tag in ("td", "th"):
            self.said.append(" ")
        elif tag == "a":
            self.link = given.get("href", "")
        elif tag == "img" and given.get("alt"):
            self.said.append(f"[{given['alt'][:100]}]")

    def handle_endtag(self, tag: str) -> None:
        if self.ended:
            return
        if tag == "a" and self.link.startswith(("http://", "https://", "mailto:")):
            words = "".join(self.said[-3:])
            if self.link.removeprefix("mailto:") not in words:
                self.said.append(f" ({self.link[:500]})")
            self.link = ""
        if tag in _BLOCKS:
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.ended:
            self.said.append(re.sub(r"\s+", " ", data))


def text_of(html: str, *, without_quotes: bool = False) -> str:
    """What a reader of the mail sees, as lines of text. With `without_quotes` it ends where a quotation begins.

    Scripts, styles and comments are taken out first, so that nothing of them can end up as text either.
    """
    given = _DATA.sub("", html[: 20 * LARGEST])[:LARGEST]
    if _depth(given) > DEEPEST:
        return _tidy(unescape(re.sub(r"<[^<>]{0,2000}>", " ", _NOT_WORDS.sub(" ", given))))
    safe = nh3.clean(
        given,
        tags=_KEPT,
        clean_content_tags={"script", "style", "head", "title", "template"} - _KEPT,
        attributes={"a": {"href"}, "div": {"class", "id"}, "span": {"class"}, "img": {"alt"}, "blockquote": {"class"}},
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    reader = _Reader(without_quotes=without_quotes)
    reader.feed(safe)
    reader.close()
    return _tidy("".join(reader.said))


def _depth(html: str) -> int:
    """How deep its elements stand inside each other, at most; those nobody closes count on."""
    depth = deepest = 0
    for closing, name in _TAG.findall(html):
        if name.lower() not in _WITHOUT_END:
            depth = max(0, depth - 1) if closing else depth + 1
            deepest = max(deepest, depth)
    return deepest


def _tidy(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
