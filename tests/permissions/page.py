"""Writes docs/permissions.md from the matrix: python -m tests.permissions.page"""

from pathlib import Path

from tests.permissions.notation import ACTORS, GROUPS, HIDDEN, INSIDE, NO, OK, OUTSIDE, SIGN_IN, Row

PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"
COMMAND = "python3 -m tests.permissions.page"
_SIGN = {OK: "✓", NO: "–", HIDDEN: "·", SIGN_IN: "→"}
_SHORT = {
    "requester": "Req", "stakeholder": "Stk", "technician": "SDT", "engineer": "Tech", "manager": "MIM",
    "change": "ChgM", "problem": "PrbM", "consultant": "Ext", "management": "Mgt", "desk_manager": "SDM",
    "administrator": "Adm", "guest": "Guest", "other_guest": "Guest²", "no_role": "None",
}  # fmt: skip

_HEAD = f"""# Who may do what

Every page and every address of the API, asked by everybody, on own and on foreign records. The tests ask each of
these questions and fail when an answer differs or a route has no line. This page is written from the same table:
`{COMMAND}`.

| sign | answer |
|---|---|
| ✓ | past authorisation: the page, the record, the act done, or a refusal of the process or the form |
| – | not allowed: 403 with who may |
| · | hidden: 404, as if there were none |
| → | to the sign-in page; 401 over the API |

| column | who asks |
|---|---|
| Req | requester; the *own* ticket is theirs |
| Stk | key stakeholder |
| SDT, Tech | service desk technician, technical staff; seated as such on the *own* incident |
| MIM | major incident manager; commands the *own* incident |
| ChgM, PrbM | change manager, problem manager; seated as such on the *own* incident |
| Ext | external consultant without any seat |
| Mgt | management; seated in the MIT of the *own* incident, asked for its decision, approver of its change |
| SDM, Adm | service desk manager, administrator; the former is invited to the *own* incident and has not answered |
| Guest, Guest² | external consultants with an accepted seat on the *own* incident, and on the *foreign* one |
| None | an account without a role |
| out | a disabled account, a guest whose access has ended, and nobody signed in: they always get the same answer |

The *foreign* incident, problem and change belong to another team; the *foreign* ticket is somebody else's.
What a step's letters allow is asked with the default RACI matrix.
"""


def written() -> str:
    """The whole page."""
    from tests.permissions.matrix import SECTIONS

    return "\n".join([_HEAD, *(_section(title, rows) for title, rows in SECTIONS.items())])


def _section(title: str, rows: list[Row]) -> str:
    columns = [*(_SHORT[actor] for actor in INSIDE), "out"]
    lines = [f"## {title}", "", f"| what | on | {' | '.join(columns)} |", f"|---|---|{':-:|' * len(columns)}"]
    return "\n".join([*lines, *map(_line, rows), ""])


def _line(row: Row) -> str:
    expected = row.expected()
    name = f"{' '.join(row.methods)} `{row.route}`" + (f" {row.act}" if row.act else "")
    said = f" ({row.said})" if row.said else ""
    cells = [_SIGN[expected[actor]] for actor in INSIDE]
    return f"| {name}{said} | {row.on} | {' | '.join([*cells, _SIGN[expected[OUTSIDE[0]]]])} |"


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mim.settings")
    django.setup()
    PAGE.write_text(written())
    print(f"{PAGE}: {len(ACTORS)} people, {len(GROUPS)} groups")
