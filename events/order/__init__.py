"""Events about orders."""
