"""Version 1 of the catalogue's calls: only additions happen here."""
