"""What a run says, as values: ranking, summary, columns, and where the time went."""
