"""The data set: reproducible, and as uneven as it promises."""

from collections import Counter

import pytest

from twinbook_sandbox.population import Dataset, Known, Population, Someone, Standing, ascii_word


@pytest.fixture(scope="module")
def population() -> tuple[Population, list[Someone]]:
    made = Population(Dataset())
    return made, list(made.people())


def test_the_same_seed_makes_the_same_people() -> None:
    first, second, other = (Population(Dataset(20, 100, seed)) for seed in (3, 3, 4))
    assert first.companies == second.companies
    people = list(first.people())
    assert people == list(second.people())
    assert people != list(other.people())


@pytest.mark.parametrize(("accounts", "contacts"), [(0, 0), (1, 1), (1, 50), (7, 3), (200, 2000)])
def test_the_size_is_exact(accounts: int, contacts: int) -> None:
    made = Population(Dataset(accounts, contacts))
    assert len(made.companies) == accounts
    assert len(list(made.people())) == contacts


def test_most_accounts_are_linked_and_company_names_differ(
    population: tuple[Population, list[Someone]],
) -> None:
    companies = population[0].companies
    standings = Counter(company.standing for company in companies)
    assert 0.5 < standings[Standing.LINKED] / len(companies) < 0.7
    assert standings[Standing.PROSPECT] > 20
    assert standings[Standing.UNLINKED_TWIN] > 0
    assert len({company.name.casefold() for company in companies}) == len(companies)
    assert all(company.parent is None or company.parent < company.number for company in companies)


def test_contacts_are_uneven(population: tuple[Population, list[Someone]]) -> None:
    _made, people = population
    sizes = sorted(Counter(someone.company for someone in people).values())
    assert sizes[-1] > 10 * sizes[len(sizes) // 2]
    assert 0.05 < sum(someone.email is None for someone in people) / len(people) < 0.11
    mailboxes = Counter(someone.email for someone in people if someone.email)
    assert max(mailboxes.values()) > 1
    names = Counter((someone.company, someone.first_name, someone.last_name) for someone in people)
    assert max(names.values()) > 1
    assert any(someone.account_role for someone in people)
    assert any(someone.elsewhere is not None for someone in people)


def test_netsuite_knows_about_a_quarter_of_those_it_can_know(
    population: tuple[Population, list[Someone]],
) -> None:
    made, people = population
    possible = [s for s in people if s.email and made.companies[s.company].standing is not Standing.PROSPECT]
    known = Counter(someone.known for someone in possible)
    assert 0.2 < 1 - known[Known.NOT] / len(possible) < 0.31
    assert set(known) == set(Known)
    assert all(s.known is Known.NOT for s in people if s.email is None)


def test_everything_fits_into_both_systems(population: tuple[Population, list[Someone]]) -> None:
    for someone in population[1]:
        assert max(len(someone.first_name), len(someone.last_name)) <= 32
        assert all(phone is None or len(phone) <= 32 for phone in (someone.phone, someone.mobile))
        assert someone.email is None or someone.email.isascii()


def test_words_become_what_stands_in_an_address() -> None:
    assert ascii_word("Łukasz Größe-O'Neill Ćwik") == "lukaszgroesseoneillcwik"
