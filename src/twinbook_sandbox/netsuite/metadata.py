"""The metadata catalogue: record types and their fields as JSON Schema or OpenAPI (netsuite.md 2.12)."""

from typing import Any

from twinbook_sandbox.netsuite.representation import RECORD_PATH, self_link
from twinbook_sandbox.netsuite.schema import ENUMS, FieldSpec, Kind, RecordType

_PLAIN: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.PHONE: {"type": "string"},
    Kind.EMAIL: {"type": "string", "format": "email"},
    Kind.URL: {"type": "string", "format": "URL"},
    Kind.BOOL: {"type": "boolean"},
    Kind.INTEGER: {"type": "integer", "format": "int64"},
    Kind.NUMBER: {"type": "number", "format": "double"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.DATETIME: {"type": "string", "format": "date-time"},
}
_LINKS = {
    "title": "Links",
    "type": "array",
    "readOnly": True,
    "items": {"$ref": "#/components/schemas/nsLink"},
}


def catalogue(types: list[RecordType], base_url: str) -> dict[str, Any]:
    """The list of record types."""
    items = []
    for kind in types:
        url = f"{base_url}{RECORD_PATH}/metadata-catalog/{kind.name}"
        media = ("application/swagger+json", "application/schema+json")
        links = [{"rel": "alternate", "href": url, "mediaType": one} for one in media]
        items.append(
            {
                "name": kind.name,
                "links": [{"rel": "canonical", "href": url, "mediaType": "application/json"}, *links],
            }
        )
    return {**self_link(f"{base_url}{RECORD_PATH}/metadata-catalog"), "items": items}


def json_schema(kind: RecordType) -> dict[str, Any]:
    """The fields of one record type."""
    properties: dict[str, Any] = {name: _property(spec) for name, spec in kind.fields.items()}
    if kind.has_addresses:
        properties["addressBook"] = _collection("addressBook")
    properties |= {"refName": {"title": "Reference Name", "type": "string"}, "links": _LINKS}
    return {
        "$schema": "http://json-schema.org/draft-06/hyper-schema#",
        "type": "object",
        "title": kind.label,
        "properties": dict(sorted(properties.items())),
    }


def openapi(types: list[RecordType], base_url: str) -> dict[str, Any]:
    """An OpenAPI document with the schemas and paths of these record types."""
    paths: dict[str, Any] = {}
    for kind in types:
        answer = {"responses": {"default": {"description": f"{kind.label} record."}}}
        paths[f"/{kind.name}"] = {"get": answer, "post": answer}
        paths[f"/{kind.name}/{{id}}"] = dict.fromkeys(("get", "patch", "put", "delete"), answer)
    return {
        "openapi": "3.0.1",
        "info": {"title": "NetSuite REST Record API", "version": "v1"},
        "servers": [{"url": f"{base_url}{RECORD_PATH}"}],
        "paths": paths,
        "components": {"schemas": {kind.name: json_schema(kind) for kind in types}},
    }


def _property(spec: FieldSpec) -> dict[str, Any]:
    named: dict[str, Any] = {"title": spec.label or spec.name}
    if spec.kind is Kind.MULTI:
        return {**_collection(spec.target or ""), **named}
    if spec.kind is Kind.ENUM:
        values = list(ENUMS[spec.target or ""])
        named |= {
            "type": "object",
            "properties": {"id": {"type": "string", "enum": values}, "refName": {"type": "string"}},
        }
    elif spec.kind is Kind.REF:
        members = {name: {"type": "string"} for name in ("id", "refName", "externalId")}
        named |= {"type": "object", "properties": {**members, "links": _LINKS}, "x-ns-reference": spec.target}
    else:
        named |= _PLAIN[spec.kind] if spec.name != "id" else {"type": "string"}
    if spec.kind is not Kind.BOOL:
        named["nullable"] = True
    if spec.read_only:
        named["readOnly"] = True
    if spec.custom:
        named["x-ns-custom-field"] = True
    return named


def _collection(name: str) -> dict[str, Any]:
    members = {
        "items": {"type": "array", "items": {"type": "object", "title": name}},
        "totalResults": {"type": "integer"},
        "count": {"type": "integer"},
        "hasMore": {"type": "boolean"},
        "offset": {"type": "integer"},
        "links": _LINKS,
    }
    return {"type": "object", "properties": members}
