"""Every documented code of a refusal, as the fact sheets list them, and of which kind it is."""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal["temporary", "permanent"]

# salesforce.md 4.7: HTTP status and code.
SALESFORCE: Final[tuple[tuple[int, str, Kind], ...]] = (
    (401, "INVALID_SESSION_ID", "temporary"),
    (403, "REQUEST_LIMIT_EXCEEDED", "temporary"),
    (403, "API_DISABLED_FOR_ORG", "permanent"),
    (403, "API_CURRENTLY_DISABLED", "permanent"),
    (403, "INSUFFICIENT_ACCESS", "permanent"),
    (403, "FUNCTIONALITY_NOT_ENABLED", "permanent"),
    (503, "SERVER_UNAVAILABLE", "temporary"),
    (500, "UNKNOWN_EXCEPTION", "temporary"),
    (400, "UNABLE_TO_LOCK_ROW", "temporary"),
    (400, "QUERY_TIMEOUT", "temporary"),
    (400, "REQUEST_RUNNING_TOO_LONG", "temporary"),
    (400, "TXN_SECURITY_METERING_ERROR", "temporary"),
    (400, "INVALID_FIELD", "permanent"),
    (400, "INVALID_FIELD_FOR_INSERT_UPDATE", "permanent"),
    (400, "INVALID_TYPE", "permanent"),
    (400, "MALFORMED_QUERY", "permanent"),
    (400, "JSON_PARSER_ERROR", "permanent"),
    (400, "MALFORMED_ID", "permanent"),
    (400, "REQUIRED_FIELD_MISSING", "permanent"),
    (400, "STRING_TOO_LONG", "permanent"),
    (400, "INVALID_EMAIL_ADDRESS", "permanent"),
    (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "permanent"),
    (400, "FIELD_INTEGRITY_EXCEPTION", "permanent"),
    (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "permanent"),
    (400, "DUPLICATE_VALUE", "permanent"),
    (400, "DUPLICATES_DETECTED", "permanent"),
    (400, "INVALID_CROSS_REFERENCE_KEY", "permanent"),
    (400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "permanent"),
    (400, "INSUFFICIENT_ACCESS_OR_READONLY", "permanent"),
    (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "permanent"),
    (400, "APEX_ERROR", "permanent"),
    (400, "CANNOT_EXECUTE_FLOW_TRIGGER", "permanent"),
    (400, "TRANSFER_REQUIRES_READ", "permanent"),
    (400, "ENTITY_IS_LOCKED", "permanent"),
    (404, "ENTITY_IS_DELETED", "permanent"),
    (404, "NOT_FOUND", "permanent"),
    (412, "PRECONDITION_FAILED", "temporary"),
)

