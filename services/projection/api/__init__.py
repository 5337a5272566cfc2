"""Who asks for the view, over HTTP: parse, look, answer."""
