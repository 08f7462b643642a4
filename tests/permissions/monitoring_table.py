"""Monitoring: one line a route, its methods and the record asked for."""

from tests.permissions.notation import HIDDEN, row

_SET = "desk_manager administrator"

# fmt: off
ALERTS = [
    row("alert_list", "GET", "", "staff"),
    row("alerts_now", "GET", "", "staff"),
    row("alert_export", "GET", "", "staff"),
    row("alert", "GET", "", "staff"),
    row("alert_now", "GET", "", "staff"),
    row("alert_body", "GET", "", "staff"),
    row("alert_act", "GET POST", "", "desk", act="ticket"),
    row("alert_act", "GET POST", "", "desk", act="propose"),
    row("alert_act", "GET POST", "", "desk", act="attach"),
    row("ticket_alerts", "GET", "INC own", "staff"),
    row("ticket_alerts", "GET", "INC foreign", "staff"),
    row("candidate_alerts", "GET", "CAN", "staff"),
    row("incident_alerts", "GET", "MI own", "staff stakeholder guest", rest=HIDDEN),
    row("incident_alerts", "GET", "MI foreign", "staff stakeholder other_guest", rest=HIDDEN),
]

INTEGRATIONS = [
    row("integrations", "GET", "", _SET),
    row("integration_new", "GET POST", "", _SET),
    row("integration", "GET", "", _SET),
    row("integration_now", "GET", "", _SET),
    row("integration_key", "GET", "", _SET),
    row("integration_edit", "GET POST", "", _SET),
    row("integration_rotate", "POST", "", _SET),
    row("integration_switch", "POST", "", _SET),
    row("integration_delete", "POST", "", _SET),
    row("integration_test", "POST", "", _SET),
    row("test_outcome", "GET", "", _SET),
    row("integration_mapping", "GET POST", "", _SET),
    row("mapping_preview", "POST", "", _SET),
    row("payloads_replay", "POST", "", _SET),
    row("secret_new", "GET POST", "", _SET),
    row("secret_remove", "POST", "", _SET),
    row("payload", "GET", "", _SET),
    row("payload_replay", "POST", "", _SET),
    row("alert_rules", "GET", "", "staff"),
    row("rule_new", "GET POST", "", _SET),
    row("rule_dry_run", "POST", "", _SET),
    row("rule_edit", "GET POST", "", _SET),
    row("rule_do", "POST", "", _SET, act="up"),
    row("rule_do", "POST", "", _SET, act="down"),
    row("rule_do", "POST", "", _SET, act="switch-on"),
    row("rule_do", "POST", "", _SET, act="switch-off"),
    row("rule_do", "POST", "", _SET, act="remove"),
    row("checklists", "GET", "", "staff"),
    row("checklist_new", "GET POST", "", "manager desk_manager administrator"),
    row("checklist_edit", "GET POST", "", "manager desk_manager administrator"),
    row("checklist_remove", "POST", "", "manager desk_manager administrator"),
    row("planned_work", "GET", "", "staff stakeholder"),
    row("window_plan", "GET POST", "", _SET),
]

API_MONITORING = [
    row("api_integrations", "GET", "", "staff"),
    row("api_integrations", "POST", "", _SET),
    row("api_integration", "GET", "", "staff"),
    row("api_integration", "PATCH DELETE", "", _SET),
    row("api_integration_rotate", "POST", "", _SET),
    row("api_payloads", "GET", "", _SET),
    row("api_payload", "GET", "", _SET),
    row("api_payload_replay", "POST", "", _SET),
    row("api_rules", "GET", "", "staff"),
    row("api_rules", "POST", "", _SET),
    row("api_rule", "GET", "", "staff"),
    row("api_rule", "PATCH DELETE", "", _SET),
    row("api_rule_dry_run", "POST", "", _SET),
]

WEBHOOKS = [
    row("webhooks", "GET", "", "administrator"),
    row("webhook_new", "GET POST", "", "administrator"),
    row("webhook", "GET", "", "administrator"),
    row("webhook_now", "GET", "", "administrator"),
    row("webhook_secret", "GET", "", "administrator"),
    row("webhook_edit", "GET POST", "", "administrator"),
    row("webhook_rotate", "POST", "", "administrator"),
    row("webhook_switch", "POST", "", "administrator"),
    row("webhook_delete", "POST", "", "administrator"),
    row("webhook_test", "POST", "", "administrator"),
    row("webhook_replay", "GET POST", "", "administrator"),
    row("webhook_message", "GET", "", "administrator"),
    row("webhook_message_replay", "POST", "", "administrator"),
    row("webhook_test_outcome", "GET", "", "administrator"),
]

API_WEBHOOKS = [
    row("api_webhooks", "GET POST", "", "administrator"),
    row("api_webhook", "GET PATCH DELETE", "", "administrator"),
    row("api_webhook_rotate", "POST", "", "administrator"),
    row("api_webhook_test", "POST", "", "administrator"),
    row("api_webhook_replay", "POST", "", "administrator"),
    row("api_webhook_messages", "GET", "", "administrator"),
    row("api_webhook_message", "GET", "", "administrator"),
]
