"""The concurrency strategies, one short file each."""
