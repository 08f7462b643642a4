"""Heartbeats: any request is a beat, whatever it holds. The alert comes when none does (see `actions.heartbeats`)."""

from incidents.intake.monitoring.shape import Answer, Malformed, Received, Says, Signal


class Heartbeat:
    kind = "heartbeat"
    methods = ("POST", "GET", "HEAD", "PUT")

    def read(self, received: Received) -> list[Signal]:
        return []

    def accepted(self, received: Received, signals: list[Signal]) -> Answer:
        return Answer(200, "OK\n", "text/plain; charset=utf-8")

    def refused(self, received: Received, why: Malformed) -> Answer:
        return Answer(why.status, f"{why.sentence}\n", "text/plain; charset=utf-8")

    def example(self, *, says: Says = Says.FIRING) -> tuple[bytes, dict[str, str]]:
        return b"", {"content-type": "text/plain"}


ADAPTER = Heartbeat()
