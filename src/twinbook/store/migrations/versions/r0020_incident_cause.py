"""The open incidents of one cause, in the order in which they are shown.

Revision ID: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    still_open = sa.text("closed_at IS NULL")
    op.create_index(
        "incident_cause",
        "incident",
        ["scope", "code", "id"],
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
