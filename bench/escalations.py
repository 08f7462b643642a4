"""Escalations at full size on servers of its own: R7 and R16 of the promises. No installation is touched.

python3 -m bench.escalations [PAGES]      1,000 unanswered pages while the worker is killed every ten seconds
python3 -m bench.escalations storm        2,800 alerts of one cause, ten people, ten minutes of simulated time
"""

import os
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
WAIT_SECONDS, KILL_EVERY = 20, 10
LATE_P99, LATE_MOST = 10, 30
ALERTS, ENGINEERS, MANAGERS = 2_800, 8, 2


class Sink:
    """Counts messages by address and subject."""

    def __init__(self) -> None:
        self.mails: Counter[tuple[str, str]] = Counter()

    async def handle_DATA(self, server, session, envelope):
        head = envelope.content.split(b"\r\n\r\n", 1)[0].decode(errors="replace")
        key = next(line for line in head.split("\r\n") if line.lower().startswith("message-id"))
        self.mails.update((address, key) for address in envelope.rcpt_tos)
        return "250 OK"


def person(name: str, role: str):
    from incidents.models import User

    user = User.objects.create_user(f"{name}@shop.example", name=name.title())
    user.role_rows.create(role=role)
    return user


def raised(cluster: str):
    from django.utils import timezone

    from incidents.actions import candidates

    return candidates.gather(
        title=f"Outage {cluster}", source="influx", cluster=cluster, reasons=["14 tickets"], actor=None,
        at=timezone.now(),
    )  # fmt: skip


class Worker:
    """The product's own worker, looked after as `manage.py up` does, and killed every ten seconds."""

    def __init__(self) -> None:
        from mim.embedded import programs

        self.child = programs.worker(dict(os.environ), Path(os.environ["MIM_VAR_DIR"]) / "log")
        self.kills = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look_after)
        self.child.start()
        self.thread.start()

    def look_after(self) -> None:
        next_kill = time.monotonic() + KILL_EVERY
        while not self.over.wait(0.25):
            now = time.monotonic()
            if now >= next_kill and self.child.is_running() and self.child.process is not None:
                self.child.process.kill()
                self.child.process.wait()
                self.kills, next_kill = self.kills + 1, now + KILL_EVERY
            self.child.restart_if_dead(now)

    def end(self) -> None:
        self.over.set()
        self.thread.join()
        self.child.stop()


def pages(count: int, sink: Sink) -> None:
    """R7: missed, early, doubled, and how late."""
    from django.utils import timezone

    from notifications.models import Delivery, EscalationPolicy, Page, PageCall

    crew = [person(name, "major_incident_manager") for name in ("dana", "lee", "kim")]
    steps = [{"who": [f"person:{one.pk}"], "wait_seconds": WAIT_SECONDS} for one in crew]
    EscalationPolicy.objects.create(occasion="candidate", steps=steps, repeat=0, changed_at=timezone.now())
    for number in range(count):
        raised(f"c{number}")
    due_at = timezone.now() + timedelta(seconds=WAIT_SECONDS)
    PageCall.objects.update(called_at=due_at - timedelta(seconds=WAIT_SECONDS))
    Page.objects.update(due_at=due_at)
    print(f"{count} pages, all due at once; the worker is killed every {KILL_EVERY} s", flush=True)
    worker = Worker()
    while Page.objects.filter(state="paging").exists():
        time.sleep(1)
    waiting = Delivery.objects.filter(moment="page", channel="email", state__in=("queued", "sending"))
    while waiting.exists():
        time.sleep(1)
    worker.end()
    late, early, wrong = [], 0, 0
    for page in Page.objects.prefetch_related("calls"):
        calls = sorted(page.calls.all(), key=lambda call: call.pk)
        wrong += [call.person_id for call in calls] != [one.pk for one in crew]
        for first, later in zip(calls, calls[1:], strict=False):
            seconds = (later.called_at - first.called_at).total_seconds() - WAIT_SECONDS
            early += seconds < 0
            late.append(max(seconds, 0.0))
    late.sort()
    p99 = late[int(len(late) * 0.99)]
    doubled = sum(number - 1 for number in sink.mails.values())
    print(
        f"{worker.kills} kills, {PageCall.objects.count()} calls: {wrong} pages with a missed or doubled step, {early} "
        f"early; late p50 {late[len(late) // 2]:.1f} s, p99 {p99:.1f} s, max {late[-1]:.1f} s; "
        f"mails {len(sink.mails)}, raw repetitions {doubled}"
    )
    is_met = not wrong and not early and p99 <= LATE_P99 and late[-1] <= LATE_MOST
    print(f"goal: none missed, doubled or early, p99 {LATE_P99} s, max {LATE_MOST} s: {'met' if is_met else 'MISSED'}")


def storm(sink: Sink) -> None:
    """R16: how many messages each person got within ten minutes."""
    import time_machine
    from django.utils import timezone

    from notifications import delivery

    people = [person(f"engineer{n}", "technical_staff") for n in range(ENGINEERS)]
    people += [person(f"manager{n}", "major_incident_manager") for n in range(MANAGERS)]
    with time_machine.travel(timezone.now(), tick=True) as clock:
        for number in range(ALERTS):
            raised("checkout")
            if number % 70 == 69:
                delivery.deliver_due(seconds=30)
                clock.shift(14)
    counted = Counter(address for address, _ in sink.mails.elements())
    print(
        f"{ALERTS} alerts: {len(counted)} of {len(people)} people told, at most {max(counted.values())} messages each"
    )


def main() -> None:
    from aiosmtpd.controller import Controller

    from mim.embedded.ports import free_port
    from mim.embedded.throwaway import servers_where_unset

    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    os.environ |= {"MIM_EMAIL_URL": f"smtp://127.0.0.1:{controller.port}", "DJANGO_SETTINGS_MODULE": "mim.settings"}
    os.environ.setdefault("MIM_LOG_LEVEL", "ERROR")
    with servers_where_unset():
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        asked = sys.argv[1] if len(sys.argv) > 1 else "1000"
        if asked == "storm":
            storm(sink)
        else:
            pages(int(asked), sink)
        django.db.connections.close_all()
    controller.stop()


if __name__ == "__main__":
    main()
