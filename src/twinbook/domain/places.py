"""Countries by their ISO 3166 alpha-2 code, and the states that people write both in full and as a code.

Salesforce holds a country or a state as free text or as a picklist, NetSuite holds a country as an ISO code
(netsuite.md 2.6). Names that this table does not know pass unchanged. The country names are the usual English ones,
after the public-domain table of the tz database.
"""

from __future__ import annotations

_COUNTRIES = """
AD Andorra; AE United Arab Emirates; AF Afghanistan; AG Antigua and Barbuda; AI Anguilla; AL Albania;
AM Armenia; AO Angola; AQ Antarctica; AR Argentina; AS American Samoa; AT Austria; AU Australia;
AW Aruba; AX Åland Islands; AZ Azerbaijan; BA Bosnia and Herzegovina; BB Barbados; BD Bangladesh;
BE Belgium; BF Burkina Faso; BG Bulgaria; BH Bahrain; BI Burundi; BJ Benin; BL Saint Barthélemy;
BM Bermuda; BN Brunei; BO Bolivia; BQ Caribbean Netherlands; BR Brazil; BS Bahamas; BT Bhutan;
BV Bouvet Island; BW Botswana; BY Belarus; BZ Belize; CA Canada; CC Cocos (Keeling) Islands;
CD Democratic Republic of the Congo; CF Central African Republic; CG Congo; CH Switzerland;
CI Côte d'Ivoire; CK Cook Islands; CL Chile; CM Cameroon; CN China; CO Colombia; CR Costa Rica;
CU Cuba; CV Cape Verde; CW Curaçao; CX Christmas Island; CY Cyprus; CZ Czech Republic; DE Germany;
DJ Djibouti; DK Denmark; DM Dominica; DO Dominican Republic; DZ Algeria; EC Ecuador; EE Estonia;
EG Egypt; EH Western Sahara; ER Eritrea; ES Spain; ET Ethiopia; FI Finland; FJ Fiji;
FK Falkland Islands; FM Micronesia; FO Faroe Islands; FR France; GA Gabon; GB United Kingdom;
GD Grenada; GE Georgia; GF French Guiana; GG Guernsey; GH Ghana; GI Gibraltar; GL Greenland; GM Gambia;
GN Guinea; GP Guadeloupe; GQ Equatorial Guinea; GR Greece;
GS South Georgia and the South Sandwich Islands; GT Guatemala; GU Guam; GW Guinea-Bissau; GY Guyana;
HK Hong Kong; HM Heard Island and McDonald Islands; HN Honduras; HR Croatia; HT Haiti; HU Hungary;
ID Indonesia; IE Ireland; IL Israel; IM Isle of Man; IN India; IO British Indian Ocean Territory;
IQ Iraq; IR Iran; IS Iceland; IT Italy; JE Jersey; JM Jamaica; JO Jordan; JP Japan; KE Kenya;
KG Kyrgyzstan; KH Cambodia; KI Kiribati; KM Comoros; KN Saint Kitts and Nevis; KP North Korea;
KR South Korea; KW Kuwait; KY Cayman Islands; KZ Kazakhstan; LA Laos; LB Lebanon; LC Saint Lucia;
LI Liechtenstein; LK Sri Lanka; LR Liberia; LS Lesotho; LT Lithuania; LU Luxembourg; LV Latvia;
LY Libya; MA Morocco; MC Monaco; MD Moldova; ME Montenegro; MF Saint Martin; MG Madagascar;
MH Marshall Islands; MK North Macedonia; ML Mali; MM Myanmar; MN Mongolia; MO Macao;
MP Northern Mariana Islands; MQ Martinique; MR Mauritania; MS Montserrat; MT Malta; MU Mauritius;
MV Maldives; MW Malawi; MX Mexico; MY Malaysia; MZ Mozambique; NA Namibia; NC New Caledonia; NE Niger;
NF Norfolk Island; NG Nigeria; NI Nicaragua; NL Netherlands; NO Norway; NP Nepal; NR Nauru; NU Niue;
NZ New Zealand; OM Oman; PA Panama; PE Peru; PF French Polynesia; PG Papua New Guinea; PH Philippines;
PK Pakistan; PL Poland; PM Saint Pierre and Miquelon; PN Pitcairn; PR Puerto Rico; PS Palestine;
PT Portugal; PW Palau; PY Paraguay; QA Qatar; RE Réunion; RO Romania; RS Serbia; RU Russia; RW Rwanda;
SA Saudi Arabia; SB Solomon Islands; SC Seychelles; SD Sudan; SE Sweden; SG Singapore; SH Saint Helena;
SI Slovenia; SJ Svalbard and Jan Mayen; SK Slovakia; SL Sierra Leone; SM San Marino; SN Senegal;
SO Somalia; SR Suriname; SS South Sudan; ST Sao Tome and Principe; SV El Salvador; SX Sint Maarten;
SY Syria; SZ Eswatini; TC Turks and Caicos Islands; TD Chad; TF French Southern Territories; TG Togo;
TH Thailand; TJ Tajikistan; TK Tokelau; TL Timor-Leste; TM Turkmenistan; TN Tunisia; TO Tonga;
TR Turkey; TT Trinidad and Tobago; TV Tuvalu; TW Taiwan; TZ Tanzania; UA Ukraine; UG Uganda;
UM U.S. Minor Outlying Islands; US United States; UY Uruguay; UZ Uzbekistan; VA Vatican City;
VC Saint Vincent and the Grenadines; VE Venezuela; VG British Virgin Islands; VI U.S. Virgin Islands;
VN Vietnam; VU Vanuatu; WF Wallis and Futuna; WS Samoa; YE Yemen; YT Mayotte; ZA South Africa;
ZM Zambia; ZW Zimbabwe
"""

