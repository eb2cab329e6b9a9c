"""An account customization project on disk (netsuite.md 6): what deploying it brings into the account.

Read strictly: what SuiteCloud's own validation would refuse, as far as it is known, is refused here with the file and
the problem.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, fromstring

from twinbook_sandbox.netsuite.schema import CustomField, Kind

_KINDS = {
    "TEXT": Kind.TEXT,
    "EMAIL": Kind.EMAIL,
    "PHONE": Kind.PHONE,
    "URL": Kind.URL,
    "CHECKBOX": Kind.BOOL,
    "INTEGER": Kind.INTEGER,
    "FLOAT": Kind.NUMBER,
    "DATE": Kind.DATE,
    "DATETIMETZ": Kind.DATETIME,
}
_APPLIES = {"contact": "appliestocontact", "customer": "appliestocustomer"}
_SCRIPTS = {"restlet": "customscript_", "usereventscript": "customscript_", "eventsubscriber": "custevsub_"}
_PREFIXES = {"entitycustomfield": "custentity_", "role": "customrole_", **_SCRIPTS}
_REFERENCE = re.compile(r"\[(?P<name>[^\]]+)\]")
_LEVELS = ("VIEW", "CREATE", "EDIT", "FULL")
MAX_SCRIPT_ID = 40


class ProjectError(Exception):
    """The project cannot be deployed; the text names the file."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A script as it is deployed. ``record_type`` and ``contexts`` are those of a user event or subscriber."""

    kind: str
    script_id: str
    id: str
    file: str
    active: bool = True
    record_type: str = ""
    contexts: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Project:
    """What a project holds. ``roles`` are levels by permission key, by role."""

    name: str
    files: Mapping[str, str]
    fields: tuple[CustomField, ...]
    deployments: tuple[Deployment, ...]
    roles: Mapping[str, Mapping[str, str]]


def read_project(folder: Path) -> Project:
    """The project in a folder that holds ``manifest.xml``, or in its subfolder ``src``."""
    root = folder / "src" if (folder / "src" / "manifest.xml").is_file() else folder
    manifest = _xml(root / "manifest.xml", "manifest")
    if manifest.get("projecttype") != "ACCOUNTCUSTOMIZATION":
        raise ProjectError("manifest.xml: projecttype must be ACCOUNTCUSTOMIZATION.")
    deploy = _xml(root / "deploy.xml", "deploy")
    files = {
        f"/{path.relative_to(root / 'FileCabinet').as_posix()}": path
        for path in _chosen(root, deploy, "files")
    }
    objects = [(path, _object(path)) for path in _chosen(root, deploy, "objects")]
    roles = dict(_role(path, one) for path, one in objects if one.tag == "role")
    deployments = [item for path, one in objects if one.tag in _SCRIPTS for item in _deployments(path, one)]
    known = {*roles, *files, *(one.get("scriptid", "") for _, one in objects)}
    for path, one in objects:
        _check_references(path, one, known)
    return Project(
        name=_text(manifest, "projectname"),
        files={name: path.read_text(encoding="utf-8") for name, path in files.items()},
        fields=tuple(_field(path, one) for path, one in objects if one.tag == "entitycustomfield"),
        deployments=tuple(deployments),
        roles=roles,
    )


def _xml(path: Path, tag: str) -> Element:
    try:
        root = fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - the folder is the tester's own
    except FileNotFoundError:
        raise ProjectError(f"{path.name}: the file is missing in {path.parent.name}.") from None
    except (ParseError, UnicodeDecodeError) as problem:
        raise ProjectError(f"{path.name}: {problem}") from None
    if tag and root.tag != tag:
        raise ProjectError(f"{path.name}: its root must be <{tag}>, not <{root.tag}>.")
    return root


def _chosen(root: Path, deploy: Element, part: str) -> Iterator[Path]:
    """The files that deploy.xml names, as ``~/Objects/*``."""
    for node in deploy.findall(f"{part}/path"):
        pattern = (node.text or "").strip().removeprefix("~/")
        recursive = f"{pattern.removesuffix('/*')}/**/*" if pattern.endswith("/*") else pattern
        found = [path for path in sorted(root.glob(recursive)) if path.is_file()]
        if not found:
            raise ProjectError(f"deploy.xml: nothing is at {node.text}.")
        yield from found


