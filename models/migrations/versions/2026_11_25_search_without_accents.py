"""customers are found and ordered by their names without accents"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('customer_facts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('search_key', sa.String(), nullable=False, server_default=''))
    # Found as before until the facts, and with them the accents, have been derived anew.
    facts = sa.table('customer_facts', sa.column('search_key'), sa.column('name_key'), sa.column('email_key'))
    op.execute(facts.update().values(search_key=facts.c.name_key + '\n' + facts.c.email_key))
    op.execute(
        "UPDATE sync_cursors SET state = 'waiting', cursor = NULL, fetched = 0, started_at = NULL, "
        "finished_at = NULL, error = '' WHERE resource = 'facts'"
    )


def downgrade() -> None:
    with op.batch_alter_table('customer_facts', schema=None) as batch_op:
        batch_op.drop_column('search_key')
