"""Incidents by cause, whose they are, tags and notes.

Revision ID: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("incident", sa.Column("shape", sa.Text(), server_default="", nullable=False))
    op.add_column("incident", sa.Column("assignee", sa.Text(), nullable=True))
    op.add_column("incident", sa.Column("tags", sa.JSON(), server_default="[]", nullable=False))
    # Until it is met again, an incident is a cause of its own.
    op.execute("UPDATE incident SET shape = message")
    op.create_table(
        "incident_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("incident_note_incident", "incident_note", ["incident_id"], unique=False)
