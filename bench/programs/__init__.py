"""The processes a measurement is made of: each is told what to do by its parent and writes down what it saw."""
