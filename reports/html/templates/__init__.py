"""Templates of the HTML page."""
