"""The only door to SQLAlchemy: engine, tables, migrations."""
