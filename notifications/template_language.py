"""The language of message templates: a small, closed part of Django's, checked when a template is saved.

An engine of its own knows three tags and a short list of filters, loads nothing and knows no file. What a template may
say is walked node by node: every variable must stand in the documented list, so nothing is reached by attribute.
Literal text is escaped like any value. `{{ … }}` of something unknown is an error here, never an empty hole at 03:00.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast

from django.template import Context, Engine, Library, Origin, TemplateSyntaxError
from django.template import defaultfilters as filters
from django.template.base import FilterExpression, Template, TextNode, Variable, VariableNode
from django.template.defaulttags import CommentNode, ForNode, IfNode, TemplateLiteral, comment, do_for, do_if
from django.utils.html import escape

from notifications.templatetags.message_times import clock, zoned

LONGEST_SOURCE = 8_000
LONGEST_TEXT = 20_000
MOST_NODES = 400
MOST_FILTERS, LONGEST_ARGUMENT = 3, 200

register = Library()
register.tag("if", do_if)
register.tag("for", do_for)
register.tag("comment", comment)
FILTERS: dict[str, Any] = {
    "capfirst": filters.capfirst,
    "clock": clock,
    "default": filters.default,
    "first": filters.first,
    "join": filters.join,
    "last": filters.last,
    "length": filters.length,
    "lower": filters.lower,
    "pluralize": filters.pluralize,
    "truncatechars": filters.truncatechars,
    "truncatewords": filters.truncatewords,
    "upper": filters.upper,
    "yesno": filters.yesno,
    "zoned": zoned,
}
for _name, _filter in FILTERS.items():
    register.filter(_name, _filter)
TAGS = ("if", "for", "comment")
LOOP_WORDS = ("counter", "counter0", "revcounter", "first", "last")
_TAKES_A_VALUE = frozenset({filters.default, clock, zoned})
"""Filters whose argument may be a variable; for the others it stands in the template, so that nothing can grow."""
_FILLS_A_HOLE = frozenset({filters.default, filters.yesno, filters.length, filters.pluralize})


class _Sandbox(Engine):
    default_builtins = [__name__]


_ENGINE = _Sandbox(dirs=[], loaders=[], libraries={}, string_if_invalid="", autoescape=True)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a template. `line` counts from 1, 0 when it is about the whole."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}" if self.line else self.message


class Refused(Exception):
    """The template may not be used. `faults` says why, in the order of the lines."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(" ".join(str(fault) for fault in faults))
        self.faults = faults


class Words:
    """One template that has passed, ready to be said. Raises Refused when it may not be used.

    `known` are the paths it may name, `lists` those of them that a loop may go through; `barred` maps paths that exist
    elsewhere to why they are not for this one.
    """

    def __init__(
        self, source: str, known: Collection[str], lists: Collection[str] = (), barred: Mapping[str, str] | None = None
    ) -> None:
        if len(source) > LONGEST_SOURCE:
            raise Refused([Fault(0, f"At most {LONGEST_SOURCE:,} characters; this has {len(source):,}.")])
        try:
            self._template = Template(source, origin=Origin("message"), engine=_ENGINE)
        except TemplateSyntaxError as error:
            raise Refused([Fault(_line_of(error), _plainly(str(error)))]) from None
        faults = list(_Walk(known, lists, barred or {}).through(self._template.nodelist))
        if faults:
            raise Refused(sorted(faults, key=lambda fault: fault.line))
        _escape_literals(self._template.nodelist)

    def say(self, values: Mapping[str, Any]) -> str:
        """The words with the values in them, as escaped HTML without markup of its own. Raises ValueError when they
        grow beyond all measure."""
        said = self._template.render(Context(dict(values), autoescape=True))
        if len(said) > LONGEST_TEXT:
            raise ValueError(f"The words have {len(said):,} characters; at most {LONGEST_TEXT:,} are sent.")
        return said

    def holes(self, values: Mapping[str, Any]) -> list[Fault]:
        """Values that are printed though they are empty here: a hole in the sentence, or “unknown” in its middle."""
        found: list[Fault] = []
        context = Context(dict(values), autoescape=True)
        with context.bind_template(self._template):
            _probe(self._template.nodelist, context, found)
        return list(dict.fromkeys(found))


def _line_of(error: TemplateSyntaxError) -> int:
    token = getattr(error, "token", None)
    return int(getattr(token, "lineno", 0) or 0)


def _plainly(said: str) -> str:
    """Django's sentence with the way out where it is about what this language does not have."""
    if said.startswith("Invalid block tag"):
        return f"{said.split('. Did you')[0].rstrip('.')}. Possible are: {', '.join(f'{{% {tag} %}}' for tag in TAGS)}."
    if said.startswith("Invalid filter"):
        return f"{said.rstrip('.')}. Possible are: {', '.join(FILTERS)}."
    return said


