"""What is made from the table of options and from pages, so that nothing is written twice; see ``scripts/generate``."""
