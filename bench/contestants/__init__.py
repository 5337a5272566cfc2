"""What is measured: ours, its peers and its floors, each with the same way to be started and stopped."""