class _Walk:
    """Goes through every node, condition, filter and argument of a template and says what is not allowed."""

    def __init__(self, known: Collection[str], lists: Collection[str], barred: Mapping[str, str]) -> None:
        self.known, self.lists, self.barred = frozenset((*known, "True", "False", "None")), frozenset(lists), barred
        self.nodes = 0

    def through(self, nodes: Any, own: tuple[str, ...] = ()) -> Iterator[Fault]:
        """`own` are the names a loop around these nodes gives."""
        for node in nodes:
            self.nodes += 1
            if self.nodes == MOST_NODES:
                yield Fault(_at(node), f"This is too much for one message: more than {MOST_NODES} parts.")
                return
            if isinstance(node, TextNode | CommentNode):
                continue
            if isinstance(node, VariableNode):
                yield from self.expression(node.filter_expression, _at(node), own)
            elif isinstance(node, IfNode):
                for condition, then in node.conditions_nodelists:
                    yield from self.condition(condition, _at(node), own)
                    yield from self.through(then, own)
            elif isinstance(node, ForNode):
                yield from self.loop(node, own)
            else:
                yield Fault(_at(node), f"{type(node).__name__} is not possible in a message.")

    def loop(self, node: Any, own: tuple[str, ...]) -> Iterator[Fault]:
        """One loop, through a list that is documented as one, so that its cost has a bound."""
        if own:
            yield Fault(_at(node), "A loop inside a loop is not possible in a message.")
            return
        sequence = node.sequence
        if sequence.filters or not isinstance(sequence.var, Variable) or str(sequence.var.var) not in self.lists:
            offered = f"one of: {', '.join(sorted(self.lists))}" if self.lists else "and this message has none"
            yield Fault(_at(node), f"A loop goes through a list of the message as it is, {offered}.")
            return
        inside = (*own, *node.loopvars, *(f"forloop.{word}" for word in LOOP_WORDS))
        for name in node.loopvars:
            if name.startswith("_") or name in self.known or any(path.startswith(f"{name}.") for path in self.known):
                yield Fault(_at(node), f"“{name}” cannot be the name of a loop’s value; choose another one.")
        yield from self.through(node.nodelist_loop, inside)
        yield from self.through(node.nodelist_empty)

    def condition(self, condition: Any, line: int, own: tuple[str, ...]) -> Iterator[Fault]:
        """The tree of an `if`: None for `else`, leaves with a value, operators with one or two sides."""
        if condition is None:
            return
        if isinstance(condition, TemplateLiteral):
            yield from self.expression(cast(FilterExpression, condition.value), line, own)
            return
        for side in (getattr(condition, "first", None), getattr(condition, "second", None)):
            yield from self.condition(side, line, own)

    def expression(self, said: FilterExpression, line: int, own: tuple[str, ...]) -> Iterator[Fault]:
        if isinstance(said.var, Variable):
            yield from self.variable(said.var, line, own)
        if len(said.filters) > MOST_FILTERS:
            yield Fault(line, f"At most {MOST_FILTERS} filters one after the other: {str(said)[:60]}")
        if sum(function is filters.join for function, _ in said.filters) > 1:
            yield Fault(line, f"One join is enough: {str(said)[:60]}")
        for function, arguments in said.filters:
            for is_variable, argument in arguments:
                if not is_variable and len(str(argument)) > LONGEST_ARGUMENT:
                    yield Fault(line, f"What follows a filter has at most {LONGEST_ARGUMENT} characters.")
                elif is_variable and argument.lookups is not None and function not in _TAKES_A_VALUE:
                    yield Fault(line, f"What follows this filter is written out, not a variable: {str(said)[:60]}")
                elif is_variable:
                    yield from self.variable(argument, line, own)

    def variable(self, variable: Variable, line: int, own: tuple[str, ...]) -> Iterator[Fault]:
        path = str(variable.var)
        if variable.lookups is None or path in self.known or path in own:
            return
        if path in self.barred:
            yield Fault(line, f"{{{{ {path} }}}} {self.barred[path]}")
            return
        near = _nearest(path, [*self.known, *own])
        hint = f" Did you mean {{{{ {near} }}}}?" if near else " The list beside the editor has all there are."
        yield Fault(line, f"There is no {{{{ {path} }}}} in this message.{hint}")


def _at(node: Any) -> int:
    return int(getattr(getattr(node, "token", None), "lineno", 0) or 0)


def _nearest(path: str, known: list[str]) -> str:
    return next(iter(get_close_matches(path, known, n=1, cutoff=0.7)), "")


def _escape_literals(nodes: Any) -> None:
    """What stands between the tags is text, not HTML: it is escaped like every value and given back as typed."""
    for node in nodes:
        if isinstance(node, TextNode):
            node.s = escape(node.s)
        elif isinstance(node, IfNode):
            for _, then in node.conditions_nodelists:
                _escape_literals(then)
        elif isinstance(node, ForNode):
            _escape_literals(node.nodelist_loop)
            _escape_literals(node.nodelist_empty)


def _probe(nodes: Any, context: Any, found: list[Fault]) -> None:
    """Says the nodes and notes what is printed though it is empty."""
    for node in nodes:
        if isinstance(node, VariableNode):
            _probe_value(node, context, found)
        elif isinstance(node, IfNode):
            for condition, then in node.conditions_nodelists:
                if condition is None or condition.eval(context):
                    _probe(then, context, found)
                    break
        elif isinstance(node, ForNode):
            _probe_loop(node, context, found)


def _probe_value(node: VariableNode, context: Any, found: list[Fault]) -> None:
    said = node.filter_expression
    if not isinstance(said.var, Variable) or any(function in _FILLS_A_HOLE for function, _ in said.filters):
        return
    value = said.var.resolve(context)
    if value is None or value == "" or value == [] or value == ():
        path = str(said.var.var)
        found.append(
            Fault(
                _at(node),
                f"{{{{ {path} }}}} may be empty when this is sent, which leaves a hole in the sentence. Put it into "
                f'{{% if {path} %}}…{{% endif %}}, or say what then: {{{{ {path}|default:"…" }}}}.',
            )
        )


def _probe_loop(node: Any, context: Any, found: list[Fault]) -> None:
    values = node.sequence.resolve(context, ignore_failures=True) or ()
    for value in list(values)[:1]:
        with context.push(**{node.loopvars[0]: value}, forloop=dict.fromkeys(LOOP_WORDS, 1)):
            _probe(node.nodelist_loop, context, found)
