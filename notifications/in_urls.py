"""Ways in from providers. They come before the door of the monitoring tools, which would swallow them."""

from django.urls import path

from notifications.views import slack

urlpatterns = [path("in/slack/interactions", slack.slack_interactions, name="slack_interactions")]
