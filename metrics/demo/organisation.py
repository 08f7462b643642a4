"""DATA: the people, teams and services of Larkmoor Outfitters, an online shop that does not exist."""

from dataclasses import dataclass

from incidents.process import AccountRole as Role

NAME = "Larkmoor Outfitters"
TIME_ZONE = "Europe/Berlin"
CURRENCY = "EUR"
BRIDGE_PATTERN = "https://meet.jit.si/larkmoor-{ref}"
MAIL_DOMAIN = "demo.example"


@dataclass(frozen=True)
class Person:
    key: str
    name: str
    job_title: str
    roles: tuple[Role, ...]
    team: str = ""
    line_manager: str = ""
    tier: int | None = None

    @property
    def email(self) -> str:
        return f"{self.key}@{MAIL_DOMAIN}"


TEAMS = (
    # key, name, tier, lead
    ("service-desk", "Service Desk", 1, "servicedesk"),
    ("shop", "Shop Engineering", 2, "engineer"),
    ("payments", "Payments", 2, "priya"),
    ("platform", "Platform and Network", 2, "marco"),
    ("data", "Data and Search", 2, "aiko"),
    ("logistics-it", "Logistics Systems", 2, "samuel"),
    ("process", "Service Management", 3, "manager"),
    ("business", "Business", 1, "management"),
)

_T, _S, _K = Role.TECHNICAL_STAFF, Role.SERVICE_DESK_TECHNICIAN, Role.KEY_STAKEHOLDER
PEOPLE = (
    Person("management", "Helena Vogt", "Chief Information Officer", (Role.MANAGEMENT,), "business"),
    Person("finance-director", "Robert Adeyemi", "Chief Financial Officer", (Role.MANAGEMENT,), "business"),
    Person("admin", "Ada Kessler", "Systems Administrator", (Role.ADMINISTRATOR,), "process", "management"),
    Person("manager", "Miriam Okafor", "Major Incident Manager", (Role.MAJOR_INCIDENT_MANAGER,), "process",
           "management"),
    Person("deputy", "Daniel Brandt", "Deputy Major Incident Manager", (Role.MAJOR_INCIDENT_MANAGER,), "process",
           "manager"),
    Person("servicedesk", "Greta Lindqvist", "Service Desk Manager", (Role.SERVICE_DESK_MANAGER,), "service-desk",
           "management"),
    Person("change", "Charlotte Weiss", "Change Manager", (Role.CHANGE_MANAGER,), "process", "management"),
    Person("problem", "Pavel Novak", "Problem Manager", (Role.PROBLEM_MANAGER,), "process", "management"),
    Person("technician", "Tom Reyes", "Service Desk Technician", (_S,), "service-desk", "servicedesk", 1),
    Person("nadia", "Nadia Haddad", "Service Desk Technician", (_S,), "service-desk", "servicedesk", 1),
    Person("jonas", "Jonas Meier", "Senior Service Desk Technician", (_S,), "service-desk", "servicedesk", 2),
    Person("engineer", "Elena Petrova", "Lead Engineer, Shop", (_T,), "shop", "management", 2),
    Person("oliver", "Oliver Grant", "Backend Engineer", (_T,), "shop", "engineer", 2),
    Person("priya", "Priya Raman", "Lead Engineer, Payments", (_T,), "payments", "management", 2),
    Person("marco", "Marco Bellini", "Site Reliability Engineer", (_T,), "platform", "management", 3),
    Person("ingrid", "Ingrid Solberg", "Network Engineer", (_T,), "platform", "marco", 3),
    Person("aiko", "Aiko Tanaka", "Database Engineer", (_T,), "data", "management", 3),
    Person("samuel", "Samuel Osei", "Logistics Systems Engineer", (_T,), "logistics-it", "management", 2),
    Person("consultant", "Viktor Lang", "External Consultant, Payment Networks", (Role.EXTERNAL_CONSULTANT,)),
    Person("stakeholder", "Laura Conti", "Head of E-Commerce", (_K,), "business", "management"),
    Person("warehouse-head", "Bruno Keller", "Head of Logistics", (_K,), "business", "management"),
    Person("marketing-head", "Sofia Marin", "Head of Marketing", (_K,), "business", "management"),
    Person("requester", "Emma Fischer", "Customer Care Agent", (Role.REQUESTER,), "business", "stakeholder"),
    Person("felix", "Felix Wagner", "Buyer", (Role.REQUESTER,), "business", "stakeholder"),
    Person("hannah", "Hannah Schulz", "Warehouse Shift Lead", (Role.REQUESTER,), "business", "warehouse-head"),
    Person("mateo", "Mateo Garcia", "Campaign Planner", (Role.REQUESTER,), "business", "marketing-head"),
    Person("yusuf", "Yusuf Demir", "Accountant", (Role.REQUESTER,), "business", "finance-director"),
)  # fmt: skip


