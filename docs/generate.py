"""Writes the parts of the documentation that repeat what the code says: `make docs`. A test compares them.

A generated part stands between `<!-- generated: name -->` and `<!-- end -->` of a page; the rest is written by hand.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from twinbook.cli.group import COMMANDS, twinbook
from twinbook.domain.account_mapping import default_account_mapping
from twinbook.domain.mapping import MappingRow, default_mapping
from twinbook.domain.reasons import CATALOGUE, OutcomeKind
from twinbook.settings.model import Settings
from twinbook.settings.options import Option, TableOptions, tables
from twinbook.settings.presets import ID_FIELDS
from twinbook.settings.rendering import literal
from twinbook_sandbox.coverage import sandbox_coverage
from twinbook_sandbox.reference import sandbox_actions, sandbox_switches

DOCS = Path(__file__).parent
SCENARIOS = DOCS.parent / "tests" / "scenario"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def settings() -> Iterator[str]:
    for table in tables(Settings):
        if table.path:
            yield f"### {_heading(table)}\n"
            yield f"{table.doc}\n"
            yield "| setting | values | default | meaning |"
            yield "|---|---|---|---|"
            yield from map(_setting, table.options)
            yield ""


def presets() -> Iterator[str]:
    yield "| preset | id field in Salesforce | id field in NetSuite |"
    yield "|---|---|---|"
    for preset, fields in ID_FIELDS.items():
        yield f"| `{preset}` | `{fields.salesforce}` | `{fields.netsuite}` |"


def mapping() -> Iterator[str]:
    yield "| Salesforce | NetSuite | kind of value |"
    yield "|---|---|---|"
    yield from map(_mapping_row, default_mapping().rows)


def account_mapping() -> Iterator[str]:
    yield "| Salesforce | NetSuite | kind of value |"
    yield "|---|---|---|"
    yield from map(_mapping_row, default_account_mapping().rows)


def reasons() -> Iterator[str]:
    for outcome in OutcomeKind:
        entries = {reason: item for reason, item in CATALOGUE.items() if item.outcome is outcome}
        if entries:
            yield f"### {outcome}\n"
            yield "| code | what it means | what to do |"
            yield "|---|---|---|"
            for reason, item in entries.items():
                yield f"| `{reason}` | {_cell(item.meaning)} | {_cell(item.remedy)} |"
            yield ""


def commands() -> Iterator[str]:
    yield "| command | what it does |"
    yield "|---|---|"
    for name, (_, text) in COMMANDS.items():
        yield f"| `twinbook {name}` | {_cell(text)} |"


def command_options() -> Iterator[str]:
    """Each command's own help, subcommands included."""
    for name in COMMANDS:
        command = twinbook.get_command(click.Context(twinbook), name)
        if isinstance(command, click.Group):
            for part in command.commands.values():
                yield from _command(f"{name} {part.name}", part)
        elif command is not None:
            yield from _command(name, command)


def _command(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"twinbook {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"### {name}\n"
    yield f"`twinbook {name} {usage}`\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    options = [
        item
        for item in command.get_params(context)
        if isinstance(item, click.Option) and "--help" not in item.opts
    ]
    if options:
        yield "| option | meaning |"
        yield "|---|---|"
        for option in options:
            yield f"| `{', '.join(option.opts)}` | {_cell(option.help or '')} |"
        yield ""


def rows() -> dict[str, dict[str, str]]:
    """The rows of the specification by section title, then by name."""
    text = (DOCS / "rows.toml").read_text(encoding="utf-8")
    return {section["title"]: section["rows"] for section in tomllib.loads(text)["section"]}


def proofs() -> dict[str, list[tuple[str, str]]]:
    """The scenario tests, as file and function, by the row that they are marked with."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(SCENARIOS.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for row in dict.fromkeys(_rows_marked(node)):
                    found.setdefault(row, []).append((path.name, node.name))
    return found


def _rows_marked(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Marks of the test itself and of its parameters."""
    for decorator in test.decorator_list:
        for node in ast.walk(decorator):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.row":
                yield from (ast.literal_eval(argument) for argument in node.args)


def speed() -> Iterator[str]:
    """The figures that were kept of the benchmarks: `make bench ARGS=--record`."""
    kept = json.loads((DOCS.parent / "bench" / "results.json").read_text(encoding="utf-8"))
    for name in ("compare", "sweep"):
        yield f"*Measured on {kept[name]['machine']}.*\n"
        for table in kept[name]["tables"]:
            yield f"### {table['title']}\n"
            yield from (f"| {' | '.join(line)} |" for line in _with_rule(table["columns"], table["rows"]))
            yield ""


def _with_rule(columns: list[str], rows: list[list[str]]) -> Iterator[list[str]]:
    yield from (columns, ["---"] * len(columns), *rows)


def coverage() -> Iterator[str]:
    proved = proofs()
    for title, named in rows().items():
        yield f"### {title}\n"
        yield "| row | what holds | proved by |"
        yield "|---|---|---|"
        for name, text in named.items():
            tests = "<br>".join(f"`{test}` ({file})" for file, test in proved.get(name, ()))
            yield f"| {name} | {_cell(text)} | {tests} |"
        yield ""


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "settings": settings,
    "presets": presets,
    "mapping": mapping,
    "account_mapping": account_mapping,
    "reasons": reasons,
    "commands": commands,
    "options": command_options,
    "coverage": coverage,
    "speed": speed,
    "sandbox_actions": sandbox_actions,
    "sandbox_switches": sandbox_switches,
    "sandbox_coverage": sandbox_coverage,
}


def regenerated(page: str) -> str:
    """A page with its generated parts as they should be. Raises KeyError for a part that nobody makes."""
    return _PART.sub(lambda part: f"{part[1]}\n{_text(PARTS[part[2]])}\n\n{part[3]}", page)


def _text(part: Callable[[], Iterator[str]]) -> str:
    return "\n".join(part()).strip()


def _heading(table: TableOptions) -> str:
    path = ".".join(table.path)
    return f"`[[{path}]]`" if table.rows else f"`[{path}]`"


def _setting(option: Option) -> str:
    default = (
        "required"
        if option.required
        else "none"
        if option.default is None
        else f"`{literal(option.default)}`"
    )
    return f"| `{option.name}` | {_cell(option.kind)} | {default} | {_cell(option.doc)} |"


def _mapping_row(row: MappingRow) -> str:
    return f"| `{row.salesforce}` | `{row.netsuite}` | {row.kind} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    for path in sorted(DOCS.glob("*.md")):
        page = path.read_text(encoding="utf-8")
        if (fresh := regenerated(page)) != page:
            path.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
