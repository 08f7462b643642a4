"""JSON in: one object, in sane depth and size."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser, MultiPartParser

from incidents.api.errors import TooLarge

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20


class StrictJsonParser(BaseParser):
    """Refuses what is not one JSON object in UTF-8, is larger than 1 MiB or nested deeper than 20 levels.

    NaN, lone surrogates and truncated text are refused by the decoder; numbers beyond 64 bit arrive as
    floats, which no whole-number field accepts.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        refuse_encoded(parser_context)
        raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise TooLarge("The body is larger than 1 MiB.")
        if not raw.strip():
            return {}
        try:
            found = orjson.loads(raw)
        except orjson.JSONDecodeError as refusal:
            raise ParseError(f"This is not JSON: {refusal.msg} at character {refusal.pos}.") from None
        if not isinstance(found, dict):
            raise ParseError('Send one JSON object, like {} or {"title": "…"}.')
        if _is_too_deep(found):
            raise ParseError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        return found


class StrictMultiPartParser(MultiPartParser):
    """For uploads."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        refuse_encoded(parser_context)
        return super().parse(stream, media_type, parser_context)


def refuse_encoded(parser_context: Mapping[str, Any] | None) -> None:
    encoding = (parser_context or {})["request"].headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMediaType(encoding, detail=f"Content-Encoding “{encoding}” is not read here. Send it plain.")


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
