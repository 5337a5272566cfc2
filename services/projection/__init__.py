"""A live view of the orders, built anew at every start from what LOMS has published."""
