"""What the two systems do, as far as their documentation and other people's recordings tell, and how much of it the
sandbox does: the one table from which docs/fidelity.md is made.

An operation that is done, or partly, names a test that shows it; a test of this table fails where there is none, and
where the sandbox serves a kind of call that no operation names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    DONE = "done"
    PARTLY = "partly"
    NOT_DONE = "not done"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `source` is a section of the notes on the system, `test` is `file::function` below tests/,
    `kinds` are the kinds of call that the sandbox counts for it, `note` says what is missing or who else checked."""

    name: str
    state: State
    source: str
    test: str = ""
    kinds: tuple[str, ...] = ()
    note: str = ""


def _done(name: str, source: str, test: str, kinds: str = "", note: str = "") -> Operation:
    return Operation(name, State.DONE, source, test, tuple(kinds.split()), note)


def _partly(name: str, source: str, test: str, note: str, kinds: str = "") -> Operation:
    return Operation(name, State.PARTLY, source, test, tuple(kinds.split()), note)


def _missing(name: str, source: str, note: str = "") -> Operation:
    return Operation(name, State.NOT_DONE, source, note=note)


_LOGIN = "unit/test_sandbox_salesforce_login.py"
_REST = "unit/test_sandbox_salesforce_rest.py"
_SOQL = "unit/test_sandbox_salesforce_soql.py"
_BULK = "unit/test_sandbox_salesforce_bulk.py"
_CHANGES = "unit/test_sandbox_salesforce_changes.py"
_PERMISSIONS = "unit/test_sandbox_salesforce_permissions.py"
_STREAM = "unit/test_sandbox_pubsub_server.py"
_NS_LOGIN = "unit/test_sandbox_netsuite_login.py"
_RECORDS = "unit/test_sandbox_netsuite_records.py"
_LISTS = "unit/test_sandbox_netsuite_lists.py"
_SUITEQL = "unit/test_sandbox_netsuite_suiteql.py"
_NODE = "fidelity/test_node_clients.py"
_RECORDED = "fidelity/test_recordings.py"
_PYTHON_SF = "contract/test_simple_salesforce_against_sandbox.py"

SALESFORCE = (
    _done(
        "OAuth: JWT bearer",
        "salesforce 1.3",
        f"{_LOGIN}::test_jwt_bearer",
        "token",
        "simple-salesforce logs in so",
    ),
    _done("OAuth: client credentials", "salesforce 1.3", f"{_NODE}::test_jsforce", note="jsforce logs in so"),
    _done("OAuth: revoke", "salesforce 1.2", f"{_LOGIN}::test_revoke_ends_the_session", "revoke"),
    _done(
        "OAuth: userinfo, introspect",
        "salesforce 1.2",
        f"{_LOGIN}::test_userinfo_and_introspect",
        "userinfo introspect",
    ),
    _missing(
        "OAuth: code with PKCE, refresh token",
        "salesforce 1.3",
        "needs a page to log in on; nobody logs in here",
    ),
    _missing("OAuth: password, SOAP login()", "salesforce 1.1", "on their way out"),
    _done(
        "Session expiry, INVALID_SESSION_ID",
        "salesforce 1.6",
        f"{_REST}::test_session_ends_after_time_without_use",
    ),
    _done(
        "Versions, resources", "salesforce 0", f"{_REST}::test_versions_need_no_session", "versions resources"
    ),
    _done("Query and its pages", "salesforce 4.1", f"{_NODE}::test_jsforce", "query query.more"),
    _done("queryAll", "salesforce 4.1", f"{_SOQL}::test_query_all_sees_the_recycle_bin", "queryall"),
    _partly(
        "SOQL", "salesforce 4.1", f"{_SOQL}::test_where", "no TYPEOF, no geolocation, no full date functions"
    ),
    _done(
        "Single records: create, read, update, delete",
        "salesforce 4.2",
        f"{_PYTHON_SF}::test_create_read_update_delete",
        "{object}.post {object}.get {object}.patch {object}.delete",
    ),
    _done(
        "Upsert by external id in the URL",
        "salesforce 4.2",
        f"{_REST}::test_upsert_in_url",
        "{object}.upsert",
    ),
    _done("Conditional requests on time", "salesforce 4.2", f"{_REST}::test_conditions_on_time"),
    _done(
        "Collections: create, update",
        "salesforce 4.3",
        f"{_REST}::test_collections_keep_order_and_report_each",
        "collections.create collections.update",
    ),
    _done("Collections: upsert", "salesforce 4.3", f"{_REST}::test_collections_upsert", "collections.upsert"),
    _done("Collections: delete", "salesforce 4.3", f"{_REST}::test_collections_delete", "collections.delete"),
    _done(
        "Collections: retrieve",
        "salesforce 4.3",
        f"{_REST}::test_retrieve_leaves_holes",
        "collections.retrieve",
    ),
    _done(
        "Composite with references",
        "salesforce 4.4",
        f"{_REST}::test_composite_passes_results_on",
        "composite",
    ),
    _missing("Composite graph, batch and tree", "salesforce 4.4", "Twinbook does not call them"),
    _done(
        "Deleted and updated lists",
        "salesforce 4.5",
        f"{_PYTHON_SF}::test_deleted_and_updated_lists",
        "deleted updated",
    ),
    _partly(
        "Limits, record counts",
        "salesforce 4.6",
        f"{_REST}::test_record_count_and_limits",
        "seven limits of some fifty",
        "limits recordcount",
    ),
    _partly(
        "Describe of an object",
        "salesforce 4.6",
        f"{_RECORDED}::test_describe_says_of_each_field_what_was_recorded",
        "about 30 of 60 members of a field; no record types, child objects that are not emulated",
        "describe {object}.basics",
    ),
    _partly(
        "Page layouts of an object",
        "salesforce 4.6",
        "unit/test_salesforce_layouts.py::test_an_object_with_one_layout",
        "one layout; sections and actions as far as their names; shape from the documentation, not recorded",
        "layouts",
    ),
    _done(
        "List of objects", "salesforce 4.6", f"{_PYTHON_SF}::test_describe_lists_fields", "describe.global"
    ),
    _done("Error bodies and codes", "salesforce 4.7", f"{_RECORDED}::test_a_refusal_reads_as_recorded"),
    _done(
        "Duplicate rules",
        "salesforce 4.7",
        "unit/test_sandbox_salesforce_saving.py::test_duplicate_rule_with_and_without_allow_save",
    ),
    _done(
        "Bulk 2.0: query jobs",
        "salesforce 5.1",
        f"{_BULK}::test_pages_of_a_result",
        "bulk.query.create bulk.query.list bulk.query.status bulk.query.abort bulk.query.delete bulk.query.results "
        "bulk.query.resultpages",
    ),
    _done(
        "Bulk 2.0: ingest jobs",
        "salesforce 5.2",
        f"{_NODE}::test_jsforce",
        "bulk.ingest.create bulk.ingest.list bulk.ingest.status bulk.ingest.state bulk.ingest.delete "
        "bulk.ingest.upload bulk.ingest.results",
    ),
    _done(
        "Permission sets: objects, field-level security",
        "salesforce 3.1, 4.6, 7",
        f"{_PERMISSIONS}::test_fields_without_permission_are_absent_but_names_and_system_fields_stay",
        note="read from the files that are deployed",
    ),
    _missing("Sharing rules", "salesforce 3.1", "every record is visible over REST"),
    _missing("Bulk API 1.0", "salesforce 9.3", "Twinbook does not call it"),
    _missing(
        "Tooling and Metadata API",
        "salesforce 3.8, 7",
        "deployed files are read by an action of the control plane",
    ),
    _done(
        "Person accounts",
        "salesforce 6.3",
        "unit/test_sandbox_salesforce_saving.py::test_person_account_is_one_account_and_one_contact",
    ),
    _done(
        "Merge, undelete, recycle bin",
        "salesforce 3.6",
        f"{_CHANGES}::test_merge_marks_losers_and_moves_children",
    ),
)

