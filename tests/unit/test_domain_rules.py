"""Rules that administrators write: what they see, and what happens when a value is missing."""

from __future__ import annotations

import pytest

from twinbook.domain.rules import Facts, Rule

FACTS = Facts(
    contact={"Email": None, "FirstName": "Ada", "Age__c": 36, "Vip__c": True},
    account={"Id": "001", "Name": "Acme", "NetSuiteId": None},
    roles=frozenset({"Billing", "Legal"}),
)


@pytest.mark.parametrize(
    ("expression", "passed"),
    [
        ("contact.FirstName == 'Ada'", True),
        ("contact.FirstName == 'Bea'", False),
        ("contact['FirstName'] == 'Ada'", True),
        ("contact.Vip__c", True),
        ("contact.Age__c > 35 && account.Name == 'Acme'", True),
        ("contact.Email == null", True),
        ("contact.Email != null && contact.Email.endsWith('.example')", False),
        ("'Billing' in roles", True),
        ("roles.exists(r, r == 'Sales')", False),
        ("has(contact.Nope__c)", False),
        ("contact.FirstName.lowerAscii() == 'ada'", True),
        ("contact.FirstName.matches('^A.a$')", True),
    ],
)
def test_rules_pass_or_keep_out(expression: str, passed: bool) -> None:
    verdict = Rule("check", expression).check(FACTS)
    assert (verdict.passed, verdict.error) == (passed, None)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("contact.Email.endsWith('x')", "contact.Email is empty"),
        ("contact.Email.lowerAscii() == 'x'", "contact.Email is empty"),
        ("contact.Nope__c == 'x'", "contact.Nope__c is not known"),
        ("account.Type == 'x'", "account.Type is not known"),
        ("contact.Age__c > 'x'", "No such overload"),
        ("contact.FirstName", "must be true or false"),
        ("contact.FirstName.split('')", "not a single value"),
    ],
)
def test_what_goes_wrong_for_one_record_is_said_and_keeps_it_out(expression: str, problem: str) -> None:
    verdict = Rule("check", expression).check(FACTS)
    assert not verdict.passed
    assert problem in (verdict.error or "")


def test_a_verdict_shows_what_it_saw() -> None:
    verdict = Rule("check", "contact.Email != null && account.Name == 'A.b' && size(roles) > 3").check(FACTS)
    assert verdict.saw == (
        ("account.Name", "Acme"),
        ("contact.Email", "(empty)"),
        ("roles", "Billing, Legal"),
    )


@pytest.mark.parametrize("expression", ["", "1 +", "contact.Email ==", "contct.Email == 'x'", "Email == 'x'"])
def test_a_rule_that_cannot_be_right_is_refused_by_name(expression: str) -> None:
    with pytest.raises(ValueError, match="rule 'only-vip'"):
        Rule("only-vip", expression)


def test_a_rule_needs_a_name() -> None:
    with pytest.raises(ValueError, match="has no name"):
        Rule(" ", "true")


def test_fields_named_in_texts_are_no_fields() -> None:
    rule = Rule("check", "contact.Title == 'contact.Fax' && account.Owner.Name == \"account.Type\"")
    assert rule.salesforce_fields == {"Title", "Account.Owner.Name"}


def test_fields_of_the_account_are_reached_through_the_contact_query() -> None:
    facts = Facts({}, {"Type": "Customer", "Owner.Name": "Eve"})
    assert Rule("check", "account.Type == 'Customer' && account.Owner.Name == 'Eve'").check(facts).passed
