"""Use moto as the engine, and change it where AWS differs."""
