"""The transfer of a list of instances: the journal that holds it, and the workers that empty it."""
