"""The settings of an installation: one TOML file and the environment, checked before anything else happens."""

from twinbook.settings.loading import load
from twinbook.settings.model import ConnectionSettings, Settings
from twinbook.settings.policies import account_policy, contact_policy, role_entities
from twinbook.settings.problems import Problem, SettingsError
from twinbook.settings.rendering import json_schema, render_commented

__all__ = [
    "ConnectionSettings",
    "Problem",
    "Settings",
    "SettingsError",
    "account_policy",
    "contact_policy",
    "json_schema",
    "load",
    "render_commented",
    "role_entities",
]
