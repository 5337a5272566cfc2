"""The real servers on one machine, without containers: how each starts, stops, fails and is found again."""
