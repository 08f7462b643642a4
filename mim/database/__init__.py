"""The database backend of the product: Django's for PostgreSQL, which looks before it asks."""
