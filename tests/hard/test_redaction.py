"""Personal data and secrets are planted wherever they can come in, and every output is searched for them: log lines of
the running process, both outputs of the commands, what machines and programs are told.

Names and values of records belong where a person asks for them (`explain`, `match`, …), and there only on the standard
output. Secrets belong nowhere.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.dashboard.connected import desk
from tests.scenario.product import Product, until

from twinbook.cli.exits import explained
from twinbook.cli.group import twinbook
from twinbook.notify.courier import situation
from twinbook.notify.due import Event, Rules, Told, due
from twinbook.settings import SettingsError, load
from twinbook.store import flows
from twinbook.web.access.roles import Role
from twinbook_sandbox.netsuite.oauth import TokenService
from twinbook_sandbox.salesforce.sessions import Sessions

PERSON = {
    "FirstName": "Zoraplant",
    "LastName": "Quillfeather",
    "Email": "zora.quillfeather@planted.example",
    "Phone": "+44 20 7946 0777",
    "Title": "Keeper of Plantains",
    "MailingStreet": "77 Plantain Mews",
}
TWICE = "twice@planted.example"
PERSONAL = ("Zoraplant", "Quillfeather", "planted.example", "7946 0777", "Plantain")
PING_SECRET = "planted-ping-secret-0123456789abcdef"
REFUSAL = f"{PERSON['Email']} of {PERSON['FirstName']} {PERSON['LastName']} is not welcome."

SILENT = ("status", "doctor", "pause", "resume")
ABOUT_PEOPLE = ("explain", "match", "plan", "choose", "drift", "errors", "undo", "erase", "rebuild")
"""Commands that are asked for people, and show them."""
COMMANDS = (
    *((name, *rest) for name in SILENT for rest in ((), ("--json",))),
    *((name, "--json") for name in ABOUT_PEOPLE if name not in ("explain", "undo", "erase")),
    ("backfill", "--json"),
    ("plan",),
    ("errors",),
    ("match",),
    ("explain", PERSON["Email"]),
    ("explain", PERSON["Email"], "--json"),
    ("undo", "--since", "1h"),
    ("erase", PERSON["Email"]),
    ("push", "003000000000000AAA"),
    ("settings", "--help"),
)


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every access token that the two systems give out."""
    given: list[str] = []
    open_there, open_here = TokenService._open, Sessions.open

    def netsuite(self: TokenService, *arguments: Any) -> str:
        given.append(open_there(self, *arguments))
        return given[-1]

    def salesforce(self: Sessions, *arguments: Any) -> Any:
        session = open_here(self, *arguments)
        given.append(session.token)
        return session

    monkeypatch.setattr(TokenService, "_open", netsuite)
    monkeypatch.setattr(Sessions, "open", salesforce)
    return given


def secrets(p: Product, tokens: list[str]) -> list[str]:
    """Every secret of this installation: set, in its files, and given to it by the systems."""
    assert len(tokens) >= 2, "both systems have given out tokens"
    logins = [p.sandbox.describe()[side]["credentials"] for side in ("salesforce", "netsuite")]
    keys = [line for login in logins for line in login["private_key"].splitlines() if "-----" not in line]
    return [PING_SECRET, *keys, *tokens, logins[0]["consumer_secret"], logins[1]["tba"]["token_secret"]]


async def plant(p: Product) -> str:
    """One contact that works (its id is returned), one that is refused with its own values, one without an email, one
    with two matches; and answers of both systems that quote them."""
    p.configure("ping", secret=PING_SECRET)
    account, customer = await p.linked_account("Some Company")
    works = await p.contact(**PERSON, AccountId=account)
    await p.contact(**(PERSON | {"Email": None, "LastName": "Quillfeather-Bare"}), AccountId=account)
    await p.contact(**(PERSON | {"Email": TWICE, "LastName": "Quillfeather-Two"}), AccountId=account)
    for number in range(2):
        names = {"firstName": "Zoraplant", "lastName": f"Quillfeather{number}", "email": TWICE}
        await p.netsuite.insert("contact", {**names, "company": {"id": customer}})
    no = {"LastName": "Quillfeather-No", "Email": f"no-{TWICE}"}
    await p.contact(**(PERSON | no), AccountId=account)
    await p.netsuite.set_switches(user_event_reject=REFUSAL, user_event_reject_if="lastname=Quillfeather-No")
    await plant_trouble(p)
    await p.netsuite.add_fault("status", times=1, kind="contact.put", status=500, body={"detail": REFUSAL})
    await p.salesforce.add_fault("reject", times=1, kind="collections.update", status=400, message=REFUSAL)
    return works


async def plant_trouble(p: Product) -> None:
    """Answers that quote the person, to calls that every start makes."""
    page = f"<html>{REFUSAL}</html>"
    await p.netsuite.add_fault("status", times=1, kind="suiteql", status=500, body=page)
    await p.salesforce.add_fault("status", times=1, kind="queryall", status=500, body=page)


