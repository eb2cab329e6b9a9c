"""What the integration's role may do (netsuite.md 1.4), by a switch."""

from twinbook_sandbox.netsuite.errors import not_permitted
from twinbook_sandbox.netsuite.schema import RecordType
from twinbook_sandbox.netsuite.switches import NetSuiteSwitches, PermissionLevel

ALL_PERMISSIONS = (
    "ADMI_CUSTENTITYFIELD",
    "ADMI_DELETEDRECORD",
    "ADMI_LOGIN_OAUTH",
    "ADMI_LOGIN_OAUTH2",
    "ADMI_RESTWEBSERVICES",
    "LIST_CONTACT",
    "LIST_CONTACTROLE",
    "LIST_CUSTJOB",
    "LIST_SUBSIDIARY",
    "REPO_ANALYTICS",
)
"""The permissions that this account asks for somewhere."""

_LEVELS: tuple[PermissionLevel, ...] = ("NONE", "VIEW", "CREATE", "EDIT", "FULL")


class Permissions:
    """A role that may do everything, but for what the switch ``role_permissions`` lowers."""

    def __init__(self, switches: NetSuiteSwitches) -> None:
        self._switches = switches

    @property
    def restricted(self) -> bool:
        """Whether anything is lowered at all."""
        return bool(self._switches.role_permissions)

    def allows(self, key: str, level: PermissionLevel) -> bool:
        """Whether the role has a permission at this level or above."""
        held = self._switches.role_permissions.get(key, "FULL")
        return _LEVELS.index(held) >= _LEVELS.index(level)

    def require(self, kind: RecordType, level: PermissionLevel) -> None:
        """Refuse with ``INSUFFICIENT_PERMISSION`` what the role may not do with a record type."""
        if not self.allows(kind.permission, level):
            raise not_permitted(kind.permission_label)
