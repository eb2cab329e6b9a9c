"""Reading files of the Metadata API, so that what an administrator would deploy can be deployed here."""

from __future__ import annotations

from xml.etree import ElementTree

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


def parsed(text: str, kind: str) -> ElementTree.Element:
    """The root of a metadata file. Raises ValueError when it is not of this kind."""
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - a sandbox trusts whoever may control it
    except ElementTree.ParseError as error:
        raise ValueError(f"this is no XML: {error}") from None
    if root.tag != NAMESPACE + kind:
        raise ValueError(f"this is a {root.tag.removeprefix(NAMESPACE)}, not a {kind}")
    return root


def values(element: ElementTree.Element) -> dict[str, str]:
    """The children of an element as text."""
    return {child.tag.removeprefix(NAMESPACE): child.text or "" for child in element}


def rows(root: ElementTree.Element, name: str) -> list[dict[str, str]]:
    """The elements of a name, each with its children as text."""
    return [values(element) for element in root.findall(NAMESPACE + name)]
