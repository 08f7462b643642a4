"""Answers for the tools that only look at the status: plain JSON, 202 when it is kept, 4xx with a sentence when not."""

from typing import Any

from incidents.intake.monitoring.shape import Answer, Malformed, Received, Signal


class PlainAnswers:
    """Base of adapters whose tool has no dialect of its own for answers."""

    def accepted(self, received: Received, signals: list[Signal]) -> Answer:
        return Answer(202, {"status": "accepted", "payload": received.payload_id, "alerts": len(signals)})

    def refused(self, received: Received, why: Malformed) -> Answer:
        said: dict[str, Any] = {"status": "refused", "error": why.sentence}
        return Answer(why.status, said | ({"field": why.field} if why.field else {}))
