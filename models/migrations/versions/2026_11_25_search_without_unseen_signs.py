"""customers are found and ordered by their names without signs that are not seen"""

from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Names that hold such signs (as Persian ones do) would not be found by what is typed from now on.
    op.execute(
        "UPDATE sync_cursors SET state = 'waiting', cursor = NULL, fetched = 0, started_at = NULL, "
        "finished_at = NULL, error = '' WHERE resource = 'facts'"
    )


def downgrade() -> None:
    pass
