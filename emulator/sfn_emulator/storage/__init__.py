"""moto stores what services keep: call it, read its objects, and replace parts of it where AWS differs."""
