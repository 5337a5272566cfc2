"""The measurements, each a part that can be run alone."""
