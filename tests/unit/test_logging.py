"""Log lines say what happened and where, and never what stood in a record."""

from __future__ import annotations

import pytest
import structlog

from twinbook.composition import configure_logging
from twinbook.settings.model import LogSettings


@pytest.mark.parametrize("kind", ["console", "json"])
def test_a_logged_fault_names_its_place_and_not_its_message(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(LogSettings.model_validate({"format": kind}))
    try:
        try:
            raise ValueError("ada@acme.example is not a phone number")
        except ValueError:
            structlog.get_logger().exception("unforeseen-fault", entity="contact")
    finally:
        structlog.reset_defaults()
    line = capsys.readouterr().err
    assert "unforeseen-fault" in line
    assert "ValueError" in line
    assert "test_logging.py" in line
    assert "ada@acme.example" not in line
