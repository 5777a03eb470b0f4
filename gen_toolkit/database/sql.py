"""The words of SQL that other rooms write their queries with: what they may use of SQLAlchemy."""

from sqlalchemy import Connection, Row, func, select

__all__ = ["Connection", "Row", "func", "select"]
