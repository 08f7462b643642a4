"""PURE: past reports through the same detector, one after the other, as if they arrived now. No ORM, no clock.

What is usual and which words are ordinary are handed in by the caller, who takes them only from before the reports.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from incidents.alike import Cluster, Vocabulary, nearest, terms_of
from incidents.detection import (
    LEAST_EXPECTED,
    Calendar,
    InForce,
    Minute,
    Repeated,
    Thresholds,
    UsualOfAll,
    Verdict,
    Window,
    assess,
    minute_of,
    reaches_floors,
    repeated_in,
    window_of,
)

LOOKS_BACK = timedelta(minutes=60)
JUDGED_AFTER = timedelta(minutes=30)
"""A manager is taken to judge a candidate so long after it was raised, or when the influx has ebbed after that."""
SERVICE_SHARE = 0.6
MOST_CLUSTERS = 300


@dataclass(frozen=True)
class Report:
    """One incident ticket. `source` tells requesters apart; `incident` is the outage it belonged to, None for none."""

    pk: int
    at: datetime
    service: int | None
    source: int
    title: str
    body: str = ""
    incident: int | None = None


@dataclass
class Raised:
    """What the detector would have proposed at `at`. `reports` are its evidence then, `joined` what came later."""

    at: datetime
    service: int | None
    words: str
    verdict: Verdict
    reports: list[Report]
    joined: list[datetime] = field(default_factory=list)

    def join(self, at: datetime) -> None:
        self.joined.append(at)

    def is_over(self, at: datetime, thresholds: Thresholds) -> bool:
        """Whether it has been judged by now, and so many do not come any more."""
        recent = at - timedelta(minutes=thresholds.window_minutes)
        came = sum(one > recent for one in self.joined[-thresholds.least_arrivals :])
        return at - self.at > JUDGED_AFTER and came < thresholds.least_arrivals

    def incident(self) -> int | None:
        """The outage that at least a third of the evidence belonged to; None when it cried wolf."""
        named = Counter(one.incident for one in self.reports if one.incident is not None)
        if not named:
            return None
        incident, times = named.most_common(1)[0]
        return incident if 3 * times >= len(self.reports) else None


class _Group(Cluster):
    """A text cluster with its recent reports."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: deque[Report] = deque()
        self.raised: Raised | None = None
        self.after: datetime | None = None


