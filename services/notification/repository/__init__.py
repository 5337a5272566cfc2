"""Every SQL statement of this service, one a file, and the classes that run them."""
