"""The store: place, parts, cube, record, lock and log."""
