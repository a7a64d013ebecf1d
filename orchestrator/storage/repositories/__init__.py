"""Access to the database's tables by subject; each repository works in the transaction of one connection."""
