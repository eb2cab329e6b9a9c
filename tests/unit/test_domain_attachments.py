"""Which attachments a contact's relations ask for, and the steps from what Twinbook attached before."""

from __future__ import annotations

from tests.memory.domain_views import ACCOUNT, salesforce

from twinbook.domain.attachments import PRIMARY_CONTACT, Attach, AttachmentPolicy, Detach, steps, wanted
from twinbook.domain.records import Relation, SalesforceContact

OTHER = "001Kx00000AbCdFAAV"
ROLES = AttachmentPolicy(relations=True, roles={"Decision Maker": "7", "Influencer": "8"})


def relation(account: str = OTHER, customer: str | None = "661", *roles: str, **more: bool) -> Relation:
    return Relation(account, customer, frozenset(roles), **more)


def related(*relations: Relation) -> SalesforceContact:
    return salesforce(relations=relations)


def test_other_accounts_attach_and_the_own_one_does_not() -> None:
    assert wanted(related(relation(ACCOUNT, "660"), relation()), ROLES) == {"661": None}


def test_only_linked_accounts_and_active_relations_count() -> None:
    contact = related(relation(OTHER, None), relation("001Kx00000AbCdGAAV", "662", active=False))
    assert wanted(contact, ROLES) == {}


def test_the_first_role_of_the_settings_that_the_contact_holds_counts() -> None:
    contact = related(
        relation(OTHER, "661", "Evaluator", "Influencer"), relation(OTHER, "661", "Decision Maker")
    )
    assert wanted(contact, ROLES) == {"661": "7"}
    assert wanted(related(relation(OTHER, "661", "Evaluator")), ROLES) == {"661": None}


def test_a_role_at_the_own_account_is_given_there() -> None:
    assert wanted(related(relation(ACCOUNT, "660", "Influencer")), ROLES) == {"660": "8"}


def test_an_opportunity_gives_a_role_but_never_attaches() -> None:
    deal = relation(OTHER, "661", "Influencer", of_opportunity=True)
    assert wanted(related(deal), ROLES) == {}
    assert wanted(related(deal, relation()), ROLES) == {"661": "8"}
    at_home = relation(ACCOUNT, "660", "Influencer", of_opportunity=True)
    assert wanted(related(at_home), ROLES) == {"660": "8"}


def test_the_primary_contact_of_an_account_only_where_the_settings_say_so() -> None:
    contact = related(relation(OTHER, "661", "Influencer", primary=True))
    assert wanted(contact, ROLES) == {"661": "8"}
    primary = AttachmentPolicy(relations=True, roles=ROLES.roles, primary=True)
    assert wanted(contact, primary) == {"661": PRIMARY_CONTACT}
    of_a_deal = related(relation(), relation(OTHER, "661", primary=True, of_opportunity=True))
    assert wanted(of_a_deal, primary) == {"661": None}


def test_attach_change_keep_and_detach() -> None:
    contact = related(relation(OTHER, "661", "Influencer"))
    assert steps(contact, ROLES, {}) == (Attach("661", "8"),)
    assert steps(contact, ROLES, {"661": "7"}) == (Attach("661", "8", "7", anew=False),)
    assert steps(contact, ROLES, {"661": "8"}) == ()
    assert steps(contact, ROLES, {"661": "8", "662": None}) == (Detach("662"),)


def test_what_people_attached_is_left_alone() -> None:
    assert steps(related(), ROLES, {}) == ()


def test_it_is_never_detached_from_its_own_company_only_its_role_ends() -> None:
    assert steps(related(), ROLES, {"660": "8"}) == (Attach("660", None, "8", anew=False),)
    assert steps(related(), ROLES, {"660": None}) == ()
    moved = salesforce(account_id=OTHER, account_customer_id="661")
    assert steps(moved, ROLES, {"660": None}) == (Detach("660"),)
