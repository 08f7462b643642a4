"""The Celery application and the only table of periodic work.

Every entry is a sweep: it finds rows that are due and does what a lost wake-up missed, so
nothing in the product depends on a message surviving in the broker. Schedules are plain
intervals, never local-time crontabs, which skip or repeat an hour when clocks change.
"""

import os

from celery import Celery
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mim.settings")

app = Celery("mim")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()  # in the threads of the web server too, where nothing else makes it the current one
app.autodiscover_tasks()
app.autodiscover_tasks(["incidents.intake.email"])
app.autodiscover_tasks(["incidents.intake.voice"])

URGENT, WEBHOOKS = "urgent", "webhooks"
# A lane of its own for what people wait for: thousands of messages to be delivered must stand neither before the one
# glance that says "this is an outage" nor before the next person to be paged. Another for the endpoints of strangers,
# which may be as slow as they like. mim.embedded.worker serves both with threads that do nothing else.
app.conf.task_queues = (Queue("celery"), Queue(URGENT), Queue(WEBHOOKS))
app.conf.task_default_queue = "celery"
app.conf.task_routes = {
    "incidents.tasks.look_for_influx": {"queue": URGENT},
    "notifications.tasks.sweep_pages": {"queue": URGENT},
    "notifications.tasks.sweep_webhooks": {"queue": WEBHOOKS},
}

app.conf.beat_schedule = {
    "deliver-due-messages": {"task": "notifications.tasks.sweep_deliveries", "schedule": 5.0},
    "watch-promises": {"task": "notifications.tasks.sweep_promises", "schedule": 5.0},
    "chase-acknowledgements": {"task": "notifications.tasks.sweep_acknowledgements", "schedule": 15.0},
    "escalate-pages": {"task": "notifications.tasks.sweep_pages", "schedule": 5.0},
    "watch-pages": {"task": "notifications.tasks.watch_pages", "schedule": 15.0},
    "beat-heartbeat": {"task": "notifications.tasks.heartbeat", "schedule": 5.0},
    "expire-consults": {"task": "incidents.tasks.sweep_consults", "schedule": 15.0},
    "call-back-tasks": {"task": "incidents.tasks.sweep_work", "schedule": 5.0},
    "run-cascades": {"task": "incidents.tasks.sweep_cascades", "schedule": 5.0},
    "notice-silent-heartbeats": {"task": "incidents.tasks.sweep_heartbeats", "schedule": 5.0},
    "watch-ticket-clocks": {"task": "incidents.tasks.sweep_ticket_clocks", "schedule": 10.0},
    "complete-observations": {"task": "incidents.tasks.sweep_observations", "schedule": 60.0},
    "flag-late-approvals": {"task": "incidents.tasks.sweep_emergency_approvals", "schedule": 60.0},
    "write-status-page": {"task": "notifications.tasks.write_status_page", "schedule": 20.0},
    "forget-unconfirmed-subscribers": {
        "task": "notifications.tasks.forget_unconfirmed_subscribers",
        "schedule": 3600.0,
    },
    "forget-contact-messages": {"task": "notifications.tasks.forget_contact_messages", "schedule": 3600.0},
    "send-webhooks": {"task": "notifications.tasks.sweep_webhooks", "schedule": 5.0},
    "forget-webhook-messages": {"task": "notifications.tasks.forget_webhook_messages", "schedule": 3600.0},
    "process-mail": {"task": "incidents.intake.email.tasks.process_mail", "schedule": 5.0},
    "poll-mailboxes": {"task": "incidents.intake.email.tasks.poll_mailboxes", "schedule": 15.0},
    "compute-kpi-rows": {"task": "metrics.tasks.sweep_kpi_rows", "schedule": 10.0},
    "send-monthly-report": {"task": "metrics.tasks.sweep_monthly_report", "schedule": 600.0},
    "run-history-uploads": {"task": "metrics.tasks.sweep_history_uploads", "schedule": 10.0},
    "process-payloads": {"task": "incidents.tasks.sweep_payloads", "schedule": 5.0},
    "decide-alerts": {"task": "incidents.tasks.sweep_alerts", "schedule": 5.0},
    "forget-old-alerts": {"task": "incidents.tasks.forget_old_alerts", "schedule": 3600.0},
    "look-for-influx": {"task": "incidents.tasks.look_for_influx", "schedule": 5.0},
    "renew-usual-arrivals": {"task": "incidents.tasks.renew_usual_arrivals", "schedule": 60.0},
    "run-back-tests": {"task": "incidents.tasks.run_backtests", "schedule": 10.0},
    "forget-arrivals": {"task": "incidents.tasks.forget_arrivals", "schedule": 3600.0},
    "fetch-recordings": {"task": "incidents.intake.voice.tasks.sweep_recordings", "schedule": 15.0},
    "settle-phone-calls": {"task": "incidents.intake.voice.tasks.sweep_phone_calls", "schedule": 30.0},
    "forget-kept-files": {"task": "incidents.tasks.forget_kept_files", "schedule": 3600.0},
    "follow-up-learning": {"task": "incidents.tasks.sweep_learning", "schedule": 60.0},
    "index-knowledge": {"task": "incidents.tasks.index_knowledge", "schedule": 60.0},
    "forget-idempotency-keys": {"task": "incidents.tasks.forget_idempotency_keys", "schedule": 3600.0},
}
