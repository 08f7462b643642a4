"""The records of the process. State rules stand here as constraints; nothing here does I/O."""

from incidents.models.access import ApiKey, IdempotentRequest, Scope
from incidents.models.candidates import OPEN_CANDIDATE_STATUSES, Candidate, CandidateSource, CandidateStatus
from incidents.models.changes import ApprovalState, Change, ChangeApproval, ChangeLink, ChangeStatus, ChangeType, Risk
from incidents.models.major_incidents import (
    AffectedService,
    Affects,
    ClockEntry,
    Consult,
    DowntimeInterval,
    IncidentStep,
    MajorIncident,
    RaciMatrix,
    Seat,
    StageEntry,
    default_cells,
)
from incidents.models.people import (
    AudienceMembership,
    Holiday,
    OnCallShift,
    Organisation,
    RoleHeld,
    Team,
    User,
    people_with_role,
)
from incidents.models.problems import CauseCategory, Problem, ProblemStatus
from incidents.models.response import (
    Approval,
    Bridge,
    Presence,
    StatusUpdate,
    Task,
    TaskStatus,
    UpdatePromise,
    WarRoom,
)
from incidents.models.reviews import Document, DocumentVersion, Review, ReviewAction
from incidents.models.services import MaintenanceWindow, Service, ServiceDependency
from incidents.models.tickets import (
    OPEN_TICKET_STATUSES,
    Attachment,
    CascadeJob,
    CascadeResult,
    Channel,
    Ticket,
    TicketComment,
    TicketEscalation,
    TicketKind,
    TicketStatus,
    TicketWatcher,
)
from incidents.models.timeline import TimelineEdit, TimelineEvent

__all__ = [name for name in dir() if name[0].isupper()] + ["default_cells", "people_with_role"]
