"""The mocked world: model, tools and services together."""
