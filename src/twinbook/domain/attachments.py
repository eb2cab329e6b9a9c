"""Where a NetSuite contact is attached besides its own company, and with which role (netsuite.md 2.10, 8.2).

What Salesforce relates is compared with what Twinbook attached before, never with what NetSuite holds: attachments
that people made are theirs, and stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from twinbook.domain.records import SalesforceContact

PRIMARY_CONTACT = "-10"
"""The only contact role that has the same id in every account (netsuite.md 2.10)."""

UNCONFIRMED = ""
"""The remembered role of an attachment that was asked for, as long as NetSuite has not confirmed it."""

Attachments = Mapping[str, str | None]
"""Contact roles by customer: internal ids; None for an attachment without a role."""


@dataclass(frozen=True, slots=True)
class AttachmentPolicy:
    """`relations`: attach at all. `roles`: NetSuite contact roles by Salesforce role, the first one that a contact
    holds counts. `primary`: an account's primary contact becomes its customer's, whatever its other roles."""

    relations: bool = False
    roles: Mapping[str, str] = field(default_factory=dict)
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Attach:
    """Attach to a customer, or change the role there from `before`; `anew` where Twinbook had not attached it."""

    customer_id: str
    role_id: str | None
    before: str | None = None
    anew: bool = True


@dataclass(frozen=True, slots=True)
class Detach:
    """Take back an attachment that Twinbook made, with the role `before`."""

    customer_id: str
    before: str | None = None


Step = Attach | Detach


def wanted(contact: SalesforceContact, policy: AttachmentPolicy) -> dict[str, str | None]:
    """What Salesforce's relations ask for, as far as the accounts are linked.

    A relation to another account attaches. The contact's own account, and opportunities, only give a role: NetSuite
    shows the contact at its company anyway, and who has a part in one deal is not yet a contact of the customer.
    """
    held: dict[str, set[str]] = {}
    primary: set[str] = set()
    related: set[str] = set()
    for relation in contact.relations:
        if not relation.active or relation.customer_id is None:
            continue
        held.setdefault(relation.customer_id, set()).update(relation.roles)
        if not relation.of_opportunity and relation.account_id != contact.account_id:
            related.add(relation.customer_id)
        if relation.primary and not relation.of_opportunity:
            primary.add(relation.customer_id)
    found: dict[str, str | None] = {}
    for customer, roles in sorted(held.items()):
        role = _role(roles, policy, primary=customer in primary)
        if customer in related or (role is not None and customer == contact.account_customer_id):
            found[customer] = role
    return found


def steps(contact: SalesforceContact, policy: AttachmentPolicy, made: Attachments) -> tuple[Step, ...]:
    """What has to be done so that NetSuite shows what is wanted, given what Twinbook attached before.

    At its own company a contact is never detached; what is left there is an attachment without a role, which ends
    when the contact moves to another company.
    """
    target = wanted(contact, policy)
    own = contact.account_customer_id
    if own is not None and own in made:
        target.setdefault(own, None)
    ended: list[Step] = [Detach(customer, role) for customer, role in made.items() if customer not in target]
    return (
        *ended,
        *(
            Attach(customer, role, made.get(customer), anew=made.get(customer, UNCONFIRMED) == UNCONFIRMED)
            for customer, role in target.items()
            if customer not in made or made[customer] != role
        ),
    )


def _role(held: set[str], policy: AttachmentPolicy, *, primary: bool) -> str | None:
    if primary and policy.primary:
        return PRIMARY_CONTACT
    return next((role_id for name, role_id in policy.roles.items() if name in held), None)
