"""Who calls the cart, over HTTP: parse, call, answer."""
