"""Installing Twinbook in an org and an account: step by step, each one done, checked, or told.

Nothing remembers how far an installation is: that is read off the settings file, the keys beside it and the checks of
`twinbook.doctor`. So it can be left and taken up at any time. Steps are values; whoever shows them prints them.
"""

from __future__ import annotations

from twinbook.install.draft import Draft
from twinbook.install.guiding import examine, guide_of
from twinbook.install.steps import Ask, Guide, State, Step, System

__all__ = ["Ask", "Draft", "Guide", "State", "Step", "System", "examine", "guide_of"]
