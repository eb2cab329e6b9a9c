"""The people and companies of the data set, before any system knows of them. Pure: the same seed, the same people.

It is meant to be as uneven as a real company's data: most accounts are small and a few are large, some people
share a mailbox or a name, some have no email, and NetSuite already knows a part of them, more or less well.
"""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mimesis import Address, Person
from mimesis.enums import Gender

from twinbook_sandbox.places import COUNTRIES, DEPARTMENTS, TITLES, Country, Town


@dataclass(frozen=True, slots=True)
class Dataset:
    """Size and seed of a data set."""

    accounts: int = 200
    contacts: int = 2000
    seed: int = 1


class Standing(StrEnum):
    """What NetSuite knows of an account."""

    LINKED = "linked"
    """A customer exists, and the account carries its id."""
    UNLINKED_TWIN = "unlinked_twin"
    """A customer of the same name exists, and nobody has linked the two."""
    PROSPECT = "prospect"
    """NetSuite knows nothing."""


class Known(StrEnum):
    """What NetSuite knows of a contact; never is it linked."""

    NOT = "not"
    AT_COMPANY = "at_company"
    """By email, at the account's customer."""
    WITHOUT_COMPANY = "without_company"
    """By email, at no company."""
    TWICE = "twice"
    """By email, at the customer and once more without company."""
    INACTIVE = "inactive"
    """By email, at the customer, but inactive."""
    NAMESAKE = "namesake"
    """Somebody of that name is at the customer, with another email."""


@dataclass(frozen=True, slots=True)
class Company:
    """An account-to-be. ``parent`` is the number of an earlier company of the group."""

    number: int
    name: str
    country: Country
    town: Town
    street: str
    postal_code: str
    domain: str
    phone: str
    industry: str
    standing: Standing
    parent: int | None


@dataclass(frozen=True, slots=True)
class Someone:
    """A contact-to-be of the company with this number."""

    company: int
    salutation: str | None
    first_name: str
    last_name: str
    title: str | None
    department: str | None
    email: str | None
    phone: str | None
    mobile: str | None
    notes: str | None
    account_role: str | None
    elsewhere: int | None
    """Number of another company the person works with."""
    known: Known


INDUSTRIES = ("Manufacturing", "Transportation", "Healthcare", "Retail", "Technology", "Energy")
ACCOUNT_ROLES = (
    "Decision Maker",
    "Business User",
    "Evaluator",
    "Executive Sponsor",
    "Technical Buyer",
    "Other",
)
MAILBOXES = ("info", "office", "purchasing", "accounts")
LINKED_SHARE = 0.60
TWIN_SHARE = 0.05
NO_EMAIL_SHARE = 0.08
SHARED_MAILBOX_SHARE = 0.02
SAME_NAME_SHARE = 0.005
KNOWN_SHARES = {
    Known.AT_COMPANY: 0.17,
    Known.WITHOUT_COMPANY: 0.04,
    Known.TWICE: 0.02,
    Known.INACTIVE: 0.015,
    Known.NAMESAKE: 0.01,
    Known.NOT: 0.745,
}
NAME_POOL = 4000
"""Names drawn ahead for each country and gender: drawing them one by one takes most of the time of a large set."""


