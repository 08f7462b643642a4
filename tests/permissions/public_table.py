"""What anybody may open, and signing in: one line a route, its methods and the record asked for."""

from tests.permissions.notation import HIDDEN, NO, SIGN_IN, row

# fmt: off
PUBLIC = [
    row("home", "GET", "", "anybody", said="leads to where one's role lands, or to the status page"),
    row("status_page", "GET", "", "anybody"),
    row("status_file", "GET", "", "anybody"),
    row("status_subscribe", "POST", "", "anybody"),
    row("status_confirm", "GET POST", "", "anybody", said="with a signed link; 410 with a wrong one"),
    row("status_end", "GET POST", "", "anybody", said="with a signed link; 410 with a wrong one"),
    row("theme_switch", "POST", "", "anybody"),
    row("answer", "GET POST", "", "anybody", said="with a link that is not valid: 410"),
    row("calendar_feed", "GET", "", "anybody", said="with the secret address of a feed"),
    row("page_answer", "GET POST", "", "anybody", said="with the signed link of a page; answers as the person paged"),
    row("push_worker", "GET", "", "anybody", said="the script that shows notifications"),
    *[row(f"phone_{what}", "POST", "", rest=NO, outside=NO, said="without the provider’s signature")
      for what in ("call", "key", "status", "reply")],
    row("healthz", "GET", "", "anybody"),
    row("readyz", "GET", "", "anybody"),
    row("/api/v1/health", "GET", "", "anybody"),
    row("/api/v1/ready", "GET", "", "anybody"),
    row("/api/", "GET", "", rest=HIDDEN, outside=HIDDEN, said="an unknown address below /api/"),
    row("door", "GET POST PUT PATCH DELETE", "", rest=HIDDEN, outside=HIDDEN, said="with a wrong key"),
    row("door_below", "GET POST PUT PATCH DELETE", "", rest=HIDDEN, outside=HIDDEN, said="with a wrong key"),
    row("voice_call", "POST", "", rest=HIDDEN, outside=HIDDEN, said="with a key nobody has"),
    row("voice_menu", "POST", "", rest=HIDDEN, outside=HIDDEN, said="with a key nobody has"),
    row("voice_dialled", "POST", "", rest=HIDDEN, outside=HIDDEN, said="with a key nobody has"),
    row("voice_recorded", "POST", "", rest=HIDDEN, outside=HIDDEN, said="with a key nobody has"),
    row("voice_transcribed", "POST", "", rest=HIDDEN, outside=HIDDEN, said="with a key nobody has"),
    row("voice_goodbye", "POST", "", rest=HIDDEN, outside=HIDDEN, said="with a key nobody has"),
    row("voice_status", "POST", "", rest=HIDDEN, outside=HIDDEN, said="with a key nobody has"),
    row("slack_interactions", "POST", "", rest=HIDDEN, outside=HIDDEN, said="while Slack is not set up"),
    row("api_schema", "GET", "", "anybody"),
    row("api_docs", "GET", "", "anybody"),
    row("first_administrator", "GET POST", "", "anybody", said="with a valid link; 410 once there is an administrator"),
    *[row(f"{name}_{what}", "POST", "", "anybody", said="with a wrong key 400, as PagerDuty")
      for name in ("pagerduty", "pagerduty_base") for what in ("events", "changes")],
    *[row(f"{name}_{what}", "GET POST PUT PATCH DELETE", "", rest=SIGN_IN, said="with a wrong key 401, as Opsgenie")
      for name in ("opsgenie", "opsgenie_base") for what in ("alerts", "alert")],
    *[row(f"{name}_{what}", "GET POST PUT PATCH", "", rest=SIGN_IN, said="with a wrong key 401, as ServiceNow")
      for name in ("servicenow", "servicenow_base") for what in ("incidents", "incident")],
    row("heartbeat_beat", "GET POST PUT", "", rest=HIDDEN, outside=HIDDEN, said="with a wrong key; a right one is all"),
    row("heartbeat_below", "GET POST PUT", "", rest=HIDDEN, outside=HIDDEN, said="with a wrong key"),
]

SIGN_IN_PAGES = [
    row("account_login", "GET POST", "", "anybody"),
    row("account_signup", "GET POST", "", "anybody"),
    row("account_inactive", "GET", "", "anybody"),
    row("account_reset_password", "GET POST", "", "anybody"),
    row("account_reset_password_done", "GET", "", "anybody"),
    row("account_reset_password_from_key", "GET POST", "", "anybody"),
    row("account_reset_password_from_key_done", "GET", "", "anybody"),
    row("account_email_verification_sent", "GET", "", "anybody"),
    row("account_confirm_email", "GET", "", "anybody"),
    row("account_confirm_email", "POST", "", rest=HIDDEN, outside=HIDDEN, said="with a wrong key"),
    row("account_logout", "GET", "", "inside"),
    row("account_logout", "POST", "", rest=SIGN_IN, said="leads to the sign-in page"),
    row("account_change_password", "GET POST", "", "inside"),
    row("account_set_password", "GET POST", "", "inside"),
    row("account_email", "GET POST", "", "inside"),
    row("account_confirm_login_code", "GET POST", "", "inside"),
    row("account_reauthenticate", "GET POST", "", said="needs a password to ask for"),
    row("mfa_index", "GET", "", "inside"),
    row("mfa_authenticate", "GET POST", "", "inside", said="between password and entry; else it leads home"),
    row("mfa_reauthenticate", "GET POST", said="needs a second factor to ask for"),
    row("mfa_activate_totp", "GET POST", "", "inside"),
    row("mfa_deactivate_totp", "GET POST", rest=HIDDEN, said="before there is one"),
    row("mfa_view_recovery_codes", "GET", rest=HIDDEN, said="before there are any"),
    row("mfa_generate_recovery_codes", "GET POST", "", "inside"),
    row("mfa_download_recovery_codes", "GET", rest=HIDDEN, said="before there are any"),
]