PUBSUB = (
    _done("GetTopic, GetSchema", "salesforce 2.1", f"{_STREAM}::test_topic_and_its_schema"),
    _done("Subscribe: presets and replay", "salesforce 2.4", f"{_STREAM}::test_presets"),
    _done(
        "Subscribe: flow control, keepalive, idle end",
        "salesforce 2.4",
        f"{_STREAM}::test_requests_add_up_and_pending_goes_down",
    ),
    _done("Retention of 72 hours", "salesforce 2.4", f"{_STREAM}::test_retention_of_72_hours"),
    _done("Metadata keys, TLS", "salesforce 2.3", f"{_NODE}::test_salesforce_pubsub_api_client"),
    _done(
        "Errors with codes in trailers", "salesforce 2.7", f"{_STREAM}::test_first_requests_that_will_not_do"
    ),
    _done(
        "Event schemas: order, unions, notes",
        "salesforce 3.3",
        f"{_RECORDED}::test_event_schemas_have_the_recorded_order_and_types",
    ),
    _done(
        "Bitmaps of changed and nulled fields",
        "salesforce 3.4",
        f"{_NODE}::test_salesforce_pubsub_api_client",
    ),
    _done(
        "View All Records, field-level security in events",
        "salesforce 3.1",
        f"{_PERMISSIONS}::test_events_carry_no_value_of_a_hidden_field",
        note="that role objects follow the objects they connect is unverified",
    ),
    _missing("Diffs of long texts (diffFields)", "salesforce 3.4", "long texts come whole"),
    _done(
        "Grouped records, transactions",
        "salesforce 3.5",
        f"{_CHANGES}::test_same_change_on_several_records_is_one_change",
    ),
    _done(
        "Gap, overflow and wildcard events",
        "salesforce 3.6",
        "contract/test_event_subscription.py::test_gap_events_name_their_records",
    ),
    _missing("Enriched and filtered custom channels", "salesforce 3.8"),
    _missing("Publish, PublishStream", "salesforce 2.6", "Twinbook publishes nothing"),
    _missing("ManagedSubscribe", "salesforce 2.7", "beta"),
)

