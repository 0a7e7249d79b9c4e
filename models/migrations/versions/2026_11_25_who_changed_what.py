"""who changed what: the desk's own changes, and indexes by person and time"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('audit_entries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('staff', sa.Integer(), nullable=True),
    sa.Column('staff_name', sa.String(), nullable=False),
    sa.Column('customer', sa.String(), nullable=False),
    sa.Column('object_id', sa.String(), nullable=False),
    sa.Column('before', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('after', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_entries_at'), ['at'], unique=False)
        batch_op.create_index('ix_audit_entries_customer_at', ['customer', 'at'], unique=False)
        batch_op.create_index('ix_audit_entries_kind_at', ['kind', 'at'], unique=False)
        batch_op.create_index('ix_audit_entries_staff_at', ['staff', 'at'], unique=False)

    with op.batch_alter_table('actions', schema=None) as batch_op:
        batch_op.create_index('ix_actions_staff_opened_at', ['staff', 'opened_at'], unique=False)

    with op.batch_alter_table('call_requests', schema=None) as batch_op:
        batch_op.add_column(sa.Column('closed_by', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('closed_by_name', sa.String(), nullable=False, server_default=''))
        batch_op.create_index(batch_op.f('ix_call_requests_closed_at'), ['closed_at'], unique=False)
        batch_op.create_index('ix_call_requests_closed_by_closed_at', ['closed_by', 'closed_at'], unique=False)
        batch_op.create_index('ix_call_requests_requested_by_created_at', ['requested_by', 'created_at'], unique=False)

    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.create_index('ix_messages_staff_created_at', ['staff', 'created_at'], unique=False)

    with op.batch_alter_table('notes', schema=None) as batch_op:
        batch_op.create_index('ix_notes_author_created_at', ['author', 'created_at'], unique=False)

    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('done_by', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_tasks_created_at'), ['created_at'], unique=False)
        batch_op.create_index('ix_tasks_created_by_created_at', ['created_by', 'created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_tasks_done_at'), ['done_at'], unique=False)
        batch_op.create_index('ix_tasks_done_by_done_at', ['done_by', 'done_at'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_index('ix_tasks_done_by_done_at')
        batch_op.drop_index(batch_op.f('ix_tasks_done_at'))
        batch_op.drop_index('ix_tasks_created_by_created_at')
        batch_op.drop_index(batch_op.f('ix_tasks_created_at'))
        batch_op.drop_column('done_by')

    with op.batch_alter_table('notes', schema=None) as batch_op:
        batch_op.drop_index('ix_notes_author_created_at')

    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.drop_index('ix_messages_staff_created_at')

    with op.batch_alter_table('call_requests', schema=None) as batch_op:
        batch_op.drop_index('ix_call_requests_requested_by_created_at')
        batch_op.drop_index('ix_call_requests_closed_by_closed_at')
        batch_op.drop_index(batch_op.f('ix_call_requests_closed_at'))
        batch_op.drop_column('closed_by_name')
        batch_op.drop_column('closed_by')

    with op.batch_alter_table('actions', schema=None) as batch_op:
        batch_op.drop_index('ix_actions_staff_opened_at')

    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_entries_staff_at')
        batch_op.drop_index('ix_audit_entries_kind_at')
        batch_op.drop_index('ix_audit_entries_customer_at')
        batch_op.drop_index(batch_op.f('ix_audit_entries_at'))

    op.drop_table('audit_entries')
