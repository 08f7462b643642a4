"""The conversation: what the line says and does after each thing a caller did."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.actions import phone_calls
from incidents.intake.voice.twiml import Answer, Speech
from incidents.intake.voice.words import Words, filled, spoken_outages
from incidents.models import Integration, Organisation, PhoneCall
from incidents.on_call import on_call
from incidents.process import AccountRole
from incidents.queries.portal import current_outages

REPORT, HEAR, MAJOR = "1", "2", "3"
USUAL_RECORDING = 180
LONGEST_RECORDING = 600
_NUMBER = re.compile(r"\+?[0-9]{5,15}")


class Line:
    """One integration's line, one call on it. `base` is its address, without a slash at the end."""

    def __init__(self, integration: Integration, call: PhoneCall, base: str, at: datetime) -> None:
        self._settings: Mapping[str, Any] = integration.settings
        self._words = Words.of(integration.settings)
        self._call, self._base, self._at = call, base, at
        self._organisation = Organisation.current().name

    def _answer(self) -> Answer:
        said = {name: str(self._settings.get(name) or "") for name in ("language", "voice")}
        return Answer(Speech(**said))

    def _filled(self, sentence: str, reference: str = "") -> str:
        return filled(sentence, organisation=self._organisation, reference=reference)

    def greet(self) -> Answer:
        """Who this is, what is known to be broken, and what can be pressed. Whoever presses nothing reports."""
        outages = spoken_outages(current_outages())
        known = [self._words.known, *outages] if outages else []
        sentences = [self._words.greeting, *known, self._words.menu]
        answer = self._answer().gather(f"{self._base}/menu", map(self._filled, sentences))
        return answer.redirect(f"{self._base}/menu")

    def pressed(self, key: str) -> Answer:
        if key == HEAR:
            said = spoken_outages(current_outages())
            if said:
                phone_calls.note_informed(self._call.pk, at=self._at)
            said = said or [self._words.no_outage]
            answer = self._answer().gather(f"{self._base}/menu", map(self._filled, [*said, self._words.menu]))
            return answer.redirect(f"{self._base}/goodbye")
        if key == MAJOR:
            phone_calls.suspect_major(self._call.pk, at=self._at)
            return self._put_through()
        if key in ("", REPORT):
            return self._listen(self._words.record)
        return (
            self._answer().gather(f"{self._base}/menu", [self._filled(self._words.menu)]).redirect(f"{self._base}/menu")
        )

    def _put_through(self) -> Answer:
        number = manager_number(self._at)
        if not number:
            return self._listen(self._words.nobody)
        caller_id = str(self._settings.get("caller_id") or "")
        answer = self._answer().say(self._filled(self._words.connecting))
        return answer.dial(number, f"{self._base}/dialled", caller_id=caller_id if _NUMBER.fullmatch(caller_id) else "")

    def dialled(self, status: str) -> Answer:
        """The manager spoke with the caller, or nobody answered: then there is at least a message."""
        if status == "completed":
            return self.goodbye()
        return self._listen(self._words.nobody)

    def _listen(self, sentence: str) -> Answer:
        phone_calls.begin_report(self._call.pk, at=self._at)
        longest = self._settings.get("longest_recording_seconds")
        seconds = longest if isinstance(longest, int) and 5 <= longest <= LONGEST_RECORDING else USUAL_RECORDING
        transcribed = f"{self._base}/transcribed" if self._settings.get("transcribe", True) is True else ""
        answer = self._answer().say(self._filled(sentence))
        answer.record(f"{self._base}/recorded", longest=seconds, transcribed=transcribed)
        return answer.redirect(f"{self._base}/goodbye")  # nothing was said: the provider goes on here

    def recorded(self, said: Mapping[str, str]) -> Answer:
        url = said.get("RecordingUrl", "")
        if not url:
            return self.goodbye()
        call = phone_calls.report(
            self._call.pk,
            recording_sid=said.get("RecordingSid", "")[:64],
            recording_url=url[:500],
            seconds=_whole(said.get("RecordingDuration", "")),
            at=self._at,
        )
        reference = call.ticket.ref if call.ticket else ""
        return self._answer().say(self._filled(self._words.thanks, reference)).hang_up()

    def goodbye(self) -> Answer:
        return self._answer().say(self._filled(self._words.goodbye)).hang_up()


def out_of_service(settings: Mapping[str, Any]) -> Answer:
    """What a line says that was switched off."""
    return Answer(Speech()).say(Words.of(settings).closed).hang_up()


def manager_number(at: datetime) -> str:
    """The first number among the major incident managers on call; "" when none of them has one."""
    for person in on_call(AccountRole.MAJOR_INCIDENT_MANAGER, at):
        number = re.sub(r"[\s()/.-]", "", person.phone)
        if _NUMBER.fullmatch(number):
            return number
    return ""


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None
