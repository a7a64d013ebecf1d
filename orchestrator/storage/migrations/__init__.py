"""Changes of the tables; see ``orchestrator.storage.migrating``."""
