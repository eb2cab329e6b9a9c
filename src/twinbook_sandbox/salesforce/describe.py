"""What the API tells about objects and about itself: describe, limits, record counts (salesforce.md 4.6)."""

from __future__ import annotations

from typing import Any

from twinbook_sandbox.salesforce.api import Call, Reply, Resource, find_object, http_moment
from twinbook_sandbox.salesforce.geography import COUNTRIES, STATES
from twinbook_sandbox.salesforce.schema import ID_TYPES, NUMBER_TYPES, Field, FieldType, ObjectSchema
from twinbook_sandbox.salesforce.state import OrgState
from twinbook_sandbox.salesforce.times import http_date

_SOAP_TYPES = {
    FieldType.ID: "tns:ID",
    FieldType.REFERENCE: "tns:ID",
    FieldType.BOOLEAN: "xsd:boolean",
    FieldType.INT: "xsd:int",
    FieldType.DOUBLE: "xsd:double",
    FieldType.CURRENCY: "xsd:double",
    FieldType.PERCENT: "xsd:double",
    FieldType.DATE: "xsd:date",
    FieldType.DATETIME: "xsd:dateTime",
    FieldType.ADDRESS: "urn:address",
}
_OTHER_LIMITS = {
    "DailyBulkApiBatches": 15_000,
    "DailyBulkV2QueryJobs": 10_000,
    "DailyBulkV2QueryFileStorageMB": 976_562,
    "DailyDeliveredPlatformEvents": 25_000,
    "MonthlyPlatformEventsUsageEntitlement": 3_000_000,
    "DataStorageMB": 1_073,
    "FileStorageMB": 1_073,
}


