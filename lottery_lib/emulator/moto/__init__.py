"""Use moto as the engine, and change what AWS does otherwise."""
