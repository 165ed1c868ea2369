"""Watch a session: observers, OpenTelemetry spans, and a debugging view."""