class Population:
    """All companies, and an iterator over their people."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self._random = random.Random(dataset.seed)  # noqa: S311 -- reproducible, nothing secret
        self._names = {country.code: _NamePool(country, dataset) for country in COUNTRIES}
        self._taken: set[str] = set()
        self.companies: list[Company] = []
        for number in range(dataset.accounts):
            self.companies.append(self._company(number))

    def people(self) -> Iterator[Someone]:
        """The contacts, company by company. Iterate once."""
        for company, size in zip(self.companies, self._sizes(), strict=True):
            previous: Someone | None = None
            for _ in range(size):
                previous = self._someone(company, previous)
                yield previous

    def _company(self, number: int) -> Company:
        rng = self._random
        country = rng.choices(COUNTRIES, [each.share for each in COUNTRIES])[0]
        town = rng.choice(country.towns)
        parent = rng.randrange(number) if number > 3 and rng.random() < 0.04 else None
        name, stem = self._company_name(country, town)
        return Company(
            number=number,
            name=name,
            country=country,
            town=town,
            street=self._names[country.code].street(),
            postal_code=self._digits(town.postal),
            domain=f"{stem}.{country.domain}",
            phone=self._phone(country, town),
            industry=rng.choice(INDUSTRIES),
            standing=self._standing(number),
            parent=parent,
        )

    def _standing(self, number: int) -> Standing:
        # The first two are fixed, so that even the smallest data set shows both sides of the gate.
        if number < 2:
            return (Standing.LINKED, Standing.PROSPECT)[number]
        draw = self._random.random()
        if draw < LINKED_SHARE:
            return Standing.LINKED
        return Standing.UNLINKED_TWIN if draw < LINKED_SHARE + TWIN_SHARE else Standing.PROSPECT

    def _company_name(self, country: Country, town: Town) -> tuple[str, str]:
        names = self._names[country.code]
        for attempt in range(100):
            family = names.last_name(Gender.MALE).title()
            place = f" {town.name}" if attempt > 5 else ""
            stem = f"{family} {self._random.choice(country.trades)}{place}"
            domain = ascii_word(stem)
            if domain not in self._taken:
                self._taken.add(domain)
                return f"{stem} {self._random.choice(country.legal_forms)}", domain
        number = len(self._taken)
        self._taken.add(f"{domain}{number}")
        return f"{stem} {number}", f"{domain}{number}"

    def _sizes(self) -> list[int]:
        """Contacts of each company: a few have many, most have few; the sum is exact."""
        if not self.companies:
            return []
        weights = [self._random.paretovariate(1.3) for _ in self.companies]
        scale = self.dataset.contacts / sum(weights)
        sizes = [int(weight * scale) for weight in weights]
        for position in range(self.dataset.contacts - sum(sizes)):
            sizes[position % len(sizes)] += 1
        return sizes

    def _someone(self, company: Company, previous: Someone | None) -> Someone:
        rng = self._random
        gender = rng.choice((Gender.FEMALE, Gender.MALE))
        names = self._names[company.country.code]
        first, last = names.first_name(gender), names.last_name(gender)
        if previous is not None and rng.random() < SAME_NAME_SHARE:
            first, last = previous.first_name, previous.last_name
        polite = company.country.miss if gender is Gender.FEMALE else company.country.mister
        email = self._email(company, first, last)
        return Someone(
            company=company.number,
            salutation=polite if rng.random() < 0.7 else None,
            first_name=first,
            last_name=last,
            title=rng.choice(TITLES) if rng.random() < 0.85 else None,
            department=rng.choice(DEPARTMENTS) if rng.random() < 0.4 else None,
            email=email,
            phone=self._phone(company.country, company.town) if rng.random() < 0.75 else None,
            mobile=self._mobile(company.country) if rng.random() < 0.4 else None,
            notes="Prefers email.\nDo not call on Fridays." if rng.random() < 0.03 else None,
            account_role=rng.choice(ACCOUNT_ROLES) if rng.random() < 0.25 else None,
            elsewhere=rng.randrange(self.dataset.accounts) if rng.random() < 0.02 else None,
            known=self._known(company, email),
        )

    def _known(self, company: Company, email: str | None) -> Known:
        if email is None or company.standing is Standing.PROSPECT:
            return Known.NOT
        # Chosen among the contacts NetSuite can know at all, so that the whole comes to about a quarter.
        return self._random.choices(list(KNOWN_SHARES), list(KNOWN_SHARES.values()))[0]

    def _email(self, company: Company, first: str, last: str) -> str | None:
        draw = self._random.random()
        if draw < NO_EMAIL_SHARE:
            return None
        if draw < NO_EMAIL_SHARE + SHARED_MAILBOX_SHARE:
            return f"{self._random.choice(MAILBOXES)}@{company.domain}"
        name = f"{ascii_word(first)}.{ascii_word(last)}"
        address = f"{name}@{company.domain}"
        serial = 2
        while address in self._taken:
            address = f"{name}{serial}@{company.domain}"
            serial += 1
        self._taken.add(address)
        # Some people write their address in capitals; it is the same address.
        return address.title() if self._random.random() < 0.02 else address

    def _phone(self, country: Country, town: Town) -> str:
        return f"{country.dialling} {town.dialling} {self._digits(country.phone)}"

    def _mobile(self, country: Country) -> str:
        return f"{country.dialling} {self._digits(country.mobile)}"

    def _digits(self, pattern: str) -> str:
        return "".join(str(self._random.randrange(10)) if sign == "#" else sign for sign in pattern)


class _NamePool:
    """Names and streets of one country, drawn ahead and then picked."""

    def __init__(self, country: Country, dataset: Dataset) -> None:
        self._random = random.Random(f"{country.code}{dataset.seed}")  # noqa: S311 -- reproducible
        people = Person(country.locale, seed=dataset.seed)
        address = Address(country.locale, seed=dataset.seed)
        size = min(NAME_POOL, 50 + dataset.contacts + dataset.accounts)
        genders = (Gender.FEMALE, Gender.MALE)
        self._first = {g: [people.first_name(gender=g) for _ in range(size)] for g in genders}
        self._last = {g: [people.last_name(gender=g) for _ in range(size)] for g in genders}
        self._streets = [address.address() for _ in range(min(size, 500))]

    def first_name(self, gender: Gender) -> str:
        return self._random.choice(self._first[gender])

    def last_name(self, gender: Gender) -> str:
        return self._random.choice(self._last[gender])

    def street(self) -> str:
        return self._random.choice(self._streets)


_SPELLED = str.maketrans(
    {"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "æ": "ae", "ä": "ae", "ö": "oe", "ü": "ue"}
)


def ascii_word(text: str) -> str:
    """A text as it stands in an email address or domain: lower-case ASCII letters and digits."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_SPELLED))
    return "".join(sign for sign in plain if sign.isascii() and sign.isalnum())
