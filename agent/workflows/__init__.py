"""Steps that depend on each other, run in order, and side by side where they can be."""
