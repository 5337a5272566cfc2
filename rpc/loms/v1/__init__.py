"""Version 1 of LOMS's calls: only additions happen here."""
