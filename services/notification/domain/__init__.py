"""The rules of telling: what a notification may become, what an answer means, what a person reads. No I/O."""
