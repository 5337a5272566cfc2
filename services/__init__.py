"""What decides and reacts. No service imports another: they meet in events and calls."""
