"""The tables of a venue's database. What is secret lies in sealed columns (:mod:`marginproof.node.sealing`)."""

import sqlalchemy as sa

metadata = sa.MetaData()
meta = sa.Table("meta", metadata, sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.LargeBinary))
accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("account", sa.LargeBinary, primary_key=True),
    sa.Column("accepted_at", sa.Integer),
    sa.Column("deadline", sa.Integer, index=True),
    sa.Column("missed", sa.Integer, nullable=False),
    sa.Column("uncovered", sa.Boolean, nullable=False),
    sa.Column("references", sa.Text, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("book", sa.LargeBinary, nullable=False),
)
fills = sa.Table(
    "fills",
    metadata,
    sa.Column("fill_id", sa.Text, primary_key=True),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("fill", sa.LargeBinary, nullable=False),
)
pledges = sa.Table(
    "pledges",
    metadata,
    sa.Column("account", sa.LargeBinary, primary_key=True),
    sa.Column("commitment", sa.LargeBinary, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("opening", sa.LargeBinary, nullable=False),
    sa.Column("owner", sa.LargeBinary),
    sa.Column("owner_index", sa.Text),  # an unsigned 64-bit number, which SQLite does not have
    sa.Column("status_before", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
)
snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("slot", sa.Integer, nullable=False),
    sa.Column("expires_at", sa.Integer, nullable=False, index=True),
    sa.Column("signed", sa.LargeBinary, nullable=False),
    sa.Column("report", sa.LargeBinary, nullable=False),
)
decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("key", sa.LargeBinary, primary_key=True),
    sa.Column("answer", sa.Integer, primary_key=True),
    sa.Column("repeat_until", sa.Integer),
    sa.Column("signed", sa.LargeBinary, nullable=False),
)
