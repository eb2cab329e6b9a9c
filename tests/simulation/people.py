"""What people do in both systems, and to Twinbook, while a simulation runs. Each move is drawn from the seed.

What they enter is distinctive, so that none of it can turn up in a log line by chance.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.memory.netsuite import MemoryNetSuite
from tests.memory.salesforce import MemorySalesforce
from tests.simulation.trace import Trace

from twinbook.domain.errors import PermanentError
from twinbook.domain.records import Entity, Value

MARK = "zq"
"""Stands in every name, address and number that people enter."""

FIRST = (f"Ada{MARK}", f"Grace{MARK}", f" Edsger{MARK} ", f"Max{MARK}-Theodor Ferdinand von und zu", None)
LAST = (
    f"Lovelace{MARK}",
    f"Hopper{MARK}  ",
    f"Dijkstra{MARK}",
    f"von Brentano{MARK} di Tremezzo-Lichtenstein",
)
MAILBOXES = tuple(f"{name}@{MARK}.example" for name in ("ada", "grace", "edsger", "max", "info", "office"))
VALUES: dict[str, tuple[Value, ...]] = {
    "FirstName": FIRST,
    "LastName": LAST,
    "Title": (f"Analyst {MARK}", f"Chief  Analyst {MARK}", f" Countess {MARK}\r\n",
              f"Head {MARK} of {'very ' * 20}", None),
    "Phone": (f"030 1234567 {MARK}", f"+49 (30) 123-4567 {MARK}", f"0049 30 7654321 {MARK}", None),
    "Description": (f"first {MARK}\r\nsecond ", f"  outer {MARK} ", f"{MARK}{'x' * 1200}", None),
    "MailingCity": (f"Berlin {MARK}", f" Potsdam{MARK} ", None),
}  # fmt: skip
# The same fields as NetSuite calls them, with the lengths that it allows.
IN_NETSUITE = {
    "FirstName": ("firstName", 32),
    "LastName": ("lastName", 32),
    "Title": ("title", 100),
    "Phone": ("phone", 32),
    "Description": ("comments", 999),
    "MailingCity": ("address.city", 50),
}
ROLES = ("Decision Maker", "Billing")

Act = Callable[[], object]


@dataclass(slots=True)
class People:
    """Users of both systems. `weights` say how often each of them moves."""

    dice: random.Random
    salesforce: MemorySalesforce
    netsuite: MemoryNetSuite
    trace: Trace
    accounts: list[str] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    deals: list[str] = field(default_factory=list)

    def act(self) -> None:
        """One move of somebody. What a system refuses is not done."""
        moves, weights = zip(*self._moves(), strict=True)
        move = self.dice.choices(moves, weights)[0]
        name = move.__name__.lstrip("_")
        try:
            told = move()
        except PermanentError as refused:
            self.trace.note("user", f"{name} refused", refused.code)
        else:
            self.trace.note("user", name, told)

    def settle_in(self, accounts: int, contacts: int) -> None:
        """The world as it is before Twinbook starts."""
        for _ in range(accounts):
            self.dice.choices((self._linked_account, self._prospect, self._customer), (6, 3, 1))[0]()
        for _ in range(contacts):
            move = self.dice.choices((self._contact_here, self._contact_there, self._twins), (5, 3, 2))[0]
            try:
                move()
            except PermanentError as refused:
                self.trace.note("user", "settle in refused", refused.code)

    def _moves(self) -> Sequence[tuple[Act, int]]:
        return (
            (self._edit_here, 14),
            (self._edit_there, 14),
            (self._contact_here, 6),
            (self._contact_there, 5),
            (self._change_email_here, 4),
            (self._change_email_there, 3),
            (self._move_here, 4),
            (self._move_there, 2),
            (self._delete_here, 3),
            (self._undelete, 3),
            (self._delete_there, 2),
            (self._merge_here, 3),
            (self._merge_there, 2),
            (self._inactivate, 1),
            (self._lock, 1),
            (self._prospect, 1),
            (self._win, 4),
            (self._link_account, 2),
            (self._rename_account, 1),
            (self._merge_accounts, 1),
            (self._push, 2),
            (self._role, 2),
        )

    # Salesforce

    def _linked_account(self) -> str:
        customer = self._customer()
        account = self.salesforce.user_creates_account(self._company(), NetSuite_Id__c=customer)
        self.accounts.append(account)
        return account

    def _prospect(self) -> str:
        parent = {"ParentId": self._account()} if self.accounts and self.dice.random() < 0.3 else {}
        account = self.salesforce.user_creates_account(self._company(), **parent)
        self.accounts.append(account)
        return account

    def _contact_here(self) -> object:
        account = self._account() if self.dice.random() < 0.9 else None
        fields = {name: self._value(name) for name in ("FirstName", "LastName", "Title", "Phone")}
        given = {name: value for name, value in fields.items() if value is not None}
        return self.salesforce.user_creates_contact(**given, Email=self._email(), AccountId=account)

    def _twins(self) -> object:
        """The same person on both sides, not linked."""
        first, last, email = self._value("FirstName"), self._value("LastName"), self._email()
        there = {"firstName": first, "lastName": last, "email": email, "company": self._customer_id()}
        self.netsuite.user_creates_contact(**there, subsidiary="1", title=self._value_there("Title"))
        return self.salesforce.user_creates_contact(
            FirstName=first, LastName=last, Email=email, AccountId=self._account()
        )

    def _edit_here(self) -> object:
        id_ = self._contact_id()
        changes = {name: self._value(name) for name in self._some_fields()}
        if id_ is not None:
            self.salesforce.user_edits(id_, changes)
        return id_, changes

    def _change_email_here(self) -> object:
        id_, email = self._contact_id(), self._email()
        if id_ is not None:
            self.salesforce.user_edits(id_, {"Email": email})
        return id_, email

    def _move_here(self) -> object:
        id_, account = self._contact_id(), self._account() if self.dice.random() < 0.9 else None
        if id_ is not None:
            self.salesforce.user_edits(id_, {"AccountId": account})
        return id_, account

    def _delete_here(self) -> object:
        id_ = self._contact_id()
        if id_ is not None:
            self.salesforce.user_deletes(id_)
        return id_

    def _undelete(self) -> object:
        gone = sorted(
            id_
            for id_, record in self.salesforce._by_entity[Entity.CONTACT].items()
            if record.deleted and record.merged_into is None
        )
        id_ = self.dice.choice(gone) if gone else None
        if id_ is not None:
            self.salesforce.user_undeletes(id_)
        return id_

    def _merge_here(self) -> object:
        winner, loser = self._contact_id(), self._contact_id()
        if winner is not None and loser is not None and winner != loser:
            self.salesforce.user_merges(winner, loser)
        return winner, loser

    def _win(self) -> object:
        account = self._account()
        if account is not None:
            self.deals.append(self.salesforce.user_creates_opportunity(account, won=True))
        return account

    def _link_account(self) -> object:
        """Somebody else links an account with a customer, or unlinks it."""
        account, customer = self._account(), self._customer_id() if self.dice.random() < 0.7 else None
        if account is not None:
            self.salesforce.user_edits(account, {"NetSuite_Id__c": customer})
        return account, customer

    def _rename_account(self) -> object:
        account, name = self._account(), self._company()
        if account is not None:
            self.salesforce.user_edits(account, {"Name": name})
        return account, name

    def _merge_accounts(self) -> object:
        winner, loser = self._account(), self._account()
        if winner is not None and loser is not None and winner != loser:
            self.salesforce.user_merges(winner, loser)
        return winner, loser

    def _push(self) -> object:
        id_ = self._contact_id() if self.dice.random() < 0.7 else self._account()
        if id_ is not None:
            self.salesforce.user_edits(id_, {"Push_to_NetSuite__c": True})
        return id_

    def _role(self) -> object:
        id_, role = self._contact_id(), self.dice.choice(ROLES)
        if id_ is not None:
            self.salesforce.user_gives_role(Entity.OPPORTUNITY_CONTACT_ROLE, id_, role)
        return id_, role

    # NetSuite

    def _customer(self) -> str:
        customer = self.netsuite.user_creates_customer(self._company(), subsidiary="1")
        self.customers.append(customer)
        return customer

    def _contact_there(self) -> object:
        company = self._customer_id() if self.dice.random() < 0.9 else None
        fields = {
            IN_NETSUITE[name][0]: self._value_there(name) for name in ("FirstName", "LastName", "Title")
        }
        return self.netsuite.user_creates_contact(
            **fields, email=self._email(), company=company, subsidiary="1"
        )

    def _edit_there(self) -> object:
        id_ = self._contact_id_there()
        changes = {IN_NETSUITE[name][0]: self._value_there(name) for name in self._some_fields()}
        if id_ is not None:
            self.netsuite.user_edits(id_, changes)
        return id_, changes

    def _change_email_there(self) -> object:
        id_, email = self._contact_id_there(), self._email()
        if id_ is not None:
            self.netsuite.user_edits(id_, {"email": email})
        return id_, email

    def _move_there(self) -> object:
        id_, customer = self._contact_id_there(), self._customer_id()
        if id_ is not None:
            self.netsuite.user_edits(id_, {"company": customer})
        return id_, customer

    def _delete_there(self) -> object:
        id_ = self._contact_id_there()
        if id_ is not None:
            self.netsuite.user_deletes(id_)
        return id_

    def _merge_there(self) -> object:
        winner, loser = self._contact_id_there(), self._contact_id_there()
        if winner is not None and loser is not None and winner != loser:
            self.netsuite.user_merges(winner, loser)
        return winner, loser

    def _inactivate(self) -> object:
        id_ = self._contact_id_there()
        if id_ is not None:
            self.netsuite.user_inactivates(id_)
        return id_

    def _lock(self) -> object:
        id_, locked = self._contact_id_there(), self.dice.random() < 0.5
        if id_ is not None:
            self.netsuite.user_edits(id_, {self.netsuite.locked_field: locked})
        return id_, locked

    # Drawing

    def _some_fields(self) -> list[str]:
        return self.dice.sample(sorted(VALUES), self.dice.randint(1, 3))

    def _value(self, name: str) -> Value:
        return self.dice.choice(VALUES[name])

    def _value_there(self, name: str) -> Value:
        """NetSuite refuses what is too long, so nobody enters it."""
        value, length = self.dice.choice(VALUES[name]), IN_NETSUITE[name][1]
        return value[:length] if isinstance(value, str) else value

    def _email(self) -> str | None:
        return self.dice.choice(MAILBOXES) if self.dice.random() < 0.85 else None

    def _company(self) -> str:
        return (
            f"{self.dice.choice(('Acme', 'Initech', 'Globex', 'Umbrella'))} {MARK}{self.dice.randint(1, 4)}"
        )

    def _account(self) -> str | None:
        alive = [id_ for id_ in self.accounts if not self.salesforce.account(id_).deleted]
        return self.dice.choice(alive) if alive else None

    def _customer_id(self) -> str | None:
        return self.dice.choice(self.customers) if self.customers else None

    def _contact_id(self) -> str | None:
        alive = self.salesforce._live(Entity.CONTACT)
        return self.dice.choice(alive).id if alive else None

    def _contact_id_there(self) -> str | None:
        alive = [record.id for record in self.netsuite._all(Entity.CONTACT)]
        return self.dice.choice(alive) if alive else None