NETSUITE = (
    _done(
        "OAuth 2.0 client credentials",
        "netsuite 1.2",
        f"{_NS_LOGIN}::test_signed_assertion_opens_session",
        "token",
    ),
    _done(
        "TBA (OAuth 1.0a)",
        "netsuite 1.5",
        f"{_NODE}::test_netsuite_rest",
        note="netsuite-rest, the netsuite package and oauthlib sign so",
    ),
    _done("Errors of login", "netsuite 1.3", f"{_NS_LOGIN}::test_missing_malformed_and_narrow_tokens"),
    _missing("Certificate rotation endpoint", "netsuite 1.2"),
    _done(
        "Records: create, read, update, delete",
        "netsuite 2.1",
        f"{_RECORDS}::test_created_contact_reads_back",
        "contact.post contact.get contact.patch contact.delete "
        "customer.post customer.get customer.patch customer.delete",
    ),
    _done(
        "Upsert by external id",
        "netsuite 2.1",
        f"{_RECORDS}::test_put_creates_then_updates_without_blanking",
        "contact.put customer.put",
    ),
    _done("OPTIONS", "netsuite 2.1", f"{_RECORDS}::test_options_lists_methods"),
    _done("Validation headers", "netsuite 2.1", f"{_RECORDS}::test_unknown_properties_by_validation_header"),
    _partly(
        "Fields of contact and customer",
        "netsuite 2.2, 2.11",
        f"{_SUITEQL}::test_star_has_every_documented_column",
        "fields that an integration of contacts uses",
    ),
    _done("Values and references", "netsuite 2.3", f"{_RECORDS}::test_references_are_taken_in_all_forms"),
    _done("Contact names are unique", "netsuite 3.3", f"{_RECORDS}::test_contact_name_is_unique_per_company"),
    _done("Custom fields", "netsuite 2.5", f"{_LISTS}::test_custom_fields_are_deployed_and_removed"),
    _done("Address book", "netsuite 2.6", f"{_LISTS}::test_address_lines_append_merge_and_replace"),
    _done(
        "Collections: filter and pages",
        "netsuite 2.7",
        f"{_LISTS}::test_filters",
        "contact.list customer.list",
    ),
    _done(
        "Attach and detach",
        "netsuite 2.10",
        f"{_RECORDS}::test_attach_gives_roles_and_one_primary",
        "attach detach",
    ),
    _missing("Asynchronous requests", "netsuite 2.8"),
    _missing("Batch operations", "netsuite 2.9"),
    _missing("Transform, form operations", "netsuite 2.11, 2.12", "no use for contacts"),
    _done(
        "Metadata catalogue",
        "netsuite 2.12",
        f"{_LISTS}::test_metadata_knows_the_account_s_fields",
        "metadata",
    ),
    _done("Governance limits, server time", "netsuite 2.12", f"{_LISTS}::test_small_services", "system"),
    _done("Error bodies and codes", "netsuite 3.1, 3.2", f"{_NODE}::test_netsuite_rest"),
    _done(
        "SuiteQL: answers and pages",
        "netsuite 4.1, 4.2",
        f"{_SUITEQL}::test_answer_has_the_documented_shape",
        "suiteql",
    ),
    _partly(
        "SuiteQL: dialect",
        "netsuite 4.3",
        f"{_SUITEQL}::test_dialect",
        "BUILTIN.DF only of the BUILTIN functions",
    ),
    _partly(
        "SuiteQL: tables",
        "netsuite 4.4",
        f"{_SUITEQL}::test_relation_table_by_switch",
        "those of contacts and companies",
    ),
    _done("SuiteQL: dates and zones", "netsuite 4.5", f"{_SUITEQL}::test_dates_are_in_the_company_s_zone"),
    _done("SuiteQL: errors", "netsuite 4.6", f"{_SUITEQL}::test_what_is_refused"),
    _done(
        "RESTlets, with units and limits",
        "netsuite 5.1, 5.2",
        "unit/test_sandbox_netsuite_restlet.py::test_creates_and_tells_what_was_kept",
        "restlet",
    ),
    _missing("User event and event subscriber scripts", "netsuite 5.4"),
    _done(
        "Concurrency limit",
        "netsuite 7",
        "unit/test_sandbox_netsuite_site.py::test_concurrency_limit_counts_from_arrival_to_answer",
    ),
    _done("Merge, inactive, private, locked", "netsuite 8", "unit/test_sandbox_netsuite_site.py::test_merge"),
    _missing("SOAP", "netsuite 1.5", "on its way out"),
)

SYSTEMS = {"Salesforce": SALESFORCE, "Pub/Sub API": PUBSUB, "NetSuite": NETSUITE}


def sandbox_coverage() -> Iterator[str]:
    """A table for each system, with counts."""
    for title, operations in SYSTEMS.items():
        counts = ", ".join(f"{sum(each.state is state for each in operations)} {state}" for state in State)
        yield f"### {title}\n"
        yield f"{counts}.\n"
        yield "| operation | state | source | shown by | note |"
        yield "|---|---|---|---|---|"
        for each in operations:
            test = f"`{each.test}`" if each.test else ""
            yield f"| {each.name} | {each.state} | {each.source} | {test} | {each.note} |"
        yield ""
