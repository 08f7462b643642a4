"""The incident document as files: PDF set by Typst, HTML for reading elsewhere, Markdown as it is."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typst
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
    """The document as tagged PDF. What people wrote reaches Typst as data, so none of it can act as markup."""
    given = {
        "title": _printable(document.title),
        "organisation": _printable(Organisation.current().name),
        "note": f"Version {document.version}"
        + (f", published {document.published_at:%Y-%m-%d %H:%M} UTC" if document.published_at else ", draft"),
        "blocks": list(_blocks(_tokens(document.markdown))),
    }
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


def _blocks(tokens: Sequence[Token]) -> Iterator[dict[str, Any]]:
    """Markdown as a flat list of blocks the template can set one after the other."""
    lists: list[list[int | None]] = []
    quotes, fresh_item = 0, False
    rows: list[list[list[dict[str, Any]]]] | None = None
    heading = 0
    for token in tokens:
        match token.type:
            case "bullet_list_open":
                lists.append([None])
            case "ordered_list_open":
                lists.append([int(token.attrs.get("start", 1))])
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "list_item_open":
                fresh_item = True
            case "blockquote_open":
                quotes += 1
            case "blockquote_close":
                quotes -= 1
            case "heading_open":
                heading = int(token.tag[1])
            case "heading_close":
                heading = 0
            case "table_open":
                rows = []
            case "tr_open":
                if rows is not None:
                    rows.append([])
            case "table_close":
                yield {"kind": "table", "columns": max(map(len, rows or [[]])) or 1, "rows": rows or []}
                rows = None
            case "hr":
                yield {"kind": "rule"}
            case "fence" | "code_block":
                yield {"kind": "code", "text": _printable(token.content.rstrip("\n"))}
            case "inline":
                spans = list(_spans(token.children or []))
                if rows is not None:
                    rows[-1].append(spans)
                elif heading:
                    yield {"kind": "heading", "level": heading, "spans": spans}
                elif lists:
                    yield {
                        "kind": "item",
                        "depth": len(lists) - 1,
                        "mark": _mark(lists[-1], fresh_item),
                        "spans": spans,
                    }
                    fresh_item = False
                else:
                    yield {"kind": "quote" if quotes else "paragraph", "spans": spans}


def _mark(counter: list[int | None], fresh: bool) -> str:
    """What stands before an item: a bullet, its number, or nothing before its second paragraph."""
    if not fresh:
        return ""
    number = counter[0]
    if number is None:
        return "•"
    counter[0] = number + 1
    return f"{number}."


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
