"""What administrators do with scripts: deploy a project, set a parameter, keep a secret, read the script log."""

from pathlib import Path
from typing import Any

from twinbook_sandbox.core.control import Action
from twinbook_sandbox.netsuite.errors import user_error
from twinbook_sandbox.netsuite.permissions import ALL_PERMISSIONS
from twinbook_sandbox.netsuite.suitescript.scripts import Scripts
from twinbook_sandbox.netsuite.switches import NetSuiteSwitches


class ScriptActs:
    """The actions of one account."""

    def __init__(self, scripts: Scripts, switches: NetSuiteSwitches) -> None:
        self._scripts = scripts
        self._switches = switches

    def table(self) -> dict[str, Action]:
        """All actions by name."""
        acts: list[Action] = [
            self.deploy_project,
            self.switch_script,
            self.set_script_parameter,
            self.keep_secret,
            self.script_log,
        ]
        return {act.__name__: act for act in acts}

    def deploy_project(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Deploy an SDF project: {"path": folder, "as_role": "customrole_x" to give the integration that role}."""
        project = self._scripts.deploy(Path(str(arguments["path"])))
        role = arguments.get("as_role")
        if role is not None:
            if role not in project.roles:
                raise user_error(f"The project has no role {role}.")
            held: dict[str, Any] = {**dict.fromkeys(ALL_PERMISSIONS, "NONE"), **project.roles[role]}
            self._switches.role_permissions = held
        scripts = sorted({one.script_id for one in project.deployments})
        return {
            "project": project.name,
            "fields": [one.script_id for one in project.fields],
            "scripts": scripts,
        }

    def switch_script(self, arguments: dict[str, Any]) -> None:
        """Deploy or undeploy a script on its page: {"script", "deployed": true or false}."""
        self._scripts.switch(str(arguments["script"]), active=bool(arguments["deployed"]))

    def set_script_parameter(self, arguments: dict[str, Any]) -> None:
        """Set a parameter of a script's deployments: {"script", "name", "value"}."""
        self._scripts.set_parameter(*(str(arguments[name]) for name in ("script", "name", "value")))

    def keep_secret(self, arguments: dict[str, Any]) -> None:
        """Keep an API secret: {"script_id": "custsecret_x", "value"}."""
        self._scripts.cabinet.secrets[str(arguments["script_id"])] = str(arguments["value"])

    def script_log(self, _arguments: dict[str, Any]) -> dict[str, Any]:
        """What scripts logged, and what they ended with."""
        return {"log": list(self._scripts.cabinet.log)}
