"""What each request says: the values in its address, and a body that the form or the shape accepts, so that the
answer is about the person and not about a missing field."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import get_resolver

from incidents.communication import shipped
from incidents.models import default_cells
from incidents.risk import QUESTIONS
from tests.permissions.notation import Row
from tests.permissions.world import World

Place = SimpleNamespace


def _always(value: str) -> Callable[[Any, Any], str]:
    return lambda place, chosen: value


IN_ADDRESS: dict[str, Callable[[Place, Place], Any]] = {
    **{f"api_decision_{act} id": lambda p, c: p.round.pk for act in ("object", "stand", "withdraw")},
    **{f"api_timeline_entry_{act} id": lambda p, c: p.note.pk for act in ("mark", "unmark")},
    "api_room_file_content uuid": lambda p, c: p.pasted,
    "room_file key": lambda p, c: p.pasted,
    "record_export kind": lambda p, c: "json",
    **{f"{route} pk": lambda p, c: c.checklist.pk for route in ("checklist_edit", "checklist_remove")},
    "api_checklist id": lambda p, c: c.checklist.pk,
    "api_ticket_attachment uuid": lambda p, c: p.file.uuid,
    "attachment key": lambda p, c: p.file.uuid,
    "api_ticket_watcher email": lambda p, c: p.watcher,
    "api_step key": lambda p, c: "review",
    "api_step_waive key": lambda p, c: "review",
    "api_step_reassign key": lambda p, c: "review",
    "api_consult_answer id": lambda p, c: p.consult.pk,
    "api_seat id": lambda p, c: p.seat.pk,
    "api_seat_accept id": lambda p, c: p.invited.pk,
    "api_seat_decline id": lambda p, c: p.invited.pk,
    "api_seat_release id": lambda p, c: p.seat.pk,
    "api_timeline_entry id": lambda p, c: p.note.pk,
    "api_task id": lambda p, c: p.task.pk,
    "api_update id": lambda p, c: p.update.pk,
    "api_update_undo id": lambda p, c: p.update.pk,
    "update_undo pk": lambda p, c: p.update.pk,
    "told_names audience": lambda p, c: "management",
    "acknowledge secret": lambda p, c: c.acknowledge_secret,
    "api_approval id": lambda p, c: p.approval.pk,
    "api_approval_approve id": lambda p, c: p.approval.pk,
    "api_approval_refuse id": lambda p, c: p.approval.pk,
    "api_clock name": lambda p, c: "contained_at",
    "api_clock_not_applicable name": lambda p, c: "contained_at",
    "api_downtime_interval id": lambda p, c: p.interval.pk,
    "api_review_action_complete id": lambda p, c: p.action.pk,
    "factor_remove factor": lambda p, c: 1,
    "plan_use source": lambda p, c: p.elsewhere,
    "plan_judge use": lambda p, c: p.plan.pk,
    "plan_judge outcome": lambda p, c: "worked",
    "api_plan_used_judge id": lambda p, c: p.plan.pk,
    "api_change_step_done id": lambda p, c: p.step.pk,
    "change_step step": lambda p, c: p.step.pk,
    "change_condition approval": lambda p, c: p.vote.pk,
    **{f"api_{route} id": lambda p, c: p.pk for route in ("freeze", "change_template", "change_template_use")},
    "api_service slug": lambda p, c: c.spare.slug,
    "api_dependency id": lambda p, c: c.dependency.pk,
    "api_maintenance_window id": lambda p, c: c.window.pk,
    "api_person email": lambda p, c: p.email,
    "api_team slug": lambda p, c: c.team.slug,
    "api_audience audience": lambda p, c: "technical",
    "api_shift id": lambda p, c: c.shift.pk,
    "api_rota id": lambda p, c: c.rota.pk,
    "api_rota_layers id": lambda p, c: c.rota.pk,
    "api_rota_layer id": lambda p, c: c.rota.pk,
    "api_rota_layer layer": lambda p, c: c.layer.pk,
    "api_override id": lambda p, c: c.override.pk,
    **{
        f"{route} key": lambda p, c: "sev1"
        for route in (
            "plan",
            "plan_edit",
            "plan_preview",
            "plan_do",
            "api_plan",
            "api_communication_plan",
            "api_communication_plan_versions",
        )
    },
    **{
        f"{route} {part}": _always(value)
        for route in ("template", "template_preview", "template_do", "api_template", "api_template_versions")
        for part, value in (("moment", "declared"), ("audience", "users"))
    },
    "api_escalation_policy occasion": lambda p, c: "candidate",
    "escalation_policy occasion": lambda p, c: "candidate",
    "page_do pk": lambda p, c: p.page,
    "page_answer secret": lambda p, c: c.page_secret,
    "phone_call token": lambda p, c: "x",
    "phone_key token": lambda p, c: "x",
    "phone_status channel": lambda p, c: "sms",
    "contact_add channel": lambda p, c: "sms",
    "calendar_feed secret": lambda p, c: c.feed_secret,
    "feed_revoke pk": lambda p, c: c.feed.pk,
    "stand_in_remove pk": lambda p, c: c.override.pk,
    "note_taken pk": lambda p, c: c.note.pk,
    **{
        f"{route} pk": lambda p, c: c.rota.pk
        for route in (
            "rota",
            "rota_edit",
            "rota_remove",
            "layer_new",
            "layer_preview",
            "note_new",
        )
    },
    **{f"{route} pk": lambda p, c: c.layer.pk for route in ("layer_edit", "layer_remove")},
    **{f"channel{part} key": lambda p, c: "slack" for part in ("", "_account", "_switch", "_remove", "_test")},
    **{f"place_{part} pk": lambda p, c: c.room.pk for part in ("edit", "test", "switch", "remove")},
    **{f"api_channel{part} channel": lambda p, c: "slack" for part in ("", "_test")},
    **{f"api_destination{part} id": lambda p, c: c.room.pk for part in ("", "_test")},
    "first_administrator token": lambda p, c: c.token,
    **{
        f"voice_{step} key": lambda p, c: "nobody"
        for step in ("call", "menu", "dialled", "recorded", "transcribed", "goodbye", "status")
    },
    "answer token": lambda p, c: "nonsense",
    "account_confirm_email key": lambda p, c: "x",
    "account_reset_password_from_key uidb36": lambda p, c: "1",
    "account_reset_password_from_key key": lambda p, c: "set-password",
    "status_file name": lambda p, c: "history/",
    "status_confirm token": lambda p, c: "x",
    "status_end token": lambda p, c: "x",
    "status_webhook_confirm token": lambda p, c: "x",
    "status_webhook_end token": lambda p, c: "x",
    "opsgenie_alert rest": lambda p, c: "requests/none",
    "opsgenie_base_alert rest": lambda p, c: "requests/none",
    "servicenow_incident sys_id": lambda p, c: "0" * 32,
    "servicenow_base_incident sys_id": lambda p, c: "0" * 32,
    "heartbeat_beat key": lambda p, c: "wrong",
    "heartbeat_below key": lambda p, c: "wrong",
    "heartbeat_below rest": lambda p, c: "start",
    "caught_mail name": lambda p, c: "none",
    "kpi_drill key": lambda p, c: "mttr",
    "kpi_chart_csv key": lambda p, c: "monthly",
    "target_edit key": lambda p, c: "mttr",
    "figure_view_remove pk": lambda p, c: c.figure_view.pk,
    "sent_report pk": lambda p, c: c.sent_report.pk,
    **{
        f"{route} pk": lambda p, c: c.upload.pk
        for route in ("history_import", "history_import_state", "history_import_do")
    },
    "overview_decide pk": lambda p, c: p.approval.pk,
    "wordings target": lambda p, c: p.note.pk,
    "api_seats_by_id id": lambda p, c: p.seat.pk,
    "api_seats_by_id_accept id": lambda p, c: p.invited.pk,
    "api_seats_by_id_decline id": lambda p, c: p.invited.pk,
    "api_seats_by_id_release id": lambda p, c: p.seat.pk,
    "api_consults_by_id_answer id": lambda p, c: p.consult.pk,
    "api_timeline_by_id id": lambda p, c: p.note.pk,
    "api_tasks_by_id id": lambda p, c: p.task.pk,
    "api_approvals_by_id id": lambda p, c: p.approval.pk,
    "api_approvals_by_id_approve id": lambda p, c: p.approval.pk,
    "api_approvals_by_id_refuse id": lambda p, c: p.approval.pk,
    "api_downtime_by_id id": lambda p, c: p.interval.pk,
    "review_action_done action": lambda p, c: p.action.pk,
    "influx_backtest pk": lambda p, c: c.backtest.pk,
    "influx_backtest_now pk": lambda p, c: c.backtest.pk,
    "influx_save pk": lambda p, c: c.backtest.pk,
    "influx_follow slug": lambda p, c: c.spare.slug,
    "service slug": lambda p, c: c.spare.slug,
    "service_edit slug": lambda p, c: c.spare.slug,
    "window_new slug": lambda p, c: c.spare.slug,
    "window_remove slug": lambda p, c: c.base.slug,
    "window_remove pk": lambda p, c: c.window.pk,
    "holiday_remove pk": lambda p, c: c.holiday.pk,
    "team_edit pk": lambda p, c: c.team.pk,
    "audience name": lambda p, c: "technical",
    "shift_remove pk": lambda p, c: c.shift.pk,
    "my_work_do kind": lambda p, c: "decision",
    "my_work_do pk": lambda p, c: p.approval.pk,
    "my_work_do answer": lambda p, c: "approve",
    **{f"alert{part} pk": lambda p, c: c.burning.pk for part in ("", "_now", "_body", "_act")},
    **{
        f"{name} pk": lambda p, c: c.sender.pk
        for name in (
            "integration",
            "integration_now",
            "integration_key",
            "integration_edit",
            "integration_rotate",
            "integration_switch",
            "integration_delete",
            "payloads_replay",
            "secret_new",
            "secret_remove",
            "integration_test",
            "integration_mapping",
            "mapping_preview",
        )
    },
    "secret_remove name": lambda p, c: "0" * 16,
    "payload pk": lambda p, c: c.payload.pk,
    "test_outcome pk": lambda p, c: c.trial.pk,
    "payload_replay pk": lambda p, c: c.payload.pk,
    "rule_edit pk": lambda p, c: c.rule.pk,
    "rule_do pk": lambda p, c: c.rule.pk,
    "api_integration id": lambda p, c: c.sender.pk,
    "api_integration_rotate id": lambda p, c: c.sender.pk,
    "api_payloads id": lambda p, c: c.sender.pk,
    "api_payload id": lambda p, c: c.payload.pk,
    "api_payload_replay id": lambda p, c: c.payload.pk,
    "api_rule id": lambda p, c: c.rule.pk,
    "api_rule_dry_run id": lambda p, c: c.rule.pk,
    **{
        f"webhook{part} pk": lambda p, c: c.webhook.pk
        for part in ("", "_now", "_secret", "_edit", "_rotate", "_switch", "_delete", "_test", "_replay")
    },
    **{f"webhook_{part} pk": lambda p, c: c.told.pk for part in ("message", "message_replay", "test_outcome")},
    **{
        f"api_webhook{part} id": lambda p, c: c.webhook.pk
        for part in ("", "_rotate", "_test", "_replay", "_messages", "_message")
    },
    "api_webhook_message message": lambda p, c: c.told.pk,
    "api_key_revoke pk": lambda p, c: p.key.pk,
    "api_alert id": lambda p, c: p.pk,
    "door kind": lambda p, c: "alertmanager",
    "door key": lambda p, c: "wrong",
    "door_below kind": lambda p, c: "alertmanager",
    "door_below key": lambda p, c: "wrong",
    "door_below rest": lambda p, c: "api/v2/alerts",
    "api_ticket_job id": lambda p, c: c.job.pk,
    "api_ticket_job_results id": lambda p, c: c.job.pk,
    "api_ticket_job_retry id": lambda p, c: c.job.pk,
    "ticket_job pk": lambda p, c: c.job.pk,
    "ticket_job_now pk": lambda p, c: c.job.pk,
    "ticket_job_retry pk": lambda p, c: c.job.pk,
    "sla_service slug": lambda p, c: c.spare.slug,
    "hours_edit pk": lambda p, c: c.hours.pk,
    "hours_remove pk": lambda p, c: c.hours.pk,
    "bridge_edit pk": lambda p, c: c.bridge.pk,
    "bridge_remove pk": lambda p, c: c.bridge.pk,
    "guest_record target": lambda p, c: p.seat.pk,
    "seat_answer token": lambda p, c: "wrong",
}
QUERIES = {
    "stand_in": "?layer={layer}",
    "swap_shift": "?layer={layer}&from=2030-01-01T00:00:00Z&to=2030-01-02T00:00:00Z",
    "api_search": "?q=shop",
    "search": "?q=shop",
    "palette": "?q=shop",
    "live_ticket": "?topics={ref}",
}
FILES = ("api_ticket_attachments", "api_room_files")

TARGETS: dict[str, Callable[[Place], Any]] = {
    "accept": lambda p: p.invited.pk,
    "decline": lambda p: p.invited.pk,
    "release": lambda p: p.seat.pk,
    "stand-in": lambda p: p.seat.pk,
    "guest-access": lambda p: p.seat.pk,
    "mark-joined": lambda p: p.seat.pk,
    "confirm-command": lambda p: p.offer.pk,
    "decline-command": lambda p: p.offer.pk,
    "withdraw-command": lambda p: p.offer.pk,
    "reword": lambda p: p.note.pk,
    "take-task": lambda p: p.task.pk,
    "finish-task": lambda p: p.task.pk,
    "report-task": lambda p: p.task.pk,
    **dict.fromkeys(("object-strongly", "decision-stands", "withdraw-decision"), lambda p: p.round.pk),
    **dict.fromkeys(("mark-fact", "unmark-fact", "mark-public", "unmark-public"), lambda p: p.note.pk),
    "agree": lambda p: p.consult.pk,
    "object": lambda p: p.consult.pk,
    "approve": lambda p: p.approval.pk,
    "decide": lambda p: p.approval.pk,
    "refuse": lambda p: p.approval.pk,
    "waive": lambda p: "review",
    "hand-over": lambda p: "review",
    "correct-clock": lambda p: "contained_at",
    "clock-not-applicable": lambda p: "contained_at",
    "correct-downtime": lambda p: p.interval.pk,
}


def parameters(route: str) -> list[str]:
    """Names of what stands in the address of the route."""
    return list(get_resolver().reverse_dict.getlist(route)[0][0][0][1])


def arguments(row: Row, world: World) -> dict[str, Any]:
    place, common = world.places[row.on], world.places[""]
    found: dict[str, Any] = {}
    for name in parameters(row.route):
        if given := IN_ADDRESS.get(f"{row.route} {name}") if name not in ("act", "verdict") else None:
            found[name] = given(place, common)
        elif name == "target":
            found[name] = TARGETS[row.act](place)
        elif name in ("act", "verdict"):
            found[name] = row.act
        else:
            found[name] = place.pk
    return found


def _when(common: Place) -> str:
    return (common.now + timedelta(days=1)).isoformat()


def _declaration(p: Place, c: Place) -> dict[str, Any]:
    return {"title": "Again", "impact": 1, "urgency": 1, "services": []}


_REASON = {"reason": "because"}
_FREEZE = {"name": "Season", "starts_at": "2030-12-01T00:00:00Z", "ends_at": "2031-01-02T00:00:00Z"}
_WORDS = {"subject": "News", "short": "News: {{ link }}", "text": "There is news."}
_Body = Callable[[Place, Place], Any]

BODIES: dict[str, _Body] = {
    # the API: tickets and candidates
    "api_tickets": lambda p, c: {"title": "Broken"},
    "api_ticket": lambda p, c: {"title": "Broken"},
    "api_alerts": lambda p, c: {"title": "Disk is full"},
    "api_ticket_comments": lambda p, c: {"text": "hello", "public": True},
    "api_room_files": lambda p, c: {"file": SimpleUploadedFile("a.txt", b"text")},
    "api_ticket_attachments": lambda p, c: {"file": SimpleUploadedFile("a.txt", b"text")},
    "api_ticket_hold": lambda p, c: _REASON,
    "api_ticket_resolve": lambda p, c: {"resolution": "restarted"},
    "api_ticket_reopen": lambda p, c: _REASON,
    "api_ticket_escalate": lambda p, c: {**_REASON, "kind": "functional", "to": "2"},
    "api_ticket_propose": lambda p, c: _REASON,
    "api_ticket_link": lambda p, c: {"major_incident": c.visible},
    "api_ticket_unlink": lambda p, c: _REASON,
    "api_ticket_merge": lambda p, c: {"into": p.ref},
    "api_ticket_unmerge": lambda p, c: _REASON,
    "api_ticket_split": lambda p, c: {"title": "Other", "description": "part"},
    "api_ticket_jobs": lambda p, c: {"kind": "close", "tickets": []},
    "api_candidate_declare": _declaration,
    "api_candidate_link": lambda p, c: {"major_incident": c.visible},
    "api_candidate_dismiss": lambda p, c: _REASON,
    # major incidents
    "api_major_incidents": _declaration,
    "api_major_incident_preview": _declaration,
    "api_major_incident": lambda p, c: {"title": "Other", **_REASON},
    "api_major_incident_fall_back": lambda p, c: _REASON,
    "api_major_incident_reopen": lambda p, c: _REASON,
    "api_major_incident_stand_down": lambda p, c: _REASON,
    "api_major_incident_reinstate": lambda p, c: _REASON,
    "api_major_incident_merge_into": lambda p, c: {"target": f"MI-{p.elsewhere}"},
    "api_situation": lambda p, c: {"conditions": "bad"},
    "api_step_waive": lambda p, c: _REASON,
    "api_step_reassign": lambda p, c: {"user": p.engineer.email},
    "api_seats": lambda p, c: {"role": "technical_staff", "user": "administrator@example.org"},
    "api_bridge": lambda p, c: {"join_url": "https://meet.example.org/y"},
    "api_war_room_open": lambda p, c: {"location": "Room 1"},
    "api_timeline": lambda p, c: {"text": "seen"},
    "api_timeline_entry": lambda p, c: {"text": "seen"},
    "api_tasks": lambda p, c: {"title": "look"},
    "api_task": lambda p, c: {"title": "look"},
    "api_updates": lambda p, c: {"text": "news"},
    "api_promises": lambda p, c: {"due_at": _when(c), **_REASON},
    "api_promises_withdraw": lambda p, c: _REASON,
    "api_delivery_resend": lambda p, c: _REASON,
    "api_major_incident_update_preview": lambda p, c: {"text": "news"},
    "api_approvals": lambda p, c: {"question": "may we?", "approver": p.leader.email},
    "api_clock_not_applicable": lambda p, c: _REASON,
    "api_downtime": lambda p, c: {"service": "base", "started_at": (c.now - timedelta(minutes=9)).isoformat()},
    "api_downtime_interval": lambda p, c: {"started_at": (c.now - timedelta(minutes=9)).isoformat()},
    "api_review": lambda p, c: {"findings": "found"},
    "api_document": lambda p, c: {"title": "Other"},
    "api_timeline_by_id": lambda p, c: {"text": "seen"},
    "api_tasks_by_id": lambda p, c: {"title": "look"},
    "api_approvals_by_id_approve": lambda p, c: {"chosen": "yes"},
    "api_downtime_by_id": lambda p, c: {"started_at": (c.now - timedelta(minutes=9)).isoformat()},
    "review": lambda p, c: {
        "findings": "found", "observation_hours": "24", "actions-TOTAL_FORMS": "0", "actions-INITIAL_FORMS": "0",
    },
    "document_edit": lambda p, c: {"title": "Other", "markdown": "text", "version": "1"},
    # problems and changes
    "api_problems": lambda p, c: {"title": "Cause"},
    "api_problem": lambda p, c: {"title": "Cause"},
    "api_changes": lambda p, c: {"title": "Fix"},
    "api_change": lambda p, c: {"title": "Fix"},
    "api_change_roll_back": lambda p, c: _REASON,
    "api_review_send_back": lambda p, c: _REASON,
    "review_return": lambda p, c: _REASON,
    "problem_factor": lambda p, c: {"text": "no limit"},
    "api_problem_add_factor": lambda p, c: {"text": "no limit"},
    "post_mortem": lambda p, c: {"markdown": "It worked again soon."},
    "api_document_publish_post_mortem": lambda p, c: {"markdown": "It worked again soon."},
    "api_plans_used": lambda p, c: {"major_incident": f"MI-{p.elsewhere}"},
    "api_plan_used_judge": lambda p, c: {"worked": True},
    "api_change_delegate_vote": lambda p, c: {"to": None},
    "api_change_meet_condition": lambda p, c: {"approver": p.leader.email},
    "api_change_waive_freeze": lambda p, c: _REASON,
    "api_change_check": lambda p, c: {"result": "passed"},
    "api_change_log": lambda p, c: {"text": "seen"},
    "api_change_add_steps": lambda p, c: {"text": "do it"},
    "api_freezes": lambda p, c: _FREEZE,
    "api_freeze": lambda p, c: {"name": "Season"},
    "api_change_templates": lambda p, c: {"name": "Fresh"},
    "api_change_template": lambda p, c: {"title": "Other"},
    "api_change_accept_rejected": lambda p, c: _REASON,
    # configuration
    "api_services": lambda p, c: {"name": "Fresh"},
    "api_service": lambda p, c: {"name": "Fresh"},
    "api_dependencies": lambda p, c: {"service": c.spare.slug, "needs": c.base.slug},
    "api_maintenance_windows": lambda p, c: {
        "title": "Night", "services": ["base"], "starts_at": c.now.isoformat(), "ends_at": _when(c),
    },
    "api_maintenance_window": lambda p, c: {"title": "Night"},
    "api_people": lambda p, c: {"email": "fresh@example.org", "name": "Fresh"},
    "api_person": lambda p, c: {"time_zone": "UTC"},
    "api_teams": lambda p, c: {"name": "Fresh"},
    "api_team": lambda p, c: {"name": "Fresh"},
    "api_audience": lambda p, c: {"empty_reason": "because"},
    "api_on_call": lambda p, c: {
        "role": "major_incident_manager", "person": "manager@example.org", "starts_at": c.now.isoformat(),
        "ends_at": _when(c),
    },
    "api_rotas": lambda p, c: {"name": "Fresh", "role": "technical_staff", "time_zone": "UTC"},
    "api_rota": lambda p, c: {"name": "Other"},
    "api_rota_layers": lambda p, c: {"name": "Nights", "people": ["engineer@example.org"], "starts_on": "2026-01-05"},
    "api_rota_layer": lambda p, c: {"name": "Days"},
    "api_overrides": lambda p, c: {
        "layer": c.layer.pk, "person": "engineer@example.org", "starts_at": c.now.isoformat(), "ends_at": _when(c),
    },
    "api_escalation_policy": lambda p, c: {"repeat": 1},
    "contact_add": lambda p, c: {"number": "+49 151 23456789"},
    "contact_edit": lambda p, c: {"takes_messages": "on", "page_after_minutes": "3"},
    "contact_verify": lambda p, c: {"code": "123456"},
    "api_channel": lambda p, c: {"is_enabled": False},
    "api_destinations": lambda p, c: {
        "name": "#fresh", "channel": "slack", "settings": {"channel": "C0123456789"}, "audiences": ["users"],
    },
    "api_destination": lambda p, c: {"name": "#fresh"},
    "api_raci": lambda p, c: {"cells": default_cells()},
    "api_communication_plans": lambda p, c: {"severity": "SEV1", "tier": 1},
    "api_communication_plan": lambda p, c: {"content": shipped("SEV1")},
    "api_incident_plan": lambda p, c: {"plan": "sev2", **_REASON},
    "api_plans": lambda p, c: {"severity": "SEV1", "tier": 1},
    "api_plan": lambda p, c: {"content": shipped("SEV1")},
    "api_template": lambda p, c: _WORDS,
    "template": lambda p, c: {**_WORDS, "based_on": "0"},
    "template_preview": lambda p, c: _WORDS,
    "template_do test": lambda p, c: _WORDS,
    "plan_new": lambda p, c: {"severity": "SEV1", "tier": "1"},
    "plan_preview": lambda p, c: {"look-moment": "declared", "look-audience": "users"},
    "plan_switch": lambda p, c: {"version": "sev2", **_REASON},
    "api_import_incidents": lambda p, c: [],
    "api_integrations": lambda p, c: {"name": "Fresh", "kind": "generic"},
    "api_integration": lambda p, c: {"name": "Fresh"},
    "api_webhooks": lambda p, c: {"name": "Fresh", "url": "https://hooks.example.org/y"},
    "api_webhook": lambda p, c: {"name": "Fresh"},
    "api_webhook_replay": lambda p, c: {"message": c.told.pk},
    "webhook_new": lambda p, c: {"name": "Fresh", "url": "https://hooks.example.org/y"},
    "webhook_edit": lambda p, c: {"name": "Fresh", "url": "https://hooks.example.org/y"},
    "webhook_replay": lambda p, c: {"since": c.now.strftime("%Y-%m-%dT%H:%M"), "which": "failed"},
    "api_rules": lambda p, c: {"name": "Fresh", "outcome": "ticket"},
    "api_rule": lambda p, c: {"name": "Fresh"},
    # pages
    "alert_act ticket": lambda p, c: {"title": "Broken", "impact": "3", "urgency": "3"},
    "alert_act propose": lambda p, c: _REASON,
    "alert_act attach": lambda p, c: {"incident_id": c.visible_pk},
    "secret_new": lambda p, c: {"secret": "long enough for all"},
    "rule_dry_run": lambda p, c: {"outcome": "ticket", "impact": "3", "urgency": "3"},
    "rule_new": lambda p, c: {"name": "Fresh", "outcome": "ticket", "impact": "3", "urgency": "3"},
    "rule_edit": lambda p, c: {"name": "Fresh", "outcome": "ticket", "impact": "3", "urgency": "3"},
    "ticket_comment": lambda p, c: {"text": "hello", "public": "yes"},
    "tickets_link": lambda p, c: {"incident": c.visible},
    "declare": lambda p, c: {"title": "Again", "impact": "1", "urgency": "1", "affects": "both"},
    "theme_switch": lambda p, c: {"theme": "dark"},
    # the war room
    "act invite": lambda p, c: {"role": "technical_staff", "guest_email": "", "user": c.invitable},
    "act hand-over-command": lambda p, c: {"taker": c.other_manager, "summary": "All quiet"},
    "act_on stand-in": lambda p, c: {"user": c.invitable},
    "act_on guest-access": lambda p, c: {"hours": "4"},
    "bridge_new": lambda p, c: {"name": "Zoom", "kind": "zoom", "join_pattern": "https://zoom.example.org/{ref}"},
    "bridge_edit": lambda p, c: {"name": "Zoom", "kind": "zoom", "join_pattern": "https://zoom.example.org/{ref}"},
    "act bridge": lambda p, c: {"join_url": "https://meet.example.org/y", "provider": "other"},
    "act open-war-room": lambda p, c: {"location": "Room 1"},
    "act note": lambda p, c: {"text": "seen"},
    "act decision": lambda p, c: {"text": "seen"},
    "act checklist": lambda p, c: {"checklist": c.checklist.pk},
    "act_on report-task": lambda p, c: {"outcome": "more"},
    "act_on object-strongly": lambda p, c: {"text": "no"},
    **dict.fromkeys(("act_on decision-stands", "act_on withdraw-decision"), lambda p, c: _REASON),
    **dict.fromkeys(
        ("checklist_new", "checklist_edit"), lambda p, c: {"name": "Fresh", "kind": "any", "items": "Look"}
    ),
    **dict.fromkeys(
        ("api_timeline_entry_mark", "api_timeline_entry_unmark"), lambda p, c: {"kind": "fact"}
    ),
    **dict.fromkeys(("api_decision_stand", "api_decision_withdraw"), lambda p, c: _REASON),
    "api_decision_object": lambda p, c: {"text": "no"},
    "api_major_incident_start_checklist": lambda p, c: {"checklist": c.checklist.pk},
    **dict.fromkeys(
        ("api_checklists", "api_checklist"), lambda p, c: {"name": "Fresh", "items": [{"title": "Look"}]}
    ),
    "act_on reword": lambda p, c: {"text": "seen"},
    "act situation": lambda p, c: {"conditions": "bad"},
    "act task": lambda p, c: {"title": "look"},
    "update_composer": lambda p, c: {"text": "news", "audiences": ["technical"], "next_in": "30"},
    "update_draft": lambda p, c: {"text": "news", "audiences": ["technical"], "next_in": "30"},
    "update_promise": lambda p, c: {"due_at": _when(c)[:16], **_REASON},
    "delivery_resend": lambda p, c: _REASON,
    "act_on object": lambda p, c: {"verdict": "object", "text": "no"},
    "act ask": lambda p, c: {"question": "may we?", "approver": p.leader.pk},
    "act_on decide": lambda p, c: {"chosen": "yes"},
    "act problem": lambda p, c: {"title": "Cause"},
    "act change": lambda p, c: {"title": "Fix", "relation": "cause", "type": "normal", "risk": "low"},
    "act_on waive": lambda p, c: _REASON,
    "act_on hand-over": lambda p, c: {"seat": p.seat.pk},
    "act fall_back": lambda p, c: _REASON,
    "act reopen": lambda p, c: _REASON,
    "act stand_down": lambda p, c: _REASON,
    "act reinstate": lambda p, c: _REASON,
    "act merge": lambda p, c: {"target": p.elsewhere},
    "act edit": lambda p, c: {
        "title": "Other", "impact": "1", "urgency": "1", "severity": "SEV1", "affects": "both", **_REASON,
    },
    "act_on approve": lambda p, c: {"chosen": "yes"},
    "my_work_do": lambda p, c: {"chosen": "yes"},
    "figure_view_new": lambda p, c: {"name": "Mine", "shared_with": "nobody"},
    "target_edit": lambda p, c: {"value": "30"},
    "report_schedule": lambda p, c: {"day": "2", "hour": "7", "to_management": "on"},
    "history_imports": lambda p, c: {},
    "history_import": lambda p, c: {"external_id": "number", "title": "name", "zone": "UTC"},
    "overview_decide": lambda p, c: {"verdict": "approve", "chosen": "yes"},
    "api_approval_approve": lambda p, c: {"chosen": "yes"},
    "act link-tickets": lambda p, c: {"tickets": c.linkable},
    "act_on correct-clock": lambda p, c: {"value": "", **_REASON},
    "act_on clock-not-applicable": lambda p, c: _REASON,
    "act add-downtime": lambda p, c: {"started_at": (c.now - timedelta(minutes=9)).strftime("%Y-%m-%dT%H:%M")},
    "act_on correct-downtime": lambda p, c: {"started_at": (c.now - timedelta(minutes=9)).strftime("%Y-%m-%dT%H:%M")},
    # tickets, candidates
    "ticket_form hold": lambda p, c: _REASON,
    "ticket_form resolve": lambda p, c: {"resolution": "restarted"},
    "ticket_form reopen": lambda p, c: _REASON,
    "ticket_form unlink": lambda p, c: _REASON,
    "ticket_form escalate": lambda p, c: {"kind": "functional", "to_tier": "2", **_REASON},
    "portal": lambda p, c: {"title": "Broken", "description": "it is"},
    "influx_try": lambda p, c: {
        "since": "2026-01-01", "until": "2026-01-31", "window_minutes": "15", "least_arrivals": "5",
        "least_requesters": "3", "one_in": "1000000", "similarity": "0.35", "attaches": "on",
    },
    "hotline": lambda p, c: {"caller": "Somebody", "title": "Broken", "impact": "3", "urgency": "3"},
    "propose": lambda p, c: {"tickets": c.linkable, "reason": "many", "title": "Broken"},
    "ticket_form unmerge": lambda p, c: _REASON,
    "ticket_form keep-open": lambda p, c: _REASON,
    "ticket_merge": lambda p, c: {"other": c.linkable},
    "ticket_split": lambda p, c: {"title": "Other", "description": "part"},
    "view_new": lambda p, c: {"name": "Mine"},
    "tickets_resolve": lambda p, c: {"resolution": "restarted"},
    "tickets_reply": lambda p, c: {"text": "hello"},
    "tickets_unlink": lambda p, c: _REASON,
    "tickets_service": lambda p, c: {"service": c.shop.pk},
    "tickets_assign": lambda p, c: {"assignee": c.assignee},
    "ticket_new": lambda p, c: {"title": "Broken", "channel": "hotline", "kind": "incident", "impact": 3, "urgency": 3},
    "problem_new": lambda p, c: {"title": "Cause"},
    "problem_edit": lambda p, c: {"title": "Cause"},
    "problem_link": lambda p, c: {"incident": p.incident.pk},
    "change_new": lambda p, c: {"title": "Fix", "type": "normal", "risk": "low"},
    "change_edit": lambda p, c: {"title": "Fix", "type": "normal", "risk": "low"},
    "change_link": lambda p, c: {"incident": p.incident.pk, "relation": "fix"},
    "change_form roll-back": lambda p, c: _REASON,
    "change_form waive-freeze": lambda p, c: _REASON,
    "change_form check": lambda p, c: {"result": "passed"},
    "change_form log": lambda p, c: {"text": "seen"},
    "change_form steps": lambda p, c: {"part": "plan", "text": "do it"},
    "change_risk": lambda p, c: {one.key: "0" for one in QUESTIONS},
    "freeze_new": lambda p, c: _FREEZE,
    "freeze_edit": lambda p, c: _FREEZE,
    "change_template_new": lambda p, c: {"name": "Fresh", "risk": "low"},
    "change_template_edit": lambda p, c: {"name": "Fresh", "risk": "low"},
    "change_template_use": lambda p, c: {"title": "Fresh"},
    "candidates_act dismiss": lambda p, c: _REASON,
    "candidate_act dismiss": lambda p, c: _REASON,
    "candidate_act link": lambda p, c: {"incident": c.visible_pk},
}  # fmt: skip


def body(row: Row, method: str, world: World) -> Any:
    """None for GET; a form's fields for pages, JSON for the API."""
    if method == "GET":
        return None
    made = BODIES.get(f"{row.route} {row.act}" if row.act else row.route)
    return made(world.places[row.on], world.places[""]) if made else {}
