"""What Alembic runs, in place of importing it, to bring the connection that it was given to a version."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
