"""Links and tombstones are found by their NetSuite id.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("link_counterpart", "link", ["scope", "entity", "netsuite_id"])
