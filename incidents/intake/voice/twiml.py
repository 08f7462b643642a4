"""TwiML: the answers as the provider reads them. Made as XML elements, so that no word can become an instruction."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as xml

CONTENT_TYPE = "text/xml"
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Speech:
    """How it is spoken. Empty leaves it to the provider's account."""

    language: str = ""
    voice: str = ""

    def attributes(self) -> dict[str, str]:
        given = {"language": _NOT_XML.sub("", self.language), "voice": _NOT_XML.sub("", self.voice)}
        return {name: value for name, value in given.items() if value}


class Answer:
    """Verbs in the order in which they are done."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._root = xml.Element("Response")

    def say(self, *sentences: str, within: xml.Element | None = None) -> "Answer":
        for sentence in filter(None, sentences):
            spoken = xml.SubElement(self._root if within is None else within, "Say", self._speech.attributes())
            spoken.text = _NOT_XML.sub("", sentence)
        return self

    def gather(self, action: str, sentences: Iterable[str], *, seconds: int = 6) -> "Answer":
        """Waits for one key while the sentences are spoken, and so many seconds after them."""
        verb = {"numDigits": "1", "timeout": str(seconds), "action": action, "method": "POST"}
        self.say(*sentences, within=xml.SubElement(self._root, "Gather", {"input": "dtmf", **verb}))
        return self

    def record(self, action: str, *, longest: int, transcribed: str = "") -> "Answer":
        verb = {
            "action": action, "method": "POST", "maxLength": str(longest), "timeout": "5", "finishOnKey": "#",
            "playBeep": "true", "trim": "trim-silence",
        }  # fmt: skip
        if transcribed:
            verb |= {"transcribe": "true", "transcribeCallback": transcribed}
        xml.SubElement(self._root, "Record", verb)
        return self

    def dial(self, number: str, action: str, *, caller_id: str = "", seconds: int = 25) -> "Answer":
        verb = {"action": action, "method": "POST", "timeout": str(seconds)}
        dialled = xml.SubElement(self._root, "Dial", verb | ({"callerId": caller_id} if caller_id else {}))
        xml.SubElement(dialled, "Number").text = number
        return self

    def message(self, text: str) -> "Answer":
        """An SMS in return, where the provider asked about one."""
        xml.SubElement(self._root, "Message").text = _NOT_XML.sub("", text)
        return self

    def redirect(self, action: str) -> "Answer":
        xml.SubElement(self._root, "Redirect", {"method": "POST"}).text = action
        return self

    def hang_up(self) -> "Answer":
        xml.SubElement(self._root, "Hangup")
        return self

    def __bytes__(self) -> bytes:
        return xml.tostring(self._root, encoding="utf-8", xml_declaration=True)
