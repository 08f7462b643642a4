"""The incident document as files: PDF set by Typst, HTML for reading elsewhere, Markdown as it is."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from markdown_it import MarkdownIt
from markdown_it.token import Token

from incidents import document_text
from incidents.models import Document, Organisation

_TEMPLATE = Path("templates") / "incidents" / "document.typ"
_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).enable(
    ["table", "strikethrough"]
)
_SCHEMES = ("http://", "https://", "mailto:", "tel:")


def to_pdf(document: Document) -> bytes:
    """The document as tagged PDF."""
    published = document.published_at
    note = f"Version {document.version}" + (f", published {published:%Y-%m-%d %H:%M} UTC" if published else ", draft")
    return set_in_type(document.title, note, document.markdown)


def set_in_type(title: str, note: str, markdown: str) -> bytes:
    """Markdown as tagged PDF, `note` at the foot of each page. What people wrote reaches Typst as data, so none of it
    can act as markup."""
    given = {
        "title": _printable(title),
        "organisation": _printable(Organisation.current().name),
        "note": _printable(note),
        "blocks": list(_blocks(_tokens(markdown))),
    }
    import typst  # 6 MiB in every process, and few make a PDF

    template = settings.BASE_DIR / _TEMPLATE
    return typst.compile(
        template,
        root=template.parent,
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(given)},
    )


def to_markdown(document: Document) -> str:
    return document.markdown


def to_html(document: Document) -> str:
    """A whole page without scripts; the text was sanitised when it was saved."""
    return render_to_string("incidents/document_export.html", {"document": document})


def _tokens(markdown: str) -> list[Token]:
    return [token for piece in document_text.pieces(markdown) for token in _markdown.parse(piece)]


def _printable(text: str) -> str:
    """Without control characters, which no font has."""
    return "".join(char for char in text if char == "\n" or char == "\t" or ord(char) >= 32)


@dataclass
class _Place:
    """Where in the text a piece of writing stands: in which heading, list, quotation or table."""

    heading: int = 0
    quotes: int = 0
    lists: list[int | None] = field(default_factory=list)
    """One entry for each open list: the next number, None for bullets."""
    is_new_item: bool = False
    rows: list[list[Any]] | None = None

    def move(self, token: Token) -> None:
        match token.type:
            case "heading_open":
                self.heading = int(token.tag[1])
            case "heading_close":
                self.heading = 0
            case "blockquote_open" | "blockquote_close":
                self.quotes += token.nesting
            case "bullet_list_open":
                self.lists.append(None)
            case "ordered_list_open":
                self.lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
            case "list_item_open":
                self.is_new_item = True
            case "table_open":
                self.rows = []
            case "tr_open" if self.rows is not None:
                self.rows.append([])

    def set(self, spans: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The block for a piece of writing; None for a cell, which waits for its table."""
        if self.rows is not None:
            self.rows[-1].append(spans)
            return None
        if self.heading:
            return {"kind": "heading", "level": self.heading, "spans": spans}
        if self.lists:
            return {"kind": "item", "depth": len(self.lists) - 1, "mark": self._mark(), "spans": spans}
        return {"kind": "quote" if self.quotes else "paragraph", "spans": spans}

    def _mark(self) -> str:
        """What stands before an item: a bullet, its number, or nothing before its second paragraph."""
        if not self.is_new_item:
            return ""
        self.is_new_item = False
        number = self.lists[-1]
        if number is None:
            return "•"
        self.lists[-1] = number + 1
        return f"{number}."

    def end_table(self) -> dict[str, Any]:
        rows, self.rows = self.rows or [], None
        return {"kind": "table", "columns": max([1, *map(len, rows)]), "rows": rows}


def _blocks(tokens: Sequence[Token]) -> Iterator[dict[str, Any]]:
    """Markdown as a flat list of blocks the template can set one after the other."""
    place = _Place()
    for token in tokens:
        if token.type == "inline":
            if block := place.set(list(_spans(token.children or []))):
                yield block
        elif token.type in ("fence", "code_block"):
            yield {"kind": "code", "text": _printable(token.content.rstrip("\n"))}
        elif token.type == "hr":
            yield {"kind": "rule"}
        elif token.type == "table_close":
            yield place.end_table()
        else:
            place.move(token)


def _spans(tokens: Sequence[Token]) -> Iterator[dict[str, Any]]:
    bold = italic = struck = 0
    links: list[str] = []
    for token in tokens:
        match token.type:
            case "strong_open" | "strong_close":
                bold += token.nesting
            case "em_open" | "em_close":
                italic += token.nesting
            case "s_open" | "s_close":
                struck += token.nesting
            case "link_open":
                target = str(token.attrs.get("href", ""))
                links.append(target if target.startswith(_SCHEMES) else "")
            case "link_close":
                links.pop()
            case "softbreak" | "hardbreak":
                yield _span("\n")
            case "text" | "code_inline" | "image":
                if text := _printable(token.content):
                    yield _span(
                        text,
                        bold=bold > 0,
                        italic=italic > 0,
                        struck=struck > 0,
                        code=token.type == "code_inline",
                        link=links[-1] if links else "",
                    )


def _span(text: str, **style: Any) -> dict[str, Any]:
    return {"text": text, "bold": False, "italic": False, "struck": False, "code": False, "link": "", **style}
