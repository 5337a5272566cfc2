"""One module a step; each has a number and is never changed after a release."""
