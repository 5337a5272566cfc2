"""The program ``onelane``. It may import anything; nothing imports it."""
