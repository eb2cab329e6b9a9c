"""Where the invented companies of the data set are: a few real towns a country, with how things are written there."""

from dataclasses import dataclass

from mimesis.locales import Locale


@dataclass(frozen=True, slots=True)
class Town:
    """A town with the state as Salesforce users type it and the first digits of its postal codes."""

    name: str
    state: str
    postal: str
    """Postal code; each ``#`` stands for a digit."""
    dialling: str
    """Area part of a phone number, as written locally."""


@dataclass(frozen=True, slots=True)
class Country:
    """A country's towns and habits. ``share`` is its weight among the companies of the data set."""

    code: str
    name: str
    locale: Locale
    share: int
    dialling: str
    phone: str
    """A local number after the area part; each ``#`` stands for a digit."""
    mobile: str
    domain: str
    mister: str
    miss: str
    legal_forms: tuple[str, ...]
    trades: tuple[str, ...]
    towns: tuple[Town, ...]


COUNTRIES = (
    Country(
        code="US",
        name="United States",
        locale=Locale.EN,
        share=55,
        dialling="+1",
        phone="555-01##",
        mobile="917 555-01##",
        domain="com",
        mister="Mr.",
        miss="Ms.",
        legal_forms=("Inc.", "LLC", "Corp.", "& Co.", "Group"),
        trades=(
            "Logistics",
            "Instruments",
            "Foods",
            "Robotics",
            "Textiles",
            "Analytics",
            "Medical",
            "Aviation",
            "Paper",
            "Energy",
            "Optics",
            "Software",
            "Ceramics",
            "Marine",
            "Tooling",
            "Packaging",
        ),
        towns=(
            Town("San Francisco", "CA", "941##", "(415)"),
            Town("Austin", "TX", "787##", "(512)"),
            Town("Chicago", "IL", "606##", "(312)"),
            Town("Boston", "MA", "021##", "(617)"),
            Town("Seattle", "WA", "981##", "(206)"),
            Town("Denver", "CO", "802##", "(303)"),
            Town("Atlanta", "GA", "303##", "(404)"),
            Town("Columbus", "OH", "432##", "(614)"),
        ),
    ),
    Country(
        code="GB",
        name="United Kingdom",
        locale=Locale.EN_GB,
        share=12,
        dialling="+44",
        phone="496 0###",
        mobile="7700 900###",
        domain="co.uk",
        mister="Mr.",
        miss="Ms.",
        legal_forms=("Ltd", "plc", "& Sons"),
        trades=("Engineering", "Brewing", "Publishing", "Chemicals", "Rail", "Glass", "Print", "Interiors"),
        towns=(
            Town("Leeds", "", "LS1 #AB", "113"),
            Town("Sheffield", "", "S1 #HE", "114"),
            Town("Edinburgh", "", "EH1 #YZ", "131"),
            Town("Birmingham", "", "B2 #TT", "121"),
        ),
    ),
    Country(
        code="DE",
        name="Germany",
        locale=Locale.DE,
        share=14,
        dialling="+49",
        phone="5550###",
        mobile="151 2355####",
        domain="de",
        mister="Herr",
        miss="Frau",
        legal_forms=("GmbH", "AG", "GmbH & Co. KG"),
        trades=("Maschinenbau", "Werkzeuge", "Möbel", "Elektronik", "Spedition", "Großhandel", "Lüftung"),
        towns=(
            Town("Berlin", "", "101##", "30"),
            Town("München", "", "803##", "89"),
            Town("Köln", "", "506##", "221"),
            Town("Düsseldorf", "", "402##", "211"),
        ),
    ),
    Country(
        code="FR",
        name="France",
        locale=Locale.FR,
        share=8,
        dialling="+33",
        phone="99 00 ## ##",
        mobile="6 39 98 ## ##",
        domain="fr",
        mister="M.",
        miss="Mme",
        legal_forms=("SA", "SARL", "& Fils"),
        trades=("Transports", "Conserves", "Cosmétiques", "Électricité", "Verrerie", "Décolletage"),
        towns=(
            Town("Lyon", "", "690##", "4"),
            Town("Nantes", "", "440##", "2"),
            Town("Besançon", "", "250##", "3"),
        ),
    ),
    Country(
        code="ES",
        name="Spain",
        locale=Locale.ES,
        share=6,
        dialling="+34",
        phone="555 ####",
        mobile="600 55 ####",
        domain="es",
        mister="Sr.",
        miss="Sra.",
        legal_forms=("S.L.", "S.A."),
        trades=("Aceites", "Cerámica", "Logística", "Calzados", "Diseño"),
        towns=(Town("Málaga", "", "290##", "95"), Town("Valencia", "", "460##", "96")),
    ),
    Country(
        code="PL",
        name="Poland",
        locale=Locale.PL,
        share=5,
        dialling="+48",
        phone="555 ## ##",
        mobile="500 555 ###",
        domain="pl",
        mister="Pan",
        miss="Pani",
        legal_forms=("Sp. z o.o.", "S.A."),
        trades=("Meble", "Transport", "Oświetlenie", "Drukarnia"),
        towns=(Town("Łódź", "", "90-0##", "42"), Town("Kraków", "", "30-0##", "12")),
    ),
)

TITLES = (
    "Chief Executive Officer",
    "Chief Financial Officer",
    "Managing Director",
    "VP of Operations",
    "VP Sales",
    "Head of Procurement",
    "Purchasing Manager",
    "Buyer",
    "Accounts Payable Clerk",
    "Controller",
    "IT Director",
    "Systems Administrator",
    "Warehouse Manager",
    "Production Planner",
    "Quality Engineer",
    "Project Manager",
    "Office Manager",
    "Executive Assistant",
    "Marketing Manager",
    "Sales Engineer",
)

DEPARTMENTS = ("Finance", "Purchasing", "Operations", "IT", "Sales", "Production", "Administration")