@dataclass(frozen=True)
class LayerEntry:
    name: str
    rank: int
    people: tuple[str, ...]
    unit: str = "week"
    windows: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True)
class RotaEntry:
    """For a role, or for a team when there is no role."""

    name: str
    layers: tuple[LayerEntry, ...]
    role: str = ""
    team: str = ""


WEEKS_OF_ROTA_BEFORE = 4
ROTAS = (
    RotaEntry(
        "Major incident managers",
        (LayerEntry("Primary", 1, ("manager", "deputy")), LayerEntry("Backup", 2, ("deputy", "manager"))),
        role=Role.MAJOR_INCIDENT_MANAGER,
    ),
    RotaEntry("Service desk lead", (LayerEntry("Lead", 1, ("servicedesk",)),), role=Role.SERVICE_DESK_MANAGER),
    RotaEntry(
        "Technical staff",
        (
            LayerEntry("Primary", 1, ("marco", "engineer", "aiko", "ingrid", "priya")),
            LayerEntry("Backup", 2, ("engineer", "aiko", "ingrid", "priya", "marco")),
        ),
        role=Role.TECHNICAL_STAFF,
    ),
    RotaEntry("Change managers", (LayerEntry("Primary", 1, ("change",)),), role=Role.CHANGE_MANAGER),
    RotaEntry("Problem managers", (LayerEntry("Primary", 1, ("problem",)),), role=Role.PROBLEM_MANAGER),
    RotaEntry(
        "Platform nights and days",
        (
            LayerEntry(
                "Days",
                1,
                ("marco", "ingrid"),
                "week",
                ({"weekdays": [0, 1, 2, 3, 4, 5, 6], "begins": "08:00", "ends": "20:00"},),
            ),
            LayerEntry(
                "Nights",
                1,
                ("ingrid", "marco"),
                "week",
                ({"weekdays": [0, 1, 2, 3, 4, 5, 6], "begins": "20:00", "ends": "08:00"},),
            ),
        ),
        team="platform",
    ),
)
"""Who takes turns; handover on Mondays at eight."""
HANDOVER_NOTE = (
    "The order database failed over to the second node on Sunday night and was moved back at 06:10. Replication "
    "lag is watched; page Aiko when it exceeds a minute. Nothing is planned before Thursday."
)

AUDIENCES = {
    "technical": (_T, _S, Role.SERVICE_DESK_MANAGER),
    "management": (Role.MANAGEMENT,),
    "key_stakeholders": (_K,),
    "users": (Role.REQUESTER,),
}


@dataclass(frozen=True)
class ServiceEntry:
    key: str
    name: str
    description: str
    tier: int
    cost_per_hour: int
    owner: str
    team: str
    needs: tuple[str, ...] = ()
    share_of_tickets: int = 5


SERVICES = (
    ServiceEntry("storefront", "Storefront", "The web shop and the app as customers see them.", 1, 14_000,
                 "engineer", "shop", ("cdn", "catalogue", "identity"), 9),
    ServiceEntry("checkout", "Checkout", "Basket, delivery choice and order.", 1, 18_000,
                 "engineer", "shop", ("payments", "database", "identity", "warehouse"), 10),
    ServiceEntry("payments", "Payments", "Cards, wallets, invoices and refunds.", 1, 16_000,
                 "priya", "payments", ("database",), 7),
    ServiceEntry("search", "Search", "Finding products by words and filters.", 2, 4_500,
                 "aiko", "data", ("catalogue",), 5),
    ServiceEntry("catalogue", "Catalogue", "Products, prices, pictures and stock shown.", 2, 5_000,
                 "oliver", "shop", ("database",), 6),
    ServiceEntry("identity", "Sign-in", "Customer accounts and single sign-on for employees.", 1, 8_000,
                 "marco", "platform", ("database",), 8),
    ServiceEntry("warehouse", "Warehouse System", "Picking, packing and stock in both warehouses.", 2, 6_500,
                 "samuel", "logistics-it", ("database", "network"), 8),
    ServiceEntry("email", "Customer E-mail", "Order confirmations, newsletters and the shared inboxes.", 3, 900,
                 "ingrid", "platform", ("network",), 7),
    ServiceEntry("cdn", "CDN", "Pictures, scripts and caching at the edge.", 1, 7_000,
                 "marco", "platform", (), 2),
    ServiceEntry("database", "Order Database", "The relational store behind the shop.", 1, 9_000,
                 "aiko", "data", (), 2),
    ServiceEntry("network", "Office and Warehouse Network", "Lines, wireless and VPN.", 2, 3_000,
                 "ingrid", "platform", (), 8),
    ServiceEntry("data-platform", "Data Platform", "Reports, forecasts and exports for the business.", 3, 700,
                 "aiko", "data", ("database",), 5),
    ServiceEntry("hr", "People Portal", "Leave, payslips and onboarding for employees.", 4, 150,
                 "admin", "process", ("identity",), 7),
)  # fmt: skip
