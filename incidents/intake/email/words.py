"""Text out of bytes and headers, whatever their charset says. Pure; nothing here raises for any input."""

import base64
import binascii
import codecs
import quopri
import re
import unicodedata

_REFUSED = {"punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7", "mbcs", "oem"}
"""Codecs that are no charsets of mail, or take quadratic time."""
_MEANT = {
    "iso8859-1": "cp1252",  # what senders call latin-1 holds the quotes and dashes of Windows
    "ascii": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_OTHER_NAMES = {
    "utf8mb4": "utf-8", "utf": "utf-8", "unicode": "utf-8", "iso-8859-8-i": "iso-8859-8", "iso-8859-8-e": "iso-8859-8",
    "windows-874": "cp874", "ks_c_5601-1987": "cp949", "x-sjis": "cp932", "x-mac-roman": "mac-roman", "ansi": "cp1252",
    "x-windows-949": "cp949", "cp-850": "cp850", "iso-2022-cn": "gb18030",
}  # fmt: skip
_ENCODED = re.compile(r"=\?([\w.:()+-]{1,60})(?:\*[\w-]{0,20})?\?([bBqQ])\?([^?\r\n]*)\?=")
_KEPT = "\n\t\u200c\u200d"  # the two joiners belong to Persian and to emoji
_SPACES = re.compile(r"[ \t]*\r?\n[ \t]*|[ \t]+")


def decoded(content: bytes, charset: str | None = None) -> str:
    """The text in the charset it names, else UTF-8, else Windows-1252, whose gaps become replacement signs."""
    for name in (_known(charset), "utf-8"):
        if name is None:
            continue
        try:
            return content.decode(name)
        except (UnicodeError, LookupError, ValueError):
            continue
    text = content.decode("utf-8", "replace")
    is_nearly = text.count("\ufffd") <= len(text) // 100 + 1
    if is_nearly and any(char != "\ufffd" and not char.isascii() for char in text):
        return text  # UTF-8 that somebody cut or damaged
    return content.decode("cp1252", "replace")


def _known(charset: str | None) -> str | None:
    name = re.split(r"[;\s]", (charset or "").strip().strip("\"'").lower())[0][:60]
    name = _OTHER_NAMES.get(name, name)
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    if found.name in _REFUSED or not found._is_text_encoding:
        return None
    return _MEANT.get(found.name, found.name)


def header_text(value: str) -> str:
    """A header as people read it: unfolded, its encoded words decoded, odd bytes guessed, without control signs."""
    raw = value.encode("ascii", "surrogateescape") if value.isascii() or _escaped(value) else None
    text = decoded(raw) if raw is not None else value
    return clean(_SPACES.sub(" ", _words(text[:20_000]))).replace("\n", " ").strip()


def _escaped(value: str) -> bool:
    return all(char.isascii() or "\udc80" <= char <= "\udcff" for char in value)


def _words(text: str) -> str:
    """Decodes `=?charset?b?…?=`. Neighbours of one charset are joined first: many cut a character in two."""
    said: list[str] = []
    pending: list[tuple[str, bytes]] = []
    reached = 0
    for match in _ENCODED.finditer(text):
        between = text[reached : match.start()]
        if between.strip() or not pending:
            said += [_joined(pending), between]
            pending = []
        pending.append((match[1].lower(), _bytes(match[2], match[3])))
        reached = match.end()
    return "".join([*said, _joined(pending), text[reached:]])


def _joined(pending: list[tuple[str, bytes]]) -> str:
    said, held = "", b""
    for index, (charset, content) in enumerate(pending):
        held += content
        if index + 1 == len(pending) or pending[index + 1][0] != charset:
            said, held = said + decoded(held, charset), b""
    return said


def _bytes(encoding: str, content: str) -> bytes:
    plain = content.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return quopri.decodestring(plain.replace(b"_", b" "), header=False)
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4))
    except (binascii.Error, ValueError):
        return plain


def clean(text: str) -> str:
    """Without what the database refuses or what hides words: NUL, lone surrogates, control and direction signs."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if plain.isascii() and plain.isprintable():
        return plain
    return "".join(
        char for char in plain if char in _KEPT or unicodedata.category(char) not in ("Cc", "Cs", "Co", "Cf")
    )