def _object(path: Path) -> Element:
    one = _xml(path, "")
    script_id = one.get("scriptid", "")
    prefix = _PREFIXES.get(one.tag)
    if prefix is None:
        raise ProjectError(f"{path.name}: <{one.tag}> is not understood by the sandbox.")
    if not re.fullmatch(prefix + r"[a-z0-9_]+", script_id) or len(script_id) > MAX_SCRIPT_ID:
        text = f"scriptid must begin with {prefix} and have {MAX_SCRIPT_ID} characters at most."
        raise ProjectError(f"{path.name}: {text}")
    if path.stem != script_id:
        raise ProjectError(f"{path.name}: the file must be called {script_id}.xml.")
    return one


def _check_references(path: Path, one: Element, known: set[str]) -> None:
    for node in one.iter():
        for match in _REFERENCE.finditer(node.text or ""):
            if match["name"] not in known:
                raise ProjectError(
                    f"{path.name}: <{node.tag}> refers to {match['name']}, which the project lacks."
                )


def _field(path: Path, one: Element) -> CustomField:
    kind = _KINDS.get(_text(one, "fieldtype", "TEXT"))
    if kind is None:
        raise ProjectError(f"{path.name}: the field type is not understood by the sandbox.")
    length = _text(one, "maxlength", "")
    applies = tuple(name for name, tag in _APPLIES.items() if _text(one, tag, "F") == "T")
    return CustomField(
        one.get("scriptid", ""), _text(one, "label"), kind, int(length) if length else None, applies
    )


def _role(path: Path, one: Element) -> tuple[str, dict[str, str]]:
    levels = {}
    for node in one.findall("permissions/permission"):
        key, level = _text(node, "permkey"), _text(node, "permlevel")
        if level not in _LEVELS or key in levels:
            raise ProjectError(f"{path.name}: the permission {key} is given twice or with an unknown level.")
        levels[key] = level
    return one.get("scriptid", ""), levels


def _deployments(path: Path, one: Element) -> Iterator[Deployment]:
    script_id = one.get("scriptid", "")
    if one.tag == "eventsubscriber":
        yield from _subscriptions(one, script_id)
        return
    file = _text(one, "scriptfile").strip("[]")
    parameters = [node.get("scriptid", "") for node in one.findall("scriptcustomfields/scriptcustomfield")]
    for node in one.findall("scriptdeployments/scriptdeployment"):
        yield Deployment(
            kind=one.tag,
            script_id=script_id,
            id=node.get("scriptid", ""),
            file=file,
            active=_is_active(one, node),
            record_type=_text(node, "recordtype", "").lower(),
            contexts=frozenset(_text(node, "executioncontext", "").split("|")) - {""},
            parameters={name: _text(node, name, "") for name in parameters},
        )
    if one.find("scriptdeployments/scriptdeployment") is None:
        raise ProjectError(f"{path.name}: the script has no deployment.")


def _is_active(script: Element, deployment: Element) -> bool:
    states = _text(script, "isinactive"), _text(deployment, "isdeployed"), _text(deployment, "status")
    return states == ("F", "T", "RELEASED")


def _subscriptions(one: Element, script_id: str) -> Iterator[Deployment]:
    by_record: dict[str, set[str]] = {}
    for criterion in one.findall("criteria/criterion"):
        names = {
            _text(node, "name"): _text(node, "value") for node in criterion.findall("parameters/parameter")
        }
        by_record.setdefault(names.get("RECORDTYPE", "").lower(), set()).add(_text(criterion, "type"))
    for record_type, events in by_record.items():
        file = _text(one, "scriptfilepath").strip("[]")
        yield Deployment(
            one.tag, script_id, script_id, file, record_type=record_type, events=frozenset(events)
        )


def _text(node: Element, tag: str, default: str | None = None) -> str:
    found = node.findtext(tag)
    if found is None:
        if default is None:
            raise ProjectError(f"{node.get('scriptid') or node.tag}: <{tag}> is missing.")
        return default
    return found.strip()
