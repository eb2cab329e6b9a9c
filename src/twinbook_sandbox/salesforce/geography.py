"""State and country picklists (salesforce.md 6.1): code and label must exist and agree, the state in its country.

Codes are ISO 3166. Only countries with states listed here know states, as in an org that was set up so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinbook_sandbox.salesforce.errors import RefusedError, refuse

COUNTRIES: Mapping[str, str] = {
    "AT": "Austria",
    "AU": "Australia",
    "BE": "Belgium",
    "BR": "Brazil",
    "CA": "Canada",
    "CH": "Switzerland",
    "CN": "China",
    "CZ": "Czech Republic",
    "DE": "Germany",
    "DK": "Denmark",
    "ES": "Spain",
    "FI": "Finland",
    "FR": "France",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "IN": "India",
    "IT": "Italy",
    "JP": "Japan",
    "MX": "Mexico",
    "NL": "Netherlands",
    "NO": "Norway",
    "NZ": "New Zealand",
    "PL": "Poland",
    "PT": "Portugal",
    "SE": "Sweden",
    "SG": "Singapore",
    "US": "United States",
    "ZA": "South Africa",
}

_US = (
    "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|"
    "DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|"
    "KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|"
    "MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|"
    "NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island|"
    "SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|WA Washington|"
    "WV West Virginia|WI Wisconsin|WY Wyoming"
)
_CA = (
    "AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador|NS Nova Scotia|"
    "NT Northwest Territories|NU Nunavut|ON Ontario|PE Prince Edward Island|QC Quebec|SK Saskatchewan|YT Yukon"
)
_AU = (
    "ACT Australian Capital Territory|NSW New South Wales|NT Northern Territory|QLD Queensland|"
    "SA South Australia|TAS Tasmania|VIC Victoria|WA Western Australia"
)


def _table(text: str) -> Mapping[str, str]:
    return dict(entry.split(" ", 1) for entry in text.split("|"))


STATES: Mapping[str, Mapping[str, str]] = {"US": _table(_US), "CA": _table(_CA), "AU": _table(_AU)}


def complete_address(prefix: str, row: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Fill code from label or label from code in `row`, whose parts in `given` were just written.

    `prefix` is that of the address fields, such as `Mailing`. Raises RefusedError(FIELD_INTEGRITY_EXCEPTION).
    """
    _complete(prefix, "Country", COUNTRIES, row, given)
    states = STATES.get(row.get(f"{prefix}CountryCode") or "", {})
    _complete(prefix, "State", states, row, given)


def _complete(
    prefix: str, part: str, table: Mapping[str, str], row: dict[str, Any], given: Mapping[str, Any]
) -> None:
    label_field, code_field = f"{prefix}{part}", f"{prefix}{part}Code"
    label, code = row.get(label_field), row.get(code_field)
    if label_field not in given and code_field not in given and code is None:
        return
    if label_field in given and code_field not in given:
        code = _code_of(table, label) if label else None
        known = label is None or code is not None
    else:
        agrees = label_field not in given or label in (None, table.get(code or ""))
        known = code is None or (code in table and agrees)
    if not known:
        raise _mismatch(part, row.get(label_field) or row.get(code_field), label_field)
    row[label_field], row[code_field] = (table[code], code) if code else (None, None)


def _code_of(table: Mapping[str, str], label: str) -> str | None:
    wanted = label.lower()
    return next((code for code, name in table.items() if wanted in (name.lower(), code.lower())), None)


def _mismatch(part: str, value: Any, field: str) -> RefusedError:
    problem, remedy = _MISMATCH[part]
    return refuse("FIELD_INTEGRITY_EXCEPTION", f"{problem}. {remedy}.: {value}", field)


_MISMATCH: Mapping[str, tuple[str, str]] = {
    "Country": (
        "There's a problem with this country, even though it may appear correct",
        "Please select a country/territory from the list of valid countries",
    ),
    "State": (
        "There's a problem with this state, even though it may appear correct",
        "Please select a state from the list of valid states of its country/territory",
    ),
}
