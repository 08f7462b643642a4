"""Organisation: one line a route, its methods and the record asked for."""

from tests.permissions.notation import HIDDEN, row

# fmt: off
ORGANISATION = [
    row("people", "GET", "", "administrator"),
    row("person_invite", "GET POST", "", "administrator"),
    row("person_edit", "GET POST", "person own", "administrator"),
    row("person_edit", "GET POST", "person foreign", "administrator"),
    row("person_do", "POST", "person own", "administrator", act="deactivate"),
    row("person_do", "POST", "person foreign", "administrator", act="deactivate"),
    row("person_do", "POST", "person own", "administrator", act="activate"),
    row("person_do", "POST", "person foreign", "administrator", act="activate"),
    row("person_do", "POST", "person own", "administrator", act="send-link"),
    row("person_do", "POST", "person foreign", "administrator", act="send-link"),
    row("organisation", "GET POST", "", "administrator"),
    row("priority_table", "POST", "", "administrator"),
    row("holiday_new", "GET POST", "", "administrator"),
    row("holiday_remove", "POST", "", "administrator"),
    row("team_new", "GET POST", "", "administrator"),
    row("team_edit", "GET POST", "", "administrator"),
    row("audiences", "GET", "", "administrator"),
    row("audience", "GET POST", "", "administrator"),
    row("on_call", "GET", "", "staff"),
    row("shift_new", "GET POST", "", "desk_manager administrator"),
    row("shift_remove", "POST", "", "desk_manager administrator"),
    row("raci", "GET", "", "staff"),
    row("raci_edit", "GET POST", "", "administrator"),
    row("api_keys", "GET", "", "staff"),
    row("api_key_new", "GET POST", "", "staff"),
    row("api_key_revoke", "POST", "key of the technician", "technician administrator", rest=HIDDEN),
    row("service_list", "GET", "", "staff stakeholder"),
    row("service", "GET", "", "staff stakeholder"),
    row("service_new", "GET POST", "", "desk_manager administrator"),
    row("service_edit", "GET POST", "", "desk_manager administrator"),
    row("window_new", "GET POST", "", "desk_manager administrator"),
    row("window_remove", "POST", "", "desk_manager administrator"),
    row("mail_catcher", "GET", "", "administrator"),
    row("caught_mail", "GET", "", hidden="administrator", said="there is none of that name"),
    row("delivery_list", "GET", "", "inside", said="what was addressed to oneself; all for staff"),
    row("delivery", "GET", "delivery own", "staff requester", rest=HIDDEN),
    row("delivery", "GET", "delivery foreign", "staff", rest=HIDDEN),
]

FIGURES = [
    row("kpi_dashboard", "GET", "", "staff"),
    row("kpi_drill", "GET", "", "staff"),
    row("overview", "GET", "", "management desk_manager manager administrator stakeholder"),
    row("overview_now", "GET", "", "management desk_manager manager administrator stakeholder"),
    row("overview_decide", "POST", "MI own", "management", rest=HIDDEN),
    row("overview_decide", "POST", "MI foreign", rest=HIDDEN),
    row("document_list", "GET", "", "staff"),
]
