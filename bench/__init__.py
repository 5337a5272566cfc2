"""Measurements of the outbox and the inbox against peers and bare floors, as ratios within one run."""
