"""What this service reacts to."""
