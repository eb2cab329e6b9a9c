"""Attachments of contacts to further customers.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("role_id", sa.Text(), nullable=True),
        sa.Column("attached_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "contact_id", "customer_id"),
    )
