"""What each channel needs to be told by an administrator and by a person, as data: forms are made from it."""

from dataclasses import dataclass

from notifications.models import ChannelKey


@dataclass(frozen=True)
class Setting:
    """One value. A secret one is sealed and never shown again; `kind` is text, url, phone or lines."""

    name: str
    label: str
    help: str = ""
    kind: str = "text"
    is_secret: bool = False
    is_required: bool = True
    default: str = ""


@dataclass(frozen=True)
class Kind:
    """`account` is entered once by an administrator; `place` for each destination many read; `personal` by each person.

    Empty: there is no such thing for this channel. `shares` names the channel whose account it uses.
    `is_noisy` rings or buzzes: quiet hours count.
    """

    key: str
    account: tuple[Setting, ...] = ()
    place: tuple[Setting, ...] = ()
    personal: tuple[Setting, ...] = ()
    shares: str = ""
    is_noisy: bool = True

    @property
    def account_key(self) -> str:
        return self.shares or self.key

    @property
    def needs_account(self) -> bool:
        return bool(self.account or self.shares)


_PROVIDER = "Leave it as it is unless your provider speaks the same protocol at another address."

KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(ChannelKey.EMAIL, is_noisy=False),
        Kind(ChannelKey.IN_APP, is_noisy=False),
        Kind(
            ChannelKey.SMS,
            account=(
                Setting("base_url", "Address of the API", _PROVIDER, kind="url", default="https://api.twilio.com"),
                Setting("account_sid", "Account SID", "Begins with AC."),
                Setting("auth_token", "Auth token", is_secret=True),
                Setting("from_number", "Sender of SMS", "A number like +14155550100, or a messaging service (MG…)."),
                Setting("voice_number", "Caller of voice calls", kind="phone", is_required=False),
            ),
            personal=(Setting("number", "Mobile number", "With country code, like +49 151 23456789.", kind="phone"),),
        ),
        Kind(
            ChannelKey.VOICE,
            shares=ChannelKey.SMS,
            personal=(Setting("number", "Phone number", "With country code, like +49 30 1234567.", kind="phone"),),
        ),
        Kind(
            ChannelKey.WEB_PUSH,
            account=(
                Setting("contact", "Contact", "An e-mail address the push services may write to.", is_required=False),
            ),
            personal=(Setting("subscription", "This browser", is_secret=True),),
        ),
        Kind(
            ChannelKey.SLACK,
            account=(
                Setting("base_url", "Address of the API", _PROVIDER, kind="url", default="https://slack.com/api"),
                Setting("bot_token", "Bot token", "Begins with xoxb-.", is_secret=True),
                Setting(
                    "signing_secret", "Signing secret", "Proves that a pressed button comes from Slack.", is_secret=True
                ),
            ),
            place=(Setting("channel", "Channel", "Its ID, like C0123456789; the app must be a member."),),
            personal=(Setting("member", "Member ID", "Profile → ⋮ → Copy member ID, like U0123456789."),),
        ),
        Kind(
            ChannelKey.TEAMS,
            place=(Setting("url", "Webhook address", "Made in Teams under Workflows.", kind="url", is_secret=True),),
            is_noisy=False,
        ),
        Kind(
            ChannelKey.MATTERMOST,
            place=(Setting("url", "Incoming webhook", "Under Integrations.", kind="url", is_secret=True),),
            is_noisy=False,
        ),
        Kind(
            ChannelKey.MATRIX,
            account=(
                Setting("base_url", "Homeserver", "Like https://matrix.example.org", kind="url"),
                Setting("access_token", "Access token", is_secret=True),
            ),
            place=(Setting("room", "Room ID", "Like !abcdef:example.org; the account must be a member."),),
        ),
        Kind(
            ChannelKey.TELEGRAM,
            account=(
                Setting("base_url", "Address of the API", _PROVIDER, kind="url", default="https://api.telegram.org"),
                Setting("bot_token", "Bot token", "From @BotFather.", is_secret=True),
            ),
            place=(Setting("chat", "Chat ID", "Of the group or channel, like -1001234567890."),),
            personal=(Setting("chat", "Chat ID", "Write /start to the bot first; it is your numeric ID."),),
        ),
        Kind(
            ChannelKey.NTFY,
            place=(Setting("url", "Topic", "Like https://ntfy.sh/your-topic", kind="url", is_secret=True),),
            personal=(Setting("url", "Topic", "Like https://ntfy.sh/a-secret-name", kind="url", is_secret=True),),
        ),
        Kind(
            ChannelKey.APPRISE,
            place=(Setting("url", "Apprise address", "Like pover://user@token", is_secret=True),),
            personal=(Setting("url", "Apprise address", "Like pover://user@token", is_secret=True),),
        ),
    )
}