_OTHER_NAMES = """
US USA; US U.S.A.; US U.S.; US United States of America; US America; GB UK; GB U.K.; GB Great Britain; GB England;
GB Scotland; GB Wales; GB Northern Ireland; DE Deutschland; DE Federal Republic of Germany; AT Österreich;
CH Schweiz; CH Suisse; CH Svizzera; NL The Netherlands; NL Holland; NL Nederland; BE Belgien; BE België; BE Belgique;
FR Frankreich; IT Italien; IT Italia; ES Spanien; ES España; PT Portugal; PL Polen; PL Polska; SE Sverige;
NO Norge; DK Danmark; DK Dänemark; FI Suomi; CZ Czechia; TR Türkiye; TR Turkiye; BR Brasil; MX México; JP Nippon;
KR Korea; KR Republic of Korea; KR Korea, Republic of; KP Korea, Democratic People's Republic of;
RU Russian Federation; CN People's Republic of China; CN P.R. China; TW Taiwan, Province of China; VN Viet Nam;
AE UAE; AE U.A.E.; IE Republic of Ireland; IE Éire; CI Ivory Coast; CI Cote d'Ivoire; LA Lao PDR;
IR Iran, Islamic Republic of; SY Syrian Arab Republic; BO Bolivia, Plurinational State of;
VE Venezuela, Bolivarian Republic of; TZ Tanzania, United Republic of; MD Moldova, Republic of; BN Brunei Darussalam;
MK Macedonia; SZ Swaziland; CV Cabo Verde; MM Burma; HK Hong Kong SAR; MO Macau; VA Holy See; BA Bosnia;
CD Congo, Democratic Republic of the; CG Congo, Republic of the
"""

_STATES = """
AL Alabama; AK Alaska; AZ Arizona; AR Arkansas; CA California; CO Colorado; CT Connecticut; DE Delaware;
DC District of Columbia; FL Florida; GA Georgia; HI Hawaii; ID Idaho; IL Illinois; IN Indiana; IA Iowa; KS Kansas;
KY Kentucky; LA Louisiana; ME Maine; MD Maryland; MA Massachusetts; MI Michigan; MN Minnesota; MS Mississippi;
MO Missouri; MT Montana; NE Nebraska; NV Nevada; NH New Hampshire; NJ New Jersey; NM New Mexico; NY New York;
NC North Carolina; ND North Dakota; OH Ohio; OK Oklahoma; OR Oregon; PA Pennsylvania; RI Rhode Island;
SC South Carolina; SD South Dakota; TN Tennessee; TX Texas; UT Utah; VT Vermont; VA Virginia; WA Washington;
WV West Virginia; WI Wisconsin; WY Wyoming; AB Alberta; BC British Columbia; MB Manitoba; NB New Brunswick;
NL Newfoundland and Labrador; NS Nova Scotia; NT Northwest Territories; NU Nunavut; ON Ontario;
PE Prince Edward Island; QC Quebec; QC Québec; SK Saskatchewan; YT Yukon
"""


def _pairs(table: str) -> list[tuple[str, str]]:
    entries = (entry.strip() for entry in table.replace("\n", " ").split(";"))
    return [(entry[:2], entry[3:]) for entry in entries if entry]


def _by_name(*tables: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in tables:
        for code, name in _pairs(table):
            found[code.casefold()] = code
            found[name.casefold()] = code
    return found


COUNTRY_NAMES = dict(_pairs(_COUNTRIES))
_COUNTRY_CODES = _by_name(_COUNTRIES, _OTHER_NAMES)
_STATE_CODES = _by_name(_STATES)


def country_code(text: str) -> str | None:
    """The ISO code of a country given by name or code, None when it is not known."""
    return _COUNTRY_CODES.get(text.strip().casefold())


def state_code(text: str) -> str | None:
    """The postal code of a state of the USA or a province of Canada, None for any other."""
    return _STATE_CODES.get(text.strip().casefold())
