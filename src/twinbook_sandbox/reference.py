"""Tables of every switch and every action of the emulated systems, as Markdown for docs/sandbox.md."""

from __future__ import annotations

import ast
import inspect
import io
import tokenize
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any, get_type_hints

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.netsuite.account import NetSuiteAccount
from twinbook_sandbox.netsuite.switches import NetSuiteSwitches
from twinbook_sandbox.pubsub.bus import EventBus
from twinbook_sandbox.pubsub.switches import PubSubSwitches
from twinbook_sandbox.salesforce.org import SalesforceOrg
from twinbook_sandbox.salesforce.switches import SalesforceSwitches

HOLDERS = {
    "Salesforce": SalesforceSwitches,
    "Pub/Sub API (on the Salesforce port)": PubSubSwitches,
    "NetSuite": NetSuiteSwitches,
}


def sandbox_switches() -> Iterator[str]:
    """A table of switches for each system: type or values, default, and what stands beside it in the source."""
    for title, holder in HOLDERS.items():
        meanings = _meanings(holder)
        yield f"#### {title}\n"
        yield "| switch | values | default | meaning |"
        yield "|---|---|---|---|"
        hints = get_type_hints(holder)
        for switch in fields(holder):
            values = _values(hints[switch.name])
            yield f"| `{switch.name}` | {values} | `{_default(switch)!r}` | {_cell(meanings[switch.name])} |"
        yield ""


def sandbox_actions() -> Iterator[str]:
    """A table of actions for each system, with the first line of their docstrings."""
    clock = Clock()
    org = SalesforceOrg(clock)
    bus = EventBus(clock, org.changes, org.schema_of, seed=1)
    for title, actions in (
        ("Salesforce", org.actions()),
        ("Pub/Sub API (on the Salesforce port)", bus.actions()),
        ("NetSuite", NetSuiteAccount(clock).actions()),
    ):
        yield f"#### {title}\n"
        yield "| action | what it does |"
        yield "|---|---|"
        for name, action in sorted(actions.items()):
            yield f"| `{name}` | {_cell(_first_line(action.__doc__))} |"
        yield ""


def _meanings(holder: type) -> dict[str, str]:
    """What stands beside each field: the string below it, the comment on its line, or else the last heading."""
    source = inspect.getsource(holder)
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 -- the source of a class
    found = {}
    for node, following in zip(definition.body, [*definition.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            beside = comments.get(node.end_lineno or 0) or _heading(comments, node.lineno)
            found[node.target.id] = _string(following) or beside
    return found


def _heading(comments: dict[int, str], line: int) -> str:
    """The nearest comment above a line that begins with dashes, as headings of groups do."""
    headings = [text for number, text in comments.items() if number < line and text.startswith("--- ")]
    return headings[-1].removeprefix("--- ") if headings else ""


def _string(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return " ".join(str(node.value.value).split())
    return ""


def _values(hint: Any) -> str:
    choices = getattr(hint, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        return ", ".join(f"`{choice}`" for choice in choices)
    return f"`{hint.__name__ if isinstance(hint, type) and not choices else hint}`"


def _default(switch: Field[Any]) -> Any:
    return switch.default if switch.default_factory is MISSING else switch.default_factory()


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
