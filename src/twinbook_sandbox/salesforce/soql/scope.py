"""Names of a query resolved against the objects the user sees: fields become columns, parents become joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from twinbook_sandbox.salesforce.errors import ApiError
from twinbook_sandbox.salesforce.schema import Field, ObjectSchema
from twinbook_sandbox.salesforce.soql.parser import marked
from twinbook_sandbox.salesforce.soql.syntax import Name, Path

MOST_PARENTS = 5
_CUSTOM = (
    "If you are attempting to use a custom {0}, be sure to append the '{1}' after the {2} name. Please reference "
    "your WSDL or the describe call for the appropriate names."
)


@dataclass(frozen=True, slots=True)
class Parent:
    """A parent on the way to a field: the relationship as the schema spells it, and the joined table."""

    relationship: str
    table: str
    schema: ObjectSchema


@dataclass(frozen=True, slots=True)
class Column:
    """A field of one of the joined tables."""

    table: str
    schema: ObjectSchema
    field: Field
    parents: tuple[Parent, ...] = ()
    """The way from the query's object to this table."""

    @property
    def sql(self) -> str:
        return f'{self.table}."{self.field.name}"'

    @property
    def path(self) -> str:
        return ".".join((*(each.relationship for each in self.parents), self.field.name))


@dataclass(slots=True)
class Scope:
    """One query's object and the parents it has mentioned so far."""

    text: str
    objects: Mapping[str, ObjectSchema]
    schema: ObjectSchema
    alias: str | None
    table: str
    counter: count[int]
    _joined: dict[tuple[str, ...], Parent] = field(default_factory=dict)
    _joins: list[str] = field(default_factory=list)

    @property
    def from_sql(self) -> str:
        """FROM without its keyword: the object's table and the joins of the parents."""
        return " ".join([f'"{self.schema.name}" {self.table}', *self._joins])

    def column(self, path: Path) -> Column:
        """The column a path means. Raises ApiError(INVALID_FIELD)."""
        *relations, last = self._without_prefix(path)
        parents: tuple[Parent, ...] = ()
        for relation in relations:
            parents = (*parents, self._join(parents, relation))
        table, schema = (parents[-1].table, parents[-1].schema) if parents else (self.table, self.schema)
        found = schema.field(last.text)
        if found is None:
            problem = f"No such column '{last.text}' on entity '{schema.name}'. "
            raise self.error("INVALID_FIELD", last, problem + _CUSTOM.format("field", "__c", "custom field"))
        return Column(table, schema, found, parents)

    def _without_prefix(self, path: Path) -> tuple[Name, ...]:
        first = path.names[0].text.lower()
        if len(path.names) > 1 and first in (self.schema.name.lower(), (self.alias or "").lower()):
            relationship = self.schema.reference_by_relationship(first)
            return path.names if relationship else path.names[1:]
        return path.names

    def _join(self, way: tuple[Parent, ...], relation: Name) -> Parent:
        table, schema = (way[-1].table, way[-1].schema) if way else (self.table, self.schema)
        reference = schema.reference_by_relationship(relation.text)
        if reference is None or reference.reference_to is None or reference.relationship is None:
            problem = f"Didn't understand relationship '{relation.text}' in field path. "
            hint = _CUSTOM.format("relationship", "__r", "custom relationship")
            raise self.error("INVALID_FIELD", relation, problem + hint)
        names = (*(each.relationship for each in way), reference.relationship)
        if len(names) > MOST_PARENTS:
            raise self.error(
                "MALFORMED_QUERY", relation, f"more than {MOST_PARENTS} levels of parent relationships"
            )
        if names not in self._joined:
            target = reference.reference_to
            parent = Parent(reference.relationship, f"t{next(self.counter)}", self.objects[target])
            self._joined[names] = parent
            self._joins.append(
                f'LEFT JOIN "{target}" {parent.table} ON {parent.table}."Id"={table}."{reference.name}"'
            )
        return self._joined[names]

    def error(self, code: str, name: Name, problem: str) -> ApiError:
        """An error at a place of the query."""
        return marked(code, self.text, name.line, name.column, problem)


def find_object(text: str, objects: Mapping[str, ObjectSchema], name: Name) -> ObjectSchema:
    """The object a FROM clause names. Raises ApiError(INVALID_TYPE)."""
    wanted = name.text.lower()
    for each in objects.values():
        if each.name.lower() == wanted:
            return each
    problem = (
        f"sObject type '{name.text}' is not supported. If you are attempting to use a custom object, be sure to "
        f"append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
        f"appropriate names."
    )
    raise marked("INVALID_TYPE", text, name.line, name.column, problem)