# netsuite.md 3.2, the table: HTTP status, o:errorCode, the text that it comes with, and the code that is made of it.
NETSUITE: Final[tuple[tuple[int, str, str, str | None], ...]] = (
    (400, "USER_ERROR", "Please enter value(s) for: Subsidiary.", "REQUIRED_FIELD_MISSING"),
    (
        400,
        "USER_ERROR",
        "field phone contained more than the maximum number (32) of characters",
        "FIELD_TOO_LONG",
    ),
    (
        400,
        "INVALID_CONTENT",
        "You have entered an Invalid Field Value 9999 for the following field: company",
        "INVALID_REFERENCE",
    ),
    (400, "INVALID_CONTENT", "Invalid content in the request body.", "MALFORMED_REQUEST"),
    (400, "INVALID_CONTENT", "Unknown reference or field 'fooBar'.", "UNKNOWN_FIELD"),
    (400, "INVALID_PARAMETER", "A query parameter is wrong.", "MALFORMED_REQUEST"),
    (400, "INVALID_REQUEST", "The request could not be understood.", "MALFORMED_REQUEST"),
    (400, "INVALID_URL", "Invalid request URL.", "MALFORMED_REQUEST"),
    (400, "IDEMPOTENCY_ERROR", "Conflict", "MALFORMED_REQUEST"),
    (401, "INVALID_LOGIN", "Invalid login attempt.", "INVALID_LOGIN"),
    (403, "INSUFFICIENT_PERMISSION", "Permission Violation: …", "INSUFFICIENT_PERMISSION"),
    (404, "NONEXISTENT_ID", "The record instance does not exist.", "NOT_FOUND"),
    (404, "NONEXISTENT_ID", "Record type 'bad-path' does not exist.", "UNKNOWN_RECORD_TYPE"),
    (405, "METHOD_NOT_ALLOWED", "Not here.", "MALFORMED_REQUEST"),
    (429, "CONCURRENCY_LIMIT_EXCEEDED", "Concurrent request limit exceeded. Request blocked.", None),
    (500, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: lq7k", None),
    (503, "", "", None),
)

# netsuite.md 3.2, "Core codes seen by SuiteScript, RESTlets and SOAP": the code, and what is made of it (None: it
# passes by itself).
NETSUITE_CORE: Final[tuple[tuple[str, str | None], ...]] = (
    ("CONTACT_ALREADY_EXISTS", "CONTACT_NAME_TAKEN"),
    ("CANT_CREATE_NON_UNIQUE_RCRD", "DUPLICATE_VALUE"),
    ("DATA_MUST_BE_UNIQUE", "DUPLICATE_VALUE"),
    ("DUP_ENTITY", "EXTERNAL_ID_TAKEN"),
    ("DUP_RCRD", "DUPLICATE_VALUE"),
    ("DATA_REQD", "REQUIRED_FIELD_MISSING"),
    ("INVALID_FLD_VALUE", "INVALID_VALUE"),
    ("INVALID_KEY_OR_REF", "INVALID_REFERENCE"),
    ("RCRD_DSNT_EXIST", "NOT_FOUND"),
    ("RCRD_HAS_BEEN_CHANGED", None),
    ("RCRD_EDITED_SINCE_RETRIEVED", None),
    ("RCRD_PREVSLY_DELETED", "NOT_FOUND"),
    ("RCRD_LOCKED_BY_WF", "LOCKED_BY_WORKFLOW"),
    ("THIS_RECORD_CANNOT_BE_DELETED_BECAUSE_IT_HAS_DEPENDENT_RECORDS", "HAS_DEPENDENTS"),
    ("PERMISSION_VIOLATION", "INSUFFICIENT_PERMISSION"),
    ("INSUFFICIENT_PERMISSION", "INSUFFICIENT_PERMISSION"),
    ("PRIVATE_RCRD_ACCESS_DISALLWD", "PRIVATE_RECORD"),
    ("OWNER_REQD", "PRIVATE_RECORD"),
    ("CANT_CHANGE_CONTACT_RESTRICTN", "PRIVATE_RECORD"),
    ("RCRD_SUB_MISMATCH_WITH_CLASS", "SUBSIDIARY_MISMATCH"),
    ("COUNTRY_STATE_MISMATCH", "COUNTRY_STATE_MISMATCH"),
    ("SSS_REQUEST_LIMIT_EXCEEDED", None),
    ("SSS_USAGE_LIMIT_EXCEEDED", None),
    ("SSS_TIME_LIMIT_EXCEEDED", None),
    ("UNEXPECTED_ERROR", None),
)

# salesforce.md 1.5: what the token endpoint answers.
SALESFORCE_LOGIN: Final[tuple[tuple[str, str, Kind], ...]] = (
    ("invalid_grant", "user hasn't approved this consumer", "permanent"),
    ("invalid_grant", "audience is invalid", "permanent"),
    ("invalid_grant", "expired access/refresh token", "permanent"),
    ("invalid_grant", "authentication failure", "permanent"),
    ("invalid_grant", "inactive user", "permanent"),
    ("invalid_grant", "no client credentials user enabled", "permanent"),
    ("invalid_grant", "user is not admin approved to access this app", "permanent"),
    ("invalid_grant", "invalid assertion", "permanent"),
    ("invalid_grant", "expired assertion", "permanent"),
    ("invalid_client", "invalid client credentials", "permanent"),
    ("invalid_client_id", "client identifier invalid", "permanent"),
    ("invalid_app_access", "user is not admin approved to access this app", "permanent"),
    ("unsupported_grant_type", "grant type not supported", "permanent"),
    ("inactive_user", "", "permanent"),
    ("inactive_org", "", "permanent"),
    ("rate_limit_exceeded", "", "temporary"),
)

Subscribing = Literal["login", "position", "unavailable", "defect", "passing"]

# salesforce.md 2.7: the code without its prefix, the gRPC status (None: not documented), and what it means for a
# subscription.
PUBSUB: Final[tuple[tuple[str, str | None, Subscribing], ...]] = (
    ("service.auth.error", "UNAUTHENTICATED", "login"),
    ("service.auth.headers.invalid", "UNAUTHENTICATED", "login"),
    ("service.auth.refresh.invalid", None, "defect"),
    ("service.unavailable", "UNAVAILABLE", "passing"),
    ("service.protection.triggered", "RESOURCE_EXHAUSTED", "passing"),
    ("service.protection.stream.limit.triggered", "RESOURCE_EXHAUSTED", "passing"),
    ("service.tenant.license", "PERMISSION_DENIED", "unavailable"),
    ("concurrent.client.limit.exceeded", "RESOURCE_EXHAUSTED", "passing"),
    ("topic.not.found", "NOT_FOUND", "unavailable"),
    ("topic.meta.permission", "PERMISSION_DENIED", "unavailable"),
    ("topic.api.unavailable", "UNAVAILABLE", "passing"),
    ("schema.api.unavailable", "UNAVAILABLE", "passing"),
    ("topic.validation.empty", "INVALID_ARGUMENT", "defect"),
    ("schema.validation.failed", "INVALID_ARGUMENT", "defect"),
    ("schema.meta.permission", "PERMISSION_DENIED", "unavailable"),
    ("subscription.fetch.replayid.corrupted", "INVALID_ARGUMENT", "position"),
    ("subscription.fetch.replayid.validation.failed", "INVALID_ARGUMENT", "position"),
    ("subscription.fetch.replay.repeated", "INVALID_ARGUMENT", "defect"),
    ("subscription.fetch.requested.events.invalid", "INVALID_ARGUMENT", "defect"),
    ("subscription.fetch.topic.mismatch", "INVALID_ARGUMENT", "defect"),
    ("subscription.fetch.request.invalid", "INVALID_ARGUMENT", "defect"),
    ("subscription.fetch.overflow", None, "passing"),
    ("subscription.internal.error", None, "passing"),
    ("subscription.topic.cannot.subscribe", "PERMISSION_DENIED", "unavailable"),
    ("subscription.limit.exceeded", "RESOURCE_EXHAUSTED", "unavailable"),
)
# Left out: `publish.…` and `managed.subscription.…`. Twinbook publishes nothing and keeps its positions itself.

# netsuite.md 1.2: what the token endpoint answers.
NETSUITE_LOGIN: Final[tuple[tuple[int, str], ...]] = (
    (400, "invalid_request"),
    (401, "invalid_client"),
    (400, "invalid_grant"),
    (400, "unsupported_grant_type"),
    (400, "invalid_scope"),
)
