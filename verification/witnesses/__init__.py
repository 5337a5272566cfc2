"""The witnesses: where each fact is read, with a role that cannot write, and with no help from what is checked."""
