"""moto is the engine: call it, read its objects, and replace parts of it where AWS differs."""
