"""The API: organisation and figures: one line a route, its methods and the record asked for."""

from tests.permissions.notation import HIDDEN, row

# fmt: off
API_CONFIGURATION = [
    row("api_services", "GET", "", "staff stakeholder"),
    row("api_services", "POST", "", "desk_manager administrator"),
    row("api_service", "GET", "", "staff stakeholder"),
    row("api_service", "PATCH DELETE", "", "desk_manager administrator"),
    row("api_dependencies", "GET", "", "staff stakeholder"),
    row("api_dependencies", "POST", "", "desk_manager administrator"),
    row("api_dependency", "GET", "", "staff stakeholder"),
    row("api_dependency", "DELETE", "", "desk_manager administrator"),
    row("api_maintenance_windows", "GET", "", "staff stakeholder"),
    row("api_maintenance_windows", "POST", "", "desk_manager administrator"),
    row("api_maintenance_window", "GET", "", "staff stakeholder"),
    row("api_maintenance_window", "PATCH DELETE", "", "desk_manager administrator"),
    row("api_people", "GET", "", "inside", said="oneself; everybody for staff"),
    row("api_people", "POST", "", "administrator"),
    row("api_person", "GET", "person own", "staff requester", rest=HIDDEN),
    row("api_person", "GET", "person foreign", "staff", rest=HIDDEN),
    row("api_person", "PATCH", "person own", "requester administrator", no="staff", rest=HIDDEN),
    row("api_person", "PATCH", "person foreign", "technician administrator", no="staff", rest=HIDDEN),
    row("api_person", "DELETE", "person own", "administrator", no="staff requester", rest=HIDDEN),
    row("api_person", "DELETE", "person foreign", "administrator", no="staff", rest=HIDDEN),
    row("api_teams", "GET", "", "staff"),
    row("api_teams", "POST", "", "administrator"),
    row("api_team", "GET", "", "staff"),
    row("api_team", "PATCH", "", "administrator"),
    row("api_audiences", "GET", "", "staff"),
    row("api_audience", "GET", "", "staff"),
    row("api_audience", "PATCH", "", "administrator"),
    row("api_on_call", "GET", "", "staff"),
    row("api_on_call", "POST", "", "desk_manager administrator"),
    row("api_shift", "GET", "", "staff"),
    row("api_shift", "DELETE", "", "desk_manager administrator"),
    row("api_raci", "GET", "", "staff"),
    row("api_raci", "PUT", "", "administrator"),
]

API_FIGURES_AND_SEARCH = [
    row("api_metrics_kpis", "GET", "", "staff"),
    row("api_metrics_monthly", "GET", "", "staff"),
    row("api_metrics_services", "GET", "", "staff"),
    row("api_metrics_incidents_csv", "GET", "", "staff"),
    row("api_import_incidents", "POST", "", "desk_manager administrator"),
    row("api_search", "GET", "", "inside", said="finds what one may see"),
    row("api_deliveries", "GET", "", "inside", said="what was addressed to oneself; all for staff"),
]
