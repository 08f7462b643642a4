"""The new words of an answer, without what it quotes."""

import re

from mailparser_reply import EmailReplyParser
from mailparser_reply.constants import MAIL_LANGUAGES

from incidents.intake.email.html_text import text_of
from incidents.intake.email.parse import ParsedMail

LONGEST_READ, LONGEST_LINE = 20_000, 300
"""Beyond these the library's patterns take too long; the plain rules below see to such mails."""
_RULE = re.compile(
    r"^\s*(?:-{2,}.{0,10}(?:original|ursprüngliche|message d'origine|mensaje original|messaggio originale"
    r"|oorspronkelijk|weitergeleitete).{0,30}-{2,}|_{20,})\s*$",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"^\s*(?:on|am|le|el|il|op|em|den|dnia|w dniu)\b.{4,200}(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef"
    r"|escreveu|skrev|napisał|pisze)\s?.{0,80}:?\s*$|^.{3,150}(?:wrote|schrieb|a écrit|escribió|ha scritto)\s?:\s*$",
    re.IGNORECASE,
)
_HEAD = re.compile(r"^\s*\*?(?:from|von|de|da|van|fra|från|od)\s?:\*?\s.{3,200}$", re.IGNORECASE)
_HEAD_GOES_ON = re.compile(
    r"^\s*\*?(?:sent|date|to|gesendet|datum|an|envoyé|enviado|para|à|a|inviato|verzonden|subject|betreff|objet|asunto"
    r"|oggetto|onderwerp)\s?:",
    re.IGNORECASE,
)
_PARSER = EmailReplyParser(languages=list(MAIL_LANGUAGES))


def new_words(mail: ParsedMail) -> str:
    """What the answer says itself; the whole text when nothing would be left of it."""
    whole = mail.text.strip()
    text = (mail.is_from_html and text_of(mail.html, without_quotes=True)) or whole
    kept = _above_the_quotation(text) if text else ""
    if not kept or kept.startswith(">"):
        kept = _between_quotations(text)
    return kept or whole


def _above_the_quotation(text: str) -> str:
    lines = text.split("\n")
    ends = [_end_by_rules(lines)]
    if len(text) <= LONGEST_READ and max(map(len, lines)) <= LONGEST_LINE:
        said = _PARSER.parse_reply(text) or ""
        ends.append(said.rstrip().count("\n") + 1 if said.strip() else 0)
    return "\n".join(lines[: min(ends)]).strip()


def _end_by_rules(lines: list[str]) -> int:
    """The first line that begins a quotation: an attribution, a rule, a head of headers, or a run of quoted lines to
    the end of the mail."""
    for number, line in enumerate(lines):
        if len(line) > LONGEST_LINE:
            continue
        two = f"{line.strip()} {lines[number + 1].strip()}" if number + 1 < len(lines) else line
        is_head = _HEAD.match(line) and any(_HEAD_GOES_ON.match(more) for more in lines[number + 1 : number + 4])
        if _RULE.match(line) or is_head or _is_attribution(line, two, lines[number + 1 : number + 5]):
            return number
        if line.startswith(">") and all(not more.strip() or more.startswith(">") for more in lines[number:]):
            return number
    return len(lines)


def _is_attribution(line: str, two: str, following: list[str]) -> bool:
    if not (_WROTE.match(line) or len(two) < LONGEST_LINE and _WROTE.match(two)):
        return False
    return any(more.lstrip().startswith(">") for more in following) or line.rstrip().endswith(":")


def _between_quotations(text: str) -> str:
    """Answers written below or between the quoted lines."""
    kept = [line for line in text.split("\n") if not line.startswith(">") and not _WROTE.match(line[:LONGEST_LINE])]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
