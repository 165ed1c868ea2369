"""What is asked next, and what an answer means: pure, without input or output."""
