"""Behaviours of the emulated account that differ between accounts, or that nobody has verified.

Each comes from netsuite.md 10 or from a point marked [U] there; the comment says which. All can be changed while
the account runs.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints

PermissionLevel = Literal["NONE", "VIEW", "CREATE", "EDIT", "FULL"]
DateFormat = Literal[
    "M/D/YYYY", "MM/DD/YYYY", "D/M/YYYY", "DD/MM/YYYY", "D.M.YYYY", "DD.MM.YYYY", "YYYY-MM-DD"
]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone; give an IANA name such as Europe/Berlin") from error
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]
TableName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Columns = Annotated[list[TableName], Field(min_length=3, max_length=3)]
Count = Annotated[int, Field(ge=1)]


@dataclass(slots=True)
class NetSuiteSwitches:
    """The switches of one account, with their defaults."""

    # --- contact names (netsuite.md 2.4, 3.3)
    contact_name_scope: Literal["company", "global", "off"] = "company"  # where entityId must be unique
    contact_name_case_sensitive: bool = False  # whether "ada" and "Ada" are two names
    inactive_names_count: bool = True  # whether an inactive contact keeps its name taken
    recompose_entityid_on_name_change: bool = False  # PATCH of a name part rewrites entityId

    # --- what the account is like
    oneworld: bool = True  # off: no subsidiaries, the field is unknown (8.1)
    release: Literal["2025.2", "2026.1", "2026.2"] = "2026.2"  # 2025.2 has no !attach/!detach (2.10)
    company_time_zone: TimeZone = "America/Los_Angeles"  # zone of dates in SuiteQL (4.5)
    suiteql_date_format: DateFormat = "M/D/YYYY"  # of raw dates, text literals and q filters (4.5, 2.7)
    customer_auto_number: bool = False  # customers get CUST1001 as entityId (2.11)
    default_country: str = "US"  # of an address sent without one
    free_form_states: bool = True  # off: states of US and CA must be their codes (2.6)
    global_subscription_default: Literal["1", "2", "3", "4"] = "2"  # Soft Opt-Out; id map unverified (2.2)
    mandatory_fields: list[str] = field(default_factory=list)  # by the form: "title", "customer.phone" (8.8)
    user_event_reject: str = ""  # a script throws this text at each save of a contact by API (8.12)
    user_event_reject_if: str = ""  # ... only if "field=value" holds for the saved record
    role_permissions: dict[str, PermissionLevel] = field(
        default_factory=dict
    )  # {"LIST_CONTACT": "VIEW"} (1.4)

    # --- lengths (2.2)
    entityid_max: Count = 83
    middlename_max: Count = 32
    salutation_max: Count = 30
    title_max: Count = 99
    phone_max: Count = 32
    phone_min_digits: int = 7
    trims_text: bool = True  # blanks around a text are cut off on save

    # --- what moves lastModifiedDate (4.5)
    attach_bumps_lastmodified: bool = False
    address_bumps_lastmodified: bool = True  # a save that changes only address lines
    custom_field_bumps_lastmodified: bool = True  # a save that changes only custom fields

    # --- SuiteQL (4.2 - 4.5)
    relation_table: TableName = "companycontactrelationship"
    relation_columns: Columns = field(default_factory=lambda: ["company", "contact", "role"])
    company_is_a_relation: bool = True  # contact.company alone makes a row, without role
    address_tables: bool = True  # contactaddressbook and the like, from general knowledge
    deletedrecord_type: Literal["Contact", "contact", "CONTACT"] = "Contact"  # letters of its column "type"
    merge_leaves_deletedrecord: bool = True
    suiteql_params: bool = True  # the body member "params" is understood
    suiteql_max_chars: Count = 1_000_000

    # --- scripts (5.2)
    restlet_units: Count = 5000  # governance units of one RESTlet call
    restlet_seconds: Annotated[float, Field(gt=0, le=300)] = 300.0  # after which a RESTlet is ended

    # --- answers
    concurrency_limit: Count = 5  # requests in flight over REST and SuiteQL (7)
    too_many_requests_title: Literal["Too Many Requests", "Bad Request"] = "Too Many Requests"
    length_error_form: Literal["allowed", "plain"] = "allowed"  # two texts are known (3.2)
    property_warning_header: str = "X-NetSuite-PropertyNameValidation-Warning"
    delete_with_dependents: Literal["refuse", "allow"] = "refuse"  # (8.6)
    reattach_unchanged: Literal["accept", "refuse"] = "accept"  # attaching what is attached (2.10)

    # --- logins (1.2, 1.5)
    token_life_s: Count = 3600
    expires_in_as_text: bool = False
    clock_skew_s: int = 60  # tolerated between the client's clock and NetSuite's
    check_certificate_validity: bool = True
    rsa_min_bits: int = 3072  # of an uploaded certificate
    certificate_max_days: int = 731
    tba_timestamp_window_s: int = 300  # how old the oauth_timestamp may be
