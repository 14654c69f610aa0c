"""Loads the plugin, so that ``pytest conformance`` works from a plain checkout."""

pytest_plugins = ["conformance.plugin"]
