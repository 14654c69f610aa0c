"""Who tests the tester: the strategies, the oracles, the plugin and its reports."""
