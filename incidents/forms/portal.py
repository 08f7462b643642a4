"""What a requester types."""

from django import forms

from incidents.forms.fields import DeskForm, levels, long_text, service_field, title_field


class ReportForm(DeskForm):
    title = title_field("What does not work?", help_text="One line, as you would tell a colleague.")
    service = service_field("Where?")
    impact = levels("Who is affected?", ("everybody I know", "my whole department", "a few of us", "only me"))
    urgency = levels("Can you work?", ("not at all", "hardly", "I found a way around", "yes, it can wait"))
    description = long_text(label="Anything else we should know?", required=False)
    file = forms.FileField(label="Picture or file", required=False, help_text="At most 10 MiB.")

    rows = (("title",), ("service",), ("impact", "urgency"), ("description",), ("file",))
