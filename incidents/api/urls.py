"""Every address below /api/v1/ that this room answers. A trailing slash is optional everywhere."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from rest_framework.views import APIView

from incidents.api import (
    alerts,
    candidates,
    catalogue,
    change_plans,
    changes,
    clocks,
    converters,
    docs,
    integrations,
    learning,
    major_incidents,
    organisation,
    problems,
    response,
    room_work,
    rotas,
    rules,
    search,
    teamwork,
    ticket_jobs,
    ticket_merging,
    ticket_parts,
    tickets,
    updates,
)
from incidents.models import Approval, Consult, DowntimeInterval, Seat, Task, TimelineEvent

converters.register()


def at(route: str, view: Any, name: str) -> list[URLPattern]:
    """The address as the schema shows it, and its twin with a slash. `view` is a class, or what as_view() gave."""
    answer = view.as_view() if hasattr(view, "as_view") else view
    return [path(route, answer, name=f"api_{name}"), path(f"{route}/", answer)]


def verbs(prefix: str, name: str, **views: Any) -> list[URLPattern]:
    """One address per act on a record: `begin_containment` answers at `begin-containment`."""
    return [
        pattern
        for act, view in views.items()
        for pattern in at(f"{prefix}/{act.replace('_', '-')}", view, f"{name}_{act}")
    ]


def by_id(route: str, rows: type[Model], incident: str, view: type[APIView]) -> list[URLPattern]:
    """The short address of a record that belongs to an incident: its id is enough, the answer is the same."""

    class ById(view):  # type: ignore[misc, valid-type]
        def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            owner = rows._default_manager.filter(pk=kwargs["id"]).values_list(incident, flat=True).first()
            return super().dispatch(request, *args, **kwargs, ref=owner or 0)

    ById.__name__, ById.__doc__ = f"{view.__name__}ById", view.__doc__
    return at(route, ById, route.replace("/<number:id>", "_by_id").replace("/", "_"))


TICKET, CANDIDATE, INCIDENT = "tickets/<ticket:ref>", "candidates/<candidate:ref>", "major-incidents/<incident:ref>"
PROBLEM, CHANGE = "problems/<problem:ref>", "changes/<change:ref>"

ticket_patterns = [
    *at("tickets", tickets.TicketList, "tickets"),
    *at(TICKET, tickets.TicketDetail, "ticket"),
    *at(f"{TICKET}/comments", ticket_parts.TicketCommentList, "ticket_comments"),
    *at(f"{TICKET}/attachments", ticket_parts.TicketAttachmentList, "ticket_attachments"),
    *at(f"{TICKET}/attachments/<uuid:uuid>", ticket_parts.TicketAttachmentFile, "ticket_attachment"),
    *at(f"{TICKET}/watchers", ticket_parts.TicketWatcherList, "ticket_watchers"),
    *at(f"{TICKET}/watchers/<email:email>", ticket_parts.TicketWatcherDetail, "ticket_watcher"),
    *verbs(
        TICKET,
        "ticket",
        acknowledge=tickets.AcknowledgeTicket,
        assign=tickets.AssignTicket,
        hold=tickets.HoldTicket,
        resolve=tickets.ResolveTicket,
        reopen=tickets.ReopenTicket,
        close=tickets.CloseTicket,
        escalate=tickets.EscalateTicket,
        propose=tickets.ProposeTicket,
        link=tickets.LinkTicket,
        unlink=tickets.UnlinkTicket,
        merge=ticket_merging.MergeTicket,
        unmerge=ticket_merging.UnmergeTicket,
        split=ticket_merging.SplitTicket,
        keep_open=ticket_merging.KeepOpenTicket,
    ),
    *at("ticket-jobs", ticket_jobs.TicketJobList, "ticket_jobs"),
    *at("ticket-jobs/<number:id>", ticket_jobs.TicketJobDetail, "ticket_job"),
    *at("ticket-jobs/<number:id>/results", ticket_jobs.TicketJobResults, "ticket_job_results"),
    *verbs("ticket-jobs/<number:id>", "ticket_job", retry=ticket_jobs.RetryTicketJob),
]

alert_patterns = [
    *at("alerts", alerts.AlertList, "alerts"),
    *at("alerts/<number:id>", alerts.AlertDetail, "alert"),
]

candidate_patterns = [
    *at("candidates", candidates.CandidateList, "candidates"),
    *at(CANDIDATE, candidates.CandidateDetail, "candidate"),
    *verbs(
        CANDIDATE,
        "candidate",
        acknowledge=candidates.AcknowledgeCandidate,
        declare=major_incidents.DeclareCandidate,
        link=candidates.LinkCandidate,
        dismiss=candidates.DismissCandidate,
    ),
]

incident_patterns = [
    *at("major-incidents", major_incidents.IncidentList, "major_incidents"),
    *at(INCIDENT, major_incidents.IncidentDetail, "major_incident"),
    *verbs(
        INCIDENT,
        "major_incident",
        begin_containment=major_incidents.BeginContainment,
        begin_resolution=major_incidents.BeginResolution,
        confirm_resolution=major_incidents.ConfirmResolution,
        fall_back=major_incidents.FallBack,
        close=major_incidents.CloseIncident,
        reopen=major_incidents.ReopenIncident,
        stand_down=major_incidents.StandDown,
        reinstate=major_incidents.Reinstate,
        merge_into=major_incidents.MergeInto,
        contain=major_incidents.Contain,
        restore=major_incidents.Restore,
        take_command=major_incidents.TakeCommand,
    ),
    *at(f"{INCIDENT}/situation", major_incidents.Situation, "situation"),
]

team_patterns = [
    *at(f"{INCIDENT}/steps", teamwork.StepList, "steps"),
    *at(f"{INCIDENT}/steps/<slug:key>", teamwork.StepDetail, "step"),
    *verbs(f"{INCIDENT}/steps/<slug:key>", "step", waive=teamwork.WaiveStep, reassign=teamwork.ReassignStep),
    *at(f"{INCIDENT}/consults", teamwork.ConsultList, "consults"),
    *verbs(f"{INCIDENT}/consults/<number:id>", "consult", answer=teamwork.AnswerConsult),
    *at(f"{INCIDENT}/seats", teamwork.SeatList, "seats"),
    *at(f"{INCIDENT}/seats/<number:id>", teamwork.SeatDetail, "seat"),
    *verbs(
        f"{INCIDENT}/seats/<number:id>",
        "seat",
        accept=teamwork.AcceptSeat,
        decline=teamwork.DeclineSeat,
        release=teamwork.ReleaseSeat,
    ),
    *at(f"{INCIDENT}/bridge", response.BridgeDetail, "bridge"),
    *verbs(f"{INCIDENT}/bridge", "bridge", join=response.JoinBridge),
    *at(f"{INCIDENT}/war-room", response.WarRoomDetail, "war_room"),
    *verbs(
        f"{INCIDENT}/war-room",
        "war_room",
        open=response.OpenWarRoom,
        enter=response.EnterWarRoom,
        leave=response.LeaveWarRoom,
    ),
    *at(f"{INCIDENT}/timeline", response.Timeline, "timeline"),
    *at(f"{INCIDENT}/timeline/<number:id>", response.TimelineEntry, "timeline_entry"),
    *at(f"{INCIDENT}/tasks", response.TaskList, "tasks"),
    *at(f"{INCIDENT}/tasks/<number:id>", response.TaskDetail, "task"),
    *verbs(
        f"{INCIDENT}/timeline/<number:id>", "timeline_entry", mark=room_work.MarkEntry, unmark=room_work.UnmarkEntry
    ),
    *at(f"{INCIDENT}/decisions", room_work.DecisionList, "decisions"),
    *verbs(
        f"{INCIDENT}/decisions/<number:id>",
        "decision",
        object=room_work.ObjectToDecision,
        stand=room_work.DecisionStands,
        withdraw=room_work.WithdrawDecision,
    ),
    *at(f"{INCIDENT}/files", room_work.RoomFileList, "room_files"),
    *at(f"{INCIDENT}/files/<uuid:uuid>", room_work.RoomFileContent, "room_file_content"),
    *verbs(INCIDENT, "major_incident", start_checklist=room_work.StartChecklist),
    *at(f"{INCIDENT}/updates", updates.UpdateList, "updates"),
    *at(f"{INCIDENT}/updates/<number:id>", updates.UpdateDetail, "update"),
    *verbs(f"{INCIDENT}/updates/<number:id>", "update", undo=updates.UpdateUndo),
    *at(f"{INCIDENT}/promises", updates.PromiseList, "promises"),
    *verbs(f"{INCIDENT}/promises", "promises", withdraw=updates.PromiseWithdraw),
    *at(f"{INCIDENT}/approvals", updates.ApprovalList, "approvals"),
    *at(f"{INCIDENT}/approvals/<number:id>", updates.ApprovalDetail, "approval"),
    *verbs(f"{INCIDENT}/approvals/<number:id>", "approval", approve=updates.Approve, refuse=updates.Refuse),
    *at(f"{INCIDENT}/clocks", clocks.ClockList, "clocks"),
    *at(f"{INCIDENT}/clocks/<slug:name>", clocks.ClockDetail, "clock"),
    *verbs(f"{INCIDENT}/clocks/<slug:name>", "clock", not_applicable=clocks.ClockNotApplicable),
    *at(f"{INCIDENT}/downtime", clocks.DowntimeList, "downtime"),
    *at(f"{INCIDENT}/downtime/<number:id>", clocks.DowntimeDetail, "downtime_interval"),
]

short_patterns = [
    *by_id("seats/<number:id>", Seat, "incident", teamwork.SeatDetail),
    *by_id("seats/<number:id>/accept", Seat, "incident", teamwork.AcceptSeat),
    *by_id("seats/<number:id>/decline", Seat, "incident", teamwork.DeclineSeat),
    *by_id("seats/<number:id>/release", Seat, "incident", teamwork.ReleaseSeat),
    *by_id("consults/<number:id>/answer", Consult, "step__incident", teamwork.AnswerConsult),
    *by_id("timeline/<number:id>", TimelineEvent, "incident", response.TimelineEntry),
    *by_id("tasks/<number:id>", Task, "incident", response.TaskDetail),
    *by_id("approvals/<number:id>", Approval, "incident", updates.ApprovalDetail),
    *by_id("approvals/<number:id>/approve", Approval, "incident", updates.Approve),
    *by_id("approvals/<number:id>/refuse", Approval, "incident", updates.Refuse),
    *by_id("downtime/<number:id>", DowntimeInterval, "incident", clocks.DowntimeDetail),
]

learning_patterns = [
    *at(f"{INCIDENT}/review", learning.ReviewDetail, "review"),
    *verbs(
        f"{INCIDENT}/review",
        "review",
        complete=learning.CompleteReview,
        submit=learning.SubmitReview,
        send_back=learning.ReturnReview,
    ),
    *verbs(f"{INCIDENT}/review/actions/<number:id>", "review_action", complete=learning.CompleteReviewAction),
    *at(f"{INCIDENT}/document", learning.DocumentDetail, "document"),
    *verbs(
        f"{INCIDENT}/document",
        "document",
        publish=learning.PublishDocument,
        publish_post_mortem=learning.PublishPostMortem,
        withdraw_post_mortem=learning.WithdrawPostMortem,
    ),
    *at(f"{INCIDENT}/document.pdf", learning.DocumentPdf, "document_pdf"),
    *at(f"{INCIDENT}/document.md", learning.DocumentMarkdown, "document_md"),
    *at(f"{INCIDENT}/document.html", learning.DocumentHtml, "document_html"),
    *at(f"{INCIDENT}/similar", learning.SimilarIncidents, "similar"),
    *at(f"{INCIDENT}/plans-used", learning.PlansUsed, "plans_used"),
    *verbs(f"{INCIDENT}/plans-used/<number:id>", "plan_used", judge=learning.JudgePlan),
    *at(f"{INCIDENT}/changes-before", learning.ChangesBefore, "changes_before"),
]

configuration_patterns = [
    *at("services", catalogue.ServiceList, "services"),
    *at("services/<slug:slug>", catalogue.ServiceDetail, "service"),
    *at("dependencies", catalogue.DependencyList, "dependencies"),
    *at("dependencies/<number:id>", catalogue.DependencyDetail, "dependency"),
    *at("maintenance-windows", catalogue.WindowList, "maintenance_windows"),
    *at("maintenance-windows/<number:id>", catalogue.WindowDetail, "maintenance_window"),
    *at("people", organisation.PersonList, "people"),
    *at("people/<email:email>", organisation.PersonDetail, "person"),
    *at("teams", organisation.TeamList, "teams"),
    *at("teams/<slug:slug>", organisation.TeamDetail, "team"),
    *at("audiences", organisation.AudienceList, "audiences"),
    *at("audiences/<slug:audience>", organisation.AudienceDetail, "audience"),
    *at("on-call", rotas.ShiftList, "on_call"),
    *at("on-call/now", rotas.OnCallNow, "on_call_now"),
    *at("on-call/<number:id>", rotas.ShiftDetail, "shift"),
    *at("rotas", rotas.RotaList, "rotas"),
    *at("rotas/<number:id>", rotas.RotaDetail, "rota"),
    *at("rotas/<number:id>/layers", rotas.LayerList, "rota_layers"),
    *at("rotas/<number:id>/layers/<number:layer>", rotas.LayerDetail, "rota_layer"),
    *at("overrides", rotas.OverrideList, "overrides"),
    *at("overrides/<number:id>", rotas.OverrideDetail, "override"),
    *at("checklists", room_work.ChecklistList, "checklists"),
    *at("checklists/<number:id>", room_work.ChecklistDetail, "checklist"),
    *at("raci", organisation.Raci, "raci"),
    *at("search", search.Search, "search"),
]

monitoring_patterns = [
    *at("integrations", integrations.IntegrationList, "integrations"),
    *at("integrations/<number:id>", integrations.IntegrationDetail, "integration"),
    *verbs("integrations/<number:id>", "integration", rotate=integrations.RotateIntegration),
    *at("integrations/<number:id>/payloads", integrations.PayloadList, "payloads"),
    *at("payloads/<number:id>", integrations.PayloadDetail, "payload"),
    *verbs("payloads/<number:id>", "payload", replay=integrations.ReplayPayload),
    *at("rules", rules.RuleList, "rules"),
    *at("rules/<number:id>", rules.RuleDetail, "rule"),
    *verbs("rules/<number:id>", "rule", dry_run=rules.DryRun),
]

problem_patterns = [
    *at("problems", problems.ProblemList, "problems"),
    *at(PROBLEM, problems.ProblemDetail, "problem"),
    *verbs(
        PROBLEM,
        "problem",
        investigate=problems.Investigate,
        known_error=problems.KnownError,
        resolve=problems.ResolveProblem,
        close=problems.CloseProblem,
        add_factor=problems.AddFactor,
    ),
]

change_patterns = [
    *at("changes", changes.ChangeList, "changes"),
    *at(CHANGE, changes.ChangeDetail, "change"),
    *verbs(
        CHANGE,
        "change",
        submit=changes.SubmitChange,
        approve=changes.ApproveChange,
        reject=changes.RejectChange,
        start=changes.StartChange,
        implement=changes.ImplementChange,
        roll_back=changes.RollBackChange,
        close=changes.CloseChange,
        cancel=changes.CancelChange,
        accept_rejected=changes.AcceptRejectedChange,
        withdraw_vote=changes.WithdrawVote,
        delegate_vote=changes.DelegateVote,
        meet_condition=changes.MeetCondition,
        waive_freeze=changes.WaiveFreeze,
        check=changes.CheckChange,
        log=changes.LogChange,
        add_steps=changes.AddChangeSteps,
    ),
    *verbs(f"{CHANGE}/steps/<number:id>", "change_step", done=changes.DoChangeStep),
    *at("freezes", change_plans.FreezeList, "freezes"),
    *at("freezes/<number:id>", change_plans.FreezeDetail, "freeze"),
    *at("change-templates", change_plans.ChangeTemplateList, "change_templates"),
    *at("change-templates/<number:id>", change_plans.ChangeTemplateDetail, "change_template"),
    *verbs("change-templates/<number:id>", "change_template", use=change_plans.UseChangeTemplate),
]

urlpatterns: list[Any] = [
    *at("schema", docs.SchemaView, "schema"),
    *at("docs", docs.DocsView, "docs"),
    *ticket_patterns,
    *alert_patterns,
    *candidate_patterns,
    *incident_patterns,
    *team_patterns,
    *short_patterns,
    *learning_patterns,
    *problem_patterns,
    *change_patterns,
    *configuration_patterns,
    *monitoring_patterns,
]