@dataclass
class Replay:
    """Feed it reports in the order they came. `usual` and `vocabulary` may be renewed between two of them."""

    thresholds: InForce
    calendar: Calendar
    usual: UsualOfAll = field(default_factory=UsualOfAll)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    seen: int = 0
    _recent: dict[int, deque[tuple[Report, _Group | None]]] = field(default_factory=dict)
    _groups: list[_Group] = field(default_factory=list)
    _open: dict[int, Raised] = field(default_factory=dict)
    _after: dict[int, datetime] = field(default_factory=dict)

    def see(self, report: Report) -> Raised | None:
        """One more report; what it decides, None for nothing."""
        self.seen += 1
        self._close_quiet(report.at)
        group = self._group(report)
        if report.service is None and group is not None and (meant := group.service()) is not None:
            report = replace(report, service=meant)
        recent = self._remember(report, group)
        home = self._open.get(report.service or 0) or _by_words(report, group)
        if home is not None:
            home.join(report.at)
            return None
        return (self._service(report, recent) if report.service else None) or (self._cluster(report, group))

    def run(self, reports: Iterable[Report]) -> list[Raised]:
        """Everything they would have raised, in order."""
        return [raised for report in reports if (raised := self.see(report)) is not None]

    def _close_quiet(self, at: datetime) -> None:
        own = self.thresholds.default
        for service, raised in list(self._open.items()):
            if raised.is_over(at, own):
                del self._open[service]
                self._after[service] = at
        for group in self._groups:
            if group.raised is not None and group.raised.is_over(at, own):
                group.after, group.raised = at, None

    def _remember(self, report: Report, group: _Group | None) -> deque[tuple[Report, _Group | None]]:
        recent = self._recent.setdefault(report.service or 0, deque())
        recent.append((report, group))
        longest = timedelta(minutes=self.thresholds.of(report.service).window_minutes)
        while recent and recent[0][0].at < report.at - longest - timedelta(minutes=1):
            recent.popleft()
        return recent

    def _group(self, report: Report) -> _Group | None:
        vector = self.vocabulary.vector(terms_of(report.title, report.body))
        if not vector:
            return None
        self._groups = [one for one in self._groups if one.reports[-1].at >= report.at - LOOKS_BACK][-MOST_CLUSTERS:]
        found, alike = nearest(vector, self._groups)
        if not isinstance(found, _Group) or alike < self.thresholds.default.similarity:
            found = _Group()
            self._groups.append(found)
        found.take(vector, report.service)
        found.reports.append(report)
        return found

    def _service(self, report: Report, recent: deque[tuple[Report, _Group | None]]) -> Raised | None:
        own, service = self.thresholds.of(report.service), report.service or 0
        if len(recent) < own.least_arrivals:
            return None
        window = window_of(
            _minutes(one for one, _ in recent), report.at, own.window_minutes, after=self._after.get(service)
        )
        if not reaches_floors(window, own):
            return None
        expected = self.usual.of(service).expected(window.begins_at, window.ends_at, self.calendar)
        inside = [(one, group) for one, group in recent if window.begins_at <= one.at]
        verdict = assess(window, expected, own, repeated=self._repeated(window, inside))
        return self._raise(report, service, [one for one, _ in inside], verdict, "") if verdict.proposes else None

    def _repeated(self, window: Window, inside: list[tuple[Report, _Group | None]]) -> Repeated:
        sources: dict[int, tuple[_Group, set[int]]] = {}
        for one, group in inside:
            if group is not None:
                sources.setdefault(id(group), (group, set()))[1].add(one.source)
        usual = self.usual.of(None).expected(window.begins_at, window.ends_at, self.calendar)
        several = [(group, held) for group, held in sources.values() if len(held) > 1]
        return repeated_in((len(held), usual * group.usual_share(self.vocabulary)) for group, held in several)

    def _cluster(self, report: Report, group: _Group | None) -> Raised | None:
        own: Thresholds = self.thresholds.default
        if group is None or len(group.reports) < own.least_arrivals:
            return None
        window = window_of(_minutes(group.reports), report.at, own.window_minutes, after=group.after)
        usual = self.usual.of(None).expected(window.begins_at, window.ends_at, self.calendar)
        expected = max(usual * group.usual_share(self.vocabulary), LEAST_EXPECTED)
        verdict = assess(window, expected, own)
        inside = [one for one in group.reports if window.begins_at <= one.at and (one.service or 0) not in self._open]
        if not verdict.proposes or len(inside) < own.least_arrivals:
            return None
        service = service_of([one.service for one in inside])
        if service is not None and service in self._open:
            return None
        return self._raise(report, service, inside, verdict, " ".join(group.words()))

    def _raise(self, report: Report, service: int | None, inside: list[Report], verdict: Verdict, words: str) -> Raised:
        raised = Raised(report.at, service, words, verdict, inside)
        if service is not None:
            self._open[service] = raised
        mine = {one.pk for one in inside}
        for group in self._groups:
            shared = sum(one.pk in mine for one in group.reports)
            current = sum(one.at >= verdict.window.begins_at for one in group.reports)
            if shared >= 2 and 2 * shared >= current:
                group.raised = raised
        return raised


def _by_words(report: Report, group: _Group | None) -> Raised | None:
    """What is open for the words of a report, unless it names a service and that is open for another."""
    raised = group.raised if group else None
    if raised is None or (report.service and raised.service and report.service != raised.service):
        return None
    return raised


def service_of(named: Iterable[int | None]) -> int | None:
    """The service most of them name; None when they name several, or hardly any."""
    everything = list(named)
    counted = Counter(service for service in everything if service)
    if not counted:
        return None
    service, times = counted.most_common(1)[0]
    is_clear = times >= SERVICE_SHARE * sum(counted.values()) and 2 * times >= len(everything)
    return service if is_clear else None


def _minutes(reports: Iterable[Report]) -> list[Minute]:
    """One entry a report; the window sums them up."""
    return [Minute(minute_of(one.at), 1, 0, frozenset((one.source,))) for one in reports]
