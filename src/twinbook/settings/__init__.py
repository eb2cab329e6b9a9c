"""The settings of an installation: one TOML file and the environment, checked before anything else happens."""

from twinbook.settings.loading import load
from twinbook.settings.model import ConnectionSettings, Settings
from twinbook.settings.problems import Problem, SettingsError

__all__ = ["ConnectionSettings", "Problem", "Settings", "SettingsError", "load"]