async def ran(p: Product, reached: Callable[[], Awaitable[bool]]) -> tuple[str, str]:
    """`twinbook run` until something is reached; both its outputs."""
    process = await p.start("run")
    try:
        await until(reached, timeout=60)
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = await asyncio.wait_for(process.communicate(), 60)
    return out.decode(), err.decode()


def leaks(output: str, words: list[str]) -> list[str]:
    return [word for word in words if word in output]


async def test_no_output_holds_secrets_and_only_asked_ones_hold_people(
    p: Product, tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    works = await plant(p)
    monkeypatch.setenv("TWINBOOK_LOG__LEVEL", "debug")
    await p.command("backfill")

    async def met_trouble() -> bool:
        faults = [*await p.salesforce.faults(), *await p.netsuite.faults()]
        return any(fault["hits"] for fault in faults)

    logged = ""
    for kind in ("console", "json"):
        monkeypatch.setenv("TWINBOOK_LOG__FORMAT", kind)
        await plant_trouble(p)
        for system in (p.salesforce, p.netsuite):
            await system.clear_faults()
        await plant_trouble(p)
        await p.salesforce.update("Contact", works, {"Title": f"Keeper of {kind} Plantains"})
        out, err = await ran(p, met_trouble)
        logged += err
        assert leaks(out + err, [*secrets(p, tokens), *PERSONAL]) == [], kind
    assert "interrupted" in logged or "retried" in logged, "there was trouble to tell of"

    for system in (p.salesforce, p.netsuite):
        await system.clear_faults()
    shown = set()
    for arguments in COMMANDS:
        out, err = await asyncio.to_thread(command, p, *arguments)
        assert leaks(out + err, secrets(p, tokens)) == [], arguments
        assert leaks(err, [*PERSONAL]) == [], arguments
        if arguments[0] in ABOUT_PEOPLE:
            shown |= {arguments[0]} if leaks(out, [*PERSONAL]) else set()
        else:
            assert leaks(out, [*PERSONAL]) == [], arguments
    assert {"explain", "match", "errors", "choose"} <= shown, "the planted people were there to be found"
    files = [path for path in p.directory.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    held = {path.name for path in files for token in tokens if token.encode() in path.read_bytes()}
    assert held == set(), "tokens are in memory only"


def command(p: Product, *arguments: str) -> tuple[str, str]:
    """Both outputs of a command, as `main` would end it."""
    done = CliRunner().invoke(twinbook, ["--config", str(p.config), *arguments], env=p.environment())
    ended = done.exception
    if ended is None or isinstance(ended, SystemExit):
        return done.stdout, done.stderr
    assert isinstance(ended, Exception)
    told = explained(ended)
    assert told is not None, (arguments, ended)
    return done.stdout, done.stderr + told.format_message()


# --- settings that are refused

SECRET_SETTINGS = (
    'connections.default.salesforce.client_secret = ["{}"]',
    'connections.default.salesforce.private_key = {{ pem = "{}" }}',
    'connections.default.netsuite.tba_token_secret = [["{}"]]',
    'connections.default.netsuite.private_key = ["{}"]',
    'connections.default.ping.secret = "{:.10}"',
    'store.url = "mysql://user:{}@db/twinbook"',
    'web.oidc.client_secret = ["{}"]',
    'client_secrett = "{}"',
)


@pytest.mark.parametrize("line", SECRET_SETTINGS)
def test_settings_that_are_refused_do_not_show_secrets(line: str, tmp_path: Path) -> None:
    path = tmp_path / "twinbook.toml"
    path.write_text(line.format("hush-planted-secret"), encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        load(path, {})
    assert "hush-plant" not in str(refused.value)


# --- what machines and programs are told


async def test_metrics_and_messages_hold_nobody(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        account, _ = d.w.linked_account()
        d.w.salesforce.user_creates_contact(**PERSON, AccountId=account)
        await d.w.settle()
        browser = d.browser(Role.ADMINISTRATOR)
        assert "Quillfeather" in (await browser.get("/api/v1/contacts")).text, "a person may see them"
        numbers = (await browser.get("/metrics")).text
        assert 'twinbook_contacts{connection="default"' in numbers
        assert leaks(numbers, [*PERSONAL]) == []
        store = d.w.connection.store
        await store.run(lambda tx: flows.stop(tx, why=REFUSAL, now=0))
        stands = await store.read(situation)
        rules = Rules(frozenset(Event), digest_minutes=0)
        message, _ = due(rules, [stands], Told(), base_url="http://here", now=1e10, hour=12)
        assert message is not None, "there is something to tell"
        assert leaks(f"{message.title} {message.body}", [*PERSONAL]) == []
