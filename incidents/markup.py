"""Text from people to safe HTML, once, when it is saved."""

import nh3
from markdown_it import MarkdownIt

MAX_CHARACTERS = 20_000
"""Longer text is refused by the actions: 20,000 brackets already take over a second to parse."""

_TAGS = {
    *("p", "br", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "hr", "a"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).enable(
    ["table", "strikethrough"]
)


def render(text: str) -> str:
    """Sanitised HTML of Markdown. No raw HTML, no images, links only to http, https, mailto and tel."""
    return nh3.clean(
        _markdown.render(text[:MAX_CHARACTERS]),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
    )