_FILLED_BY_THE_ORG = frozenset(
    ["OwnerId", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"]
)
_NOT_GROUPABLE = frozenset({FieldType.DATETIME, FieldType.DOUBLE, FieldType.CURRENCY, FieldType.PERCENT})


_LAYOUT_ID = "00h5g000000TwinAAA"
_PUSH_FIELD, _PUSH_ACTION = "Push_to_NetSuite__c", "Push_to_NetSuite"


class DescribeResources:
    """Metadata and limits of the org, as the integration user sees them."""

    def __init__(self, org: OrgState) -> None:
        self._org = org

    def resources(self) -> list[Resource]:
        return [
            Resource("GET", "/", self.index, "resources"),
            Resource("GET", "/sobjects", self.every_object, "describe.global"),
            Resource("GET", "/sobjects/{object}", self.basics, "{object}.basics"),
            Resource("GET", "/sobjects/{object}/describe", self.describe, "describe"),
            Resource("GET", "/sobjects/{object}/describe/layouts", self.layouts, "layouts"),
            Resource("GET", "/limits", self.limits, "limits"),
            Resource("GET", "/limits/recordCount", self.record_count, "recordcount"),
        ]

    def index(self, call: Call) -> Reply:
        """The resources of a version."""
        names = ("sobjects", "query", "queryAll", "limits", "composite", "jobs")
        return Reply(200, {name: f"{call.base}/{name}" for name in names})

    def every_object(self, call: Call) -> Reply:
        """All objects, without their fields."""
        found = [self._head(call, schema) for schema in self._org.visible.values()]
        return Reply(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": found})

    def basics(self, call: Call) -> Reply:
        """One object without its fields."""
        schema = find_object(self._org, call.path["object"])
        return Reply(200, {"objectDescribe": self._head(call, schema), "recentItems": []})

    def describe(self, call: Call) -> Reply:
        """One object with the fields this user may see; 304 while its set-up is as the client knows it."""
        schema = find_object(self._org, call.path["object"])
        since = http_moment(call.headers, "if-modified-since")
        if since and self._org.set_up_at.replace(microsecond=0) <= since:
            return Reply(304)
        body = self._head(call, schema)
        body["fields"] = [describe_field(schema, each) for each in schema.fields]
        body["childRelationships"] = [
            {
                "childSObject": child.name,
                "field": each.name,
                "relationshipName": each.plural,
                "cascadeDelete": each.on_parent_delete == "cascade",
            }
            for child in self._org.visible.values()
            for each in child.references()
            if each.reference_to == schema.name
        ]
        return Reply(200, body, {"Last-Modified": http_date(self._org.set_up_at)})

    def layouts(self, call: Call) -> Reply:
        """The one page layout of an object: all that the user may see of it, but for what the switches take away."""
        schema = find_object(self._org, call.path["object"])
        lacking = set(self._org.switches.layout_without)
        fields = [each for each in schema.fields if f"{schema.name}.{each.name}" not in lacking]
        action = f"{schema.name}.{_PUSH_ACTION}"
        actions = [action] if schema.field(_PUSH_FIELD) and action not in lacking else []
        layout = {
            "id": _LAYOUT_ID,
            "detailLayoutSections": [
                {
                    "heading": schema.label,
                    "layoutRows": [{"layoutItems": [_layout_item(each)]} for each in fields],
                }
            ],
            "quickActionList": {
                "quickActionListItems": [{"quickActionName": name, "type": "Update"} for name in actions]
            },
        }
        mapping = {
            "available": True,
            "defaultRecordTypeMapping": True,
            "layoutId": _LAYOUT_ID,
            "master": True,
            "name": "Master",
            "recordTypeId": "012000000000000AAA",
        }
        told = {"layouts": [layout], "recordTypeMappings": [mapping], "recordTypeSelectorRequired": [False]}
        return Reply(200, told)

    def limits(self, _call: Call) -> Reply:
        """Allowances of the org and what is left of them."""
        most = self._org.switches.daily_api_limit
        used = self._org.usage.count(self._org.clock.now())
        found = {"DailyApiRequests": {"Max": most, "Remaining": max(0, most - used)}}
        return Reply(
            200, found | {name: {"Max": top, "Remaining": top} for name, top in _OTHER_LIMITS.items()}
        )

    def record_count(self, call: Call) -> Reply:
        """How many records the objects named have; unknown ones are left out."""
        asked = [name.strip() for name in call.query.get("sObjects", "").split(",") if name.strip()]
        names = {name.lower() for name in asked}
        counts = [
            {"count": self._org.storage.count(name), "name": name}
            for name in self._org.visible
            if not names or name.lower() in names
        ]
        return Reply(200, {"sObjects": counts})

    def _head(self, call: Call, schema: ObjectSchema) -> dict[str, Any]:
        base = f"{call.base}/sobjects/{schema.name}"
        return {
            "name": schema.name,
            "label": schema.label,
            "labelPlural": schema.label_plural,
            "keyPrefix": schema.key_prefix,
            "custom": False,
            "createable": schema.createable,
            "updateable": schema.updateable,
            "deletable": schema.deletable,
            "undeletable": schema.deletable,
            "mergeable": schema.field("MasterRecordId") is not None,
            "queryable": True,
            "retrieveable": True,
            "replicateable": True,
            "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
        }


def _layout_item(each: Field) -> dict[str, Any]:
    component = {"type": "Field", "value": each.name, "displayLines": 1, "tabOrder": 1}
    return {"label": each.label, "placeholder": False, "layoutComponents": [component]}


def describe_field(schema: ObjectSchema, each: Field) -> dict[str, Any]:
    """A field as describe shows it."""
    numeric = each.type in NUMBER_TYPES
    filled = each.name in _FILLED_BY_THE_ORG
    return {
        "name": each.name,
        "label": each.label,
        "type": str(each.type),
        "soapType": _SOAP_TYPES.get(each.type, "xsd:string"),
        "length": 0 if numeric or (each.type in _SOAP_TYPES and each.type not in ID_TYPES) else each.length,
        "byteLength": each.length * 3,
        "precision": each.precision,
        "scale": each.scale,
        "digits": each.precision if each.type is FieldType.INT else 0,
        "custom": each.custom,
        "nillable": each.nillable and not filled,
        "createable": each.createable,
        "updateable": each.updateable,
        "defaultedOnCreate": each.default is not None or filled or each.type is FieldType.ID,
        "defaultValue": each.default,
        "calculated": False,
        "unique": each.unique,
        "externalId": each.external_id,
        "idLookup": each.id_lookup or each.type is FieldType.ID,
        "caseSensitive": each.case_sensitive,
        "compoundFieldName": each.compound if each.compound and schema.field(each.compound) else None,
        "nameField": each.name == "Name",
        "filterable": each.filterable or each.type is FieldType.ADDRESS,
        "sortable": each.filterable,
        "groupable": each.filterable and each.type not in _NOT_GROUPABLE,
        "restrictedPicklist": each.restricted,
        "picklistValues": _picklist(each),
        "referenceTo": [each.reference_to] if each.reference_to else [],
        "relationshipName": each.relationship,
    }


def _picklist(each: Field) -> list[dict[str, Any]]:
    choices = {value: value for value in each.values}
    if each.part == "CountryCode":
        choices = dict(COUNTRIES)
    elif each.part == "StateCode":
        choices = {code: label for states in STATES.values() for code, label in states.items()}
    return [
        {"active": True, "defaultValue": False, "label": label, "validFor": None, "value": value}
        for value, label in choices.items()
    ]
