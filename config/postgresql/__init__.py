"""The database backend for PostgreSQL: Django's, which hands out no connection that was closed while it rested."""
