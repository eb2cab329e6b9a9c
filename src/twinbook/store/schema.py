"""The tables. One schema for SQLite and PostgreSQL; `migrations/` makes it, a test holds the two against each other.

Times are epoch seconds (float). `scope` is the name of the connection that a row belongs to.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

link = sa.Table(
    "link",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("salesforce_id", sa.Text),
    sa.Column("netsuite_id", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("correlation_id", sa.Text, nullable=False),
    # Held while a contact with this email is being created, so that two contacts that share a mailbox are
    # decided one after the other.
    sa.Column("reserved_email", sa.Text),
    sa.Column("agreed", sa.JSON, nullable=False),
    # What was about to be written when the look at this pair was cut off.
    sa.Column("sent", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("salesforce_version", sa.Text, nullable=False, server_default=""),
    sa.Column("netsuite_version", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
)
sa.Index("link_salesforce", link.c.scope, link.c.entity, link.c.salesforce_id, unique=True)
sa.Index(
    "link_netsuite",
    link.c.scope,
    link.c.entity,
    link.c.netsuite_id,
    unique=True,
    sqlite_where=sa.text("netsuite_id IS NOT NULL AND state <> 'closed'"),
    postgresql_where=sa.text("netsuite_id IS NOT NULL AND state <> 'closed'"),
)
# Tombstones included, which the unique index leaves out; also used where the database cannot prove that it applies.
sa.Index("link_counterpart", link.c.scope, link.c.entity, link.c.netsuite_id)
sa.Index(
    "link_reserved_email",
    link.c.scope,
    link.c.reserved_email,
    unique=True,
    sqlite_where=sa.text("reserved_email IS NOT NULL"),
    postgresql_where=sa.text("reserved_email IS NOT NULL"),
)

dirty = sa.Table(
    "dirty",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("side", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    # Records of one group (an account) are never worked on by two lanes at once.
    sa.Column("group_id", sa.Text, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("due_at", sa.Float, nullable=False),
    # Moves with every mark: a key that was marked again while it was worked on stays dirty.
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("marked_at", sa.Float, nullable=False),
    sa.Column("run_id", sa.Integer),
    sa.Column("claim", sa.Text),
    sa.Column("lease_until", sa.Float),
)
sa.Index("dirty_next", dirty.c.scope, dirty.c.priority, dirty.c.due_at)
sa.Index("dirty_claim", dirty.c.scope, dirty.c.claim)
sa.Index("dirty_run", dirty.c.run_id)

outcome = sa.Table(
    "outcome",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("side", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("counterpart_id", sa.Text),
    sa.Column("account_id", sa.Text),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("email", sa.Text),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("trace", sa.JSON, nullable=False),
    sa.Column("choices", sa.JSON, nullable=False),
    # Of the record and of its counterpart, as they were seen: equal versions need no further look.
    sa.Column("version", sa.Text, nullable=False, server_default=""),
    sa.Column("counterpart_version", sa.Text, nullable=False, server_default=""),
    sa.Column("looked_at", sa.Float, nullable=False),
    sa.Column("written_at", sa.Float),
    sa.Column("written", sa.Text),
)
# All contacts of one outcome and reason, in the two orders in which they are listed; counts are read off them too.
_CELL = (outcome.c.scope, outcome.c.entity, outcome.c.outcome, outcome.c.reason)
sa.Index("outcome_recent", *_CELL, outcome.c.looked_at, outcome.c.side, outcome.c.record_id)
sa.Index("outcome_name", *_CELL, sa.func.lower(outcome.c.name), outcome.c.side, outcome.c.record_id)
sa.Index("outcome_counterpart", outcome.c.scope, outcome.c.entity, outcome.c.counterpart_id)
sa.Index("outcome_account", outcome.c.scope, outcome.c.account_id)
sa.Index("outcome_email", outcome.c.scope, outcome.c.email)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("salesforce_id", sa.Text),
    sa.Column("netsuite_id", sa.Text),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("changes", sa.JSON, nullable=False),
    sa.Column("duration_ms", sa.Float),
    sa.Column("run_id", sa.Integer),
)
sa.Index("journal_salesforce", journal.c.scope, journal.c.salesforce_id)
sa.Index("journal_netsuite", journal.c.scope, journal.c.netsuite_id)
# In the order of time, with what is counted by the hour.
sa.Index("journal_at", journal.c.scope, journal.c.at, journal.c.what)

incident = sa.Table(
    "incident",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("field", sa.Text),
    sa.Column("message", sa.Text, nullable=False),
    # The message without what differs from record to record: incidents of one cause have one.
    sa.Column("shape", sa.Text, nullable=False, server_default=""),
    sa.Column("remedy", sa.Text, nullable=False),
    sa.Column("assignee", sa.Text),
    sa.Column("tags", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("opened_at", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
    sa.Column("closed_at", sa.Float),
    sa.Column("closed_by", sa.Text),
)
sa.Index(
    "incident_open",
    incident.c.scope,
    incident.c.entity,
    incident.c.side,
    incident.c.record_id,
    unique=True,
    sqlite_where=sa.text("closed_at IS NULL"),
    postgresql_where=sa.text("closed_at IS NULL"),
)

# The records of one cause, the newest first. Messages are too long for an index.
sa.Index(
    "incident_cause",
    incident.c.scope,
    incident.c.code,
    incident.c.id,
    sqlite_where=sa.text("closed_at IS NULL"),
    postgresql_where=sa.text("closed_at IS NULL"),
)

# What people wrote about incidents.
incident_note = sa.Table(
    "incident_note",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("incident_id", sa.Integer, sa.ForeignKey("incident.id", ondelete="CASCADE"), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)
sa.Index("incident_note_incident", incident_note.c.incident_id)

cursor = sa.Table(
    "cursor",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("position", sa.Text, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
)

run = sa.Table(
    "run",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("side", sa.Text, nullable=False, server_default="salesforce"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("position", sa.Text),
    sa.Column("total", sa.Integer),
    sa.Column("listed", sa.Integer, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("finished_at", sa.Float),
)

run_count = sa.Table(
    "run_count",
    metadata,
    sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("outcome", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
)

flow = sa.Table(
    "flow",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("changed_at", sa.Float, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    # Set while a safety valve holds the flow, until a person confirms.
    sa.Column("stopped_at", sa.Float),
    sa.Column("stopped_why", sa.Text),
)

vanished = sa.Table(
    "vanished",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("salesforce_id", sa.Text, primary_key=True),
    sa.Column("seen_at", sa.Float, nullable=False),
)

decision = sa.Table(
    "decision",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("side", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("choice", sa.Text, nullable=False),
    # What was decided about single fields, by mapping row: {"side": …} or {"value": …}.
    sa.Column("fields", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("decided_at", sa.Float, nullable=False),
)

# What Twinbook attached itself, NetSuite contacts to customers; what people attached is not here.
attachment = sa.Table(
    "attachment",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("contact_id", sa.Text, primary_key=True),
    sa.Column("customer_id", sa.Text, primary_key=True),
    sa.Column("role_id", sa.Text),
    sa.Column("attached_at", sa.Float, nullable=False),
)

# Pings that were received lately, by the nonce of their signature.
ping = sa.Table(
    "ping",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("nonce", sa.Text, primary_key=True),
    sa.Column("received_at", sa.Float, nullable=False),
    sa.Column("valid_until", sa.Float, nullable=False),
)
sa.Index("ping_received", ping.c.scope, ping.c.received_at)

# What a sweep knows beyond its run: how far it looks, and which links it has met on each side (one bit a link).
sweep = sa.Table(
    "sweep",
    metadata,
    sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("thorough", sa.Boolean, nullable=False),
    sa.Column("repairs", sa.Boolean, nullable=False),
    sa.Column("met_in_salesforce", sa.LargeBinary, nullable=False),
    sa.Column("met_in_netsuite", sa.LargeBinary, nullable=False),
    sa.Column("salesforce_listed", sa.Integer, nullable=False),
    sa.Column("netsuite_listed", sa.Integer, nullable=False),
    sa.Column("compared", sa.Integer, nullable=False),
    sa.Column("stopped_why", sa.Text),
)

drift = sa.Table(
    "drift",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("run_id", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
    # The key under which the contact is looked at.
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("salesforce_id", sa.Text),
    sa.Column("netsuite_id", sa.Text),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("fields", sa.JSON, nullable=False),
    sa.Column("found_at", sa.Float, nullable=False),
    sa.Column("queued_at", sa.Float),
    sa.Column("queued_by", sa.Text),
)
sa.Index("drift_record", drift.c.run_id, drift.c.side, drift.c.record_id, drift.c.kind, unique=True)
sa.Index("drift_scope", drift.c.scope, drift.c.run_id)

# People, sessions and the audit belong to the installation, not to one connection: they have no scope.
person = sa.Table(
    "person",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("login", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    # Absent until a person has chosen one, and for those who sign in elsewhere.
    sa.Column("password_hash", sa.Text),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float),
    sa.Column("disabled_at", sa.Float),
)

# Who a person is to a provider of single sign-on.
identity = sa.Table(
    "identity",
    metadata,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id", ondelete="CASCADE"), nullable=False),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    # The token itself is known to the browser only.
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id", ondelete="CASCADE"), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
)
sa.Index("session_person", session.c.person_id)

# Links that let somebody in once: to set up the first administrator, or to choose a password.
invitation = sa.Table(
    "invitation",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id", ondelete="CASCADE")),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("connection", sa.Text),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
)
sa.Index("audit_who", audit.c.who)

# What programs sign in with. A token acts for the person who made it, within its scopes.
api_token = sa.Table(
    "api_token",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("expires_at", sa.Float),
    sa.Column("seen_at", sa.Float),
)
sa.Index("api_token_person", api_token.c.person_id)
# How each connection is, written by whoever works on it.
condition = sa.Table(
    "condition",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("code", sa.Text),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("next_try_at", sa.Float),
)

# The processes that work on a connection, each with the version of the settings that it works with.
process = sa.Table(
    "process",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer),
    sa.Column("calls", sa.Integer),
    sa.Column("calls_limit", sa.Integer),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
)

# What the systems allow in a day, and what of it is used.
allowance = sa.Table(
    "allowance",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("used", sa.BigInteger, nullable=False),
    sa.Column("most", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
)

# States of a connection's settings, one for each change that was saved, without secrets.
settings_version = sa.Table(
    "settings_version",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    # What the file gives, by dotted place.
    sa.Column("snapshot", sa.JSON, nullable=False),
)
sa.Index("settings_version_scope", settings_version.c.scope, settings_version.c.id)

# What a person has changed and not saved yet.
settings_draft = sa.Table(
    "settings_draft",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("who", sa.Text, primary_key=True),
    # The state of the file that was read.
    sa.Column("digest", sa.Text, nullable=False),
    # Pairs of a place and its new value.
    sa.Column("changes", sa.JSON, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)

# Whom to tell what: people by apprise, programs by webhook. They belong to the installation.
recipient = sa.Table(
    "recipient",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    # What may be shown of the address, which itself is a secret.
    sa.Column("shown", sa.Text, nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("rules", sa.JSON, nullable=False),
    sa.Column("told", sa.JSON, nullable=False),
    sa.Column("dropped", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
)

# What is yet to be sent, and what was given up. A claim is a later `due_at`: who dies leaves it to the next one.
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("recipient_id", sa.Integer, sa.ForeignKey("recipient.id", ondelete="CASCADE"), nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("due_at", sa.Float, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("dead_at", sa.Float),
)
sa.Index("delivery_due", delivery.c.dead_at, delivery.c.due_at)
sa.Index("delivery_recipient", delivery.c.recipient_id)

# Answers to requests that carried an Idempotency-Key, for a while. `status` is absent while a request is worked on.
answered = sa.Table(
    "answered",
    metadata,
    sa.Column("caller", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request_hash", sa.Text, nullable=False),
    sa.Column("status", sa.Integer),
    # Answers may name people and hold secrets, so they are encrypted.
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
)
sa.Index("answered_created", answered.c.created_at)
