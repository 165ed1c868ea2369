"""What people look at: table, charts, page."""
