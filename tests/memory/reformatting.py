"""A NetSuite account that does not keep what is written to it as it was."""

from __future__ import annotations

import re

from tests.memory.netsuite import MemoryNetSuite

from twinbook.domain.records import Entity, Fields, Value


class Reformatting(MemoryNetSuite):
    """An account whose scripts rewrite what is saved: phones in one format, single blanks in titles."""

    def _kept(self, entity: Entity, fields: Fields) -> dict[str, Value]:
        kept = super()._kept(entity, fields)
        for name, value in kept.items():
            if name.casefold().endswith("phone") and isinstance(value, str):
                kept[name] = _as_the_account_prefers(value)
            if name == "title" and isinstance(value, str):
                kept[name] = re.sub(r" +", " ", value)
        return kept


def _as_the_account_prefers(phone: str) -> str:
    digits = "".join(filter(str.isdigit, phone))
    return ("+" if phone.strip().startswith("+") else "") + ".".join(re.findall("..?", digits))
